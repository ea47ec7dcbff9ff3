// What can be undone and redone, {done, undone}: a reload keeps it. With many steps writing it down takes its time, and
// is not to stand between a key and what the key shows.

const STEPS = "decision-steps";
const REST_MS = 300;
const MOST_KEPT = 50; // photos of a step whose looks before and after a reload still knows

let unwritten;
let timer;

export function storedSteps() {
  return JSON.parse(sessionStorage.getItem(STEPS)) ?? { done: [], undone: [] };
}

/** Soon, and before the page is left. */
export function storeSteps(steps) {
  unwritten = steps;
  timer ??= setTimeout(write, REST_MS);
}

function write() {
  clearTimeout(timer);
  timer = undefined;
  if (!unwritten) return;
  const { done, undone } = unwritten;
  unwritten = undefined;
  try {
    sessionStorage.setItem(STEPS, JSON.stringify({ done: done.map(light), undone: undone.map(light) }));
  } catch {
    sessionStorage.removeItem(STEPS); // full: until a reload they are known all the same
  }
}

/** A step about many without what each of them looks like: the server tells that anyway. */
const light = (step) => (Object.keys(step.after).length > MOST_KEPT ? { ...step, before: {}, after: {} } : step);

addEventListener("pagehide", write);
document.addEventListener("visibilitychange", write); // a phone may end it there
