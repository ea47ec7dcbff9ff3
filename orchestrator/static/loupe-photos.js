// The photos that the loupe knows, those of its stops and the frames of the bursts there. What changes elsewhere is
// fetched anew, and moves nothing.
import { getJson, paced } from "./api.js";
import { photosOfBurst } from "./burst-photos.js";
import { onFrame, onReset } from "./live.js";
import { attempt } from "./loupe-trouble.js";
import { fetchByIds } from "./photo-store.js";

const KEPT = 1_000;
const LOOKED_AT_AFTER_RESET = 16;
const REST_MS = 500;

export class LoupePhotos {
  /**
   * `view` makes of a photo, as the server told it, what is to be seen of it. `changed(ids)` is told of live changes, and
   * `removed(ids)` of photos that are there no more.
   */
  constructor({ view, changed, removed }) {
    this.view = view;
    this.told = new Map(); // id -> photo, as the server told it; the most recently told last
    this.frames = new Map(); // place -> ids of what is looked at there: frames of a burst, a kept photo and its maybes
    this.loading = new Map(); // place -> promise of the same
    const named = new Set(); // by live frames, and not looked at yet
    const look = paced(() => this.#look(named, { changed, removed }), REST_MS);
    const lookAt = (ids) => {
      ids.filter((id) => this.has(id)).forEach((id) => named.add(id));
      if (named.size) look();
    };
    const lookAround = () => lookAt([...this.told.keys()].slice(-LOOKED_AT_AFTER_RESET));
    onFrame((frame) => lookAt(frame.photos));
    onReset(lookAround); // after a frame that names nobody, too
  }

  put(told) {
    for (const photo of told) {
      this.told.delete(photo.id);
      this.told.set(photo.id, photo);
    }
    for (const id of [...this.told.keys()].slice(0, -KEPT)) if (id !== this.shownId) this.told.delete(id);
  }

  has(id) {
    return this.told.has(id);
  }

  /** The photo as it is to be seen; undefined for one that is not known. */
  get(id) {
    const photo = this.told.get(id);
    return photo && this.view(photo);
  }

  /** Ids of the frames at a place; none before they are known. */
  framesAt(place) {
    return (this.frames.get(place) ?? []).filter((id) => this.has(id));
  }

  /** Fetches the frames of a burst once, as they were taken; promises the photos, none when they could not be had. */
  loadFrames(place, burstId) {
    return this.#loadOnce(place, () => photosOfBurst(burstId));
  }

  /** Fetches once the kept photos that look like this one, and puts it before them. */
  loadMaybes(place, photo) {
    return this.#loadOnce(place, async () => [photo, ...(await getJson(`/api/photos/${photo.id}/maybes`)).items]);
  }

  /** Another pass has other places. */
  forgetPlaces() {
    this.frames.clear();
    this.loading.clear();
  }

  #loadOnce(place, load) {
    const found = this.loading.get(place) ?? this.#load(place, load);
    this.loading.set(place, found);
    return found;
  }

  async #load(place, load) {
    const found = await attempt(load);
    if (!found) this.loading.delete(place); // asked again the next time
    if (!found) return [];
    this.put(found);
    this.frames.set(place, found.map(({ id }) => id));
    return found;
  }

  /** The sharpest frame at a place that nothing is decided about, `except` this one; undefined when there is none. */
  nextFrame(place, except) {
    const left = this.framesAt(place).map((id) => this.get(id)).filter((photo) => photo.id !== except && !isDecided(photo));
    return left.sort((one, other) => (other.scores.sharpness ?? -1) - (one.scores.sharpness ?? -1))[0]?.id;
  }

  async #look(named, { changed, removed }) {
    const ids = [...named];
    named.clear();
    const found = await fetchByIds(ids);
    this.put(found);
    changed(ids);
    const there = new Set(found.map(({ id }) => id));
    const gone = ids.filter((id) => !there.has(id));
    if (gone.length) removed(gone);
  }
}

export const isDecided = (photo) => photo.rejected || photo.kept || photo.manual_match || photo.user_rating !== null;
