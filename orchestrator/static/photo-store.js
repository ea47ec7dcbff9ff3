// The photos of a list, in order: pages by cursor, and few enough in memory however far one scrolls.
import { getJson } from "./api.js";

const PAGE = 120;
const MOST_AT_ONCE = 200; // ids in one address
const KEPT = 4_000; // photos in full; of the others only the shape and the place are kept

export class PhotoStore {
  /**
   * `query` is a URLSearchParams with filter, sort, project and import. `view` makes of a photo, as the server told it,
   * what is to be seen of it.
   */
  constructor(query, { view, first }) {
    this.query = query;
    this.view = view;
    this.order = []; // ids, as loaded
    this.photos = new Map(); // id -> photo; the most recently used last
    this.known = new Set();
    this.old = new Set(); // ids in memory that may have changed since
    this.next = undefined; // undefined: nothing was loaded yet; null: there is no more
    if (first) this.#take(first);
  }

  get isComplete() {
    return this.next === null;
  }

  /** Loads the next page; returns its photos. */
  async more() {
    const query = new URLSearchParams(this.query);
    query.set("limit", PAGE);
    if (this.next) query.set("after", this.next);
    return this.#take(await getJson(`/api/photos?${query}`));
  }

  #take(page) {
    const fresh = page.items.filter((photo) => !this.known.has(photo.id));
    for (const photo of fresh) {
      this.order.push(photo.id);
      this.#keep(photo);
    }
    this.next = page.next;
    return fresh;
  }

  /** Photos that belong on top of the list now. */
  prepend(photos) {
    this.order.unshift(...photos.map((photo) => photo.id));
    photos.forEach((photo) => this.#keep(photo));
  }

  #keep(photo) {
    this.known.add(photo.id);
    this.photos.delete(photo.id);
    this.photos.set(photo.id, photo);
  }

  /** Those of `ids` that are in memory are marked as used; returns the ids that have to be fetched. */
  use(ids) {
    return ids.filter((id) => {
      const photo = this.photos.get(id);
      if (photo) this.#keep(photo);
      return !photo || this.old.has(id);
    });
  }

  /** Any photo may have changed: each is fetched anew when it is used the next time, and seen as it was until then. */
  growOld() {
    this.old = new Set(this.photos.keys());
  }

  forgetUnused() {
    for (const id of this.photos.keys()) {
      if (this.photos.size <= KEPT) return;
      this.photos.delete(id);
    }
  }

  /** Photos as the server told them just now; those of this list are kept. */
  put(photos) {
    photos.filter((photo) => this.known.has(photo.id)).forEach((photo) => this.#keep(photo));
  }

  /** Fetches photos as they are now. */
  async refresh(ids) {
    ids.forEach((id) => this.old.delete(id)); // not twice meanwhile
    const photos = await fetchByIds(ids);
    this.put(photos);
    return photos;
  }

  /** Of `ids`, the photos that are not in the list but would be. */
  async newcomers(ids) {
    const query = new URLSearchParams(this.query);
    if (!query.has("filter")) query.set("filter", "all");
    return (await fetchByIds(ids.filter((id) => !this.known.has(id)), query)).filter((photo) => !this.known.has(photo.id));
  }
}

/** Photos by their ids, as they are now. */
export async function fetchByIds(ids, query = new URLSearchParams()) {
  const found = [];
  for (let start = 0; start < ids.length; start += MOST_AT_ONCE) {
    query.set("ids", ids.slice(start, start + MOST_AT_ONCE).join(","));
    found.push(...(await getJson(`/api/photos?${query}`)).items);
  }
  return found;
}
