// Tells Keepers that somebody looks through photos, so that bulk work goes easy meanwhile.

const EVERY_MS = 20_000;
const REST_MS = 180_000; // a loupe that was left open overnight slows nothing down

let touched = Date.now();
let toldAt = 0;

function tell() {
  const now = Date.now();
  if (document.visibilityState !== "visible" || now - touched > REST_MS || now - toldAt < EVERY_MS) return;
  toldAt = now;
  navigator.sendBeacon("/api/review/here"); // it never fails aloud
}

function touch() {
  touched = Date.now();
  tell();
}

function leave() {
  toldAt = 0;
  navigator.sendBeacon("/api/review/gone");
}

for (const type of ["keydown", "pointerdown", "pointermove", "wheel"]) addEventListener(type, touch, { capture: true, passive: true });
addEventListener("pageshow", touch);
addEventListener("pagehide", leave);
document.addEventListener("visibilitychange", () => (document.visibilityState === "visible" ? touch() : leave()));
setInterval(tell, EVERY_MS / 4);
touch();
