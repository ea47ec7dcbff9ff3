// Backups, on the settings page: when the last one was made, what is wrong, and making one now.
import { getJson, postJson, Refusal } from "./api.js";
import { ago, bytes, exact, plural } from "./format.js";
import { say } from "./toast.js";

const REST_MS = 1000;
const REASONS = { daily: "of the day", upgrade: "before an upgrade", asked: "asked for" };
const found = (id) => document.getElementById(id);
const button = found("back-up");

function show(state) {
  const [last] = state.items;
  write(found("last-backup"), state.is_running ? "A backup is being written …" : said(last));
  found("last-backup").title = last ? exact(last.made_at) : "";
  warn(found("backup-problem"), state.problem);
  warn(found("decisions-problem"), state.decisions_problem);
  write(found("backup-folder"), state.folder);
  write(found("decisions-file"), state.decisions);
  button.disabled = state.is_running;
  const kept = found("kept-backups");
  kept.hidden = !state.items.length;
  write(kept.querySelector("summary"), plural(state.items.length, "backup"));
  kept.querySelector("ul").replaceChildren(...state.items.map(row));
}

const said = (last) => (last ? `The last backup was made ${ago(last.made_at)}: ${content(last)}.` : "There is no backup yet.");

const content = ({ photos, bytes: size, problem }) => problem ?? `${plural(photos, "photo")}, ${bytes(size)}`;

function row(backup) {
  const item = document.createElement("li");
  const name = document.createElement("span");
  name.className = "quiet-text small";
  name.textContent = backup.name;
  item.append(`${exact(backup.made_at)}, ${REASONS[backup.why]}: ${content(backup)}`, name);
  return item;
}

function warn(notice, problem) {
  write(notice, problem ?? "");
  notice.hidden = !problem;
}

/** The same words again are not read out again. */
function write(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

async function follow(state) {
  const before = state.is_running && state.items[0]?.name;
  show(state);
  while (state.is_running) {
    await new Promise((resolve) => setTimeout(resolve, REST_MS));
    state = await getJson("/api/backups");
    show(state);
    if (!state.is_running && !state.problem && state.items[0]?.name !== before) say("The backup is written.");
  }
}

async function attempt(ask) {
  try {
    await follow(await ask());
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    button.disabled = false;
    say(`No backup: ${error.message}`, { tone: "red" });
  }
}

button.addEventListener("click", () => attempt(() => postJson("/api/backups")));
attempt(() => getJson("/api/backups"));
