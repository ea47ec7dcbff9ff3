// Where the photos of a list stand: rows of what is loaded, and room for what is not. No document here.
import { justify, justifyUpwards, placeAt, shapeOf, stack } from "./layout.js";

const GAP = 8;
const ROW_GAP = 12;
const HEADING = 44;
const USUAL_SHAPE = 1.45;
const ENOUGH_TO_GUESS_BY = 40; // photos
export const CAPTION = 46;

/**
 * Every segment of the store gets `rows`, `top` and `height`. A row is one of layout.js, with its `segment` and, from the
 * top of that, its `top`; or {kind: "waiting"}, the room of photos that are not loaded.
 */
export class Rows {
  /** `headingOf(photo)`: what it stands under, undefined for no headings at all. */
  constructor(headingOf) {
    this.headingOf = headingOf;
    this.of = new Map(); // id -> its row
    this.segments = [];
    this.height = 0;
  }

  show(store, width, target) {
    this.store = store;
    this.of.clear();
    this.width = width;
    this.target = target;
    this.each = undefined;
    this.segments = store.segments;
    for (const segment of this.segments) {
      segment.rows = [];
      segment.measured = undefined;
      this.#lay(segment);
    }
    this.#guess();
    this.arrange();
  }

  /** Photos were loaded, or came in on top. Only the last row of what was there may change. */
  extend(segment) {
    this.segments = this.store.segments; // jumping may have become possible
    this.#lay(segment);
    this.#guess();
    this.arrange();
  }

  /** Its photos were forgotten: their room stays. */
  forget(segment) {
    segment.measured = segment.height;
    for (const row of segment.rows) row.cells?.forEach((cell) => this.of.delete(cell.id));
    segment.rows = [];
    this.#lay(segment);
    this.arrange();
  }

  /** Gives every segment its place. */
  arrange() {
    this.segments = this.store.segments;
    let top = 0;
    for (const segment of this.segments) {
      segment.rows ??= [];
      this.#keepRoom(segment);
      segment.top = top;
      top += segment.height;
    }
    this.height = Math.max(0, top - ROW_GAP);
  }

  topOf(row) {
    return row.segment.top + row.top;
  }

  /** From the first row that ends below `from`, those that begin above `to`. */
  *between(from, to) {
    for (let n = placeAt(this.segments, from); n < this.segments.length && this.segments[n].top < to; n += 1) {
      const { rows, top } = this.segments[n];
      for (let m = placeAt(rows, from - top); m < rows.length && top + rows[m].top < to; m += 1) yield rows[m];
    }
  }

  /** The next row of photos or room in this direction; undefined at an end. */
  next(row, step) {
    let [n, m] = [this.segments.indexOf(row.segment), row.segment.rows.indexOf(row) + step];
    while (this.segments[n]) {
      const { rows } = this.segments[n];
      for (; rows[m]; m += step) if (rows[m].kind !== "heading") return rows[m];
      n += step;
      m = step > 0 ? 0 : (this.segments[n]?.rows.length ?? 0) - 1;
    }
    return undefined;
  }

  /** The first row of photos or room, or with -1 the last one. */
  end(step) {
    for (let n = step > 0 ? 0 : this.segments.length - 1; this.segments[n]; n += step) {
      const rows = this.segments[n].rows.filter((row) => row.kind !== "heading");
      if (rows.length) return rows.at(step > 0 ? 0 : -1);
    }
    return undefined;
  }

  /** In another row, the photo under the middle of this one. */
  beside(row, id, other) {
    const middle = (cells, until) => cells.slice(0, until).reduce((x, cell) => x + cell.width + GAP, 0) + cells[until].width / 2;
    const x = middle(row.cells, row.cells.findIndex((cell) => cell.id === id));
    const distances = other.cells.map((_, n) => Math.abs(middle(other.cells, n) - x));
    return other.cells[distances.indexOf(Math.min(...distances))].id;
  }

  #lay(segment) {
    const isHead = segment === this.store.head;
    const kept = isHead ? [] : segment.rows.filter((row) => row.kind !== "waiting");
    if (kept.at(-1)?.cells) kept.pop();
    const laid = kept.reduce((sum, row) => sum + (row.cells?.length ?? 0), 0);
    const items = segment.ids.slice(laid).map((id) => this.#item(this.store.photos.get(id)));
    const under = kept.length ? items[0]?.heading : segment.after ? this.headingOf({ captured_at: segment.value }) : undefined;
    const options = { width: this.width, target: this.target, gap: GAP, caption: CAPTION, headingHeight: HEADING, under };
    const rows = isHead ? justifyUpwards(items, options) : justify(items, { ...options, continues: segment.last !== null });
    segment.rows = [...kept, ...rows];
    for (const row of rows) {
      row.segment = segment;
      row.cells?.forEach((cell) => this.of.set(cell.id, row));
    }
    segment.laid = stack(segment.rows, ROW_GAP);
    if (segment.next === null) segment.measured = segment.laid;
  }

  #item(photo) {
    return { id: photo.id, shape: shapeOf(photo), heading: this.headingOf(photo) };
  }

  /** At its end, the room for the photos of a segment that are not there. */
  #keepRoom(segment) {
    if (segment.rows.at(-1)?.kind === "waiting") segment.rows.pop();
    const laid = segment.rows.length ? segment.laid : 0;
    segment.height = laid;
    if (segment.next === null) return;
    const missing = Math.max(1, segment.count - segment.ids.length) * this.each;
    const height = Math.max(1, segment.ids.length ? missing : (segment.measured ?? missing));
    segment.rows.push({ kind: "waiting", segment, top: laid, height });
    segment.height = laid + height;
  }

  /** How high a photo is on average, from those that are laid out: guessed once, so that nothing moves later. */
  #guess() {
    const laid = this.segments.filter((segment) => segment.ids.length);
    const photos = laid.reduce((sum, segment) => sum + segment.ids.length, 0);
    if (this.isSure && this.each) return;
    this.isSure = photos >= ENOUGH_TO_GUESS_BY;
    const inRow = Math.max(1, this.width / (USUAL_SHAPE * this.target + GAP));
    this.each = this.isSure ? laid.reduce((sum, segment) => sum + segment.laid, 0) / photos : (this.target + CAPTION + ROW_GAP) / inRow;
  }
}
