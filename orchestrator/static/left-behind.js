// On pages where nothing is decided: sends what another page could not send.
import { DecisionQueue } from "./decision-queue.js";
import { showGone } from "./gone.js";
import { onState } from "./live.js";
import { say } from "./toast.js";

const queue = new DecisionQueue({
  settled: () => {},
  refused: (entry, sentence) => say(sentence, { tone: "red" }),
  changed: () => showGone({ unsent: queue.isStuck ? queue.waiting.length : 0 }),
});

if (queue.waiting.length) queue.send();
onState((isDown) => isDown || queue.send());
