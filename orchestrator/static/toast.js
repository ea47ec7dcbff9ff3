// A line at the foot of the page that says what was just done, aloud too, with a button that takes it back.

const SHOWN_MS = 8000;

const node = document.createElement("div");
const words = document.createElement("p");
const undo = document.createElement("button");
let timer;
let takeBack;
let focusedBefore; // gets the focus back from the button

node.className = "toast";
node.hidden = true;
words.className = "visually-hidden"; // it is a live region, which has to be there before it speaks
words.setAttribute("role", "status");
undo.type = "button";
undo.className = "quiet";
undo.textContent = "Undo";
const shown = document.createElement("p");
shown.className = "from-file";
shown.setAttribute("aria-hidden", "true");
node.append(shown, undo);
document.body.append(words, node);

/** Says `sentence`; with `onUndo`, offers to take it back. `tone` "red" is for what went wrong. */
export function say(sentence, { onUndo, tone = "" } = {}) {
  takeBack = onUndo;
  node.className = `toast ${tone}`;
  shown.textContent = sentence;
  undo.hidden = !onUndo;
  node.hidden = false;
  // The same sentence twice is said twice: a live region speaks only when its text changes.
  words.textContent = words.textContent === sentence ? `${sentence}\u00a0` : sentence;
  wait();
}

function wait() {
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (!node.matches(":hover, :focus-within")) hide();
    else wait();
  }, SHOWN_MS);
}

function hide() {
  clearTimeout(timer);
  node.hidden = true;
}

undo.addEventListener("focus", (event) => (focusedBefore = event.relatedTarget ?? undefined));
undo.addEventListener("click", () => {
  if (undo === document.activeElement && focusedBefore?.isConnected) focusedBefore.focus({ preventScroll: true });
  hide();
  takeBack?.();
});
