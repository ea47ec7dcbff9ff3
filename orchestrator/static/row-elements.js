// The rows of the grid that are in the document, and the cards in them.
import { fillCard, makeCard } from "./card.js";
import { CAPTION } from "./rows.js";

export class RowElements {
  /** `filled(card, photo)` may add to a card. */
  constructor(node, rows, space, filled) {
    Object.assign(this, { node, rows, space, filled });
    this.elements = new Map(); // row -> element
    this.cards = new Map(); // id -> element
  }

  /** These rows and no others; `target` is the height that rows are laid out for. */
  show(wanted, { store, focusId, target, areMoved }) {
    Object.assign(this, { store, focusId, target });
    for (const row of [...this.elements.keys()]) if (!wanted.has(row)) this.#unmount(row);
    if (areMoved) for (const [row, element] of this.elements) this.#put(row, element);
    for (const row of wanted) if (!this.elements.has(row)) this.#mount(row);
  }

  clear() {
    for (const row of [...this.elements.keys()]) this.#unmount(row);
  }

  /** Brings the card of a photo up to date, where there is one. */
  update(photo) {
    const card = this.cards.get(photo.id);
    if (card) this.#fill(card, photo);
  }

  #mount(row) {
    const element = document.createElement("div");
    element.className = `row ${row.kind}`;
    if (row.kind === "waiting") {
      element.setAttribute("role", "presentation");
      element.style.height = `${row.height}px`;
      element.style.setProperty("--row", `${this.target}px`);
    } else {
      element.setAttribute("role", "row");
      element.append(...(row.cells ? row.cells.map((cell) => this.#card(cell, row.height - CAPTION)) : [headingCell(row.text)]));
    }
    this.#put(row, element);
    this.elements.set(row, element);
    this.#insertInOrder(row, element);
  }

  #put(row, element) {
    element.style.transform = `translateY(${this.rows.topOf(row) - this.space.origin}px)`;
  }

  #unmount(row) {
    for (const cell of row.cells ?? []) this.cards.delete(cell.id);
    this.elements.get(row).remove();
    this.elements.delete(row);
  }

  /** Readers and the Tab key go by the order in the document. */
  #insertInOrder(row, element) {
    const top = this.rows.topOf(row);
    let before;
    for (const [other, candidate] of this.elements) {
      const otherTop = this.rows.topOf(other);
      if (otherTop > top && (!before || otherTop < before.top)) before = { top: otherTop, candidate };
    }
    this.node.insertBefore(element, before?.candidate ?? null);
  }

  #card(cell, height) {
    const card = makeCard(cell.id, cell.width, height);
    card.tabIndex = cell.id === this.focusId ? 0 : -1;
    this.cards.set(cell.id, card);
    this.#fill(card, this.store.photos.get(cell.id));
    return card;
  }

  #fill(card, photo) {
    const seen = this.store.view(photo);
    fillCard(card, seen);
    this.filled?.(card, seen);
  }
}

function headingCell(text) {
  const cell = document.createElement("div");
  cell.setAttribute("role", "gridcell");
  const heading = document.createElement("h2");
  heading.textContent = text;
  cell.append(heading);
  return cell;
}
