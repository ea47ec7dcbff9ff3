// The export page: start one, or rehearse it, and follow it to its end.
import { embedded, getJson, postJson, Refusal } from "./api.js";
import { ago, count, plural } from "./format.js";

const POLL_MS = 500;
const TARGET = "keepers-export-target"; // remembered by this browser

const part = (id) => document.getElementById(id);
const verbs = [part("export"), part("dry-run")];
const target = part("target");

target.value ||= localStorage.getItem(TARGET) ?? ""; // the page may be filled in before its script came
part("export-form").addEventListener("submit", (event) => {
  event.preventDefault();
  start(false);
});
part("dry-run").addEventListener("click", () => {
  if (part("export-form").reportValidity()) start(true);
});
part("stop").addEventListener("click", stop);
part("project")?.addEventListener("change", (event) => {
  const name = event.target.value;
  location.assign(name ? `/export?project=${encodeURIComponent(name)}` : "/export");
});

const { newest } = embedded("export-state");
let running = null; // the id of the export that is followed
if (newest?.state === "running") follow(newest);
else {
  busy(false); // the verbs need this script, and wait for it
  if (newest && !newest.dry_run) summarise(newest, `Last export, ${ago(newest.started_at)}: `);
}

async function start(isDryRun) {
  target.value = target.value.trim(); // as it comes along when a path is copied
  localStorage.setItem(TARGET, target.value);
  const wish = { target: target.value, dry_run: isDryRun, full_size: part("full-size").checked, gps: part("gps").checked, refresh: part("refresh").checked };
  if (part("project")?.value) wish.project = part("project").value;
  say("refused", "");
  say("outcome", "");
  part("not-exported").hidden = true;
  busy(true);
  try {
    await follow(await postJson("/api/exports", wish));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    busy(false);
    say("refused", error.message);
  }
}

/** What was exported stays; how it ended shows as soon as it has. */
async function stop() {
  part("stop").disabled = true;
  try {
    await postJson(`/api/exports/${running}/stop`);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    part("stop").disabled = false;
    say("refused", error.message);
  }
}

async function follow(seen) {
  busy(true);
  running = seen.id;
  part("stop").hidden = part("stop").disabled = false;
  while (seen.state === "running") {
    show(seen);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    seen = await again(seen);
  }
  busy(false);
  summarise(seen);
}

/** How far it is now; as before while nobody answers, and why that is. */
async function again(seen) {
  try {
    const now = await getJson(`/api/exports/${seen.id}`);
    say("refused", "");
    return now;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (!error.isPassing) return { ...seen, state: "failed", error: error.message };
    say("refused", `${error.message} How far the export is shows here as soon as it can be asked.`);
    return seen;
  }
}

function show(seen) {
  part("progress").max = Math.max(1, seen.total);
  part("progress").value = seen.done;
  part("so-far").textContent = seen.total ? `${count(seen.done)} of ${plural(seen.total, "photo")}` : "";
}

function summarise(seen, when = "") {
  const verb = seen.dry_run ? "would be exported" : "exported";
  const said = [`${plural(seen.exported, "photo")} ${verb} to ${seen.target}`, `${seen.already} there already`];
  if (seen.refresh) said.push(`${plural(seen.updated, "entry", "entries")} brought up to date`, `${seen.withdrawn} newly withdrawn`);
  if (seen.left) said.push(`${seen.left} not possible`);
  say("outcome", `${when}${said.join(", ")}.`);
  say("refused", seen.error ?? "");
  part("not-exported").hidden = !seen.not_exported.length;
  part("not-exported").replaceChildren(...seen.not_exported.map((one) => Object.assign(document.createElement("li"), { textContent: one.message })));
}

function say(id, sentence) {
  part(id).textContent = sentence;
  part(id).hidden = !sentence;
}

function busy(is) {
  part("under-way").hidden = !is;
  for (const verb of verbs) verb.disabled = is;
  if (is) return;
  if (document.activeElement === part("stop")) part("export").focus();
  part("stop").hidden = true;
}
