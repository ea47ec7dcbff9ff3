// The taste page: the honest numbers, live, and the photos that show them, to be rated right there.
import { embedded, getJson, paced, postJson, Refusal } from "./api.js";
import { Deciding } from "./deciding.js";
import { ago, count, duration, exact, plural } from "./format.js";
import { onFrame, onReset } from "./live.js";
import { PhotoStars } from "./photo-stars.js";
import { fetchByIds } from "./photo-store.js";
import { drawCurve, drawHistogram } from "./taste-charts.js";
import { makePhoto } from "./taste-photo.js";

const REST_MS = 1000;
const ROWS = ["disagrees", "loves", "rejects"];
const part = (id) => document.getElementById(id);
const train = part("train");
const fresh = part("fresh");
const versionTemplate = part("version-template");
const deciding = new Deciding({ inHand: () => stars.inHand, changed: showDecided });
const stars = new PhotoStars(part("main"), { decide: (photo, wishFor) => deciding.decide(photo, wishFor), view: (photo) => deciding.view(photo) });
const changed = new Set(); // ids of photos here that were not looked at yet
let taste;
let shownScores;

const refresh = paced(async () => show(await getJson("/api/taste")), REST_MS);
const refreshRows = paced(async () => showRows(await getJson("/api/taste/photos")), REST_MS);

const lookAtChanged = paced(async () => {
  const ids = [...changed];
  changed.clear();
  stars.decided(ids, await fetchByIds(ids));
}, REST_MS);

/** What is looked at, or about to be rated, does not change under the hand: new scores wait for a click. */
function offerRows() {
  if (shownScores === scoresNow()) return;
  if (document.querySelector(".taste-photo")) fresh.hidden = false;
  else refreshRows();
}

/** Changes when a model comes into force, and again when every photo has been scored by it. */
const scoresNow = () => `${taste.activation} ${taste.state === "rescoring"}`;

function show(overview) {
  taste = overview;
  part("sentence").textContent = taste.sentence;
  showCertainty();
  showNow();
  showFigures();
  part("versions-section").hidden = taste.versions.length === 0;
  part("versions").replaceChildren(...taste.versions.map(makeVersion));
  if (shownScores !== undefined) offerRows();
}

function showCertainty() {
  const { model } = taste;
  const node = part("certainty");
  node.hidden = !model?.interval;
  if (node.hidden) return;
  const [low, high] = model.interval.map((share) => Math.round(share * 100));
  const score = taste.is_trusted
    ? `A score of ${taste.match_score} or more makes a match.`
    : "Until it is, no score makes a match, and nothing is sorted out by it.";
  node.textContent = `95 % certain: between ${low} and ${high} times in 100. Rank correlation ${model.spearman.toFixed(2)}. ${score}`;
}

function showNow() {
  const isMoving = taste.state === "training" || taste.state === "rescoring";
  part("now").textContent = now();
  const progress = part("progress");
  progress.hidden = !isMoving;
  if (taste.state === "rescoring") [progress.max, progress.value] = [Math.max(1, taste.total), taste.rescored];
  else progress.removeAttribute("value");
  train.disabled = taste.needed > 0 || taste.state === "training";
  part("rate-more").hidden = taste.needed === 0;
  part("problem").hidden = !taste.problem;
  part("problem").lastElementChild.textContent = taste.problem ?? "";
}

function now() {
  if (taste.state === "training") return `Learning from ${plural(taste.versions[0].n ?? taste.n, "rating")}…`;
  if (taste.state === "rescoring") return `Scoring every photo again: ${count(taste.rescored)} of ${count(taste.total)}`;
  if (taste.state === "due") return dueWords();
  if (taste.state === "waiting") return taste.rated ? `${plural(taste.rated, "photo")} rated so far.` : "Nothing is rated yet.";
  return "Every rating has been learned from.";
}

function dueWords() {
  const seconds = (new Date(taste.due_at) - Date.now()) / 1000;
  return seconds > 1 ? `New ratings: it learns from them in ${duration(seconds)}.` : "It is about to learn from the new ratings.";
}

function showFigures() {
  const { model } = taste;
  part("curve-section").hidden = !model?.interval;
  if (model?.interval) drawCurve(part("curve"), taste.curve, model);
  const scored = taste.histogram.reduce((sum, n) => sum + n, 0);
  part("histogram-section").hidden = scored === 0;
  const match = taste.is_trusted ? taste.match_score : undefined;
  if (scored) drawHistogram(part("histogram"), taste.histogram, match);
  const matches = taste.histogram.slice(taste.match_score / 5).reduce((sum, n) => sum + n, 0);
  part("histogram-words").textContent = taste.is_trusted
    ? `${plural(scored, "photo")} scored, ${count(matches)} of them ${taste.match_score} or more.`
    : `${plural(scored, "photo")} scored. No score makes a match yet.`;
}

function showRows(rows) {
  fresh.hidden = true;
  shownScores = scoresNow();
  for (const name of ROWS) {
    const section = part(name);
    section.hidden = rows[name].length === 0;
    section.querySelector("ul").replaceChildren(...rows[name].map((photo) => makePhoto(photo, stars)));
  }
}

/** A rated photo stays where it is: it does not jump away under the hand. */
function showDecided(ids, items) {
  stars.decided(ids.filter((id) => stars.has(id)), items);
  if (items.length) refresh();
}

function look(ids) {
  ids.filter((id) => stars.has(id)).forEach((id) => changed.add(id));
  if (changed.size) lookAtChanged();
}

fresh.addEventListener("click", refreshRows);
train.addEventListener("click", () => ask("/api/taste/train"));

function makeVersion(version) {
  const node = versionTemplate.content.firstElementChild.cloneNode(true);
  node.dataset.version = version.version;
  node.querySelector(".version-name").textContent = `Version ${version.version}`;
  node.querySelector(".version-numbers").textContent = numbersOf(version);
  const when = node.querySelector("time");
  when.dateTime = version.created_at;
  when.textContent = ago(version.created_at);
  when.title = exact(version.created_at);
  node.querySelector(".in-force").hidden = !version.is_in_force;
  const use = node.querySelector(".use");
  use.hidden = !version.can_be_used;
  use.setAttribute("aria-label", `Use version ${version.version}`);
  use.addEventListener("click", () => ask(`/api/taste/${version.version}/activate`));
  return node;
}

function numbersOf(version) {
  if (version.state === "training" || version.state === "trained") return "being trained";
  if (version.error) return version.error;
  const picks = version.pair_order === null ? "all ratings alike" : `${Math.round(version.pair_order * 100)} times in 100`;
  return `${plural(version.n ?? 0, "rating")}, ${picks}`;
}

async function ask(address) {
  part("refused").hidden = true;
  try {
    show(await postJson(address));
  } catch (error) {
    refuse(error);
    refresh();
  }
}

function refuse(error) {
  if (!(error instanceof Refusal)) throw error;
  part("refused").textContent = error.message;
  part("refused").hidden = false;
}

const start = embedded("taste-state");
show(start.overview);
showRows(start.rows);
deciding.start();
onFrame((frame) => {
  if (frame.taste.length) refresh();
  look(frame.photos);
});
onReset(() => {
  refresh();
  look([...stars.photos.keys()]);
});
// Time passes: what is due comes closer, a re-score goes on without a notice for each batch, and counts lag behind.
const isMoving = () => !["idle", "waiting"].includes(taste.state) || (taste.model && taste.rescored < taste.total);
setInterval(() => isMoving() && refresh(), 2 * REST_MS);
