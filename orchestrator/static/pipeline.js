// The pipeline at a glance: a segment per stage in the bar; behind it what each does, how long it takes, and its pause.
import { getJson, paced, postJson } from "./api.js";
import { ago, compact, count, duration, stageName } from "./format.js";

const GLYPHS = { idle: "–", working: "●", paused: "■", held: "Ⅱ", failing: "!" };
const REST_MS = 1000;

const button = document.getElementById("pipeline-button");
const list = document.getElementById("pipeline-stages");
const refused = document.getElementById("pipeline-refused");
const problemCount = document.getElementById("problem-count");

export const refreshStages = paced(async () => showStages(await getJson("/api/stages")), REST_MS);

function showStages({ items, problems }) {
  button.replaceChildren(...items.map(segment), total(items));
  button.setAttribute("aria-label", `Pipeline: ${items.map(sentence).join("; ")}`);
  showDetails(items);
  problemCount.hidden = problems === 0;
  problemCount.textContent = count(problems);
}

const waiting = (stage) => stage.queued + stage.published + stage.retrying + stage.held;

function sentence(stage) {
  const name = `${stageName(stage.stage)} ${stage.health}`;
  return waiting(stage) ? `${name}, ${count(waiting(stage))} waiting` : name;
}

function segment(stage) {
  const node = clone("segment-template");
  node.dataset.health = stage.health;
  node.title = sentence(stage);
  fill(node, ".glyph", GLYPHS[stage.health]);
  fill(node, ".name", stageName(stage.stage));
  fill(node, ".waiting", waiting(stage) ? compact(waiting(stage)) : "");
  return node;
}

/** One number for all stages, where there is no room for one each. */
function total(items) {
  const node = document.createElement("span");
  node.className = "total";
  const sum = items.reduce((all, stage) => all + waiting(stage), 0);
  node.textContent = sum ? compact(sum) : "idle";
  return node;
}

/** Each stage keeps its node, so that a button under the finger or with the focus stays. */
function showDetails(items) {
  const shown = new Map([...list.children].map((node) => [node.dataset.stage, node]));
  for (const stage of items) {
    const node = shown.get(stage.stage) ?? makeDetails(stage.stage);
    shown.delete(stage.stage);
    if (!node.isConnected) list.append(node);
    fillDetails(node, stage);
  }
  for (const gone of shown.values()) gone.remove();
}

function makeDetails(name) {
  const node = clone("stage-template");
  node.dataset.stage = name;
  fill(node, ".name", stageName(name));
  node.querySelector("button").addEventListener("click", (event) => toggle(event.currentTarget, name));
  return node;
}

function fillDetails(node, stage) {
  node.dataset.health = stage.health;
  fill(node, ".glyph", GLYPHS[stage.health]);
  fill(node, ".word", word(stage));
  fill(node, ".numbers", numbers(stage));
  fill(node, ".cause", stage.hold ? [stage.hold.cause, nextTry(stage.hold)].join(" ").trim() : "");
  node.querySelector(".cause").hidden = !stage.hold;
  const verb = stage.paused ? "Resume" : "Pause";
  fill(node, "button", verb);
  node.querySelector("button").setAttribute("aria-label", `${verb} ${stageName(stage.stage)}`);
  node.querySelector("button").dataset.verb = verb.toLowerCase();
}

function word(stage) {
  if (stage.paused_since) return `paused ${ago(stage.paused_since)}`;
  return stage.yields ? "going easy while you review" : stage.health;
}

async function toggle(pressed, stage) {
  pressed.disabled = true;
  refused.hidden = true;
  try {
    await postJson(`/api/stages/${stage}/${pressed.dataset.verb}`);
    showStages(await getJson("/api/stages"));
  } catch (refusal) {
    if (refusal.status === undefined) throw refusal;
    refused.hidden = false;
    refused.textContent = refusal.message;
  } finally {
    pressed.disabled = false;
    pressed.focus();
  }
}

function nextTry({ next_try: at }) {
  if (!at) return "";
  return new Date(at) <= new Date() ? "Trying again now." : `Next try ${ago(at)}.`;
}

function numbers(stage) {
  const parts = [
    ["waiting", stage.queued],
    ["in work", stage.published],
    ["trying again", stage.retrying],
    ["held", stage.held],
    ["failed", stage.failed],
    ["done", stage.done],
  ];
  const shown = parts.filter(([, n]) => n > 0).map(([word, n]) => `${count(n)} ${word}`);
  if (stage.seconds_left !== null) shown.unshift(`about ${duration(stage.seconds_left)} left`);
  return shown.join(" · ") || "Nothing to do yet";
}

function clone(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}

function fill(node, selector, text) {
  const part = node.querySelector(selector);
  if (part.textContent !== text) part.textContent = text;
}
