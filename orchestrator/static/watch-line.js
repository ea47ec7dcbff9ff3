// What is said of a watched folder.
import { ago } from "./format.js";

const WORDS = { starting: "Looking through it.", watching: "Watching.", polling: "Looking now and then.", waiting: "Waiting until it is there." };

export function watchLine({ state, last_new_at: last }) {
  return [WORDS[state] ?? state, last ? `Last new file ${ago(last)}.` : "Nothing new yet."].join(" ");
}
