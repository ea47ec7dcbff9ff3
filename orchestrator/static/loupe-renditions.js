// Pictures with more pixels than the preview. The server makes them when they are asked for; a live frame says when.
import { paced, postJson, Refusal } from "./api.js";
import { onFrame, onReset, onState } from "./live.js";

const VIEW_PX = 2560;
const MOST_AT_ONCE = 60;
const ASK_MS = 120; // at most so often, however fast one steps
const WAIT_MS = { view: 0, dense: 0, full: 250 }; // the answer waits so long for the first: one looks at it already
const GIVEN_UP_MS = 60_000; // what failed is asked for again after that
const KEPT = 3_000;

/** The rendition that fills a room, in CSS pixels, on this screen. */
export function sizeFor({ width, height }) {
  return Math.max(width, height) * devicePixelRatio > VIEW_PX ? "dense" : "view";
}

export class Renditions {
  /** Calls `changed()` when more of them are ready, or will never be. */
  constructor(changed) {
    this.changed = changed;
    this.known = new Map(); // photo version and size -> {state, url, width, height, message}
    this.wishes = [];
    this.asked = {}; // size -> ids, as they were asked for last
    this.hindrances = {}; // size -> why what is pending does not come now, in words
    this.asks = Object.entries(WAIT_MS).map(([size, waitMs]) => paced(() => this.#askFor(size, waitMs), ASK_MS));
    onFrame((frame) => frame.renditions?.length && this.#askAgain(frame.renditions));
    onReset(() => this.#askAgain());
    onState((isDown) => isDown || this.#askAgain());
  }

  /** What is wanted from now on: [{photo, size}], most urgent first. */
  want(wishes) {
    this.wishes = wishes.filter(({ photo }) => photo.preview_url);
    if (this.#open().length) this.#ask();
  }

  /** {url, width, height} of one that is ready. */
  find(photo, size) {
    const found = this.known.get(keyOf(photo, size));
    return found?.state === "ready" ? found : undefined;
  }

  /** There is no picture at its address any more: it is asked for again when it is wanted the next time. */
  forget(url) {
    for (const [key, known] of this.known) if (known.url === url) this.known.delete(key);
    this.asked = {};
  }

  /** Why there is none, in words; undefined while there may be one soon. */
  trouble(photo, size) {
    const known = this.known.get(keyOf(photo, size));
    return known ? known.message : this.hindrances[size];
  }

  #open() {
    return this.wishes.filter(({ photo, size }) => {
      const known = this.known.get(keyOf(photo, size));
      return !known || (known.state === "failed" && Date.now() - known.at > GIVEN_UP_MS);
    });
  }

  #ask() {
    for (const ask of this.asks) ask();
  }

  /** About photos of which there is news, or all. What failed may succeed now. */
  #askAgain(ids) {
    const named = this.wishes.filter(({ photo }) => !ids || ids.includes(photo.id));
    for (const { photo, size } of named) if (this.trouble(photo, size)) this.known.delete(keyOf(photo, size));
    if (!named.length) return;
    this.asked = {};
    this.#ask();
  }

  /** The newest wish for a size counts: it names all that is still waited for. */
  async #askFor(size, waitMs) {
    const photos = this.#open().filter((wish) => wish.size === size).map((wish) => wish.photo).slice(0, MOST_AT_ONCE);
    const ids = photos.map((photo) => photo.id);
    if (!ids.length || this.asked[size] === String(ids)) return; // they are on their way
    this.asked[size] = String(ids);
    try {
      this.#take(size, photos, await postJson("/api/renditions", { ids, size, wait_ms: waitMs }));
    } catch (error) {
      this.asked[size] = undefined; // the next step asks again; until then previews do
      if (!(error instanceof Refusal)) throw error;
    }
  }

  #take(size, photos, { ready, failed, waits_for: waitsFor }) {
    const hindrance = waitsFor ?? undefined;
    const isOther = hindrance !== this.hindrances[size];
    this.hindrances[size] = hindrance;
    const byId = new Map(photos.map((photo) => [photo.id, photo]));
    for (const one of ready) this.#know(byId.get(one.id), size, { ...one, state: "ready" });
    for (const { id, message } of failed) this.#know(byId.get(id), size, { state: "failed", message, at: Date.now() });
    if (ready.length || failed.length || isOther) this.changed();
  }

  #know(photo, size, told) {
    if (!photo) return;
    this.known.set(keyOf(photo, size), told);
    for (const old of [...this.known.keys()].slice(0, -KEPT)) this.known.delete(old);
  }
}

/** The address of the preview changes with the picture. */
const keyOf = (photo, size) => `${photo.preview_url}#${size}`;
