// What could not be fetched: said with a button that tries again, where nothing goes on without it.
import { Refusal } from "./api.js";
import { onState } from "./live.js";

const part = (id) => document.getElementById(id);
let retry;

part("retry").addEventListener("click", () => retry?.());
onState((isDown) => !isDown && isInTrouble() && retry?.()); // nobody has to press a button for that

export const isInTrouble = () => !part("trouble").hidden;

export function forgetTrouble() {
  part("trouble").hidden = true;
}

/** With `again`, a refusal is shown with a button; else it is for a later try to succeed. */
export async function attempt(work, again) {
  if (again) forgetTrouble();
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (!again) return undefined;
    retry = again;
    part("trouble-text").textContent = error.message;
    part("trouble").hidden = false;
    return undefined;
  }
}
