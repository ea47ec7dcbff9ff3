// Removing photos from Keepers: what that frees is said first and asked once; originals stay, and it can be undone.
import { postJson, Refusal } from "./api.js";
import { bytes, plural } from "./format.js";
import { say } from "./toast.js";

const NONE_LEFT = "None of these photos is in Keepers any more";

export class Removing {
  /** `waiting()` promises how many decisions could not be sent; calls `removed(removals, words)` once it is done. */
  constructor(dialog, { waiting, removed }) {
    this.dialog = dialog;
    this.tell = { waiting, removed };
    dialog.addEventListener("close", () => dialog.returnValue === "remove" && this.#remove());
  }

  /** `parts` name the photos for the server; what they are is counted there. */
  async ask(parts) {
    const trouble = await this.#refusal(async () => {
      if (await this.tell.waiting()) throw new Refusal(0, "unsent", "Decisions wait to be sent: photos can be removed once Keepers answers.");
      const answers = await this.#send(parts, { dry_run: true });
      const [count, freed] = [sum(answers, "count"), sum(answers, "bytes")];
      if (count === 0) return say(NONE_LEFT);
      this.parts = parts;
      this.#part("what").textContent = `Remove ${plural(count, "photo")} from Keepers?`;
      this.#part("frees").textContent = `Frees ${bytes(freed)} of previews, originals stay.`;
      this.dialog.returnValue = "";
      return this.dialog.showModal();
    });
    if (trouble) say(trouble, { tone: "red" });
  }

  /** What was removed before a part was refused can be undone all the same. */
  async #remove() {
    const answers = [];
    const trouble = await this.#refusal(() => this.#send(this.parts, { dry_run: false }, answers));
    const removed = answers.filter(({ removal }) => removal);
    const words = `Removed ${plural(sum(removed, "count"), "photo")} from Keepers, originals stay`;
    if (removed.length) this.tell.removed(removed.map(({ removal }) => removal), words);
    if (trouble) say(removed.length ? `${words}. Not the others: ${trouble}` : trouble, { tone: "red" });
    else if (removed.length === 0) say(NONE_LEFT);
  }

  async #send(parts, how, answers = []) {
    for (const { count, ...asked } of parts) answers.push(await postJson("/api/removals", { ...asked, ...how }));
    return answers;
  }

  /** The sentence of the refusal; undefined when all went well. */
  async #refusal(work) {
    try {
      await work();
      return undefined;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return error.message;
    }
  }

  #part(name) {
    return this.dialog.querySelector(`[data-part="${name}"]`);
  }
}

const sum = (answers, name) => answers.reduce((total, answer) => total + answer[name], 0);
