// Swipes on the photo: left and right move, up picks, down rejects. Not while it is zoomed: a finger moves it then.

const LEAST_PX = 48;

/** `isOff()` says when a finger means something else. */
export function listenToSwipes(node, isOff, { left, right, up, down }) {
  let start;
  node.addEventListener("touchstart", ({ touches: [finger, ...others] }) => {
    start = others.length || isOff() || isPageZoomed() ? undefined : { x: finger.clientX, y: finger.clientY };
  }, { passive: true });
  node.addEventListener("touchcancel", () => (start = undefined));
  node.addEventListener("touchend", ({ changedTouches: [finger] }) => {
    if (!start || isOff() || isPageZoomed()) return;
    const [dx, dy] = [finger.clientX - start.x, finger.clientY - start.y];
    start = undefined;
    if (Math.max(Math.abs(dx), Math.abs(dy)) < LEAST_PX) return;
    if (Math.abs(dx) > Math.abs(dy)) (dx < 0 ? left : right)();
    else (dy < 0 ? up : down)();
  });
}

const isPageZoomed = () => (globalThis.visualViewport?.scale ?? 1) > 1.01;
