// Live updates for a page: ids of what changed, through the SharedWorker where there is one.
import { openStream } from "./live-stream.js";

const listeners = { frame: new Set(), reset: new Set(), state: new Set() };
let last = Number(document.body.dataset.liveEvent) || 0;
let wasDown = false;

/** `listener({photos, renditions, imports, failures, stages, all})`; `all`: more changed than could be named. */
export const onFrame = (listener) => listeners.frame.add(listener);
/** What is shown may be out of date: fetch it again. */
export const onReset = (listener) => listeners.reset.add(listener);
/** `listener(isDown)` */
export const onState = (listener) => listeners.state.add(listener);

/** The last event that this page was told of. */
export const lastEvent = () => last;

function hear(message) {
  if (message.id) last = message.id;
  if (message.type === "frame") for (const listener of listeners.frame) listener(message.data);
  if (message.type === "reset" || message.data?.all) for (const listener of listeners.reset) listener();
  if (message.type === "down") setDown(true);
  if (message.type === "up") setDown(false);
}

function setDown(isDown) {
  if (isDown === wasDown) return;
  wasDown = isDown;
  for (const listener of listeners.state) listener(isDown);
}

function throughWorker() {
  const worker = new SharedWorker(new URL("./live-worker.js", import.meta.url), { type: "module", name: "keepers-live" });
  worker.port.onmessage = ({ data }) => hear(data);
  const join = () => worker.port.postMessage({ type: "join", since: last });
  addEventListener("pagehide", () => worker.port.postMessage({ type: "leave" }));
  addEventListener("pageshow", (event) => event.persisted && join());
  join();
}

function throughOwnStream() {
  let close = openStream(last, hear);
  addEventListener("pagehide", () => close());
  addEventListener("pageshow", (event) => {
    if (event.persisted) close = openStream(last, hear);
  });
}

// Modules are set up in one go; listeners are in place before the first frame can arrive.
if ("SharedWorker" in globalThis) throughWorker();
else throughOwnStream();
