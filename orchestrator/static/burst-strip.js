// The frames of one burst side by side, its best marked; another can be made the best, and the rest rejected.
import { getJson, paced, postJson, Refusal } from "./api.js";
import { showFrames } from "./burst-frames.js";
import { plural } from "./format.js";
import { actionOf } from "./keys.js";
import { say } from "./toast.js";

const REST_MS = 300;

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

  #show(burst) {
    const hadFocus = this.node.contains(document.activeElement);
    this.burst = burst;
    this.node.hidden = false;
    showFrames(this.node, burst);
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
      Escape: () => this.close(),
    }[event.key] ?? (actionOf(event) === "keep" && (() => this.#keepBest(this.focusId)));
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
