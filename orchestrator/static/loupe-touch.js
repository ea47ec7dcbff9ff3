// Swipes on the photo: left and right move, up picks, down rejects. Two fingers zoom, as the browser does it.

const LEAST_PX = 48;

export function listenToSwipes(node, { left, right, up, down }) {
  let start;
  node.addEventListener("touchstart", ({ touches: [finger, ...others] }) => {
    start = others.length || isZoomed() ? undefined : { x: finger.clientX, y: finger.clientY };
  }, { passive: true });
  node.addEventListener("touchcancel", () => (start = undefined));
  node.addEventListener("touchend", ({ changedTouches: [finger] }) => {
    if (!start || isZoomed()) return;
    const [dx, dy] = [finger.clientX - start.x, finger.clientY - start.y];
    start = undefined;
    if (Math.max(Math.abs(dx), Math.abs(dy)) < LEAST_PX) return;
    if (Math.abs(dx) > Math.abs(dy)) (dx < 0 ? left : right)();
    else (dy < 0 ? up : down)();
  });
}

const isZoomed = () => (globalThis.visualViewport?.scale ?? 1) > 1.01;
