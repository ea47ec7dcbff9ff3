// Two to four photos beside each other, zoomed and moved together. One of them is in hand: keys and buttons act on it.
import { makeFrame, showMarks } from "./compared-frame.js";
import { isTyping, onKeys } from "./keys.js";
import { listenToHands } from "./loupe-gestures.js";
import { announce, flash } from "./loupe-said.js";

const [FEWEST, MOST] = [2, 4];
const AS_ROWS = matchMedia("(max-width: 1000px)");

const part = (id) => document.getElementById(id);
const section = part("compare");

export class Compare {
  /**
   * `rivals(count)` are the photos to compare, the one stood at first; `stand(photo)` goes to one of them; `get(id)` is
   * one as it is seen; `keep()` keeps the one stood at, `keepOnly(photo, others)` decides about all; `zoom(pointer)`
   * zooms in or out; `changed()` is told when another is in hand, or all are gone.
   */
  constructor(stage, ways) {
    this.stage = stage;
    this.ways = ways;
    this.count = FEWEST;
    this.cells = [];
    this.pointer = listenToHands(part("compared"), stage, (pointer) => ways.zoom(pointer));
    part("compared").addEventListener("focusin", ({ target }) => this.#take(target.closest(".compared")));
    section.addEventListener("click", (event) => this.#press(event.target.closest("button")));
  }

  get isOpen() {
    return !section.hidden;
  }

  /** From now on keys act here, while it is open, before they do elsewhere on the page. */
  listen() {
    const acts = {
      next: () => this.#step(1),
      previous: () => this.#step(-1),
      frameDown: () => this.#step(this.#columns()),
      frameUp: () => this.#step(-this.#columns()),
      first: () => this.#step(-MOST),
      last: () => this.#step(MOST),
      keep: () => this.ways.keep(),
      keepOnly: () => this.keepOnly(),
    };
    onKeys(Object.fromEntries(Object.entries(acts).map(([action, act]) => [action, () => this.isOpen && act()])));
    onKeys({ compare: () => this.toggle() });
    document.addEventListener("keydown", (event) => this.#countByKey(event));
  }

  toggle() {
    if (this.isOpen) this.close();
    else this.open(this.count);
  }

  async open(count) {
    this.opening = count;
    const photos = await this.ways.rivals(count);
    if (this.opening !== count) return; // other photos were asked for meanwhile
    if (photos.length < FEWEST) return flash("There is nothing beside it to compare it with");
    const wasOpen = this.isOpen;
    this.count = count;
    this.#clear();
    section.hidden = false;
    section.dataset.count = photos.length;
    this.cells = photos.map((photo) => this.#makeCell(photo));
    part("compared").replaceChildren(...this.cells.map((cell) => cell.node));
    this.cells.forEach(({ pane, photo }) => this.stage.showIn(pane, photo));
    this.refresh();
    this.cells[0].node.focus({ preventScroll: true });
    for (const button of section.querySelectorAll("[data-count]")) button.setAttribute("aria-pressed", String(Number(button.dataset.count) === count));
    if (!wasOpen) flash(`Comparing ${photos.length}`);
    else announce(`Comparing ${photos.length}`);
    return this.ways.changed();
  }

  close() {
    if (!this.isOpen) return;
    this.#shut();
    flash("One photo again");
  }

  /** One stands at this photo now: it is in hand if it is here, else there is nothing to compare any more. */
  follow({ id }) {
    const at = this.cells.findIndex(({ photo }) => photo.id === id);
    if (at < 0) this.close();
    else if (at !== this.at) this.cells[at].node.focus();
  }

  /** These photos are there no more. */
  without(ids) {
    if (this.cells.some(({ photo }) => ids.includes(photo.id))) this.close();
  }

  /** Shows what was decided about them. */
  refresh() {
    this.cells.forEach(({ node, photo: { id } }, n) => {
      showMarks(node, this.ways.get(id), `${n + 1} of ${this.cells.length}`);
    });
  }

  /** Keeps the one in hand, rejects the others, and goes on. */
  keepOnly() {
    const photos = this.cells.map(({ photo }) => this.ways.get(photo.id));
    const kept = photos[this.at];
    this.#shut();
    this.ways.keepOnly(kept, photos.filter((photo) => photo !== kept));
  }

  #shut() {
    this.opening = undefined;
    section.hidden = true;
    this.#clear();
    this.stage.showAlone();
    this.ways.changed();
  }

  #makeCell(photo) {
    const { node, room } = makeFrame(photo);
    return { node, photo, pane: this.stage.open(room) };
  }

  /** This one is in hand now. */
  #take(node) {
    const at = this.cells.findIndex((cell) => cell.node === node);
    if (at < 0 || (at === this.at && this.stage.active === this.cells[at].pane)) return;
    this.at = at;
    for (const cell of this.cells) cell.node.removeAttribute("aria-current");
    node.setAttribute("aria-current", "true");
    this.stage.active = this.cells[at].pane;
    this.ways.stand(this.cells[at].photo);
    this.ways.changed();
  }

  #step(by) {
    const at = Math.min(this.cells.length - 1, Math.max(0, this.at + by));
    this.cells[at].node.focus();
    this.cells[at].node.scrollIntoView({ block: "nearest" });
  }

  #columns() {
    return this.cells.length === MOST && !AS_ROWS.matches ? 2 : 1;
  }

  #countByKey(event) {
    const step = { "+": 1, "-": -1 }[event.key];
    if (!step || !this.isOpen || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.defaultPrevented || isTyping(event.target)) return; // some keyboards write + with a digit, which rates
    event.preventDefault();
    this.#show(Math.min(MOST, Math.max(FEWEST, this.count + step)));
  }

  /** So many of them; the one in hand stays the first. */
  #show(count) {
    if (count !== this.count) this.open(count);
  }

  #press(button) {
    if (button?.dataset.count) this.#show(Number(button.dataset.count));
    if (button?.dataset.compare === "keepOnly") this.keepOnly();
  }

  #clear() {
    for (const { pane } of this.cells) this.stage.close(pane);
    part("compared").replaceChildren();
    this.cells = [];
    this.at = undefined;
  }
}
