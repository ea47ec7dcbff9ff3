// The keys of the loupe that do not decide about one photo; card-keys.js has those that do.

const MOVES = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", " "]);
const isTyping = (target) => target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));

/** `acts` by key; one that returns false leaves the key to others. A held key moves, and does nothing else again. */
export function listenToKeys(acts) {
  const act = (event) => {
    const name = nameOf(event);
    if (!name || !acts[name] || event.isComposing || isTyping(event.target) || isFor(event)) return;
    if (event.repeat && !MOVES.has(name)) {
      event.preventDefault();
      return;
    }
    if (acts[name]() === false) return;
    event.preventDefault();
    event.stopPropagation();
  };
  // Before everybody else: what a key means here it means nowhere else on the page.
  document.addEventListener("keydown", act, { capture: true });
}

function nameOf(event) {
  const letter = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.altKey) return undefined;
  if (event.ctrlKey || event.metaKey) return letter === "z" ? (event.shiftKey ? "redo" : "undo") : undefined;
  return event.shiftKey && letter !== "?" ? undefined : letter;
}

/** Keys that a button, or what is scrolled, takes for itself. */
function isFor({ key, target }) {
  if (!(target instanceof HTMLElement)) return false;
  if (key === " ") return target.closest("button, a, summary, .details") !== null;
  return ["ArrowUp", "ArrowDown", "Home", "End"].includes(key) && target.closest(".details") !== null;
}
