// Which photos are worth comparing with the one that is stood at.

/** Of a burst the frame stood at and the sharpest of the others; else the photos after it, or before it at the end. */
export async function rivalsOf(photo, { pass, place, photos, count, isBurst }) {
  const others = isBurst ? framesOf(photos, place) : await stopsAround(pass, place, photos, count);
  const open = others.filter((other) => other.id !== photo.id && !other.rejected && other.preview_url);
  return [photo, ...open.slice(0, count - 1)];
}

function framesOf(photos, place) {
  const frames = photos.framesAt(place).map((id) => photos.get(id));
  return frames.sort((one, other) => (other.scores.sharpness ?? -1) - (one.scores.sharpness ?? -1));
}

async function stopsAround(pass, place, photos, count) {
  const found = [];
  for (const near of nearest(place, pass.n)) {
    const stop = await pass.stop(near);
    const photo = stop && (photos.get(stop.photo.id) ?? stop.photo);
    if (photo && !photos.has(photo.id)) photos.put([photo]);
    if (photo && !photo.rejected) found.push(photo);
    if (found.length === count - 1) break;
  }
  return found;
}

const MOST_LOOKED_AT = 12;

function nearest(place, n) {
  const after = Array.from({ length: MOST_LOOKED_AT }, (_, step) => place + 1 + step);
  const before = Array.from({ length: MOST_LOOKED_AT }, (_, step) => place - 1 - step);
  return [...after, ...before].filter((near) => near >= 1 && near <= n);
}
