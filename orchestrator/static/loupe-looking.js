// Looking closely: the photo that is stood at on its stage, the zoom by key, button and hand, and what is said of it.
import { listenToHands } from "./loupe-gestures.js";
import { onKeys } from "./keys.js";
import { flash } from "./loupe-said.js";
import { LoupeStage } from "./loupe-stage.js";

const part = (id) => document.getElementById(id);
const tool = (name) => document.querySelector(`[data-tool="${name}"]`);

export class Looking {
  constructor() {
    this.stage = new LoupeStage(part("stage"), () => this.#showWords());
    this.pointer = listenToHands(part("stage"), this.stage, (pointer) => this.zoom(pointer));
  }

  /** From now on keys act here before they do elsewhere on the page. */
  listen() {
    onKeys({ zoom: () => this.zoom(this.pointer()), escape: () => this.#leave() });
    tool("zoom").addEventListener("click", () => this.zoom());
  }

  zoom(pointer) {
    const hasZoomed = this.stage.toggleZoom(pointer);
    if (!hasZoomed) flash("Every pixel of this photo is seen already");
    else flash(this.stage.isZoomed ? "100 %" : "The whole photo");
  }

  /** One step back; false when there is none. */
  #leave() {
    if (!part("help").hidden || !this.stage.isZoomed) return false;
    this.zoom();
    return true;
  }

  #showWords() {
    const { isZoomed } = this.stage;
    tool("zoom").setAttribute("aria-pressed", String(isZoomed));
    part("sight").hidden = !isZoomed;
    if (isZoomed) part("zoom-words").textContent = zoomWords(this.stage);
  }
}

function zoomWords({ zoom: { level }, sharpness: { isThere, trouble } }) {
  const words = `${Math.round(level * 100)} %`;
  if (isThere) return words;
  return trouble ? `${words}, blurred: ${trouble}` : `${words}, its pixels are on their way`;
}
