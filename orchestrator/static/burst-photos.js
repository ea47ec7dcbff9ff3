// The photos of one burst, as lists tell them, in the order in which they were taken.
import { getJson } from "./api.js";
import { fetchByIds } from "./photo-store.js";

export const NOT_FETCHED = "The other frames of this burst could not be fetched: press the key again.";

export async function photosOfBurst(burstId) {
  const { frames } = await getJson(`/api/bursts/${burstId}`);
  const found = new Map((await fetchByIds(frames.map(({ id }) => id))).map((photo) => [photo.id, photo]));
  return frames.map(({ id }) => found.get(id)).filter(Boolean);
}
