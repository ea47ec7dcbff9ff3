// The photos of a list, in segments between cursors: any can be loaded, and those far from the screen are forgotten.
import { getJson } from "./api.js";

const PAGE = 120;
const WHOLE_SEGMENT = 500; // as many as one answer may hold
const MOST_AT_ONCE = 200; // ids in one address

/**
 * A segment: {after, last, count, value, ids, next}. It lies behind the cursor `after`, up to `last` (null: to the end);
 * `count` photos are expected in it, `value` is what the list is sorted by where it begins. `ids` are those loaded, as
 * far as `next`: undefined when nothing was loaded, null when there is no more.
 */
export class PhotoStore {
  /**
   * `query` is a URLSearchParams with filter, sort, project and so on. `view` makes of a photo, as the server told it,
   * what is to be seen of it.
   */
  constructor(query, { view, first }) {
    this.query = query;
    this.view = view;
    this.photos = new Map(); // id -> photo, of all that are loaded
    this.known = new Map(); // id -> its segment
    this.old = new Set(); // ids in memory that may have changed since
    this.head = { ...segmentOf(null, null, 0), next: null }; // what came in on top since
    this.segments = [this.head, segmentOf(null, null, 0)];
    this.total = undefined; // until the anchors are known
    if (first) this.#take(this.segments[1], first);
  }

  get isLoaded() {
    return this.segments[1].next !== undefined;
  }

  /** Whether every photo of the list is in memory. */
  get isComplete() {
    return this.segments.every((segment) => segment.next === null);
  }

  /** Ids in memory, in the order of the list. */
  get order() {
    return this.segments.flatMap((segment) => segment.ids);
  }

  /** Loads what is next of a segment; returns its new photos. */
  async more(segment = this.segments[1]) {
    const query = new URLSearchParams(this.query);
    query.set("limit", segment.last ? WHOLE_SEGMENT : PAGE);
    const after = segment.next ?? segment.after;
    if (after) query.set("after", after);
    if (segment.last) query.set("last", segment.last);
    return this.#take(segment, await getJson(`/api/photos?${query}`));
  }

  #take(segment, page) {
    const fresh = page.items.filter((photo) => !this.known.has(photo.id));
    for (const photo of fresh) {
      segment.ids.push(photo.id);
      this.#keep(photo, segment);
    }
    segment.next = page.next;
    return fresh;
  }

  #keep(photo, segment) {
    this.known.set(photo.id, segment);
    this.photos.set(photo.id, photo);
  }

  forget(segment) {
    for (const id of segment.ids) {
      this.photos.delete(id);
      this.known.delete(id);
      this.old.delete(id);
    }
    segment.ids = [];
    segment.next = undefined;
  }

  /**
   * Learns where one can jump to. With the id of a photo: returns the segment that holds it, if the list does; may have
   * to begin the whole list anew for it, then `begins` is true.
   */
  async anchor(around) {
    const query = new URLSearchParams(this.query);
    if (around !== undefined) query.set("around", around);
    const found = await getJson(`/api/photos/anchors?${query}`);
    const after = found.anchors[found.around]?.after;
    if (this.total === undefined) this.#span(found, this.segments[1]);
    let segment = after === undefined ? undefined : this.#segmentAfter(after);
    const begins = after !== undefined && !segment;
    if (begins) {
      this.segments.forEach((one) => this.forget(one));
      this.head.next = null;
      this.#span(found, segmentOf(null, null, 0));
      segment = this.#segmentAfter(after);
    }
    return { segment, begins };
  }

  /** Segments from one end of the list to the other; `first` is what is loaded of it already, however far that goes. */
  #span({ anchors, step, total }, first) {
    this.total = total;
    if (first.next === null || anchors.length === 0) return; // all of it is here
    const skipped = Math.max(1, Math.ceil(first.ids.length / step));
    const rest = anchors.slice(skipped).map(({ after, value }, n) => {
      const isLast = skipped + n === anchors.length - 1;
      return segmentOf(after, isLast ? null : anchors[skipped + n + 1].after, isLast ? total - step * (anchors.length - 1) : step, value);
    });
    Object.assign(first, { last: rest[0]?.after ?? null, count: rest.length ? skipped * step : total, value: anchors[0].value });
    first.starts = anchors.slice(0, skipped).map((anchor) => anchor.after);
    this.segments = [this.head, first, ...rest];
  }

  /** The one that begins behind this cursor. The first may span several. */
  #segmentAfter(after) {
    return this.segments.find((segment) => segment !== this.head && (segment.starts ?? [segment.after]).includes(after));
  }

  /** Photos that belong on top of the list now. */
  prepend(photos) {
    this.head.ids.unshift(...photos.map((photo) => photo.id));
    photos.forEach((photo) => this.#keep(photo, this.head));
  }

  /** Ids from one photo of the list to another, both included, in the order of the list. */
  async idsBetween(one, other) {
    const query = new URLSearchParams(this.query);
    query.set("first", one);
    query.set("last", other);
    return (await getJson(`/api/photos/between?${query}`)).ids;
  }

  /** Any photo may have changed: each is fetched anew when it is used the next time, and seen as it was until then. */
  growOld() {
    this.old = new Set(this.photos.keys());
  }

  /** Photos as the server told them just now; those of this list are kept. */
  put(photos) {
    for (const photo of photos) if (this.known.has(photo.id)) this.photos.set(photo.id, photo);
  }

  /** Fetches photos as they are now. */
  async refresh(ids) {
    ids.forEach((id) => this.old.delete(id)); // not twice meanwhile
    const photos = await fetchByIds(ids);
    this.put(photos);
    return photos;
  }

  /** Of `ids`, the photos that are not in memory but in the list. */
  async newcomers(ids) {
    const query = new URLSearchParams(this.query);
    if (!query.has("filter")) query.set("filter", "all");
    return (await fetchByIds(ids.filter((id) => !this.known.has(id)), query)).filter((photo) => !this.known.has(photo.id));
  }
}

const segmentOf = (after, last, count, value) => ({ after, last, count, value, ids: [], next: undefined });

/** Photos by their ids, as they are now. */
export async function fetchByIds(ids, query = new URLSearchParams()) {
  const found = [];
  for (let start = 0; start < ids.length; start += MOST_AT_ONCE) {
    query.set("ids", ids.slice(start, start + MOST_AT_ONCE).join(","));
    found.push(...(await getJson(`/api/photos?${query}`)).items);
  }
  return found;
}
