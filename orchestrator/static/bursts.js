// Bursts on the gallery: the strip with the frames of one, and the line about all of them.
import { BurstStrip } from "./burst-strip.js";
import { BurstsLine } from "./bursts-line.js";
import { onKeys } from "./keys.js";
import { onFrame, onReset } from "./live.js";
import { say } from "./toast.js";

export class Bursts {
  /**
   * `inHand()` is the photo that keys act on; `remember(batch, ids, words)` says what was done and can undo it;
   * `closed(photoId)` is called when the strip is gone and the focus is to go back to this photo.
   */
  constructor({ inHand, remember, closed }) {
    // Another tab may have decided the same a moment before: then there is nothing to undo here.
    const told = (batch, ids, words) => (batch ? remember(batch, ids, words) : say(words));
    this.strip = new BurstStrip(document.getElementById("burst-strip"), { remember: told, closed });
    this.line = new BurstsLine(document.getElementById("bursts-line"), { remember: told });
    document.addEventListener("click", (event) => {
      const mark = event.target.closest("[data-burst]");
      const card = mark?.closest("[data-id]");
      if (card) this.strip.open(Number(mark.dataset.burst), Number(card.dataset.id));
    });
    onKeys({ burst: () => (this.strip.isOpen ? this.strip.close() : this.#openAt(inHand())) });
    onFrame((frame) => {
      this.strip.changed(frame.bursts);
      if (frame.bursts.length) this.line.refresh();
    });
    onReset(() => {
      this.strip.refresh();
      this.line.refresh();
    });
  }

  #openAt(photo) {
    if (photo?.burst) this.strip.open(photo.burst.id, photo.id);
  }

  /** The line stands above photos of bursts only. */
  showLine(isShown) {
    this.line.show(isShown);
  }
}
