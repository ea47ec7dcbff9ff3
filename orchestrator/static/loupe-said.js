// What a key did: for a moment beside the stars, and aloud.

const SHOWN_MS = 600;
const shown = document.getElementById("said");
const aloud = document.getElementById("announced");
let timer;
let sentences = [];

export function flash(sentence) {
  shown.textContent = sentence;
  shown.hidden = false;
  clearTimeout(timer);
  timer = setTimeout(() => (shown.hidden = true), SHOWN_MS);
  announce(sentence);
}

/** What is said in one go, a decision and the photo that it leads to, is one text: else the second hides the first. */
export function announce(sentence) {
  sentences.push(sentence);
  if (sentences.length > 1) return;
  queueMicrotask(() => {
    const text = sentences.join(". ");
    sentences = [];
    // The same sentence twice is said twice: a live region speaks only when its text changes.
    aloud.textContent = aloud.textContent === text ? `${text}\u00a0` : text;
  });
}
