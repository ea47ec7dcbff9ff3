// A list that may be higher than a document can be, seen through the window's own scrollbar.

const HIGHEST = 8_000_000; // pixels; beyond twice that, positions are not exact to the pixel any more
const JUMP = 3; // windows at once: the scrollbar was dragged, or a key went to an end
const EDGE = 4; // windows from an end, in which every pixel is one of the list

/**
 * `y` is a position in the list. In a list that is too high a part of it lies in the document at a time, `origin` is
 * where that begins; a jump of the scrollbar chooses another part, and whatever is scrolled by hand moves pixel by pixel.
 */
export class ScrollSpace {
  constructor(node) {
    this.node = node;
    this.origin = 0;
    this.height = 0;
    this.seen = scrollY;
  }

  /** Where the window begins in the list; negative while something above the list is seen. */
  get y() {
    return scrollY - this.#above + this.origin;
  }

  /** Whether the list begins in the window, below a bar of this height. */
  isAtTop(bar) {
    return this.origin === 0 && scrollY <= Math.max(0, this.#above - bar);
  }

  /** The list has another height now; the document stands still. */
  resize(height) {
    this.height = height;
    this.origin = Math.min(this.origin, this.#surplus);
    this.node.style.height = `${Math.min(height, HIGHEST)}px`;
  }

  scrollTo(y) {
    const fits = Math.max(1, this.height - innerHeight);
    if (y < EDGE * innerHeight) this.origin = 0;
    else if (y > fits - EDGE * innerHeight) this.origin = this.#surplus;
    else this.origin = Math.round((y / fits) * this.#surplus);
    scrollTo(0, y - this.origin + this.#above);
    this.seen = scrollY;
  }

  /** What is above the window grew by so much: the window stays on what it shows. */
  shift(pixels) {
    if (!pixels) return;
    const origin = this.origin + pixels;
    if (this.#surplus && origin >= 0 && origin <= this.#surplus) this.origin = origin;
    else this.scrollTo(this.y + pixels);
  }

  /** After the window was scrolled; how far, in windows. */
  follow() {
    const moved = Math.abs(scrollY - this.seen) / innerHeight;
    this.seen = scrollY;
    if (!this.#surplus) return moved;
    const room = HIGHEST - innerHeight;
    const into = scrollY - this.#above;
    if (moved > JUMP) this.origin = Math.round(Math.min(1, Math.max(0, into / room)) * this.#surplus);
    const isAtEdge = (into < innerHeight && this.origin > 0) || (into > room - innerHeight && this.origin < this.#surplus);
    if (isAtEdge) this.scrollTo(this.y);
    return moved;
  }

  /** How far down the scrollbar is, from 0 to 1. */
  get share() {
    return Math.min(1, Math.max(0, this.y / Math.max(1, this.height - innerHeight)));
  }

  get #surplus() {
    return Math.max(0, this.height - HIGHEST);
  }

  get #above() {
    return this.node.getBoundingClientRect().top + scrollY;
  }
}
