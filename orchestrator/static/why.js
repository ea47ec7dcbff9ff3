// Why a photo has its taste score: the rated photos that pull most on it, to be opened and to be rated anew right there.
import { getJson, Refusal } from "./api.js";

const template = document.getElementById("pull-template");

export class Why {
  /** `node` is a `<details>`: nothing is asked for until it is opened. `stars` (see photo-stars.js) gets its photos. */
  constructor(node, stars) {
    this.node = node;
    this.body = node.querySelector(".why-body");
    this.stars = stars;
    node.addEventListener("toggle", () => node.open && this.#explain());
  }

  show(photo) {
    const isOther = photo.id !== this.id;
    const isOld = photo.preference_score !== this.score;
    this.id = photo.id;
    this.score = photo.preference_score;
    this.node.hidden = this.score === null;
    if (isOther) this.#close();
    // What the hand is on stays as it is, even if it explains the score of a moment ago.
    else if (isOld && this.node.open && !this.node.matches(":hover, :focus-within")) this.#explain();
  }

  #close() {
    this.node.open = false;
    this.body.replaceChildren();
  }

  /** An answer that came too late is dropped. */
  async #explain() {
    const { id } = this;
    if (!this.body.hasChildNodes()) this.body.append(paragraph("Looking…"));
    try {
      const why = await getJson(`/api/photos/${id}/why`);
      if (id === this.id) this.#tell(why);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (id === this.id) this.body.replaceChildren(paragraph(error.message));
    }
  }

  #tell({ prediction, intercept, up, down, note }) {
    this.body.replaceChildren(
      paragraph(`Expected: ${prediction.toFixed(1)} stars. Without any likeness it would be ${intercept.toFixed(1)}.`),
      ...this.#pulls("Pulled up by", up),
      ...this.#pulls("Pulled down by", down),
      ...(note ? [paragraph(note)] : []),
    );
  }

  #pulls(heading, found) {
    if (found.length === 0) return [];
    const head = document.createElement("p"); // no heading: its level would differ from page to page
    head.className = "pulls-head";
    head.textContent = heading;
    const list = document.createElement("ul");
    list.className = "pulls";
    list.setAttribute("aria-label", heading);
    list.append(...found.map((one) => this.#pull(one)));
    return [head, list];
  }

  #pull({ photo, pull }) {
    const node = template.content.firstElementChild.cloneNode(true);
    const link = node.querySelector("a");
    link.href = `/gallery?photo=${photo.id}`;
    link.title = photo.file_name;
    const picture = node.querySelector("img");
    picture.alt = photo.file_name;
    if (photo.thumbnail_url) picture.src = photo.thumbnail_url;
    node.querySelector(".pull-number").textContent = `${pull > 0 ? "+" : "−"}${Math.abs(pull).toFixed(2)} stars`;
    this.stars.add(node, photo);
    return node;
  }
}

function paragraph(words) {
  const node = document.createElement("p");
  node.className = "small quiet-text from-file";
  node.textContent = words;
  return node;
}
