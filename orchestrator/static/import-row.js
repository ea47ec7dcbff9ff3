// One import: how far it is, how fast it goes, what it brought last.
import { getJson } from "./api.js";
import { ago, count, duration, plural, stageName } from "./format.js";

const WORDS = { scanning: "looking for photos", running: "running", paused: "paused", held: "held", done: "done", cancelled: "cancelled", failed: "failed" };
const TONES = { held: "amber", failed: "red", done: "green" };
const GLYPHS = { scanning: "●", running: "●", paused: "Ⅱ", held: "Ⅱ", done: "✓", cancelled: "✕", failed: "!" };
const ACTIVE = ["scanning", "running", "held"];
const RATE_WINDOW_MS = 20_000;
const LEAST_WINDOW_MS = 1_500;

export class ImportRow {
  constructor(id, { act }) {
    this.id = id;
    this.samples = []; // [time, photos finished]
    this.node = document.getElementById("import-template").content.firstElementChild.cloneNode(true);
    for (const verb of ["pause", "resume", "cancel", "anyway"]) {
      this.#part(verb).addEventListener("click", async (event) => {
        event.target.disabled = true;
        await act(id, verb);
        event.target.disabled = false;
      });
    }
    this.#part("show").href = `/gallery?import=${id}`;
  }

  get isActive() {
    return ACTIVE.includes(this.state) || this.hasStagesLeft;
  }

  show(found) {
    this.state = found.state;
    this.hasStagesLeft = Object.values(found.stages).some((stage) => stage.pending > 0);
    this.#sample(found);
    this.node.dataset.state = found.state;
    this.#text("label", found.label);
    this.#text("path", found.path ?? "");
    this.#showState(found);
    this.#showProgress(found);
    this.#text("counts", countLine(found, this.#pace(found)));
    this.#text("stages", stageLine(found.stages));
    this.#notice("held", found.held);
    this.#notice("error", found.error);
    this.#notice("left-alone", leftAlone(found.left_alone ?? {}));
    this.#notice("broken-sidecars", brokenSidecars(found.broken_sidecars));
    this.#showRatings(found);
    this.#text("removed-count", removedBefore(found.removed));
    this.#part("removed").hidden = !found.removed;
    const isOpen = ["scanning", "running", "held", "paused"].includes(found.state);
    this.#part("pause").hidden = !ACTIVE.includes(found.state);
    this.#part("resume").hidden = found.state !== "paused";
    this.#part("cancel").hidden = !isOpen;
    this.#part("show").hidden = found.done === 0;
    for (const verb of ["pause", "resume", "cancel", "anyway"]) this.#part(verb).setAttribute("aria-label", `${this.#part(verb).textContent} ${found.label}`);
  }

  async refreshStrip() {
    const { items } = await getJson(`/api/imports/${this.id}/landed?limit=16`);
    const strip = this.#part("strip");
    const shown = new Map([...strip.children].map((node) => [Number(node.dataset.id), node]));
    strip.replaceChildren(...items.filter((item) => item.thumbnail_url).map((item) => shown.get(item.id) ?? thumbnail(item)));
  }

  #showState({ state, finished_at: finished, sample, project, is_watched: isWatched }) {
    const node = this.#part("state");
    node.className = `state badge ${TONES[state] ?? ""}`;
    const extras = [isWatched ? "watched" : "", sample ? `sample of ${count(sample)}` : "", project ? `into ${project}` : "", finished ? ago(finished) : ""];
    node.textContent = [`${GLYPHS[state] ?? ""} ${WORDS[state] ?? state}`, ...extras.filter(Boolean)].join(" · ");
  }

  #showRatings({ ratings, conflicts, finished_at: finished }) {
    const sentence = carrying(ratings, Boolean(finished));
    this.#text("carrying", sentence);
    this.#notice("conflicts", conflicts ? `${plural(conflicts, "photo carries", "photos carry")} another rating in ${conflicts === 1 ? "its file" : "their files"}` : "");
    this.#part("ratings").hidden = !sentence && !conflicts;
  }

  #showProgress(found) {
    const share = (n) => (found.found ? (100 * n) / found.found : 0);
    const parts = { done: found.done - found.damaged, damaged: found.damaged, skipped: found.skipped, failed: found.failed };
    for (const [name, n] of Object.entries(parts)) this.#part(name, ".progress ").style.width = `${share(n)}%`;
    const bar = this.#part("progress");
    const percent = Math.floor(share(found.done + found.skipped + found.failed));
    bar.setAttribute("aria-valuenow", percent);
    bar.setAttribute("aria-label", `Import of ${found.label}`);
    bar.classList.toggle("unknown", found.state === "scanning" && found.found === 0);
  }

  #sample(found) {
    const now = performance.now();
    const finished = found.done + found.failed;
    if (found.state === "paused" || finished < (this.samples.at(-1)?.[1] ?? 0)) this.samples = [];
    this.samples.push([now, finished]);
    while (this.samples.length > 2 && now - this.samples[1][0] > RATE_WINDOW_MS) this.samples.shift();
  }

  /** Photos per second lately; undefined while it is too early to say. */
  #pace(found) {
    const [[start, before], [now, finished]] = [this.samples[0], this.samples.at(-1)];
    if (now - start < LEAST_WINDOW_MS || finished === before || found.state !== "running") return undefined;
    return (1000 * (finished - before)) / (now - start);
  }

  #notice(name, sentence) {
    this.#text(name, sentence ?? "");
    this.#part(name).hidden = !sentence;
  }

  #text(name, text) {
    const node = this.#part(name);
    if (node.textContent !== text) node.textContent = text;
  }

  #part(name, inside = "") {
    return this.node.querySelector(`${inside}.${name}`);
  }
}

function countLine(found, pace) {
  const of = found.state === "scanning" ? `${count(found.found)} found so far` : `${count(found.done)} of ${count(found.found)} photos`;
  const parts = [of];
  for (const [word, n] of [["damaged", found.damaged], ["failed", found.failed], ["skipped", found.skipped]]) {
    if (n) parts.push(`${count(n)} ${word}`);
  }
  if (pace) parts.push(`${pace < 10 ? pace.toFixed(1) : Math.round(pace)} photos/s`, `${duration(found.pending / pace)} left`);
  return parts.join(" · ");
}

function stageLine(stages) {
  const busy = Object.entries(stages).filter(([, stage]) => stage.pending || stage.failed || stage.held);
  return busy
    .map(([name, stage]) => {
      const total = stage.done + stage.pending + stage.failed + stage.held;
      const extra = [stage.failed && `${count(stage.failed)} failed`, stage.held && `${count(stage.held)} ${stage.paused ? "paused" : "held"}`].filter(Boolean);
      return [`${stageName(name)}: ${count(stage.done)} of ${count(total)}`, ...extra].join(", ");
    })
    .join(" · ");
}

function carrying({ with_rating: n, of }, isOver) {
  if (of === 0 || (n === 0 && !isOver)) return "";
  const sentence = `${count(n)} of ${plural(of, "file")} ${of === 1 ? "carries" : "carry"} ${of === 1 ? "a rating" : "ratings"}`;
  return n === 0 ? `${sentence}: in Lightroom, Metadata > Save Metadata to Files` : sentence;
}

function brokenSidecars(broken) {
  if (!broken) return "";
  const named = broken.first.map(({ name, problem }) => `${name}: ${problem}`);
  const rest = broken.count - named.length;
  return [`${plural(broken.count, "sidecar")} could not be read.`, ...named, ...(rest ? [`And ${count(rest)} more.`] : [])].join(" ");
}

function removedBefore(n) {
  return n ? `${plural(n, "photo was", "photos were")} removed from Keepers before: ${n === 1 ? "it stays" : "they stay"} out.` : "";
}

function leftAlone(kinds) {
  const known = Object.entries(kinds).filter(([, n]) => n > 0).sort((one, other) => other[1] - one[1]);
  if (known.length === 0) return "";
  const total = known.reduce((sum, [, n]) => sum + n, 0);
  const named = known.slice(0, 6).map(([kind, n]) => `${count(n)} ${kind || "without extension"}`);
  return `${count(total)} left alone: ${named.join(", ")}${known.length > 6 ? ", …" : ""}`;
}

function thumbnail(item) {
  const node = document.createElement("li");
  node.dataset.id = item.id;
  const link = document.createElement("a");
  link.href = `/gallery?photo=${item.id}`;
  const image = document.createElement("img");
  image.src = item.thumbnail_url;
  image.alt = item.file_name;
  image.height = 64;
  image.width = Math.round((64 * (item.preview_width ?? 3)) / (item.preview_height ?? 2));
  if (item.placeholder) image.style.backgroundImage = `url("data:image/jpeg;base64,${item.placeholder}")`;
  link.append(image);
  node.append(link);
  return node;
}
