// The photos that the loupe knows, those of its stops and the frames of the bursts there. What changes elsewhere is
// fetched anew, and moves nothing.
import { getJson, paced } from "./api.js";
import { onFrame, onReset } from "./live.js";
import { attempt } from "./loupe-trouble.js";
import { fetchByIds } from "./photo-store.js";

const KEPT = 1_000;
const LOOKED_AT_AFTER_RESET = 16;
const REST_MS = 500;

export class LoupePhotos {
  /** `view` makes of a photo, as the server told it, what is to be seen of it; `changed(ids)` is told of live changes. */
  constructor({ view, changed }) {
    this.view = view;
    this.told = new Map(); // id -> photo, as the server told it; the most recently told last
    this.frames = new Map(); // place -> ids of the frames of the burst there
    const named = new Set(); // by live frames, and not looked at yet
    const look = paced(() => this.#look(named, changed), REST_MS);
    const lookAt = (ids) => {
      ids.filter((id) => this.has(id)).forEach((id) => named.add(id));
      if (named.size) look();
    };
    onFrame((frame) => lookAt(frame.photos));
    onReset(() => lookAt([...this.told.keys()].slice(-LOOKED_AT_AFTER_RESET)));
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

  /** Ids of the frames of the burst at a place, as they were taken; none before they are known. */
  framesAt(place) {
    return (this.frames.get(place) ?? []).filter((id) => this.has(id));
  }

  /** Fetches the frames of a burst once; the photos when it did just now. */
  async loadFrames(place, burstId) {
    if (this.frames.has(place)) return undefined;
    this.frames.set(place, []);
    const frames = await attempt(async () => (await getJson(`/api/bursts/${burstId}`)).frames);
    const found = frames && (await attempt(() => fetchByIds(frames.map((frame) => frame.id))));
    if (!found) this.frames.delete(place);
    if (!found) return undefined;
    this.put(found);
    this.frames.set(place, frames.map((frame) => frame.id));
    return found;
  }

  /** The sharpest frame at a place that nothing is decided about, `except` this one; undefined when there is none. */
  nextFrame(place, except) {
    const left = this.framesAt(place).map((id) => this.get(id)).filter((photo) => photo.id !== except && !isDecided(photo));
    return left.sort((one, other) => (other.scores.sharpness ?? -1) - (one.scores.sharpness ?? -1))[0]?.id;
  }

  async #look(named, changed) {
    const ids = [...named];
    named.clear();
    this.put(await fetchByIds(ids));
    changed(ids);
  }
}

const isDecided = (photo) => photo.rejected || photo.kept || photo.manual_match || photo.user_rating !== null;
