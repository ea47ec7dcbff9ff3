// How long a step takes, from the key to the painted photo: measures "loupe:step", for whoever looks at the page's speed;
// and lets a key that is held go no faster than photos can be seen.

const PATIENCE_MS = 1000; // a photo that does not come keeps nobody
const REST_MS = 200; // longer than a keyboard takes to repeat a key

const resting = new Set();
let hurriedAt = -Infinity;
let rest; // a timer
let pressedAt;
let stepping; // {picture, since}: what is shown and was not painted yet

for (const kind of ["keydown", "pointerdown"]) {
  addEventListener(kind, (event) => (pressedAt = event.timeStamp), { capture: true });
}

addEventListener("keydown", ({ repeat, timeStamp }) => {
  if (!repeat) return;
  hurriedAt = timeStamp;
  clearTimeout(rest);
  rest = setTimeout(() => resting.forEach((listener) => listener()), REST_MS);
}, { capture: true });

/** Whether a key is held: photos fly by, and nobody looks at one closely. */
export const isHurrying = () => performance.now() - hurriedAt < REST_MS;
/** `listener()` when the key was let go. */
export const onRest = (listener) => resting.add(listener);

/** Whether a key that is held is to wait: the photo of its last step was not seen yet. */
export function isTooFast(event) {
  return event.repeat && stepping !== undefined && performance.now() - stepping.since < PATIENCE_MS;
}

/** To be called when a pane was given its photo because of what was pressed last. */
export async function paintedStep({ picture }) {
  const start = pressedAt;
  pressedAt = undefined;
  stepping = undefined;
  if (start === undefined || !picture) return;
  const mine = (stepping = { picture, since: performance.now() });
  await picture.decoded;
  requestAnimationFrame(() => {
    // Behind the frame that is painted now.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      if (stepping !== mine) return; // passed by unseen
      stepping = undefined;
      performance.measure("loupe:step", { start, end: performance.now(), detail: { url: picture.url } });
    };
    port2.postMessage(undefined);
  });
}
