// The Import page: choose a folder, start, and watch imports run.
import { embedded, getJson, paced, postJson, Refusal } from "./api.js";
import { FolderBrowser } from "./folder-browser.js";
import { ImportRow } from "./import-row.js";
import { onFrame, onReset } from "./live.js";

const REST_MS = 500;
const STRIP_REST_MS = 1000;

const part = (id) => document.getElementById(id);
const state = embedded("import-state");
const rows = new Map(); // id -> ImportRow
const changed = new Set();
let older = null;

const browser = new FolderBrowser(state.roots.items, { chosen: showChoice });

function showChoice(listing) {
  part("start").disabled = !listing || Boolean(listing.refused);
  part("import-refused").hidden = true;
  offerWatching();
}

part("import-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (!(await browser.settle())) return;
  const wanted = { ...browser.place };
  if (document.querySelector("[name=amount]:checked").value === "sample") wanted.sample = Number(part("sample").value);
  else if (part("watch").checked && !part("watch").disabled) wanted.watch = true;
  if (part("project").value.trim()) wanted.project = part("project").value.trim();
  part("start").disabled = true;
  await attempt(async () => {
    const { id } = await postJson("/api/imports", wanted);
    part("welcome").hidden = true;
    await refresh([id]);
    rows.get(id)?.node.scrollIntoView({ block: "nearest" });
  });
  part("start").disabled = false;
});
part("sample").addEventListener("focus", () => {
  document.querySelector("[name=amount][value=sample]").checked = true;
  offerWatching();
});
part("import-form").addEventListener("change", offerWatching);

/** Of a sample nothing more is imported later, and a bucket does not tell what is new. */
function offerWatching() {
  const isBucket = Boolean(browser.listing?.path.startsWith("s3://"));
  part("watch").disabled = isBucket || document.querySelector("[name=amount]:checked").value === "sample";
}

async function attempt(work) {
  part("import-refused").hidden = true;
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    part("import-refused").textContent = error.message;
    part("import-refused").hidden = false;
  }
}

// Imports, newest first

async function loadList(after) {
  const list = await getJson(`/api/imports${after ? `?after=${encodeURIComponent(after)}` : ""}`);
  older = list.next;
  list.items.forEach(show);
  part("older").hidden = !older;
}

async function refresh(ids) {
  for (const id of ids) show(await getJson(`/api/imports/${id}`));
}

function show(found) {
  let row = rows.get(found.id);
  if (!row) {
    row = new ImportRow(found.id, { act });
    rows.set(found.id, row);
    const next = [...rows.keys()].filter((id) => id < found.id).sort((one, other) => other - one)[0];
    part("imports").insertBefore(row.node, rows.get(next)?.node ?? null);
  }
  row.show(found);
  part("imports-title").hidden = false;
  part("welcome").hidden = true;
}

const act = (id, verb) =>
  attempt(async () => {
    await postJson(`/api/imports/${id}/${verb}`);
    await refresh([id]);
  });

const lookAtChanged = paced(async () => {
  const ids = [...changed];
  changed.clear();
  await refresh(ids);
}, REST_MS);

const refreshStrips = paced(async () => {
  for (const row of rows.values()) if (row.isActive) await row.refreshStrip();
}, STRIP_REST_MS);

/** Photos and stages move the numbers of whatever runs. */
function look(ids = []) {
  ids.forEach((id) => changed.add(id));
  for (const [id, row] of rows) if (row.isActive) changed.add(id);
  if (changed.size) lookAtChanged();
  refreshStrips();
}

onFrame((frame) => look(frame.imports));
onReset(() => loadList().catch(() => {}));
part("older").addEventListener("click", () => attempt(() => loadList(older)));
attempt(async () => {
  await loadList();
  for (const row of [...rows.values()].slice(0, 3)) await row.refreshStrip();
});
browser.start();
