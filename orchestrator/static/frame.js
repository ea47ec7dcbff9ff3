// What every page has: the pipeline at a glance, the number of problems, the theme, and word that the server is gone.
import { getJson, paced } from "./api.js";
import "./clip.js";
import { ago, count, exact, stageName } from "./format.js";
import { onFrame, onReset, onState } from "./live.js";

const GLYPHS = { idle: "–", working: "●", held: "Ⅱ", failing: "!" };
const WORDS = { idle: "idle", working: "working", held: "held", failing: "failing" };
const REST_MS = 1000;

const pipelineButton = document.getElementById("pipeline-button");
const stageList = document.getElementById("pipeline-stages");
const problemCount = document.getElementById("problem-count");
const gone = document.getElementById("gone");
const themeButton = document.getElementById("theme-button");

const refreshStages = paced(async () => showStages(await getJson("/api/stages")), REST_MS);

function showStages({ items, problems }) {
  pipelineButton.replaceChildren(...items.map(segment));
  pipelineButton.setAttribute("aria-label", `Pipeline: ${items.map(sentence).join("; ")}`);
  stageList.replaceChildren(...items.map(details));
  problemCount.hidden = problems === 0;
  problemCount.textContent = count(problems);
}

const waiting = (stage) => stage.queued + stage.published + stage.retrying + stage.held;

function sentence(stage) {
  const name = `${stageName(stage.stage)} ${WORDS[stage.health]}`;
  return waiting(stage) ? `${name}, ${count(waiting(stage))} waiting` : name;
}

function segment(stage) {
  const node = clone("segment-template");
  node.dataset.health = stage.health;
  fill(node, ".glyph", GLYPHS[stage.health]);
  fill(node, ".name", stageName(stage.stage));
  fill(node, ".waiting", waiting(stage) ? count(waiting(stage)) : "");
  return node;
}

function details(stage) {
  const node = clone("stage-template");
  node.dataset.health = stage.health;
  fill(node, ".glyph", GLYPHS[stage.health]);
  fill(node, ".name", stageName(stage.stage));
  fill(node, ".word", WORDS[stage.health]);
  fill(node, ".numbers", numbers(stage));
  const cause = node.querySelector(".cause");
  if (stage.hold) {
    cause.hidden = false;
    cause.textContent = [stage.hold.cause, nextTry(stage.hold)].join(" ");
  }
  return node;
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
  return shown.join(" · ") || "Nothing to do yet";
}

function clone(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}

function fill(node, selector, text) {
  node.querySelector(selector).textContent = text;
}

function setUpTheme() {
  const order = ["system", "light", "dark"];
  const current = () => localStorage.getItem("theme") ?? "system";
  const say = () => {
    themeButton.setAttribute("aria-label", `Appearance: ${current()}`);
    themeButton.title = `Appearance: ${current()}`;
  };
  themeButton.addEventListener("click", () => {
    const next = order[(order.indexOf(current()) + 1) % order.length];
    if (next === "system") {
      localStorage.removeItem("theme");
      delete document.documentElement.dataset.theme;
    } else {
      localStorage.setItem("theme", next);
      document.documentElement.dataset.theme = next;
    }
    say();
  });
  say();
}

/** Every `<time data-ago>` says how long ago it was, and keeps saying it. */
function refreshTimes() {
  for (const time of document.querySelectorAll("time[data-ago]")) {
    time.textContent = ago(time.dateTime);
    time.title = exact(time.dateTime);
  }
}

setUpTheme();
refreshTimes();
setInterval(refreshTimes, 30_000);
document.addEventListener("rows-added", refreshTimes);
refreshStages();
onFrame((frame) => frame.stages && refreshStages());
onReset(refreshStages);
onState((isDown) => {
  gone.hidden = !isDown;
  if (!isDown) refreshStages();
});
