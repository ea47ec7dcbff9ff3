// The virtual grid: only the rows near the screen exist in the document, however long the list is.
import { fillCard, makeCard } from "./card.js";
import { justify, justifyUpwards, rowAt, shapeOf, stack } from "./layout.js";

const GAP = 8;
const ROW_GAP = 12;
const CAPTION = 46;
const HEADING = 44;
const MARGIN = 900; // pixels above and below the screen in which rows are kept

/**
 * Shows the photos of a store. Calls `wants.more()` near the end, `wants.photos(ids)` for photos that were dropped from
 * memory, `wants.focused(id)` when the focus moves and `wants.opened(id)` on Enter or a click.
 */
export class Grid {
  constructor(node, { target, heading, wants }) {
    this.node = node;
    this.target = target;
    this.heading = heading;
    this.wants = wants;
    this.shapes = new Map(); // id -> {id, shape, heading}
    this.head = []; // photos that came in on top since the list was laid out
    this.headRows = [];
    this.bodyRows = [];
    this.rows = []; // both
    this.place = new Map(); // id -> row
    this.mounted = new Map(); // row -> element
    this.cards = new Map(); // id -> element, of the mounted ones
    this.focusId = undefined;

    new ResizeObserver(() => this.#resized()).observe(node.parentElement);
    addEventListener("scroll", () => this.#paintSoon(), { passive: true });
    node.addEventListener("keydown", (event) => this.#key(event));
    node.addEventListener("click", (event) => this.#click(event));
    node.addEventListener("focusin", (event) => this.#focusin(event));
  }

  show(store) {
    this.store = store;
    this.shapes.clear();
    store.order.forEach((id) => this.#shape(store.photos.get(id)));
    this.focusId = undefined;
    this.#layOutAll();
  }

  /** More photos at the end. Only the last row may change. */
  append(photos) {
    this.#keepingFocus(() => {
      const last = this.bodyRows.at(-1)?.cells ? this.bodyRows.pop() : undefined;
      const reopened = last ? last.cells.map((cell) => this.shapes.get(cell.id)) : [];
      if (last) this.#unmount(last);
      const items = [...reopened, ...photos.map((photo) => this.#shape(photo))];
      const under = last || this.bodyRows.length ? reopened[0]?.heading : undefined;
      this.#extend(justify(items, { ...this.#options(), under }), last);
    });
  }

  /** New photos on top. What is on screen stays where it is, unless the reader is at the very top. */
  prepend(photos) {
    const isAtTop = this.isAtTop;
    const before = this.height;
    this.#keepingFocus(() => {
      this.head = [...photos.map((photo) => this.#shape(photo)), ...this.head];
      this.headRows.forEach((row) => this.#unmount(row));
      this.headRows = justifyUpwards(this.head, this.#options());
      this.#arrange();
    });
    if (!isAtTop) scrollBy(0, this.height - before);
  }

  get isAtTop() {
    return scrollY <= Math.max(0, this.#offset() - this.#barHeight());
  }

  setTarget(target) {
    this.target = target;
    this.#relayFromTop();
  }

  /** Brings the cards of these photos up to date, where they are on screen. */
  update(photos) {
    for (const photo of photos) {
      const card = this.cards.get(photo.id);
      if (card) fillCard(card, this.store.view(photo));
    }
  }

  /** The photos of the store have grown old: those here are wanted anew, and nothing moves. */
  renew() {
    this.#fetchMissing(this.mounted.keys());
  }

  /** The photo at the top of the window; undefined at the top of the list. */
  get firstVisibleId() {
    return this.#firstVisible()?.id;
  }

  scrollToPhoto(id) {
    const row = this.place.get(id);
    if (row) scrollTo(0, row.top + this.#offset() - this.#barHeight());
  }

  get isEmpty() {
    return this.rows.length === 0;
  }

  focus(id, { reveal = true } = {}) {
    const row = this.place.get(id);
    if (!row) return;
    this.#moveTabStop(id);
    if (reveal) this.#reveal(row);
    this.#paint();
    this.cards.get(id)?.focus({ preventScroll: true });
  }

  #shape(photo) {
    const known = { id: photo.id, shape: shapeOf(photo), heading: this.heading?.(photo) };
    this.shapes.set(photo.id, known);
    return known;
  }

  #options() {
    return { width: this.width, target: this.target, gap: GAP, caption: CAPTION, headingHeight: HEADING };
  }

  #layOutAll() {
    for (const row of [...this.mounted.keys()]) this.#unmount(row);
    this.width = this.node.parentElement.clientWidth;
    this.head = [];
    this.headRows = [];
    this.bodyRows = justify(this.store.order.map((id) => this.shapes.get(id)), this.#options());
    this.#arrange();
  }

  /** Puts rows at the end, in the place of `last`; the others are not touched, however many there are. */
  #extend(rows, last) {
    if (last) this.rows.pop();
    const above = this.rows.at(-1);
    this.height = stack(rows, ROW_GAP, above ? above.top + above.height + ROW_GAP : 0);
    this.bodyRows.push(...rows);
    this.rows.push(...rows);
    this.#settle(rows);
  }

  /** Gives every row its place, moves the elements of those that moved, and paints what came into view. */
  #arrange() {
    this.rows = [...this.headRows, ...this.bodyRows];
    this.height = stack(this.rows, ROW_GAP);
    this.place = new Map();
    for (const [row, element] of this.mounted) element.style.transform = `translateY(${row.top}px)`;
    this.#settle(this.rows);
  }

  #settle(rows) {
    this.node.style.height = `${this.height}px`;
    for (const row of rows) row.cells?.forEach((cell) => this.place.set(cell.id, row));
    this.#paint();
  }

  #unmount(row) {
    const element = this.mounted.get(row);
    if (!element) return;
    for (const cell of row.cells ?? []) this.cards.delete(cell.id);
    element.remove();
    this.mounted.delete(row);
  }

  /** The focus is on a photo: if its element is made anew, it has the focus again. */
  #keepingFocus(change) {
    const hadFocus = this.node.contains(document.activeElement);
    change();
    if (hadFocus && !this.node.contains(document.activeElement)) this.focus(this.focusId, { reveal: false });
  }

  #resized() {
    if (this.store && this.node.parentElement.clientWidth !== this.width) this.#relayFromTop();
  }

  /** Lays everything out anew and keeps the first visible photo where it was. */
  #relayFromTop() {
    if (!this.store) return;
    const anchor = this.#firstVisible();
    this.#keepingFocus(() => this.#layOutAll());
    const row = anchor && this.place.get(anchor.id);
    if (row) scrollTo(0, row.top + this.#offset() - anchor.below);
  }

  #firstVisible() {
    if (this.isAtTop) return undefined;
    const index = rowAt(this.rows, scrollY + this.#barHeight() - this.#offset());
    const row = this.rows.slice(index).find((candidate) => candidate.cells);
    return row && { id: row.cells[0].id, below: row.top + this.#offset() - scrollY };
  }

  #offset() {
    return this.node.getBoundingClientRect().top + scrollY;
  }

  #paintSoon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      this.#paint();
    });
  }

  #paint() {
    if (!this.store) return;
    const top = scrollY - this.#offset();
    const first = rowAt(this.rows, top - MARGIN);
    const wanted = new Set();
    for (let index = first; index < this.rows.length && this.rows[index].top < top + innerHeight + MARGIN; index += 1) {
      wanted.add(this.rows[index]);
    }
    const focused = this.place.get(this.focusId);
    // The row with the focus stays, however far one scrolls: the focus must not be lost.
    if (focused && this.node.contains(document.activeElement)) wanted.add(focused);
    for (const row of [...this.mounted.keys()]) if (!wanted.has(row)) this.#unmount(row);
    for (const row of wanted) if (!this.mounted.has(row)) this.#mount(row);
    this.#fetchMissing(wanted);
    if (top + innerHeight + 2 * MARGIN > this.height) this.wants.more();
  }

  #mount(row) {
    const element = document.createElement("div");
    element.setAttribute("role", "row");
    element.className = `row ${row.kind}`;
    element.style.transform = `translateY(${row.top}px)`;
    if (row.kind === "heading") element.append(headingCell(row.text));
    else element.append(...row.cells.map((cell) => this.#card(cell, row.height - CAPTION)));
    this.mounted.set(row, element);
    this.#insertInOrder(row, element);
  }

  /** Readers and the Tab key go by the order in the document. */
  #insertInOrder(row, element) {
    let before = null;
    for (const [other, candidate] of this.mounted) {
      if (other.top > row.top && (!before || other.top < before.top)) before = { top: other.top, candidate };
    }
    this.node.insertBefore(element, before?.candidate ?? null);
  }

  #card(cell, height) {
    const card = makeCard(cell.id, cell.width, height);
    const photo = this.store.photos.get(cell.id);
    if (photo) fillCard(card, this.store.view(photo));
    this.focusId ??= cell.id;
    card.tabIndex = cell.id === this.focusId ? 0 : -1;
    this.cards.set(cell.id, card);
    return card;
  }

  #fetchMissing(rows) {
    const missing = this.store.use([...rows].flatMap((row) => row.cells?.map((cell) => cell.id) ?? []));
    if (missing.length) this.wants.photos(missing);
  }

  #moveTabStop(id) {
    const old = this.cards.get(this.focusId);
    if (old) old.tabIndex = -1;
    this.focusId = id;
    const card = this.cards.get(id);
    if (card) card.tabIndex = 0;
  }

  #reveal(row) {
    const top = row.top + this.#offset();
    const above = this.#barHeight() + 8;
    const foot = parseFloat(getComputedStyle(document.body).paddingBottom) + 8;
    if (top < scrollY + above) scrollTo(0, top - above);
    else if (top + row.height > scrollY + innerHeight - foot) scrollTo(0, top + row.height - innerHeight + foot);
  }

  /** What sticks to the top of the window and would cover a photo. */
  #barHeight() {
    return parseFloat(getComputedStyle(this.node).scrollMarginTop) || 0;
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const id = this.#target(event.key);
    if (id !== undefined) {
      event.preventDefault();
      this.focus(id);
    } else if (event.key === "Enter" || event.key === "i") {
      event.preventDefault();
      this.wants.opened(this.focusId, event.key);
    }
  }

  /** The photo that a key leads to from the focused one. */
  #target(key) {
    const row = this.place.get(this.focusId);
    if (!row) return undefined;
    const index = rowAt(this.rows, row.top);
    const cells = row.cells;
    const column = cells.findIndex((cell) => cell.id === this.focusId);
    switch (key) {
      case "ArrowLeft":
        return cells[column - 1]?.id ?? this.#neighbour(index, -1)?.cells.at(-1).id;
      case "ArrowRight":
        return cells[column + 1]?.id ?? this.#neighbour(index, 1)?.cells[0].id;
      case "ArrowUp":
        return this.#beside(this.#neighbour(index, -1), cells, column);
      case "ArrowDown":
        return this.#beside(this.#neighbour(index, 1), cells, column);
      case "Home":
        return this.rows.find((row) => row.cells)?.cells[0].id;
      case "End":
        return this.rows.findLast((row) => row.cells)?.cells.at(-1).id;
      default:
        return undefined;
    }
  }

  #neighbour(index, step) {
    let next = index + step;
    while (this.rows[next] && !this.rows[next].cells) next += step;
    return this.rows[next];
  }

  /** In another row, the photo under the middle of this one. */
  #beside(row, cells, column) {
    if (!row) return undefined;
    const middle = (list, until) => list.slice(0, until).reduce((x, cell) => x + cell.width + GAP, 0) + list[until].width / 2;
    const x = middle(cells, column);
    const distance = (index) => Math.abs(middle(row.cells, index) - x);
    const nearest = row.cells.map((_, index) => index).reduce((best, index) => (distance(index) < distance(best) ? index : best), 0);
    return row.cells[nearest].id;
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

const keyOf = (row) => (row.cells ? `${row.height}:${row.cells.map((cell) => `${cell.id}@${cell.width}`).join()}` : row.text);

function headingCell(text) {
  const cell = document.createElement("div");
  cell.setAttribute("role", "gridcell");
  const heading = document.createElement("h2");
  heading.textContent = text;
  cell.append(heading);
  return cell;
}
