// Removing photos from Keepers: what that frees is said first and asked once; originals stay, and it can be undone.
import { postJson, Refusal } from "./api.js";
import { bytes, plural } from "./format.js";
import { say } from "./toast.js";

export class Removing {
  /** `waiting()` promises how many decisions could not be sent; calls `removed(removals, words)` once it is done. */
  constructor(dialog, { waiting, removed }) {
    this.dialog = dialog;
    this.tell = { waiting, removed };
    dialog.addEventListener("close", () => dialog.returnValue === "remove" && this.#remove());
  }

  /** `parts` name the photos for the server; what they are is counted there. */
  async ask(parts) {
    await this.#attempt(async () => {
      if (await this.tell.waiting()) throw new Refusal(0, "unsent", "Decisions wait to be sent: photos can be removed once Keepers answers.");
      const answers = await this.#send(parts, { dry_run: true });
      const [count, freed] = [sum(answers, "count"), sum(answers, "bytes")];
      if (count === 0) return say("None of these photos is in Keepers any more");
      this.parts = parts;
      this.#part("what").textContent = `Remove ${plural(count, "photo")} from Keepers?`;
      this.#part("frees").textContent = `Frees ${bytes(freed)} of previews, originals stay.`;
      this.dialog.returnValue = "";
      return this.dialog.showModal();
    });
  }

  async #remove() {
    await this.#attempt(async () => {
      const answers = (await this.#send(this.parts, { dry_run: false })).filter(({ removal }) => removal);
      const words = `Removed ${plural(sum(answers, "count"), "photo")} from Keepers, originals stay`;
      this.tell.removed(answers.map(({ removal }) => removal), words);
    });
  }

  async #send(parts, how) {
    const answers = [];
    for (const { count, ...asked } of parts) answers.push(await postJson("/api/removals", { ...asked, ...how }));
    return answers;
  }

  async #attempt(work) {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      say(error.message, { tone: "red" });
    }
  }

  #part(name) {
    return this.dialog.querySelector(`[data-part="${name}"]`);
  }
}

const sum = (answers, name) => answers.reduce((total, answer) => total + answer[name], 0);
