// What the person decides on this page: true at once, sent in the background, and undone step by step.
import { DecisionQueue } from "./decision-queue.js";
import { changesOf } from "./wishes.js";

const MOST_STEPS = 200;
const STEPS = "decision-steps"; // a reload keeps what can be undone

export class Decisions {
  /**
   * Calls `shown(ids, items)` when these photos look different, with what the server says they are where it said so;
   * `said(sentence, {canUndo, isTrouble})`; and `waits(count)`, how many decisions the server cannot be told yet.
   */
  constructor({ shown, said, waits }) {
    this.tell = { shown, said, waits };
    this.steps = storedSteps();
    this.queue = new DecisionQueue({
      settled: (entry, answer) => this.#settled(entry, answer),
      refused: (entry, sentence) => this.#refused(entry, sentence),
      changed: () => this.#queueChanged(),
    });
  }

  /** Sends what an earlier page could not send. */
  start() {
    this.queue.send();
  }

  /** The photo with everything that was decided here, sent or not. */
  view(photo) {
    return this.queue.apply(photo);
  }

  /** Carries out a wish (see wishes.js) about a photo as it is seen now. */
  decide(photo, { body, words, nothing }) {
    const after = changesOf(photo, body);
    const names = Object.keys(after);
    if (names.length === 0) return this.tell.said(nothing ?? words, { canUndo: false });
    const before = Object.fromEntries(names.map((name) => [name, photo[name]]));
    const step = { batch: newNumber(), words, before: { [photo.id]: before }, after: { [photo.id]: after } };
    this.#done(step);
    this.#send({ batch: step.batch, body: { ...body, ids: [photo.id] }, after: step.after });
    return this.tell.said(words, { canUndo: true });
  }

  /** A decision that was sent elsewhere: its batch, which undoes it, the photos, and the words for it. */
  remember(batch, ids, words) {
    const unknown = Object.fromEntries(ids.map((id) => [id, {}]));
    this.#done({ batch, words, before: unknown, after: unknown });
    storeSteps(this.steps);
    this.tell.said(words, { canUndo: true });
  }

  undo() {
    const step = this.steps.done.pop();
    if (!step) return this.tell.said("Nothing to undo", { canUndo: false });
    const batch = newNumber();
    this.steps.undone.push({ ...step, batch });
    this.#send({ batch, undoes: step.batch, after: step.before });
    return this.tell.said(`Undone: ${step.words}`, { canUndo: false });
  }

  redo() {
    const step = this.steps.undone.pop();
    if (!step) return this.tell.said("Nothing to redo", { canUndo: false });
    const batch = newNumber();
    this.steps.done.push({ ...step, batch });
    this.#send({ batch, undoes: step.batch, after: step.after });
    return this.tell.said(`Again: ${step.words}`, { canUndo: true });
  }

  #done(step) {
    this.steps.done.push(step);
    this.steps.done.splice(0, this.steps.done.length - MOST_STEPS);
    this.steps.undone = [];
  }

  #send(entry) {
    storeSteps(this.steps);
    this.queue.add(entry);
    this.tell.shown(idsOf(entry), []);
  }

  #settled(entry, answer) {
    if (answer.undo === null) {
      // It was so already, or cannot be taken back any more: there is nothing to undo about it.
      this.#forget(entry);
      if (entry.undoes) this.tell.said(answer.message, { canUndo: false });
    }
    this.tell.shown(idsOf(entry), answer.items);
  }

  #refused(entry, sentence) {
    this.#forget(entry);
    this.tell.said(sentence, { canUndo: false, isTrouble: true });
    this.tell.shown(idsOf(entry), []);
  }

  #forget({ batch }) {
    this.steps.done = this.steps.done.filter((step) => step.batch !== batch);
    this.steps.undone = this.steps.undone.filter((step) => step.batch !== batch);
    storeSteps(this.steps);
  }

  #queueChanged() {
    this.tell.waits(this.queue.isStuck ? this.queue.waiting.length : 0);
    this.tell.shown(this.queue.waiting.flatMap(idsOf), []);
  }
}

const idsOf = (entry) => Object.keys(entry.after).map(Number);

/** A random UUID. Browsers have their own only for pages from this machine or over https. */
function newNumber() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

function storedSteps() {
  return JSON.parse(sessionStorage.getItem(STEPS)) ?? { done: [], undone: [] };
}

function storeSteps(steps) {
  try {
    sessionStorage.setItem(STEPS, JSON.stringify(steps));
  } catch {
    sessionStorage.removeItem(STEPS); // full: until a reload they are known all the same
  }
}
