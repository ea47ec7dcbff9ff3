// Which key means which decision about the focused photo.
import { clearFlags, keep, rate, togglePick, toggleReject } from "./wishes.js";

const BY_LETTER = { p: togglePick, k: keep, x: toggleReject, u: clearFlags };

/**
 * What a key press asks for: "undo", "redo", a function from a photo to a wish, or undefined.
 * Digits count by their place on the keyboard, letters by what they write. Nothing counts while one is typing, and a
 * key that is held down counts once.
 */
export function meaningOf(event) {
  if (event.isComposing || event.defaultPrevented || isTyping(event.target)) return undefined;
  const meaning = meaningOfKey(event);
  return event.repeat ? meaning && "nothing" : meaning;
}

function meaningOfKey(event) {
  const letter = event.key.toLowerCase();
  if (event.altKey) return undefined;
  if (event.ctrlKey || event.metaKey) return letter === "z" ? (event.shiftKey ? "redo" : "undo") : undefined;
  const digit = digitOf(event);
  if (digit !== undefined) return (photo) => rate(photo, digit || null);
  return event.shiftKey ? undefined : BY_LETTER[letter];
}

function digitOf({ code, key }) {
  const [, place, digit] = /^(Digit|Numpad)([0-5])$/.exec(code) ?? [];
  // Without Num Lock the keypad moves.
  return digit === undefined || (place === "Numpad" && key !== digit) ? undefined : Number(digit);
}

const isTyping = (target) => target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));
