// Which project a photo is in: a field that puts it into another, a new one perhaps, or into none.
import { getJson } from "./api.js";

export class ProjectField {
  /** Calls `decide(photo, wishFor)`. */
  constructor(node, decide) {
    this.input = node.querySelector("input");
    this.names = node.querySelector("datalist");
    this.decide = decide;
    this.input.addEventListener("change", () => this.#put());
    this.input.addEventListener("focus", () => this.#offer());
    this.input.addEventListener("blur", () => (this.done = undefined)); // who left by mouse is not led back later
    this.input.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Puts the cursor here; `done()` is called when a project was given, or not after all. */
  ask(done) {
    this.done = done;
    this.input.focus();
    this.input.select();
  }

  /** What is being typed stays, unless it is about another photo. */
  show(photo) {
    const isTyping = photo.id === this.photo?.id && this.input.value !== this.shown;
    this.photo = photo;
    if (!isTyping) this.#write(photo.project ?? "");
  }

  #write(name) {
    this.shown = name;
    this.input.value = name;
  }

  #put() {
    const typed = this.input.value.trim() || null;
    const project = typed && this.#asKnown(typed);
    this.#write(project ?? "");
    if (project === this.photo.project) return;
    this.decide(this.photo, (photo) => ({
      body: { project },
      words: project ? `Put ${photo.file_name} into ${project}` : `Took ${photo.file_name} out of ${photo.project}`,
      nothing: `${photo.file_name} is there already`,
    }));
  }

  /** Names are the same in small letters and in capitals: the one that is there already is meant. */
  #asKnown(name) {
    return [...this.names.options].find(({ value }) => value.toLowerCase() === name.toLowerCase())?.value ?? name;
  }

  async #offer() {
    const { items } = await getJson("/api/projects").catch(() => ({ items: [] })); // without it, one types the name
    this.names.replaceChildren(...items.map(({ name }) => new Option(name, name)));
  }

  #key(event) {
    if (!["Enter", "Escape"].includes(event.key)) return;
    event.stopPropagation(); // the panel stays
    if (event.key === "Enter") this.#put();
    else this.#write(this.photo.project ?? "");
    const { done } = this;
    this.input.blur();
    done?.();
  }
}
