// The tags of the photos that are selected, with how many have each: one is given to all of them, or taken from all.
import { paced, postJson } from "./api.js";
import { count } from "./format.js";
import { chip, typedTags } from "./tags.js";
import { addTags, takeTags } from "./wishes.js";

const LONGEST = 80;
const REST_MS = 400;

export class SelectionTags {
  /** Calls `decide(wishFor)`; `parts()` name the photos for the server. */
  constructor(node, opener, { decide, parts }) {
    Object.assign(this, { node, opener, decide, parts });
    this.input = node.querySelector("input");
    this.list = node.querySelector("ul");
    this.input.maxLength = LONGEST * 5; // several, with commas
    this.ask = paced(() => this.#count(), REST_MS);
    opener.addEventListener("click", () => this.#open(node.hidden));
    this.input.addEventListener("keydown", (event) => this.#key(event));
    this.input.addEventListener("change", () => this.#add());
    this.list.addEventListener("click", ({ target }) => this.#take(target.closest("button")?.dataset.tag));
  }

  /** Something else is selected, or looks different. */
  changed() {
    if (!this.node.hidden) this.ask();
  }

  /** `tags` are [{tag, photos}], of so many photos. */
  show(tags, photos) {
    this.list.replaceChildren(...tags.map(({ tag, photos: tagged }) => counting(chip(tag), tagged, photos)));
  }

  #open(isOpen) {
    this.node.hidden = !isOpen;
    this.opener.setAttribute("aria-expanded", String(isOpen));
    if (!isOpen) return this.opener.focus({ preventScroll: true });
    this.ask();
    return this.input.focus({ preventScroll: true });
  }

  #add() {
    const tags = typedTags(this.input);
    if (tags.length) this.decide((photos) => addTags(photos, tags));
  }

  #take(tag) {
    if (tag === undefined) return;
    this.input.focus({ preventScroll: true }); // the button goes with its tag
    this.decide((photos) => takeTags(photos, [tag]));
  }

  #key(event) {
    if (event.key === "Enter") this.#add();
    if (event.key !== "Escape") return;
    event.stopPropagation(); // the selection stays
    this.input.value = "";
    this.#open(false);
  }

  /** What was asked about another selection is not shown. */
  async #count() {
    const parts = this.node.hidden ? [] : this.parts();
    const asked = JSON.stringify(parts);
    const found = new Map(); // in small letters -> {tag, photos}
    let photos = 0;
    for (const { count: _, ...chosen } of parts) {
      const counted = await postJson("/api/photos/tags", chosen);
      photos += counted.count;
      for (const one of counted.tags) add(found, one);
    }
    if (asked !== JSON.stringify(this.parts())) return;
    this.show([...found.values()].sort((one, other) => other.photos - one.photos), photos);
  }
}

function add(found, { tag, photos }) {
  const known = found.get(tag.toLowerCase());
  found.set(tag.toLowerCase(), { tag, photos: photos + (known?.photos ?? 0) });
}

/** How many have it, where not all do. */
function counting(node, tagged, photos) {
  const number = document.createElement("span");
  number.className = "quiet-text";
  number.textContent = tagged < photos ? `\u00a0${count(tagged)}` : "";
  node.querySelector("span").after(number);
  return node;
}
