// The tags of one photo: those that were suggested, until the person takes one away or adds one.
import { retag } from "./wishes.js";

const LONGEST = 80;
const template = document.getElementById("tag-template");

export class Tags {
  /** Calls `decide(photo, wishFor)`. */
  constructor(node, decide) {
    this.list = node.querySelector("ul");
    this.input = node.querySelector("input");
    this.suggested = node.querySelector(".suggested");
    this.decide = decide;
    this.input.maxLength = LONGEST;
    this.input.addEventListener("keydown", (event) => this.#key(event));
    this.input.addEventListener("change", () => this.#add());
    this.suggested.addEventListener("click", () => this.#put(null));
    this.list.addEventListener("click", ({ target }) => {
      const tag = target.closest("button")?.dataset.tag;
      if (tag === undefined) return;
      this.#put(this.photo.tags.filter((other) => other !== tag));
      this.input.focus();
    });
  }

  /** What is being typed stays, unless it is about another photo. */
  show(photo) {
    if (photo.id !== this.photo?.id) this.input.value = "";
    const isOther = String(photo.tags) !== String(this.photo?.tags) || photo.id !== this.photo?.id;
    this.photo = photo;
    this.suggested.hidden = String(photo.tags) === String(photo.description.suggested_tags);
    if (isOther) this.list.replaceChildren(...photo.tags.map(chip));
  }

  #add() {
    const added = typedTags(this.input);
    const known = new Set(this.photo.tags.map((tag) => tag.toLowerCase()));
    const fresh = added.filter((tag) => !known.has(tag.toLowerCase()));
    if (fresh.length) this.#put([...this.photo.tags, ...fresh]);
  }

  #put(tags) {
    this.decide(this.photo, (photo) => retag(photo, tags));
  }

  #key(event) {
    if (event.key === "Enter") this.#add();
    if (event.key !== "Escape") return;
    event.stopPropagation(); // the panel stays
    this.input.value = "";
    this.input.blur();
  }
}

/** What was typed into a field, which is empty then. */
export function typedTags(input) {
  const typed = input.value.split(",").map((tag) => tag.trim()).filter(Boolean);
  input.value = "";
  return typed;
}

export function chip(tag) {
  const node = template.content.firstElementChild.cloneNode(true);
  const button = node.querySelector("button");
  node.querySelector("span").textContent = tag;
  button.dataset.tag = tag;
  button.setAttribute("aria-label", `Take the tag ${tag} away`);
  return node;
}
