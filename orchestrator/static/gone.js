// The bar that says that the server is gone, and how many decisions wait for it.
import { plural } from "./format.js";

const gone = document.getElementById("gone");
const waits = document.createElement("span");
const state = { isDown: false, unsent: 0 };

waits.className = "unsent";
gone.append(waits);

/** What is different: `isDown`, whether nobody answers, or `unsent`, how many decisions are still to be sent. */
export function showGone(news) {
  Object.assign(state, news);
  waits.textContent = state.unsent ? ` ${plural(state.unsent, "decision waits", "decisions wait")} to be sent.` : "";
  gone.hidden = !state.isDown && state.unsent === 0;
}
