// The virtual grid: only the rows near the screen are in the document, and only the photos near them in memory, however
// long the list is.
import { GridKeys } from "./grid-keys.js";
import { RowElements } from "./row-elements.js";
import { Rows } from "./rows.js";
import { ScrollLabel } from "./scroll-label.js";
import { ScrollSpace } from "./scroll-space.js";

const MARGIN = 900; // pixels above and below the screen in which rows are kept
const MOST_PHOTOS = 200; // in memory; of a segment near the window none is ever forgotten
const LOADS_AT_ONCE = 2;
const FAST = 2; // windows in one frame: nothing that passes by is loaded
const SETTLED_MS = 90;

/**
 * Shows the photos of a store. Calls `wants.more(segment)` for photos near the screen, which promises whether some came,
 * `wants.photos(ids)` for photos that have grown old, `wants.focused(id)` when the focus moves and `wants.opened(id)` on
 * Enter or a click. `heading(photo)` is what a photo stands under, `label(segment, photo)` what is said of a place while
 * one scrolls, and `filled(card, photo)` may add to a card.
 */
export class Grid {
  constructor(node, { target, heading, label, filled, wants }) {
    this.node = node;
    this.target = target;
    this.wants = wants;
    this.rows = new Rows(heading ?? (() => undefined));
    this.space = new ScrollSpace(node);
    this.label = new ScrollLabel(document.getElementById("scroll-label"), () => label?.(...this.#seen()));
    this.keys = new GridKeys(this);
    this.shown = new RowElements(node, this.rows, this.space, filled);
    this.cards = this.shown.cards; // id -> element
    this.focusId = undefined;

    new ResizeObserver(() => this.#resized()).observe(node.parentElement);
    addEventListener("scroll", () => this.#paintSoon(), { passive: true });
    node.addEventListener("keydown", (event) => this.#key(event));
    node.addEventListener("click", (event) => this.#click(event));
    node.addEventListener("focusin", (event) => this.#focusin(event));
  }

  show(store) {
    this.store = store;
    this.focusId = undefined;
    this.#layOutAll();
    this.#paint({ areMoved: true });
  }

  /** Photos of a segment were loaded. */
  extend(segment) {
    this.#change(() => this.rows.extend(segment));
    this.#forgetFar();
  }

  /** The store knows now how far its list reaches. */
  span() {
    this.#change(() => this.rows.arrange());
  }

  /** Photos came in on top. What is on screen stays where it is, unless the reader is at the very top. */
  prepend() {
    this.#change(() => this.rows.extend(this.store.head));
  }

  setTarget(target) {
    this.target = target;
    this.#relay();
  }

  /** Brings the cards of these photos up to date, where they are on screen. */
  update(photos) {
    photos.forEach((photo) => this.shown.update(photo));
  }

  /** The photos of the store have grown old: those here are wanted anew, and nothing moves. */
  renew() {
    this.#fetchOld();
  }

  /** What could not be loaded may be tried again. */
  retry() {
    this.store.segments.forEach((segment) => (segment.isFailed = false));
    this.#paint();
  }

  /** Loads what is next of a segment; whether something came. */
  load(segment) {
    segment.loading ??= this.wants.more(segment).then((isLoaded) => {
      segment.loading = undefined;
      segment.isFailed = !isLoaded;
      if (isLoaded) this.#paint();
      return isLoaded;
    });
    return segment.loading;
  }

  get isEmpty() {
    return this.rows.height === 0;
  }

  get isAtTop() {
    return this.space.isAtTop(this.barHeight);
  }

  /** The photo at the top of the window; undefined at the top of the list. */
  get firstVisibleId() {
    return this.isAtTop ? undefined : this.#seen()[1]?.id;
  }

  /** Where the first key puts the focus: where it was, if that is to be seen, else at the top of the window. */
  get startId() {
    const row = this.rows.of.get(this.focusId);
    const isSeen = row && this.rows.topOf(row) + row.height > this.space.y + this.barHeight && this.rows.topOf(row) < this.space.y + innerHeight;
    return isSeen ? this.focusId : (this.#seen()[1]?.id ?? this.focusId);
  }

  scrollToPhoto(id) {
    const row = this.rows.of.get(id);
    if (row) this.scrollTo(this.rows.topOf(row) - this.barHeight);
  }

  scrollTo(y) {
    this.space.scrollTo(y);
    this.#paint({ areMoved: true });
  }

  focus(id, { reveal = true } = {}) {
    const row = this.rows.of.get(id);
    if (!row) return;
    this.#moveTabStop(id);
    if (reveal) this.#reveal(row);
    this.#paint();
    this.cards.get(id)?.focus({ preventScroll: true });
  }

  /** What sticks to the top of the window and would cover a photo. */
  get barHeight() {
    return parseFloat(getComputedStyle(this.node).scrollMarginTop) || 0;
  }

  /** How much of the window shows rows. */
  get visibleHeight() {
    return innerHeight - this.barHeight - (parseFloat(getComputedStyle(document.body).paddingBottom) || 0);
  }

  // Where things stand

  #layOutAll() {
    this.shown.clear();
    this.rows.show(this.store, this.node.parentElement.clientWidth, this.target);
    this.space.resize(this.rows.height);
  }

  #resized() {
    if (this.store && this.node.parentElement.clientWidth !== this.rows.width) this.#relay();
  }

  #relay() {
    if (this.store) this.#change(() => this.#layOutAll());
  }

  /** Rows change their places; what is seen stays where it is on the screen, and the focus on its photo. */
  #change(change) {
    const hadFocus = this.node.contains(document.activeElement);
    const place = this.isAtTop ? undefined : this.#place();
    change();
    this.space.resize(this.rows.height);
    if (place) this.space.shift(this.#yOf(place) - this.space.y);
    this.#paint({ areMoved: true });
    if (hadFocus && !this.node.contains(document.activeElement)) this.focus(this.focusId, { reveal: false });
  }

  /** The first photo in the window and how far below its top that is; where no photo is, how far into which segment. */
  #place() {
    const { y } = this.space;
    const [segment, photo] = this.#seen();
    const row = photo && this.rows.of.get(photo.id);
    return row ? { id: photo.id, below: this.rows.topOf(row) - y } : { segment, share: segment ? (y - segment.top) / segment.height : 0 };
  }

  #yOf({ id, below, segment, share }) {
    const row = this.rows.of.get(id);
    if (row) return this.rows.topOf(row) - below;
    return segment ? segment.top + share * segment.height : this.space.y;
  }

  /** At the top of the window: the segment, and the first photo of it that is there and seen. */
  #seen() {
    const top = this.space.y + this.barHeight;
    let segment;
    for (const row of this.rows.between(top, top + innerHeight)) {
      segment ??= row.segment;
      if (row.cells) return [row.segment, this.store.photos.get(row.cells[0].id)];
      if (row.kind === "waiting") break;
    }
    return [segment, undefined];
  }

  // What is in the document

  #paintSoon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      const { origin } = this.space;
      const moved = this.space.follow();
      this.#paint({ moved, areMoved: origin !== this.space.origin });
      this.label.moved(moved, this.space.share);
    });
  }

  #paint({ moved = 0, areMoved = false } = {}) {
    if (!this.store) return;
    const top = this.space.y;
    const wanted = new Set(this.rows.between(top - MARGIN, top + innerHeight + MARGIN));
    const focused = this.rows.of.get(this.focusId);
    // The row with the focus stays, however far one scrolls: the focus must not be lost.
    if (focused && this.node.contains(document.activeElement)) wanted.add(focused);
    this.shown.show(wanted, { store: this.store, focusId: this.focusId, target: this.target, areMoved });
    this.#keepTabStop();
    this.#fetchOld();
    this.#loadNear(wanted, moved);
  }

  #loadNear(rows, moved) {
    clearTimeout(this.settling);
    if (moved > FAST) {
      this.settling = setTimeout(() => this.#paint(), SETTLED_MS);
      return;
    }
    const middle = this.space.y + innerHeight / 2;
    const far = (row) => Math.max(0, this.rows.topOf(row) - middle, middle - this.rows.topOf(row) - row.height);
    const waiting = [...rows].filter((row) => row.kind === "waiting" && !row.segment.isFailed).sort((one, other) => far(one) - far(other));
    let busy = this.store.segments.filter((segment) => segment.loading).length;
    for (const { segment } of waiting) {
      if (segment.loading || busy >= LOADS_AT_ONCE) continue;
      busy += 1;
      this.load(segment);
    }
  }

  /** Keeps memory small: segments far from the window are left as room only. */
  #forgetFar() {
    const middle = this.space.y + innerHeight / 2;
    const far = ({ top, height }) => Math.max(0, top - middle, middle - top - height);
    const inUse = this.node.contains(document.activeElement) ? this.store.known.get(this.focusId) : undefined;
    const loaded = this.store.segments.filter((segment) => segment.ids.length && segment !== this.store.head);
    loaded.sort((one, other) => far(other) - far(one));
    for (const segment of loaded) {
      if (this.store.photos.size <= MOST_PHOTOS || far(segment) < 2 * MARGIN) return;
      if (segment === inUse || segment.loading) continue;
      this.store.forget(segment);
      this.rows.forget(segment);
    }
  }

  #fetchOld() {
    const old = [...this.cards.keys()].filter((id) => this.store.old.has(id));
    if (old.length) this.wants.photos(old);
  }

  // The focus

  /** A photo that was forgotten can have no focus: the first one in the window can. */
  #keepTabStop() {
    if (this.rows.of.has(this.focusId) || this.cards.size === 0) return;
    this.#moveTabStop(this.#seen()[1]?.id ?? this.cards.keys().next().value);
  }

  #moveTabStop(id) {
    const old = this.cards.get(this.focusId);
    if (old) old.tabIndex = -1;
    this.focusId = id;
    const card = this.cards.get(id);
    if (card) card.tabIndex = 0;
  }

  #reveal(row) {
    const top = this.rows.topOf(row);
    const room = 8;
    const from = this.space.y + this.barHeight + room;
    const foot = this.space.y + this.barHeight + this.visibleHeight - room;
    if (top < from) this.scrollTo(top - this.barHeight - room);
    else if (top + row.height > foot) this.scrollTo(this.space.y + top + row.height - foot);
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (this.keys.moves(event.key)) {
      event.preventDefault();
      this.keys.move(event.key);
    } else if (event.key === "Enter" || event.key === "i") {
      event.preventDefault();
      this.wants.opened(this.focusId, event.key);
    }
  }

  #click(event) {
    const card = event.target.closest(".card");
    if (!card) return;
    const id = Number(card.dataset.id);
    this.focus(id, { reveal: false });
    if (!event.target.closest("button")) this.wants.opened(id, "click");
  }

  #focusin(event) {
    const card = event.target.closest(".card");
    if (!card) return;
    const id = Number(card.dataset.id);
    if (id !== this.focusId) this.#moveTabStop(id);
    this.wants.focused(id);
  }
}
