// Storing a choice at once, and saying what came of it.
import { Refusal } from "./api.js";
import { changePreferences } from "./preferences.js";
import { say } from "./toast.js";

/** The sentence of the refusal, undefined when it was stored. `words` say what is so from now on. */
export async function store(changes, words) {
  try {
    await changePreferences(changes);
    say(words);
    return undefined;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    say(`Not stored: ${error.message}`, { tone: "red" });
    return error.message;
  }
}
