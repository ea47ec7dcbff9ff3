// Where photos are: chips of the usual places, then folder by folder on the machine that Keepers runs on.
import { getJson, Refusal } from "./api.js";
import { count, plural } from "./format.js";

const RETRY_MS = 2000;
const part = (id) => document.getElementById(id);

export class FolderBrowser {
  constructor(roots, { chosen }) {
    this.roots = roots;
    this.chosen = chosen;
    this.listing = undefined;
    this.isTyping = false;
    part("folder-path").addEventListener("input", () => (this.isTyping = true));
    part("chips").replaceChildren(...roots.map((root) => this.#chip(root)));
    part("folder-up").addEventListener("click", () => this.open({ claim: this.listing.parent }));
    part("folder-go").addEventListener("click", () => this.open({ path: part("folder-path").value.trim() }));
    part("folder-path").addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      this.open({ path: part("folder-path").value.trim() });
    });
  }

  /** Opens the first place that is there. */
  start() {
    const first = this.roots.find((root) => root.state === "online");
    if (first) this.#load({ claim: first.claim });
  }

  /** How POST /api/imports is told the folder: its path, or its claim when the path is not plain text. */
  get place() {
    const { path, claim } = this.listing;
    return path.includes("\ufffd") ? { claim } : { path };
  }

  /** What was typed and not yet opened counts: opens it. Whether a folder is chosen. */
  async settle() {
    const typed = part("folder-path").value.trim();
    if (typed && typed !== this.listing?.path) await this.open({ path: typed });
    return Boolean(this.listing) && !this.listing.refused;
  }

  async open(place) {
    this.isTyping = false;
    await this.#load(place);
  }

  async #load(place) {
    const asked = (this.asked = Symbol("the latest request"));
    try {
      const listing = await getJson(`/api/folders?${new URLSearchParams(place)}`);
      if (asked === this.asked) this.#show(listing);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (asked !== this.asked) return; // another place is looked at
      this.#refuse(error.message);
      if (error.isPassing) setTimeout(() => asked === this.asked && this.#load(place), RETRY_MS);
    }
  }

  #show(listing) {
    const hadFocus = part("folders").contains(document.activeElement);
    this.listing = listing;
    // An answer that comes while somebody types does not take the words from under their fingers.
    if (!this.isTyping) part("folder-path").value = listing.path;
    part("folder-up").disabled = listing.parent === null;
    part("folder-summary").textContent = listing.refused ? "" : summary(listing);
    part("folders").replaceChildren(...listing.folders.map((folder) => this.#row(folder)));
    if (hadFocus) (part("folders").querySelector("button") ?? part("folder-up")).focus();
    for (const chip of part("chips").children) chip.setAttribute("aria-pressed", String(chip.dataset.claim === listing.claim));
    this.#refuse(listing.refused);
    this.chosen(listing);
  }

  #refuse(sentence) {
    part("folder-refused").hidden = !sentence;
    part("folder-refused").textContent = sentence ?? "";
    if (sentence) this.chosen(undefined);
  }

  #row(folder) {
    const node = document.getElementById("folder-template").content.firstElementChild.cloneNode(true);
    node.querySelector(".name").textContent = folder.name;
    node.querySelector(".photos").textContent = photosIn(folder);
    node.querySelector("button").addEventListener("click", () => this.open({ claim: folder.claim }));
    return node;
  }

  #chip(root) {
    const node = document.getElementById("chip-template").content.firstElementChild.cloneNode(true);
    node.dataset.claim = root.claim;
    node.dataset.state = root.state;
    node.title = root.path;
    node.querySelector(".label").textContent = root.problem && root.state === "offline" ? root.problem : root.label;
    node.addEventListener("click", () => this.open({ claim: root.claim }));
    return node;
  }
}

function summary({ photos, folders, is_cut: isCut }) {
  const here = photos ? `${plural(photos, "photo")} here` : "No photos here";
  if (photos === null && folders.length === 0) return "An import takes all of it.";
  if (folders.length === 0) return `${here}.`;
  return `${here}, ${isCut ? "more than " : ""}${plural(folders.length, "folder")} inside. An import takes all of it.`;
}

function photosIn({ photos, is_more: isMore }) {
  if (photos === null) return "";
  if (isMore) return `${count(photos)}+ photos`;
  return photos ? plural(photos, "photo") : "";
}
