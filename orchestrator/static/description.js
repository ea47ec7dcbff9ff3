// What a vision model, or pixels and Exif, put down about one photo. All of it is text: a model may say anything.
import { postJson, Refusal } from "./api.js";

const UNDER_WAY = ["queued", "published", "retrying", "held"];
const BUILT_IN = "built-in";

export class Description {
  constructor(node) {
    this.node = node;
    this.button = node.querySelector(".again");
    this.by = node.querySelector(".by span");
    this.button.addEventListener("click", () => this.#again());
  }

  show(photo) {
    const { description } = photo;
    this.id = photo.id;
    this.node.hidden = !photo.preview_url;
    this.node.querySelector(".subject").textContent = description.subject ?? "";
    this.node.querySelector(".said").replaceChildren(...rows(description));
    this.by.textContent = by(description, photo.stages.curate);
    this.button.textContent = description.subject ? "Describe again" : "Describe";
    this.button.disabled = UNDER_WAY.includes(photo.stages.curate) && photo.stages.curate !== "held";
  }

  async #again() {
    this.button.disabled = true;
    try {
      await postJson(`/api/photos/${this.id}/describe`);
      this.by.textContent = "Will be described next.";
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.by.textContent = error.message;
    }
  }
}

function rows({ artistic_mood: mood, lighting_critique: light, content_type: kind }) {
  const known = [["Mood", mood], ["Light", light], ["Kind", kind && kind !== "other" ? kind.replaceAll("_", " ") : ""]];
  return known.filter(([, words]) => words).flatMap(([name, words]) => [element("dt", "", name), element("dd", "from-file", words)]);
}

function by({ described_by: model }, state) {
  if (UNDER_WAY.includes(state)) return state === "held" ? "Waits for the vision model." : "On its way.";
  if (model === BUILT_IN) return "From pixels and Exif alone";
  return model ? `Described by ${model}` : "Not described";
}

function element(name, className, text) {
  const node = document.createElement(name);
  if (className) node.className = className;
  node.textContent = text;
  return node;
}
