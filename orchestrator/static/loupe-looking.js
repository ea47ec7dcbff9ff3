// Looking closely: the photo that is stood at on its stage, zoom and overlays by key, button and hand, and their words.
import { actionOf, isTyping, keyOf, onKeys } from "./keys.js";
import { Compare } from "./loupe-compare.js";
import { listenToHands } from "./loupe-gestures.js";
import { legendOf, Overlays } from "./loupe-overlays.js";
import { flash } from "./loupe-said.js";
import { showSight } from "./loupe-sight.js";
import { LoupeStage } from "./loupe-stage.js";

const PAN_PX = 120;
const PANS = { ArrowLeft: { left: PAN_PX, top: 0 }, ArrowRight: { left: -PAN_PX, top: 0 }, ArrowUp: { left: 0, top: PAN_PX }, ArrowDown: { left: 0, top: -PAN_PX } };

const part = (id) => document.getElementById(id);
const tool = (name) => document.querySelector(`[data-tool="${name}"]`);

export class Looking {
  /** `ways` of the page (see loupe-compare.js): rivals, stand, get, keep, keepOnly. */
  constructor(ways) {
    this.overlays = new Overlays(() => this.#showWords());
    this.stage = new LoupeStage(part("stage"), {
      changed: () => this.#showWords(),
      painted: (pane) => this.overlays.show(pane),
    });
    this.pointer = listenToHands(part("stage"), this.stage, (pointer) => this.zoom(pointer));
    this.compare = new Compare(this.stage, {
      ...ways,
      zoom: (pointer) => this.zoom(pointer),
      changed: () => this.#showWords(),
    });
  }

  /** From now on keys act here before they do elsewhere on the page. */
  listen() {
    this.compare.listen();
    onKeys({ zoom: () => this.zoom(this.#pointer()), overlays: () => this.cycleOverlays(), escape: () => this.#leave() });
    tool("zoom").addEventListener("click", () => this.zoom());
    tool("overlays").addEventListener("click", () => this.cycleOverlays());
    tool("compare").addEventListener("click", () => this.compare.toggle());
    document.addEventListener("keydown", (event) => this.#panByKey(event));
  }

  /** With Shift the arrows look further on a photo that is zoomed, also while they are held. */
  #panByKey(event) {
    const step = keyOf(event)?.startsWith("Shift+") && PANS[event.key];
    if (!step || !this.stage.isZoomed || actionOf(event) || event.defaultPrevented || isTyping(event.target)) return;
    event.preventDefault();
    this.stage.pan(step);
  }

  /** The photo that is stood at; beside the others while it is one of those compared. */
  show(photo) {
    this.compare.follow(photo);
    this.stage.show(photo);
  }

  clear() {
    this.compare.close();
    this.stage.clear();
  }

  #pointer() {
    return this.compare.isOpen ? this.compare.pointer() : this.pointer();
  }

  zoom(pointer) {
    if (this.stage.isEmpty) return;
    const hasZoomed = this.stage.toggleZoom(pointer);
    if (!hasZoomed) flash("Every pixel of this photo is seen already");
    else flash(this.stage.isZoomed ? "100 %" : "The whole photo");
  }

  cycleOverlays() {
    flash(this.overlays.cycle(this.stage.panes));
    this.#showWords();
  }

  /** One step back; false when there is none. */
  #leave() {
    if (part("help")?.hidden === false) return false;
    if (this.stage.isZoomed) this.zoom();
    else if (this.compare.isOpen) this.compare.close();
    else return false;
    return true;
  }

  #showWords() {
    const { isZoomed, active, zoom, sharpness } = this.stage;
    const legend = legendOf(this.overlays.kind, active.shares);
    tool("zoom").setAttribute("aria-pressed", String(isZoomed));
    tool("overlays").setAttribute("aria-pressed", String(legend.length > 0));
    tool("compare").setAttribute("aria-pressed", String(this.compare.isOpen));
    part("main").classList.toggle("comparing", this.compare.isOpen);
    showSight(part("sight"), { zoom, sharpness, legend });
  }
}
