// Backfills that are open: how far each is, its pause and its end. Looked at while the pipeline is open.
import { getJson, postJson } from "./api.js";
import { count, duration } from "./format.js";

const LOOK_MS = 1500;
const OPEN = ["running", "paused"];
const NAMES = { embed: "Similarity", quality: "Technical scores", exif: "Camera data", hash: "Hashes", curate: "Descriptions" };
const panel = document.getElementById("pipeline");
const box = document.getElementById("backfills");
const list = box.querySelector("ul");
const template = document.getElementById("backfill-template");
const refused = document.getElementById("pipeline-refused");
let next; // the timer of the next look: there is one, however often the pipeline is opened

async function look() {
  if (!panel.matches(":popover-open")) return;
  try {
    show((await getJson("/api/backfills")).items.filter((one) => OPEN.includes(one.state)));
  } catch (refusal) {
    if (refusal.status === undefined) throw refusal;
    box.hidden = true;
  } finally {
    clearTimeout(next);
    next = setTimeout(look, LOOK_MS);
  }
}

/** Each keeps its node, so that a button under the finger or with the focus stays. */
function show(open) {
  box.hidden = open.length === 0;
  const shown = new Map([...list.children].map((node) => [node.dataset.id, node]));
  for (const one of open) {
    const node = shown.get(String(one.id)) ?? make(one.id);
    shown.delete(String(one.id));
    if (!node.isConnected) list.append(node);
    fill(node, one);
  }
  for (const ended of shown.values()) ended.remove();
}

function make(id) {
  const node = template.content.firstElementChild.cloneNode(true);
  node.dataset.id = id;
  for (const button of node.querySelectorAll("button")) button.addEventListener("click", () => act(id, button));
  return node;
}

function fill(node, one) {
  const settled = one.done + one.failed + one.skipped;
  const name = NAMES[one.kind];
  write(node.querySelector(".name"), name);
  write(node.querySelector(".numbers"), numbers(one, settled));
  const cause = node.querySelector(".cause");
  write(cause, one.why ?? "");
  cause.hidden = !one.why;
  Object.assign(node.querySelector("progress"), { max: Math.max(1, one.total), value: settled });
  node.querySelector("progress").setAttribute("aria-label", `Filling in: ${name}`);
  const turn = node.querySelector(".turn");
  turn.dataset.action = one.state === "paused" ? "resume" : "pause";
  write(turn, one.state === "paused" ? "Resume" : "Pause");
  for (const button of node.querySelectorAll("button")) {
    button.setAttribute("aria-label", `${button.textContent} filling in: ${name}`);
  }
}

function numbers(one, settled) {
  const parts = [`${count(settled)} of ${count(one.total)} photos`];
  if (one.state === "paused") parts.push("paused");
  if (one.seconds_left !== null) parts.push(`about ${duration(one.seconds_left)} left`);
  if (one.failed) parts.push(`${count(one.failed)} failed`);
  return parts.join(" · ");
}

async function act(id, button) {
  button.disabled = true;
  refused.hidden = true;
  try {
    await postJson(`/api/backfills/${id}/${button.dataset.action}`);
    show((await getJson("/api/backfills")).items.filter((one) => OPEN.includes(one.state)));
  } catch (refusal) {
    if (refusal.status === undefined) throw refusal;
    refused.hidden = false;
    refused.textContent = refusal.message;
  } finally {
    button.disabled = false;
  }
}

function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

panel.addEventListener("toggle", (event) => event.newState === "open" && look());
