// Selecting cards of the grid by mouse, finger and key.
import { isTyping, onKeys } from "./keys.js";

const LONG_PRESS_MS = 450;
const STILL_PX = 10; // a finger that moves further scrolls

/**
 * Listens to `node`, which holds the cards, for `selection`. `focusId()` is the photo with the focus, `focus(id)` gives
 * it to another, `between(one, other)` is the ids of a range or promises them, and `total()` is how many the list has.
 */
export class Selecting {
  constructor(node, selection, ask) {
    Object.assign(this, { node, selection, ask });
    // Before the grid: what selects opens nothing.
    node.addEventListener("click", (event) => this.#click(event), { capture: true });
    node.addEventListener("mousedown", (event) => event.shiftKey && event.preventDefault()); // no text is marked
    node.addEventListener("pointerdown", (event) => this.#press(event));
    for (const name of ["pointerup", "pointercancel"]) node.addEventListener(name, () => this.#release());
    node.addEventListener("pointermove", (event) => this.#move(event));
    node.addEventListener("contextmenu", (event) => (this.pressed || this.isHeld) && event.preventDefault());
    node.addEventListener("keydown", (event) => this.#noteFocus(event), { capture: true });
    node.addEventListener("focusin", (event) => this.#focusMoved(event));
    document.addEventListener("keydown", (event) => this.#key(event));
    onKeys({ select: () => this.#toggleFocused(), selectAll: () => this.selectAll() });
  }

  selectAll() {
    if (this.ask.total() === 0 || document.querySelector("dialog[open]")) return false;
    this.selection.selectAll();
    return true;
  }

  #click(event) {
    const id = idAt(event);
    if (id === undefined) return;
    const isCheck = event.target.closest(".check") !== null;
    if (this.isHeld) this.isHeld = false; // the finger that selected is lifted
    else if (event.shiftKey) this.#reachTo(id);
    else if (event.ctrlKey || event.metaKey || isCheck || this.#isTap(event)) this.selection.toggle(id);
    else return;
    event.stopPropagation();
    event.preventDefault();
    this.ask.focus(id);
  }

  /** While something is selected, a finger selects more. */
  #isTap(event) {
    return this.isTouch && !this.selection.isEmpty && !event.target.closest("button");
  }

  #press(event) {
    this.isTouch = event.pointerType === "touch";
    this.isHeld = false;
    this.reachesFrom = undefined;
    const id = idAt(event);
    if (!this.isTouch || id === undefined) return;
    this.#release();
    this.pressed = { x: event.clientX, y: event.clientY, timer: setTimeout(() => this.#hold(id), LONG_PRESS_MS) };
  }

  #move({ clientX, clientY }) {
    if (this.pressed && Math.hypot(clientX - this.pressed.x, clientY - this.pressed.y) > STILL_PX) this.#release();
  }

  #release() {
    clearTimeout(this.pressed?.timer);
    this.pressed = undefined;
  }

  #hold(id) {
    this.pressed = undefined;
    this.isHeld = true;
    this.selection.toggle(id);
  }

  #toggleFocused() {
    const id = this.node.contains(document.activeElement) ? this.ask.focusId() : undefined;
    if (id === undefined) return false;
    this.selection.toggle(id);
    return true;
  }

  /** With Shift, the range reaches to where this key moves the focus, which may have to be loaded first. */
  #noteFocus(event) {
    if (event.key === "Shift") return;
    this.reachesFrom = event.shiftKey ? this.ask.focusId() : undefined;
  }

  #focusMoved(event) {
    const [from, id] = [this.reachesFrom, idAt(event)];
    if (from === undefined || id === undefined || id === from) return;
    if (this.selection.anchor === undefined) this.selection.startAt(from);
    this.#reachTo(id);
  }

  #key(event) {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || event.key !== "a" || isTyping(event.target)) return;
    if (this.selectAll()) event.preventDefault();
  }

  /** Of two ranges asked for at once, the last one counts. */
  async #reachTo(id) {
    const from = this.selection.anchor ?? this.ask.focusId() ?? id;
    if (this.selection.anchor === undefined) this.selection.startAt(from);
    const wanted = (this.wanted = Symbol("range"));
    const range = this.ask.between(from, id);
    const ids = range instanceof Promise ? await range : range; // at once where it can be: the next key counts on it
    if (wanted === this.wanted && ids && this.selection.anchor === from) this.selection.reach(ids);
  }
}

function idAt(event) {
  const card = event.target.closest(".card");
  return card ? Number(card.dataset.id) : undefined;
}
