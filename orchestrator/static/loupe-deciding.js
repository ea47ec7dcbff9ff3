// Deciding in the loupe: as on every page, and said beside the stars; undo goes back to what it is about.
import { Deciding } from "./deciding.js";
import { flash } from "./loupe-said.js";
import { say } from "./toast.js";

export class LoupeDeciding extends Deciding {
  /** Calls `decided(photo, wishFor)` after a decision, and `returnTo(ids)` when one about these was undone or redone. */
  constructor({ inHand, changed, decided, returnTo }) {
    const said = (sentence, { isTrouble }) => (isTrouble ? say(sentence, { tone: "red" }) : flash(sentence));
    super({ inHand, changed, said });
    this.after = { decided, returnTo };
  }

  decide(photo, wishFor) {
    super.decide(photo, wishFor);
    this.after.decided(photo, wishFor);
  }

  /** Sends what an earlier page could not send; it may still wait after that, for a server that is away. */
  sent() {
    return this.decisions.queue.send();
  }

  undo() {
    this.#step(this.decisions.steps.done, () => this.decisions.undo());
  }

  redo() {
    this.#step(this.decisions.steps.undone, () => this.decisions.redo());
  }

  /** A step of several parts is about the photos of its first. */
  #step(steps, take) {
    const ids = Object.keys(steps.findLast((step) => !step.isPart)?.after ?? {}).map(Number);
    take();
    this.after.returnTo(ids);
  }
}
