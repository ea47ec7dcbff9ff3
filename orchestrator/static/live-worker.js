// The one event stream of a browser, shared by its tabs: a browser opens only six connections to a host, and the
// thumbnails of every tab need them.
import { openStream } from "./live-stream.js";

const KEPT_FRAMES = 240; // a minute of them, for tabs that open later

const ports = new Set();
let frames = [];
let oldestKnown; // a tab that knows everything up to here misses nothing
let isDown = false;
let close;

function tell(message) {
  if (message.type === "up" || message.type === "down") isDown = message.type === "down";
  if (message.type === "frame") keep(message);
  if (message.type === "reset") {
    frames = [];
    oldestKnown = message.id;
  }
  for (const port of ports) port.postMessage(message);
}

function keep(message) {
  frames.push(message);
  if (frames.length > KEPT_FRAMES) oldestKnown = frames.shift().id;
}

function join(port, since) {
  ports.add(port);
  if (!close) {
    oldestKnown = since;
    close = openStream(since, tell);
    return;
  }
  if (isDown) port.postMessage({ type: "down" });
  if (since < oldestKnown) port.postMessage({ type: "reset", id: oldestKnown });
  else for (const frame of frames) if (frame.id > since) port.postMessage(frame);
}

function leave(port) {
  ports.delete(port);
  if (ports.size > 0 || !close) return;
  close();
  close = undefined;
  frames = [];
  isDown = false;
}

self.onconnect = ({ ports: [port] }) => {
  port.onmessage = ({ data }) => (data.type === "join" ? join(port, data.since) : leave(port));
};
