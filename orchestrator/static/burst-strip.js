// The frames of one burst side by side, its best marked; another can be made the best, and the rest rejected.
import { getJson, paced, postJson, Refusal } from "./api.js";
import { burstName } from "./burst-badge.js";
import { captureTime, plural } from "./format.js";
import { say } from "./toast.js";

const REST_MS = 300;
const template = document.getElementById("burst-frame-template");

export class BurstStrip {
  constructor(node, { remember, closed }) {
    this.node = node;
    this.tell = { remember, closed };
    this.refresh = paced(() => this.#fetch(), REST_MS);
    node.addEventListener("keydown", (event) => this.#key(event));
    node.addEventListener("click", (event) => this.#click(event));
    node.addEventListener("focusin", (event) => this.#focusin(event));
    new ResizeObserver(() => this.#makeRoom()).observe(node);
  }

  get isOpen() {
    return !this.node.hidden;
  }

  /** Opens on the frame `photoId`, from whose card it was asked for. */
  async open(burstId, photoId) {
    Object.assign(this, { burstId, focusId: photoId, cameFrom: photoId });
    await this.#fetch();
    if (this.burst) this.#focus(photoId);
  }

  /** Live: these bursts are different now. */
  changed(burstIds) {
    if (this.isOpen && burstIds.includes(this.burstId)) this.refresh();
  }

  close() {
    if (!this.isOpen) return;
    const hadFocus = this.node.contains(document.activeElement);
    this.node.hidden = true;
    this.burst = undefined;
    this.#makeRoom();
    if (hadFocus) this.tell.closed(this.focusId, this.cameFrom);
  }

  async #fetch() {
    const wanted = this.burstId;
    if (wanted === undefined) return;
    try {
      const burst = await getJson(`/api/bursts/${wanted}`);
      if (wanted === this.burstId) this.#show(burst);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.status !== 404) return this.#trouble(error);
      this.burstId = undefined;
      this.close(); // decided, perhaps in another tab, or found anew
    }
  }

  #part(name) {
    return this.node.querySelector(`[data-part="${name}"]`);
  }

  #show(burst) {
    const hadFocus = this.node.contains(document.activeElement);
    this.burst = burst;
    this.node.hidden = false;
    const name = burstName(burst);
    document.getElementById("burst-title").textContent = name[0].toUpperCase() + name.slice(1);
    this.#part("about").textContent = about(burst);
    this.#part("keep-best").textContent = `Keep best, reject ${plural(burst.size - 1, "other")}`;
    const frames = this.#part("frames");
    frames.replaceChildren(...burst.frames.map((frame) => frameNode(frame)));
    if (!burst.frames.some((frame) => frame.id === this.focusId)) this.focusId = burst.best_id;
    this.#moveTabStop(this.focusId);
    if (hadFocus && !this.node.contains(document.activeElement)) this.#focus(this.focusId);
    this.#makeRoom();
  }

  /** What is under the strip can still be scrolled to. */
  #makeRoom() {
    document.body.style.setProperty("--strip", `${this.node.offsetHeight}px`); // 0 when it is closed
    document.body.style.paddingBottom = this.isOpen ? "calc(var(--foot) + var(--strip))" : "";
  }

  #focus(id) {
    this.#moveTabStop(id);
    const picture = this.#picture(id);
    picture?.focus({ preventScroll: true });
    picture?.closest("li").scrollIntoView({ block: "nearest", inline: "center" });
  }

  #picture(id) {
    return this.node.querySelector(`li[data-id="${id}"] .burst-picture`);
  }

  #moveTabStop(id) {
    for (const picture of this.node.querySelectorAll(".burst-picture")) picture.tabIndex = -1;
    this.focusId = id;
    const picture = this.#picture(id);
    if (picture) picture.tabIndex = 0;
  }

  #focusin(event) {
    const frame = event.target.closest("li[data-id]");
    if (frame) this.#moveTabStop(Number(frame.dataset.id));
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.burst) return;
    const ids = this.burst.frames.map((frame) => frame.id);
    const place = ids.indexOf(this.focusId);
    const isOnFrame = event.target.closest(".burst-picture") !== null;
    const act = {
      ArrowLeft: () => this.#focus(ids[Math.max(0, place - 1)]),
      ArrowRight: () => this.#focus(ids[Math.min(ids.length - 1, place + 1)]),
      Home: () => this.#focus(ids[0]),
      End: () => this.#focus(ids.at(-1)),
      Enter: isOnFrame && (() => this.#choose(this.focusId)),
      k: () => this.#keepBest(this.focusId),
      Escape: () => this.close(),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    if (!event.repeat || event.key.startsWith("Arrow")) act();
  }

  #click(event) {
    const frame = event.target.closest("li[data-id]");
    if (event.target.closest(".burst-choose")) this.#choose(Number(frame.dataset.id));
    else if (frame) this.#focus(Number(frame.dataset.id));
    else if (event.target.closest('[data-part="keep-best"]')) this.#keepBest(this.burst.best_id);
    else if (event.target.closest('[data-part="keep-all"]')) this.#keepAll();
    else if (event.target.closest('[data-part="close"]')) this.close();
  }

  async #choose(id) {
    const chosen = this.burst.frames.find((frame) => frame.id === id);
    if (chosen.is_best && chosen.is_chosen) return say(`${chosen.file_name} is the best already`);
    const answer = await this.#decide("best", { photo_id: id });
    if (!answer) return undefined;
    this.tell.remember(answer.undo, [id], `${chosen.file_name} is the best of its burst`);
    if (answer.burst) this.#show(answer.burst);
    return this.#focus(id);
  }

  async #keepBest(id) {
    const ids = this.burst.frames.map((frame) => frame.id);
    const answer = await this.#decide("keep-best", { best_id: id });
    if (!answer) return;
    this.focusId = id;
    this.close();
    this.tell.remember(answer.undo, ids, `Kept one, rejected ${plural(answer.rejected, "other")} of the burst`);
  }

  async #keepAll() {
    const { frames, size } = this.burst;
    const answer = await this.#decide("keep-all");
    if (!answer) return;
    this.close();
    this.tell.remember(answer.undo, frames.map((frame) => frame.id), `All ${size} stay: they are no burst any more`);
  }

  async #decide(what, body) {
    try {
      return await postJson(`/api/bursts/${this.burstId}/${what}`, body);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return this.#trouble(error);
    }
  }

  #trouble(error) {
    say(error.message, { tone: "red" });
    return undefined;
  }
}

function about({ kind, frames, size, started_at: started }) {
  const seconds = (Date.parse(`${frames.at(-1).captured_at}Z`) - Date.parse(`${started}Z`)) / 1000;
  const within = seconds >= 60 ? `${Math.round(seconds / 60)} min` : `${Number(seconds.toFixed(1))} s`;
  const parts = [captureTime(started), `within ${within}`];
  if (kind === "bracket") parts.push("exposure or focus varies: left out of Keep Best of all");
  if (size > frames.length) parts.push(`${frames.length} shown`);
  return parts.join(" · ");
}

function frameNode(frame) {
  const node = template.content.firstElementChild.cloneNode(true);
  node.dataset.id = frame.id;
  node.classList.toggle("best", frame.is_best);
  const picture = node.querySelector("img");
  picture.style.setProperty("--shape", (frame.width ?? 3) / (frame.height ?? 2));
  if (frame.thumbnail_url) picture.src = frame.thumbnail_url;
  node.querySelector(".burst-picture").setAttribute("aria-label", describe(frame));
  node.querySelector(".name").textContent = frame.file_name;
  node.querySelector(".said").textContent = said(frame);
  return node;
}

function said(frame) {
  const parts = [];
  if (frame.user_rating) parts.push("★".repeat(frame.user_rating));
  if (frame.manual_match) parts.push("★ pick");
  if (frame.sharpness !== null) parts.push(`sharp ${Math.round(frame.sharpness)}`);
  if (frame.exposure_bias_ev) parts.push(`${frame.exposure_bias_ev > 0 ? "+" : "−"}${Math.abs(Number(frame.exposure_bias_ev.toFixed(1)))} EV`);
  return parts.join(" · ");
}

function describe(frame) {
  const parts = [frame.file_name];
  if (frame.is_best) parts.push(frame.is_chosen ? "the best, chosen by you" : "the best");
  if (frame.sharpness !== null) parts.push(`sharpness ${Math.round(frame.sharpness)}`);
  parts.push(frame.user_rating ? `${frame.user_rating} stars` : "unrated");
  return parts.join(", ");
}
