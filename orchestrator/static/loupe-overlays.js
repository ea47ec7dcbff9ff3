// Focus peaking and clipping over what a pane shows, found by a worker of its own so that stepping stays fast.

const KINDS = ["off", "focus", "clipping"];
const NAMES = { off: "No overlay", focus: "Focus peaking", clipping: "Clipping" };

export class Overlays {
  /** Calls `changed()` when a pane was marked. */
  constructor(changed) {
    this.changed = changed;
    this.kind = "off";
    this.wanted = new Map(); // pane -> picture, those that wait
    this.asked = 0;
  }

  /** The next of off, focus peaking and clipping, on these panes; returns its name. */
  cycle(panes) {
    this.kind = KINDS[(KINDS.indexOf(this.kind) + 1) % KINDS.length];
    for (const pane of panes) {
      pane.mark(undefined);
      this.show(pane);
    }
    return NAMES[this.kind];
  }

  /** To be called when a pane shows another picture. Marks of a less sharp one stay until there are better ones. */
  show(pane) {
    this.wanted.delete(pane);
    if (this.kind === "off" || !pane.picture) return;
    this.wanted.set(pane, pane.picture);
    this.#findNext();
  }

  /** One picture at a time, and of a pane only the last that it shows. */
  async #findNext() {
    if (this.isFinding) return;
    this.isFinding = true;
    while (this.wanted.size) {
      const [[pane, picture]] = this.wanted;
      this.wanted.delete(pane);
      await picture.decoded; // so that it is fetched once
      if (pane.picture === picture) await this.#mark(pane, picture, this.kind);
    }
    this.isFinding = false;
  }

  async #mark(pane, picture, kind) {
    const { bitmap, shares, trouble } = await this.#ask(picture.url, kind);
    if (trouble) return console.warn(trouble);
    if (pane.picture !== picture || this.kind !== kind) return bitmap.close();
    pane.mark(bitmap, shares);
    return this.changed();
  }

  #ask(url, kind) {
    this.worker ??= new Worker(new URL("./loupe-overlay-worker.js", import.meta.url), { type: "module" });
    this.asked += 1;
    const id = this.asked;
    return new Promise((resolve) => {
      const hear = ({ data }) => {
        if (data.id !== id) return;
        this.worker.removeEventListener("message", hear);
        resolve(data);
      };
      this.worker.addEventListener("message", hear);
      this.worker.postMessage({ id, url, kind });
    });
  }
}

/** What the colours mean: [{colour, words}]. */
export function legendOf(kind, shares) {
  const share = (name) => (shares ? `, ${percent(shares[name])}` : "");
  if (kind === "focus") return [{ colour: "focus", words: "in focus: fine detail" }];
  if (kind !== "clipping") return [];
  return [
    { colour: "highlights", words: `highlights without detail${share("highlights")}` },
    { colour: "shadows", words: `shadows without detail${share("shadows")}` },
  ];
}

function percent(share) {
  const value = share * 100;
  if (value === 0) return "none";
  return value < 0.1 ? "under 0.1 %" : `${value.toFixed(1)} %`;
}
