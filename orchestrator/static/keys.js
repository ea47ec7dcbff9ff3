// What single keys mean, as the person chose it: one table for the loupe, the gallery, and wherever photos are decided
// about. A key is named as the server names it (orchestrator/preferences/keys.py).
import { onPreferences, preferences } from "./preferences.js";

const MOVING = new Set(["next", "previous", "first", "last", "frameUp", "frameDown", "nextBurst", "previousBurst"]);
const NOT_TYPED_IN = ["checkbox", "radio", "button", "submit", "range"];

const handlers = []; // what was registered last is asked first
let actions; // key -> action

/**
 * `acts` by action: `rate3() {…}`. One that returns false leaves the key to what was registered before. A key that is
 * held down moves; nothing else is done twice by it.
 */
export function onKeys(acts) {
  handlers.unshift(acts);
}

/** The action that a key press asks for; undefined for none, while one is typing, and for what the page itself does. */
export function actionOf(event) {
  if (event.isComposing || isTyping(event.target)) return undefined;
  return actions.get(keyOf(event));
}

/**
 * The name of the key that was pressed, with Shift where it matters. Digits count by their place on the keyboard,
 * letters by what they write; with Ctrl or Cmd there are only `Ctrl+z` and the like, with Alt there is nothing.
 */
export function keyOf(event) {
  const writesByAltGr = event.getModifierState("AltGraph"); // Windows says Ctrl and Alt for it
  if (event.altKey && !writesByAltGr) return undefined;
  if ((event.ctrlKey || event.metaKey) && !writesByAltGr) return `Ctrl+${event.shiftKey ? "Shift+" : ""}${letterOf(event)}`;
  const digit = writesByAltGr ? undefined : digitOf(event);
  if (digit !== undefined) return digit;
  const name = event.key === " " ? "Space" : letterOf(event);
  return event.shiftKey && !isSign(name) ? `Shift+${name}` : name;
}

/** Whether what is typed goes into a field. */
export function isTyping(target) {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || (target.matches("input, textarea, select") && !NOT_TYPED_IN.includes(target.type));
}

/** The first key of an action for a title: " (x)", or nothing. */
export function hintOf(action) {
  const [key] = preferences.keys[action];
  return key ? ` (${shownKey(key)})` : "";
}

const SHOWN = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" };

/** The key as a person reads it. */
export function shownKey(key) {
  const parts = key.length > 1 ? key.split("+") : [key];
  const last = parts.pop();
  return [...parts, SHOWN[last] ?? (parts.length ? last.toUpperCase() : last)].join("+");
}

function letterOf({ key, code }) {
  if (key.length > 1) return key;
  const [, latin] = /^Key([A-Z])$/.exec(code) ?? [];
  // A keyboard of another script has the letters where others have them.
  const isForeign = /\p{L}/u.test(key) && !/\p{Script=Latin}/u.test(key);
  return (isForeign && latin ? latin : key).toLowerCase();
}

function digitOf({ code, key }) {
  const [, place, digit] = /^(Digit|Numpad)([0-9])$/.exec(code) ?? [];
  // Without Num Lock the keypad moves.
  return digit === undefined || (place === "Numpad" && key !== digit) ? undefined : digit;
}

/** Signs are written with Shift on one keyboard and without on another. */
const isSign = (name) => name.length === 1 && !/\p{L}/u.test(name);

/** Keys that a button, or what is scrolled, takes for itself. */
function isTakenBy(target, key) {
  if (!(target instanceof HTMLElement)) return false;
  if (key === " ") return target.closest("button, a, summary, input, .details") !== null;
  return ["ArrowUp", "ArrowDown", "Home", "End"].includes(key) && target.closest(".details, input") !== null;
}

function readTable() {
  actions = new Map(Object.entries(preferences.keys).flatMap(([action, keys]) => keys.map((key) => [key, action])));
}

document.addEventListener("keydown", (event) => {
  const action = event.defaultPrevented || isTakenBy(event.target, event.key) ? undefined : actionOf(event);
  for (const acts of handlers) {
    if (!action || !acts[action]) continue;
    if ((!event.repeat || MOVING.has(action)) && acts[action](event) === false) continue;
    event.preventDefault();
    return;
  }
});
onPreferences(readTable);
readTable();
