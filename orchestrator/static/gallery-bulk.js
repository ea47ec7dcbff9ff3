// What is selected in the gallery, and what is decided about all of it.
import { Refusal } from "./api.js";
import { plural } from "./format.js";
import { holds, staysWhole } from "./gallery-filter.js";
import { asOne, GallerySelection } from "./gallery-selection.js";
import { Removing } from "./removing.js";
import { Selecting } from "./selecting.js";
import { SelectionBar } from "./selection-bar.js";
import { say } from "./toast.js";

const MOST_SEEN = 1_000; // photos that look different at once; of more the others follow when the server has decided
const ELSEWHERE = "#details, #burst-strip, dialog";
const LARGE = "#large:not([hidden])"; // one photo is all that is seen
const part = (id) => document.getElementById(id);

export class GalleryBulk {
  /**
   * `list()` is what is shown: {query, store, total}; `view(photo)` what is to be seen of one; `grid()` shows them;
   * `deciding()` decides.
   */
  constructor({ list, view, grid, deciding }) {
    Object.assign(this, { list, view, grid, deciding });
    this.selection = new GallerySelection(() => this.show());
    this.bar = new SelectionBar(part("selection-bar"), {
      decide: (wishFor) => deciding().decideMany(wishFor, this.many()),
      selectPage: () => this.selection.add(cards().filter(isOnScreen).map(idOf)),
      selectAll: () => this.selecting.selectAll(),
      clear: () => this.clear(),
      parts: () => this.many().parts,
      remove: () => this.remove(),
    });
    this.selecting = new Selecting(part("grid"), this.selection, {
      focusId: () => grid().focusId,
      focus: (id) => grid().focus(id, { reveal: false }),
      between: (one, other) => this.#between(one, other),
      total: () => list().total,
    });
    this.removing = new Removing(part("removal"), {
      waiting: () => deciding().left(),
      removed: (removals, words) => this.#removed(removals, words),
    });
  }

  /** Of a photo of the list, as it is seen: whether it is selected, and whether it has left the list meanwhile. */
  marksOf(photo) {
    const hasLeft = !holds(this.list().query, photo);
    // Who selects all means what the list holds, not what only stays until it is loaded again.
    const isSelected = this.selection.has(photo.id) && !photo.isGone && !(this.selection.isAll && hasLeft);
    return { isSelected, hasLeft };
  }

  /** What keys act on when something is selected; undefined while the hand is elsewhere. */
  inHand() {
    const isElsewhere = document.activeElement?.closest(ELSEWHERE) || document.querySelector(LARGE);
    return this.selection.isEmpty || isElsewhere ? undefined : this.many();
  }

  many() {
    const { query, total = 0 } = this.list();
    const seen = this.#seen();
    const count = this.selection.countOf(total);
    return { parts: this.selection.parts(query, total), seen, as: asOne(seen, count === 1 && seen.length === 1 ? seen[0].file_name : plural(count, "photo")) };
  }

  /** Something is selected or not any more, or looks different, or the list is longer. */
  show() {
    const isEmpty = this.selection.isEmpty;
    const { total } = this.list();
    const hadFocus = isEmpty && this.bar.hasFocus;
    part("grid").classList.toggle("selecting", !isEmpty);
    const { as, seen } = isEmpty ? {} : this.many();
    const isInProject = seen?.some((photo) => photo.project);
    this.bar.show({ photos: as, selected: this.selection.countOf(total ?? 0), isAll: this.selection.isAll, total, isInProject });
    this.grid().update(cards().map((card) => this.list().store.photos.get(idOf(card))).filter(Boolean));
    if (hadFocus) this.grid().focus(this.grid().focusId, { reveal: false });
  }

  showWork(photos) {
    this.bar.showWork(photos);
  }

  /** All that the list held was decided about: it may hold something else by that. */
  settled(body) {
    if (body.selection && this.selection.isAll && !staysWhole(this.list().query, body)) this.clear();
    this.bar.tags.changed();
  }

  clear() {
    this.selection.clear();
  }

  /** The list is another one. */
  leave() {
    if (this.selection.isEmpty) return;
    const count = this.selection.countOf(this.list().total ?? 0);
    this.clear();
    say(`${plural(count, "photo is", "photos are")} no longer selected: this is another list`);
  }

  remove() {
    const { parts } = this.many();
    return this.deciding().areSettled(parts) ? this.removing.ask(parts) : undefined;
  }

  #seen() {
    const { photos } = this.list().store;
    const ids = this.selection.isAll ? photos.keys() : this.selection.ids;
    const found = [];
    for (const id of ids) {
      const photo = photos.get(id);
      const seen = photo && this.view(photo);
      if (seen?.isSelected) found.push(seen);
      if (found.length === MOST_SEEN) break;
    }
    return found;
  }

  /** The ids of a range: as they stand there if all of it is loaded, else as the server knows them. */
  #between(one, other) {
    const { store } = this.list();
    return loadedBetween(store, one, other) ?? this.#askBetween(store, one, other);
  }

  async #askBetween(store, one, other) {
    try {
      const ids = await store.idsBetween(one, other);
      if (ids.length === 0) return [other]; // one of them has left the list
      if (ids.includes(one) && ids.includes(other)) return ids;
      say(`More than ${plural(ids.length, "photo")} lie between: too many for a range. Select all, or narrow the list first.`, { tone: "red" });
      return undefined;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      say(error.message, { tone: "red" });
      return undefined;
    }
  }

  #removed(removals, words) {
    this.clear();
    this.deciding().rememberRemovals(removals, words);
  }
}

const cards = () => [...part("grid").querySelectorAll(".card")];
const idOf = (card) => Number(card.dataset.id);

/** Between what stands above the photos and what stands below. */
function isOnScreen(card) {
  const { top, bottom } = card.getBoundingClientRect();
  const above = document.querySelector(".tools").getBoundingClientRect().bottom;
  return bottom > above && top < innerHeight - parseFloat(getComputedStyle(document.body).paddingBottom);
}

function loadedBetween({ segments, known, order }, one, other) {
  const [first, last] = [one, other].map((id) => segments.indexOf(known.get(id))).sort((a, b) => a - b);
  if (first < 0 || segments.slice(first, last).some((segment) => segment.next !== null)) return undefined;
  const [from, to] = [order.indexOf(one), order.indexOf(other)].sort((a, b) => a - b);
  return order.slice(from, to + 1);
}
