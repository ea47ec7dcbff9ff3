// The folders of photos on the settings page, and their switches.
import { embedded, getJson, paced, postJson, Refusal } from "./api.js";
import { FolderRow } from "./folder-row.js";
import { onFrame, onReset } from "./live.js";
import { say } from "./toast.js";

const REST_MS = 1500;

const rows = new Map(); // root id -> its row
let switched = 0; // switches that were set or stored: what was asked for before the last of them is out of date
let underWay = 0;
const list = document.getElementById("folder-rows");

function show({ items }) {
  for (const root of items) {
    if (rows.has(root.id)) rows.get(root.id).show(root);
    else {
      rows.set(root.id, new FolderRow(root, { store }));
      list.append(rows.get(root.id).node);
    }
  }
  const there = new Set(items.map((root) => root.id));
  for (const [id, row] of rows) {
    if (there.has(id)) continue;
    row.node.remove();
    rows.delete(id);
  }
  document.getElementById("no-folders").hidden = items.length > 0;
}

async function store(root, what, wish, words) {
  switched += 1;
  underWay += 1;
  try {
    await postJson(`/api/roots/${root.id}/${what}`, wish);
    say(words);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    say(`Not stored: ${error.message}`, { tone: "red" });
    rows.get(root.id)?.show(root);
  } finally {
    switched += 1;
    underWay -= 1;
  }
  refresh();
}

const refresh = paced(async () => {
  const before = switched;
  const found = await getJson("/api/roots/settings");
  if (underWay === 0 && switched === before) show(found);
}, REST_MS);

onFrame(() => refresh());
onReset(() => refresh());
show(embedded("folder-settings"));
