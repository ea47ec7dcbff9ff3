// What of the list could not be fetched: said, and tried again by a button, after a while, and when the server is back.
import { Refusal } from "./api.js";
import { onState } from "./live.js";

const RETRY_MS = 3000;
const part = (id) => document.getElementById(id);
let again;
let timer;

/** From now on trying again is to do this. */
export function retryBy(work) {
  again = work;
}

/** What `work` promises; undefined when it was refused, which is said. */
export async function attempt(work) {
  part("trouble").hidden = true;
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    part("trouble-text").textContent = error.message;
    part("trouble").hidden = false;
    clearTimeout(timer);
    if (error.isPassing) timer = setTimeout(retry, RETRY_MS);
    return undefined;
  }
}

function retry() {
  if (!part("trouble").hidden) again();
}

part("retry").addEventListener("click", retry);
onState((isDown) => isDown || retry());
