// The panel that tells all about one photo.
import { getJson, Refusal } from "./api.js";
import { DecisionBar } from "./decision-bar.js";
import { Description } from "./description.js";
import { bytes, camera, captureTime, count, exact, errorName, exposure, stageName, stateWord } from "./format.js";
import { History } from "./history.js";
import { PhotoStars } from "./photo-stars.js";
import { ProjectField } from "./project-field.js";
import { SetAsideNotice } from "./set-aside.js";
import { Tags } from "./tags.js";
import { Why } from "./why.js";

const SOURCES = { original: "the file itself", embedded: "the camera’s preview inside the RAW", companion: "the JPEG beside the RAW", demosaic: "the RAW, developed by Keepers" };
const GLYPHS = { done: "✓", failed: "!", held: "Ⅱ" };

export class Details {
  /** Calls `closed()`, and `decide(photo, wishFor)`; `view` makes of a photo what is to be seen of it. */
  constructor(node, { closed, decide, view }) {
    this.node = node;
    this.closed = closed;
    this.view = view;
    this.id = undefined;
    this.description = new Description(this.#part("description"));
    this.history = new History(this.#part("history"));
    this.bar = new DecisionBar(node.querySelector(".decision-bar"), decide);
    this.aside = new SetAsideNotice(this.#part("aside"));
    this.project = new ProjectField(this.#part("project"), decide);
    this.tags = new Tags(this.#part("tags"), decide);
    const why = node.querySelector(".why");
    this.stars = new PhotoStars(why, { decide, view });
    this.why = new Why(why, this.stars);
    node.querySelector(".close").addEventListener("click", () => this.close());
  }

  get isOpen() {
    return !this.node.hidden;
  }

  /** `known` is the photo as its list tells it: decided about at once, while the rest is fetched. */
  async open(id, known) {
    if (id !== this.id) this.#begin(id, known);
    this.node.hidden = false;
    document.body.classList.add("has-details");
    await this.refresh();
  }

  #begin(id, known) {
    this.id = id;
    this.photo = known;
    this.node.scrollTop = 0;
    this.#part("content").classList.add("waits"); // for all that is not known yet
    this.#part("content").hidden = !known;
    this.#part("file-name").textContent = known?.file_name ?? "";
    this.#part("errors").replaceChildren();
    if (!known) return;
    this.#showPicture(known);
    this.#showDamage(known);
    this.aside.show(known);
    this.#showDecided();
  }

  /** Opens with the cursor in the field for the project of `photo`, at once; after it, all is as it was. */
  askForProject(photo) {
    const [wasOpen, focused] = [this.isOpen, document.activeElement];
    this.open(photo.id, photo);
    this.project.ask(() => {
      if (!wasOpen) this.close();
      if (focused?.isConnected) focused.focus({ preventScroll: true });
    });
  }

  close() {
    if (!this.isOpen) return;
    this.node.hidden = true;
    this.id = this.photo = undefined;
    document.body.classList.remove("has-details");
    this.closed();
  }

  /** Fetches the photo again; an answer that came too late is dropped. */
  async refresh() {
    const id = this.id;
    if (id === undefined) return;
    this.asking?.abort();
    this.asking = new AbortController();
    try {
      const photo = await getJson(`/api/photos/${id}`, { signal: this.asking.signal });
      if (id === this.id) this.#show(photo);
    } catch (error) {
      if (!(error instanceof Refusal)) return;
      // What is known stays while the server is away.
      if (id === this.id && (!this.photo || error.status === 404)) this.#say(error.message);
    }
  }

  #say(sentence) {
    this.photo = undefined;
    this.#part("file-name").textContent = sentence;
    this.#part("content").hidden = true;
  }

  /** What was decided about the photo shows at once; `items` are photos as the server told them just now. */
  decided(ids, items) {
    this.stars.decided(ids.filter((id) => this.stars.has(id)), items);
    if (!this.photo || !ids.includes(this.id)) return;
    Object.assign(this.photo, items.find((photo) => photo.id === this.id));
    this.#showDecided();
  }

  /** The photo that is shown, as it is seen; undefined while it is fetched. */
  get shown() {
    return this.photo && this.view(this.photo);
  }

  /** The photo that keys act on: one that pulled the score, when it has the focus, or the one that is shown. */
  get inHand() {
    return this.stars.inHand ?? this.shown;
  }

  #showDecided() {
    this.bar.show(this.shown);
    this.project.show(this.shown);
    if (!this.photo.description) return; // not fetched yet
    this.tags.show(this.shown);
    this.#part("about").textContent = about(this.shown);
  }

  #show(photo) {
    this.photo = { ...photo, tags: photo.description.tags };
    this.#part("content").hidden = false;
    this.#part("content").classList.remove("waits");
    this.#part("file-name").textContent = photo.file_name;
    this.#showPicture(photo);
    this.#showDamage(photo);
    this.aside.show(photo);
    this.#part("errors").replaceChildren(...photo.runs.filter((run) => run.error && run.state !== "done").map(errorNotice));
    this.description.show(photo);
    fillList(this.#part("scores"), scores(photo), scoreValue);
    this.why.show(photo);
    fillList(this.#part("exif"), exif(photo), textValue);
    fillList(this.#part("stages"), photo.runs.map((run) => [stageName(run.stage), run]), runValue);
    fillList(this.#part("files"), photo.files.map((file) => [file.role, file]), fileValue);
    this.#showDecided();
    this.history.show(photo.id);
    this.#part("logs").href = `/logs?photo=${photo.id}`;
  }

  #showDamage({ damage }) {
    this.#part("damage").hidden = !damage;
    this.#part("damage-text").textContent = damage ?? "";
  }

  #showPicture(photo) {
    const picture = this.#part("picture");
    picture.hidden = !photo.preview_url;
    if (!photo.preview_url) return;
    picture.width = photo.preview_width ?? 3;
    picture.height = photo.preview_height ?? 2;
    if (picture.getAttribute("src") !== photo.preview_url) picture.src = photo.preview_url;
    picture.alt = photo.subject ?? `Preview of ${photo.file_name}`;
  }

  #part(name) {
    return this.node.querySelector(`[data-part="${name}"]`);
  }
}

function errorNotice(run) {
  const node = element("p", `notice ${run.state === "failed" ? "red" : "amber"}`);
  node.append(element("span", "from-file", `${stageName(run.stage)}: ${run.error}`));
  node.title = run.error_type ? errorName(run.error_type) : "";
  return node;
}

function scores({ scores: { technical, sharpness, exposure }, preference_score: taste }) {
  const known = [["Technical", technical], ["Sharpness", sharpness], ["Exposure", exposure], ["Taste", taste]];
  return known.filter(([, value]) => value !== null);
}

function exif({ exif: shot, width, height, format, source }) {
  const rows = [];
  const add = (name, value) => value && rows.push([name, value]);
  add("Captured", shot.captured_at && captureTime(shot.captured_at) + zone(shot.utc_offset_minutes));
  add("Camera", camera(shot));
  add("Lens", shot.lens);
  add("Exposure", exposure(shot).join("  "));
  add("Bias", shot.exposure_bias_ev ? `${shot.exposure_bias_ev > 0 ? "+" : ""}${Number(shot.exposure_bias_ev.toFixed(2))} EV` : "");
  add("Size", width && `${count(width)} × ${count(height)}, ${((width * height) / 1e6).toFixed(1)} MP`);
  add("Format", format);
  add("Shown from", SOURCES[source]);
  add("Position", shot.has_gps ? "recorded in the file" : "");
  return rows;
}

function zone(minutes) {
  if (minutes === null) return "";
  const sign = minutes < 0 ? "−" : "+";
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return ` UTC${sign}${hours}${rest ? `:${String(rest).padStart(2, "0")}` : ""}`;
}

const about = (photo) => `Photo ${photo.id}, added ${exact(photo.created_at)}${photo.project ? `, in ${photo.project}` : ""}`;

/** Fills a `<dl>`; it is hidden, with its heading, when there is nothing to say. */
function fillList(list, rows, makeValue) {
  list.closest("section").hidden = rows.length === 0;
  list.replaceChildren(
    ...rows.flatMap(([name, value]) => {
      const description = element("dd");
      description.append(...[makeValue(value)].flat());
      return [element("dt", "", name), description];
    }),
  );
}

const textValue = (text) => element("span", "from-file", text);

function scoreValue(score) {
  const bar = element("span", "score-bar");
  const part = element("span");
  part.style.width = `${score}%`;
  bar.append(part);
  return [bar, element("span", "score", String(Math.round(score)))];
}

function runValue(run) {
  const tone = { failed: "red", held: "amber", done: "green" }[run.state] ?? "";
  const attempt = run.attempt > 1 ? `, attempt ${run.attempt}` : "";
  const node = element("span", `badge ${tone}`, `${GLYPHS[run.state] ?? "…"} ${stateWord(run.state)}${attempt}`);
  if (run.finished_at) node.title = exact(run.finished_at);
  return node;
}

const fileValue = (file) => [element("span", "from-file path", file.path), element("span", "quiet-text small", bytes(file.size))];

function element(name, className = "", text = "") {
  const node = document.createElement(name);
  if (className) node.className = className;
  node.textContent = text;
  return node;
}
