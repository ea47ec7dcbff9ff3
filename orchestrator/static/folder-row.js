// The switches of one folder of photos: watched or not, sidecars written or not.
import { plural } from "./format.js";
import { watchLine } from "./watch-line.js";

export class FolderRow {
  /** Calls `store(root, what, wish, words)`: a switch was set, and `words` say what is so once the server has it. */
  constructor(root, { store }) {
    this.store = store;
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
    this.#part("offline").textContent = root.is_bucket ? "does not answer" : "not connected";
    this.#part("in-bucket").hidden = !root.is_bucket;
    for (const name of ["watch", "sidecars"]) this.#part(name).closest("label").hidden = root.is_bucket;
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
    const waiting = sidecars.waiting ? `${plural(sidecars.waiting, "photo")} to be written.` : "";
    this.#part("sidecars-said").textContent = isOn ? waiting || (sidecars.not_written ? "" : "All is written.") : "";
    const rest = sidecars.not_written - sidecars.first.length;
    const failed = sidecars.not_written ? [`${plural(sidecars.not_written, "sidecar")} not written.`, ...sidecars.first, ...(rest > 0 ? [`And ${rest} more.`] : [])] : [];
    this.#notice("sidecars-problem", [sidecars.problem, ...failed].filter(Boolean).join(" "));
  }

  #watch() {
    const [enabled, polled] = [this.#part("watch").checked, this.#part("polled").checked];
    const words = enabled ? `New photos in ${this.root.label} are imported as they come` : `${this.root.label} is watched no more`;
    return this.store(this.root, "watch", { enabled, polled: enabled && polled }, words);
  }

  #writeSidecars() {
    const enabled = this.#part("sidecars").checked;
    const words = enabled ? `What you decide is written into sidecars in ${this.root.label}` : `No sidecars are written in ${this.root.label}`;
    return this.store(this.root, "write-back", { enabled }, words);
  }

  #notice(name, sentence) {
    this.#part(name).textContent = sentence;
    this.#part(name).hidden = !sentence;
  }

  #part(name) {
    return this.node.querySelector(`.${name}`);
  }
}
