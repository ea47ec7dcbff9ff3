// The switches of each folder of photos: watched or not, sidecars written or not.
import { embedded, getJson, paced, postJson, Refusal } from "./api.js";
import { plural } from "./format.js";
import { onFrame, onReset } from "./live.js";
import { say } from "./toast.js";
import { watchLine } from "./watch-line.js";

const REST_MS = 1500;

const rows = new Map(); // root id -> its row
const list = document.getElementById("folder-rows");

class Row {
  constructor(root) {
    this.node = document.getElementById("folder-settings-template").content.firstElementChild.cloneNode(true);
    this.root = root;
    this.#part("watch").addEventListener("change", () => this.#watch());
    this.#part("polled").addEventListener("change", () => this.#watch());
    this.#part("sidecars").addEventListener("change", () => this.#writeSidecars());
    for (const name of ["watch", "polled", "sidecars"]) {
      const words = this.#part(name).nextElementSibling.firstChild.textContent;
      this.#part(name).setAttribute("aria-label", `${words}: ${root.label}`);
    }
    this.show(root);
  }

  show(root) {
    this.root = root;
    this.#part("label").textContent = root.label;
    this.#part("path").textContent = root.path;
    this.#part("offline").hidden = root.is_online;
    this.#showWatch(root.watches);
    this.#showSidecars(root);
  }

  #showWatch(watches) {
    this.#part("watch").checked = watches.length > 0;
    this.#part("polled").closest("label").hidden = watches.length === 0;
    this.#part("polled").checked = watches.some((watch) => watch.is_polled);
    this.#part("watch-said").textContent = watches
      .map((watch) => (watch.path === this.root.path ? watchLine(watch) : `${watch.path}: ${watchLine(watch)}`))
      .join(" ");
    this.#notice("watch-problem", watches.map((watch) => watch.problem).filter(Boolean).join(" "));
  }

  #showSidecars({ writes_sidecars: isOn, sidecars }) {
    this.#part("sidecars").checked = isOn;
    const waiting = sidecars.waiting ? `${plural(sidecars.waiting, "photo")} to be written.` : "All is written.";
    this.#part("sidecars-said").textContent = isOn ? waiting : "";
    const rest = sidecars.not_written - sidecars.first.length;
    const failed = sidecars.not_written ? [`${plural(sidecars.not_written, "sidecar")} not written.`, ...sidecars.first, ...(rest > 0 ? [`And ${rest} more.`] : [])] : [];
    this.#notice("sidecars-problem", [sidecars.problem, ...failed].filter(Boolean).join(" "));
  }

  #watch() {
    const [enabled, polled] = [this.#part("watch").checked, this.#part("polled").checked];
    const words = enabled ? `New photos in ${this.root.label} are imported as they come` : `${this.root.label} is watched no more`;
    return this.#store("watch", { enabled, polled: enabled && polled }, words);
  }

  #writeSidecars() {
    const enabled = this.#part("sidecars").checked;
    const words = enabled ? `What you decide is written into sidecars in ${this.root.label}` : `No sidecars are written in ${this.root.label}`;
    return this.#store("write-back", { enabled }, words);
  }

  async #store(what, wish, words) {
    try {
      await postJson(`/api/roots/${this.root.id}/${what}`, wish);
      say(words);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      say(`Not stored: ${error.message}`, { tone: "red" });
      this.show(this.root);
    }
    refresh();
  }

  #notice(name, sentence) {
    this.#part(name).textContent = sentence;
    this.#part(name).hidden = !sentence;
  }

  #part(name) {
    return this.node.querySelector(`.${name}`);
  }
}

function show({ items }) {
  for (const root of items) {
    if (rows.has(root.id)) rows.get(root.id).show(root);
    else {
      rows.set(root.id, new Row(root));
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

const refresh = paced(async () => show(await getJson("/api/roots/settings")), REST_MS);

onFrame(() => refresh());
onReset(() => refresh());
show(embedded("folder-settings"));
