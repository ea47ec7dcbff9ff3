// How long a step takes, from the key to the painted photo: measures "loupe:step", for whoever looks at the page's speed.

let pressedAt;

for (const kind of ["keydown", "pointerdown"]) {
  addEventListener(kind, (event) => (pressedAt = event.timeStamp), { capture: true });
}

/** To be called when a pane was given its photo because of what was pressed last. */
export async function paintedStep({ picture }) {
  const start = pressedAt;
  pressedAt = undefined;
  if (start === undefined || !picture) return;
  await picture.decoded;
  requestAnimationFrame(() => {
    // Behind the frame that is painted now.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => performance.measure("loupe:step", { start, end: performance.now(), detail: { url: picture.url } });
    port2.postMessage(undefined);
  });
}
