// Deciding on a page of photos: keys, stars and buttons become decisions, which show at once and can be undone.
import { meaningOf } from "./card-keys.js";
import { Decisions } from "./decisions.js";
import { plural } from "./format.js";
import { onState } from "./live.js";
import { say } from "./toast.js";

export class Deciding {
  /**
   * `inHand()` is the photo that keys act on, as it is seen; `changed(ids, items)` is called when photos look different,
   * with what the server says they are where it said so. `said` (see Decisions) is for a page that says it elsewhere
   * than at its foot.
   */
  constructor({ inHand, changed, said }) {
    this.inHand = inHand;
    this.isDown = false;
    this.unsent = 0;
    this.decisions = new Decisions({
      shown: changed,
      said: said ?? ((sentence, { canUndo, isTrouble }) => say(sentence, { onUndo: canUndo ? () => this.decisions.undo() : undefined, tone: isTrouble ? "red" : "" })),
      waits: (count) => this.#showGone({ unsent: count }),
    });
    document.addEventListener("keydown", (event) => this.#key(event));
    onState((isDown) => {
      this.#showGone({ isDown });
      if (!isDown) this.decisions.start();
    });
  }

  /** Sends what an earlier page could not send. To be called once the page can show what comes of it. */
  start() {
    this.decisions.start();
  }

  /** The photo with everything that was decided here, sent or not. */
  view(photo) {
    return this.decisions.view(photo);
  }

  /** `wishFor` makes a wish (see wishes.js) of the photo as it is seen. */
  decide(photo, wishFor) {
    this.decisions.decide(photo, wishFor(photo));
  }

  /** A decision that was sent elsewhere, to be undone from here: its batch, its photos, and the words for it. */
  remember(batch, ids, words) {
    this.decisions.remember(batch, ids, words);
  }

  #key(event) {
    const meaning = meaningOf(event);
    const photo = typeof meaning === "function" ? this.inHand() : undefined;
    if (!meaning || (typeof meaning === "function" && !photo)) return;
    event.preventDefault();
    if (meaning === "undo") this.decisions.undo();
    else if (meaning === "redo") this.decisions.redo();
    else if (photo) this.decide(photo, meaning);
  }

  /** The bar that says that the server is gone says too what waits for it. */
  #showGone(news) {
    Object.assign(this, news);
    const gone = document.getElementById("gone");
    const waits = gone.querySelector(".unsent") ?? document.createElement("span");
    waits.className = "unsent";
    waits.textContent = this.unsent ? ` ${plural(this.unsent, "decision waits", "decisions wait")} to be sent.` : "";
    gone.append(waits);
    gone.hidden = !this.isDown && this.unsent === 0;
  }
}
