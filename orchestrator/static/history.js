// What was decided about one photo, newest first.
import { getJson, Refusal } from "./api.js";
import { ago, exact } from "./format.js";

const MOST = 8;

export class History {
  constructor(node) {
    this.node = node; // a section with a list
    this.list = node.querySelector("dl");
  }

  /** Fetches the history of the photo; an answer that came too late is dropped. */
  async show(id) {
    if (id !== this.id) this.node.hidden = true;
    this.id = id;
    try {
      const { items } = await getJson(`/api/photos/${id}/history`);
      if (id === this.id) this.#fill(items.filter(wordsOf).slice(0, MOST));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error; // the panel says it already
    }
  }

  #fill(items) {
    this.node.hidden = items.length === 0;
    this.list.replaceChildren(
      ...items.flatMap((item) => {
        const [moment, words] = [document.createElement("dt"), document.createElement("dd")];
        moment.textContent = ago(item.decided_at);
        moment.title = exact(item.decided_at);
        words.className = "from-file";
        words.textContent = wordsOf(item) + ({ file: ", says the file", undo: ", by undo" }[item.source] ?? "");
        return [moment, words];
      }),
    );
  }
}

/** "5 stars, picked"; what else follows from that goes without saying. Empty when nothing is left to say. */
function wordsOf({ after }) {
  const parts = [];
  if ("user_rating" in after) parts.push(after.user_rating ? `${after.user_rating} ${after.user_rating === 1 ? "star" : "stars"}` : "stars cleared");
  if ("manual_match" in after) parts.push(after.manual_match ? "picked" : "no pick any more");
  if ("rejected_at" in after) parts.push(after.rejected_at ? "rejected" : "restored");
  if ("project" in after) parts.push(after.project ? `into ${after.project}` : "out of its project");
  if ("tags" in after) parts.push("tags edited");
  if (after.burst_best_at) parts.push("best of its burst");
  if (after.burst_dissolved_at) parts.push("kept with its whole burst");
  if ("kept_at" in after && parts.length === 0) parts.push(after.kept_at ? "kept" : "not kept any more");
  return parts.join(", ");
}
