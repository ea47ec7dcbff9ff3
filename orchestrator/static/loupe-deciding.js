// Deciding in the loupe: as on every page, and said beside the stars; undo goes back to what it is about.
import { postJson, Refusal } from "./api.js";
import { Deciding } from "./deciding.js";
import { plural } from "./format.js";
import { flash } from "./loupe-said.js";
import { say } from "./toast.js";
import { keep } from "./wishes.js";

export class LoupeDeciding extends Deciding {
  /** Calls `decided(photo, wishFor)` after a decision, and `returnTo(ids)` when one about these was undone or redone. */
  constructor({ inHand, changed, decided, returnTo }) {
    const said = (sentence, { isTrouble }) => (isTrouble ? say(sentence, { tone: "red" }) : flash(sentence));
    super({ inHand, changed, said });
    this.after = { decided, returnTo };
    this.keeping = Promise.resolve();
  }

  decide(photo, wishFor) {
    super.decide(photo, wishFor);
    this.after.decided(photo, wishFor);
  }

  /** Sends what an earlier page could not send; it may still wait after that, for a server that is away. */
  sent() {
    return this.decisions.queue.send();
  }

  /** Keeps this photo and rejects these; one undo takes both back. */
  keepOnly(photo, others) {
    const wishes = [{ photo, body: keep(photo).body }, ...others.map((other) => ({ photo: other, body: { action: "reject" } }))];
    this.decisions.decideTogether(wishes, `Kept ${photo.file_name}, rejected ${plural(others.length, "other")}`);
  }

  /** Keeps this frame and rejects the others of its burst; whether the server did it. */
  keepOfBurst(photo, ids) {
    const kept = this.#askToKeep(photo, ids);
    this.keeping = kept;
    return kept;
  }

  async undo() {
    await this.keeping; // the last thing done is only known once it is answered
    this.#step(this.decisions.steps.done, () => this.decisions.undo());
  }

  async redo() {
    await this.keeping;
    this.#step(this.decisions.steps.undone, () => this.decisions.redo());
  }

  #step(steps, take) {
    const ids = Object.keys(steps.at(-1)?.after ?? {}).map(Number);
    take();
    this.after.returnTo(ids);
  }

  async #askToKeep(photo, ids) {
    try {
      const answer = await postJson(`/api/bursts/${photo.burst.id}/keep-best`, { best_id: photo.id });
      const words = `Kept ${photo.file_name}, rejected ${plural(answer.rejected, "other")} of the burst`;
      if (answer.undo) this.remember(answer.undo, ids, words);
      else flash(words);
      return true;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      say(error.message, { tone: "red" });
      return false;
    }
  }
}
