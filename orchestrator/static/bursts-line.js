// The line above photos of bursts: how many there are, Keep Best of all, and how they are found.
import { getJson, paced, postJson, Refusal } from "./api.js";
import { count, plural } from "./format.js";
import { say } from "./toast.js";

const REST_MS = 1000;
const WHILE_FINDING_MS = 2000;

export class BurstsLine {
  constructor(node, { remember }) {
    this.node = node;
    this.remember = remember;
    this.refresh = paced(() => this.#fetch(), REST_MS);
    this.#part("keep-best-of-all").addEventListener("click", () => this.#keepBestOfAll());
    this.#part("search").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#find(event.target.elements);
    });
  }

  show(isShown) {
    this.node.hidden = !isShown;
    if (isShown) this.refresh();
  }

  #part(name) {
    return this.node.querySelector(`[data-part="${name}"]`);
  }

  async #fetch() {
    if (this.node.hidden) return;
    const { totals, search } = await getJson("/api/bursts?limit=1");
    showBursts(this.node, { totals, search });
    clearTimeout(this.timer);
    if (search.is_running) this.timer = setTimeout(() => this.refresh(), WHILE_FINDING_MS);
  }

  async #find(fields) {
    const likeness = fields.least_cosine.value;
    const wish = { gap_seconds: Number(fields.gap_seconds.value), least_cosine: likeness === "" ? null : Number(likeness) };
    if (await ask("/api/bursts/detect", wish)) {
      say("Looking for bursts again");
      this.refresh();
    }
  }

  async #keepBestOfAll() {
    const done = await ask("/api/bursts/keep-best");
    if (!done) return;
    if (done.undo) this.remember(done.undo, [], whatWasKept(done));
    else say("Every burst is decided already");
    this.refresh();
  }
}

/** `node` is the line; what is being typed there is left alone. */
export function showBursts(node, { totals, search }) {
  const part = (name) => node.querySelector(`[data-part="${name}"]`);
  part("totals").textContent = sentence(totals, search);
  part("keep-best-of-all").disabled = totals.groups === totals.brackets;
  if (!part("search").contains(document.activeElement)) showSearch(part("search").elements, search);
}

function showSearch(fields, { gap_seconds: gap, least_cosine: cosine, is_own_cosine: isOwn }) {
  fields.gap_seconds.value = gap;
  fields.least_cosine.value = isOwn ? cosine : "";
  fields.least_cosine.placeholder = cosine ?? "";
}

async function ask(address, body) {
  try {
    return await postJson(address, body);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    say(error.message, { tone: "red" });
    return undefined;
  }
}

function sentence({ photos, groups, brackets }, { is_running: isRunning }) {
  if (groups === 0) return isRunning ? "Looking for bursts…" : "No bursts are left to decide";
  const parts = [`${plural(photos, "photo")} in ${plural(groups, "group")}`];
  if (brackets) parts.push(`${plural(brackets, "bracket")} among them`);
  if (isRunning) parts.push("looking for bursts…");
  return parts.join(", ");
}

function whatWasKept({ kept, rejected, spared, brackets }) {
  const parts = [`Kept the best of ${plural(kept, "burst")}, rejected ${plural(rejected, "photo")}`];
  if (spared) parts.push(`${count(spared)} with 4 stars or more, picked or kept ${spared === 1 ? "stays" : "stay"}`);
  if (brackets) parts.push(`${plural(brackets, "bracket")} left out`);
  return parts.join("; ");
}
