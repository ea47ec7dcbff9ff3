// What the burst strip shows: the frames of one burst, and what is known of each.
import { burstName } from "./burst-badge.js";
import { captureTime, plural } from "./format.js";

const template = document.getElementById("burst-frame-template");

/** `node` is a burst strip. */
export function showFrames(node, burst) {
  const part = (name) => node.querySelector(`[data-part="${name}"]`);
  const name = burstName(burst);
  node.querySelector("h2").textContent = name[0].toUpperCase() + name.slice(1);
  part("about").textContent = about(burst);
  part("keep-best").textContent = `Keep best, reject ${plural(burst.size - 1, "other")}`;
  part("frames").replaceChildren(...burst.frames.map((frame) => frameNode(frame)));
}

function about({ kind, frames, size, started_at: started }) {
  const seconds = (Date.parse(`${frames.at(-1).captured_at}Z`) - Date.parse(`${started}Z`)) / 1000;
  const within = seconds >= 60 ? `${Math.round(seconds / 60)} min` : `${Number(seconds.toFixed(1))} s`;
  const parts = [captureTime(started), `within ${within}`];
  if (kind === "bracket") parts.push("exposure or focus varies: left out of Keep Best of all");
  if (size > frames.length) parts.push(`${frames.length} shown`);
  return parts.join(" · ");
}

function frameNode(frame) {
  const node = template.content.firstElementChild.cloneNode(true);
  node.dataset.id = frame.id;
  node.classList.toggle("best", frame.is_best);
  const picture = node.querySelector("img");
  picture.style.setProperty("--shape", (frame.width ?? 3) / (frame.height ?? 2));
  if (frame.thumbnail_url) picture.src = frame.thumbnail_url;
  node.querySelector(".burst-picture").setAttribute("aria-label", describe(frame));
  node.querySelector(".name").textContent = frame.file_name;
  node.querySelector(".said").textContent = said(frame);
  return node;
}

function said(frame) {
  const parts = [];
  if (frame.user_rating) parts.push("★".repeat(frame.user_rating));
  if (frame.manual_match) parts.push("★ pick");
  if (frame.sharpness !== null) parts.push(`sharp ${Math.round(frame.sharpness)}`);
  if (frame.exposure_bias_ev) parts.push(`${frame.exposure_bias_ev > 0 ? "+" : "−"}${Math.abs(Number(frame.exposure_bias_ev.toFixed(1)))} EV`);
  return parts.join(" · ");
}

function describe(frame) {
  const parts = [frame.file_name];
  if (frame.is_best) parts.push(frame.is_chosen ? "the best, chosen by you" : "the best");
  if (frame.sharpness !== null) parts.push(`sharpness ${Math.round(frame.sharpness)}`);
  parts.push(frame.user_rating ? `${frame.user_rating} stars` : "unrated");
  return parts.join(", ");
}
