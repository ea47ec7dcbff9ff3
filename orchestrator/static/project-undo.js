// What was done on a page of projects is said, with a button that takes it back; Ctrl+Z does the same.
import { onKeys } from "./keys.js";
import { say } from "./toast.js";

let takeBack;

/** `undo`: nothing for what cannot be taken back. */
export function sayDone(words, undo) {
  takeBack = undo && once(undo);
  say(words, { onUndo: takeBack });
}

function once(undo) {
  return () => {
    takeBack = undefined;
    undo();
  };
}

onKeys({ undo: () => (takeBack ? takeBack() : say("Nothing to undo")) });
