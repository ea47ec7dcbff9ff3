// Hands on a photo: the wheel and two fingers zoom, a drag moves what is zoomed, two taps or clicks zoom to a point.

const TAP_MS = 300;
const TAP_PX = 24;
const LINE_PX = 16; // of a wheel that counts lines
const WHEEL_PX = 240; // of the wheel for twice as large

/** Tells `stage` (see loupe-stage.js); `toggle(pointer)` zooms to a point and back. Returns `pointer()`, where the mouse is. */
export function listenToHands(node, stage, toggle) {
  const fingers = new Map(); // pointer id -> {clientX, clientY}
  let mouse;
  let lastTap;
  let touchedAt; // when a finger tapped last
  let pressed; // where a finger came down, as long as it may be a tap

  node.addEventListener("wheel", (event) => {
    event.preventDefault();
    stage.zoomBy(2 ** (-pixelsOf(event) / WHEEL_PX), event);
  }, { passive: false });

  node.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    pressed = fingers.size ? undefined : event;
    fingers.set(event.pointerId, event);
    // Held by the node: a drag goes on outside. A click still reaches the button that it began on.
    if (stage.isZoomed || fingers.size > 1) node.setPointerCapture(event.pointerId);
  });

  node.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse") mouse = event;
    const before = fingers.get(event.pointerId);
    if (!before) return;
    if (fingers.size === 2) pinch(before, event);
    else if (stage.isZoomed) stage.pan(stepOf(before, event));
    fingers.set(event.pointerId, event);
  });

  for (const kind of ["pointerup", "pointercancel"]) {
    node.addEventListener(kind, (event) => {
      if (kind === "pointerup" && event.pointerType === "touch" && pressed && distance(pressed, event) < TAP_PX) tap(event);
      fingers.delete(event.pointerId);
    });
  }
  node.addEventListener("pointerleave", () => (mouse = undefined));
  node.addEventListener("dblclick", (event) => isOfFinger(event) || toggle(event));

  /** Browsers make a double click of two taps. */
  const isOfFinger = ({ timeStamp }) => touchedAt !== undefined && timeStamp - touchedAt < 2 * TAP_MS;

  function pinch(before, now) {
    const other = [...fingers.values()].find((finger) => finger !== before);
    stage.zoomBy(distance(now, other) / Math.max(1, distance(before, other)), middle(now, other));
    const [from, to] = [middle(before, other), middle(now, other)];
    stage.pan(stepOf(from, to));
  }

  function tap(event) {
    const isSecond = lastTap && event.timeStamp - lastTap.timeStamp < TAP_MS && distance(lastTap, event) < TAP_PX;
    touchedAt = event.timeStamp;
    lastTap = isSecond ? undefined : event;
    if (isSecond) toggle(event);
  }

  return () => mouse;
}

const pixelsOf = ({ deltaY, deltaMode }) => (deltaMode === WheelEvent.DOM_DELTA_LINE ? deltaY * LINE_PX : deltaY);
const distance = (one, other) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
const middle = (one, other) => ({ clientX: (one.clientX + other.clientX) / 2, clientY: (one.clientY + other.clientY) / 2 });
const stepOf = (from, to) => ({ left: to.clientX - from.clientX, top: to.clientY - from.clientY });
