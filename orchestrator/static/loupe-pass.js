// A pass through photos: its stops in their frozen order, loaded around the place where one is.
import { getJson, postJson } from "./api.js";

const PART = 50;
const KEPT_PARTS = 8;

export class Pass {
  /** `put(photos)` is told of photos as the server says they are. */
  constructor({ id, n }, put) {
    this.id = id;
    this.n = n;
    this.put = put;
    this.parts = new Map(); // first place of a part -> promise of its stops by place; the most recently used last
    this.loaded = new Map(); // the same, once it is there
    this.places = new Map(); // photo id -> place
  }

  /** `before` is the pass that was open until now: where its photos are is still known, if it is the same. */
  static async open(kind, put, before) {
    const opened = await postJson("/api/review/passes", { pass: kind });
    const pass = new Pass(opened, put);
    if (before?.id === pass.id) pass.places = before.places;
    return { pass, position: opened.position };
  }

  /** The stop at a place; undefined for a photo that was removed. */
  async stop(place) {
    return (await this.#part(partOf(place))).get(place);
  }

  /** The same without waiting: undefined when it is not loaded. */
  seen(place) {
    return this.loaded.get(partOf(place))?.get(place);
  }

  /** The next place; stops that are to be passed over, `isOver(stop)`, are left behind as far as they are loaded. */
  past(place, isOver) {
    let next = place + 1;
    while (this.seen(next) && isOver(this.seen(next))) next += 1;
    return next;
  }

  /** Loads what is around a place, ahead of time. */
  async prepare(place) {
    for (const near of [place + 6, place - 6]) if (near >= 1 && near <= this.n) await this.#part(partOf(near));
  }

  /** From now on this photo belongs to that place: a frame of the burst there. */
  know(photoId, place) {
    this.places.set(photoId, place);
  }

  /** A photo was removed: what is there is asked anew. */
  forget() {
    this.parts.clear();
    this.loaded.clear();
  }

  placeOf(photoId) {
    return this.places.get(photoId);
  }

  /** The place of the burst after this place, or before it with "previous"; null when there is none. */
  async burstFrom(place, way) {
    return (await getJson(`/api/review/passes/${this.id}/burst?from=${place}&way=${way}`)).place;
  }

  progress() {
    return getJson(`/api/review/passes/${this.id}`);
  }

  #part(first) {
    const found = this.parts.get(first) ?? this.#load(first);
    this.parts.delete(first);
    this.parts.set(first, found);
    for (const old of [...this.parts.keys()].slice(0, -KEPT_PARTS)) {
      this.parts.delete(old);
      this.loaded.delete(old);
    }
    return found;
  }

  async #load(first) {
    try {
      const { items } = await getJson(`/api/review/passes/${this.id}/items?from=${first}&limit=${PART}`);
      const stops = new Map(items.filter(({ place }) => place < first + PART).map((stop) => [stop.place, stop]));
      for (const { place, photo } of stops.values()) this.know(photo.id, place);
      this.put([...stops.values()].map((stop) => stop.photo));
      this.loaded.set(first, stops);
      return stops;
    } catch (error) {
      this.parts.delete(first); // asked again the next time
      throw error;
    }
  }
}

const partOf = (place) => Math.floor((place - 1) / PART) * PART + 1;
