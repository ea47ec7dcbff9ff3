// The mark of a burst on a card: how many frames there are, and the way to them.
import { hintOf } from "./keys.js";

export const burstName = ({ kind, size }) => `${kind === "bracket" ? "bracket" : "burst"} of ${size}`;

/** Shows, changes or takes away the mark on the picture of a card. */
export function showBurst(frame, burst) {
  const mark = frame.querySelector(".burst-badge");
  if (!burst) return mark?.remove();
  const button = mark ?? newMark(frame);
  const title = `${burstName(burst)}${burst.is_best ? ", the best of it" : ""}`;
  button.dataset.burst = burst.id;
  button.title = `${title}: look at its frames${hintOf("burst")}`;
  button.setAttribute("aria-label", `Open the ${title}`);
  button.querySelector(".number").textContent = burst.is_best ? `${burst.size} ◉` : burst.size;
  button.querySelector(".glyph").textContent = burst.kind === "bracket" ? "±" : "❐";
  return undefined;
}

function newMark(frame) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "burst-badge";
  button.tabIndex = -1; // cards are moved through with the arrows; `b` opens the burst of the focused one
  const [glyph, number] = [document.createElement("span"), document.createElement("span")];
  glyph.className = "glyph";
  number.className = "number";
  button.append(glyph, number);
  frame.append(button);
  return button;
}
