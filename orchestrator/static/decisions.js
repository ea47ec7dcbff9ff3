// What the person decides on this page: true at once, sent in the background, and undone step by step.
import { DecisionQueue } from "./decision-queue.js";
import { restoredSaid } from "./set-aside.js";
import { storedSteps, storeSteps } from "./undo-steps.js";
import { changesOf } from "./wishes.js";

const MOST_STEPS = 2000; // a long evening

export class Decisions {
  /**
   * Calls `shown(ids, items)` when these photos look different, with what the server says they are where it said so;
   * `said(sentence, {canUndo, isTrouble})`; and `waits(count)`, how many decisions the server cannot be told yet.
   * About those of many photos: `works(count)`, how many photos are on their way, and `settled(body)` once they are
   * decided, `body` as it was sent.
   */
  constructor({ shown, said, waits, works = () => {}, settled = () => {} }) {
    this.tell = { shown, said, waits, works, settled };
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
    const isSo = Object.keys(changesOf(photo, body)).length === 0;
    if (isSo) return this.tell.said(nothing ?? words, { canUndo: false });
    return this.decideTogether([{ photo, body }], words);
  }

  /**
   * Carries out wishes about several photos, [{photo, body}], as one step; those that change nothing are left out. What
   * is wished for many of them alike is sent in one piece.
   */
  decideTogether(wishes, words) {
    const parts = new Map();
    for (const { photo, body } of wishes) {
      const after = changesOf(photo, body);
      const part = parts.get(JSON.stringify(body)) ?? { body, before: {}, after: {} };
      if (Object.keys(after).length === 0) continue;
      part.before[photo.id] = Object.fromEntries(Object.keys(after).map((name) => [name, photo[name]]));
      part.after[photo.id] = after;
      parts.set(JSON.stringify(body), part);
    }
    const group = newNumber();
    [...parts.values()].forEach(({ body, before, after }, n) => {
      const step = { batch: newNumber(), group, isPart: n > 0, words, before, after };
      this.#done(step);
      this.#send({ batch: step.batch, body: { ...body, ids: idsOf(step) }, after });
    });
    this.tell.said(words, { canUndo: true });
  }

  /**
   * Carries out a wish about many photos. `parts` name them for the server, {ids} or {selection, except} with how many
   * they are, and are one step; `seen` are those at hand, as they are seen.
   */
  decideMany({ parts, seen }, { body, words }) {
    if (!this.areSettled(parts)) return undefined;
    const changes = seen.map((photo) => [photo, changesOf(photo, body)]).filter(([, after]) => Object.keys(after).length);
    const group = newNumber();
    parts.forEach(({ count, ...asked }, n) => {
      const named = asked.ids && new Set(asked.ids);
      const step = { batch: newNumber(), group, isPart: n > 0, words, before: {}, after: {}, many: count };
      for (const [photo, after] of changes.filter(([photo]) => !named || named.has(photo.id))) {
        step.before[photo.id] = Object.fromEntries(Object.keys(after).map((name) => [name, photo[name]]));
        step.after[photo.id] = after;
      }
      this.#done(step);
      this.#send({ batch: step.batch, body: { ...body, ...asked }, after: step.after, many: count });
    });
    return this.tell.said(words, { canUndo: true });
  }

  /** Of a whole list nothing else is decided before the server has what was decided about many: it may leave the list by that. */
  areSettled(parts) {
    const isOnTheWay = this.queue.waiting.some(({ many }) => many !== undefined);
    if (!isOnTheWay || !parts.some(({ selection }) => selection)) return true;
    this.tell.said("What you decided before is still on its way: this list may be another one after it. Please wait.", { canUndo: true });
    return false;
  }

  /** A decision that was sent elsewhere: its batch, which undoes it, the photos, and the words for it. */
  remember(batch, ids, words) {
    const unknown = Object.fromEntries(ids.map((id) => [id, {}]));
    this.#done({ batch, words, before: unknown, after: unknown });
    storeSteps(this.steps);
    this.tell.said(words, { canUndo: true });
  }

  /** What was done by other means, and is undone and done again at these addresses, [{undo, again}]. */
  rememberElsewhere(addresses, words) {
    const group = newNumber();
    addresses.forEach((addresses, n) => this.#done({ batch: newNumber(), group, isPart: n > 0, addresses, words, before: {}, after: {} }));
    storeSteps(this.steps);
    this.tell.said(words, { canUndo: true });
  }

  undo() {
    const step = this.#takeBack();
    if (!step) return this.tell.said("Nothing to undo", { canUndo: false });
    while (isWith(step, this.steps.done.at(-1))) this.#takeBack();
    return this.tell.said(`Undone: ${step.words}`, { canUndo: false });
  }

  redo() {
    const step = this.#doAgain();
    if (!step) return this.tell.said("Nothing to redo", { canUndo: false });
    while (isWith(step, this.steps.undone.at(-1))) this.#doAgain();
    return this.tell.said(`Again: ${step.words}`, { canUndo: true });
  }

  #takeBack() {
    const step = this.steps.done.pop();
    if (!step) return undefined;
    const batch = newNumber();
    this.steps.undone.push({ ...step, batch });
    if (step.addresses) this.#send({ batch, address: step.addresses.undo, after: {} });
    else this.#send({ batch, undoes: step.batch, after: step.before, many: step.many });
    return step;
  }

  #doAgain() {
    const step = this.steps.undone.pop();
    if (!step) return undefined;
    const batch = newNumber();
    this.steps.done.push({ ...step, batch });
    if (step.addresses) this.#send({ batch, address: step.addresses.again, after: {} });
    else this.#send({ batch, undoes: step.batch, after: step.after, many: step.many });
    return step;
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
    if (entry.address) return;
    if (answer.undo === null) {
      // It was so already, or cannot be taken back any more: there is nothing to undo about it.
      this.#forget(entry);
      if (entry.undoes || entry.many) this.tell.said(answer.message, { canUndo: false });
    }
    if (entry.many && entry.body) this.tell.settled(entry.body);
    // Of what the list of photos does not tell, tags, it is known what they are now.
    const items = answer.items.map((photo) => ({ ...entry.after[photo.id], ...photo }));
    this.tell.shown([...new Set([...idsOf(entry), ...items.map(({ id }) => id)])], items);
    const said = restoredSaid(answer.items.filter(({ id }) => entry.many || entry.after[id]?.rejected === false));
    if (said) this.tell.said(said, { canUndo: answer.undo !== null });
  }

  #refused(entry, sentence) {
    const { words } = [...this.steps.done, ...this.steps.undone].find((step) => step.batch === entry.batch) ?? {};
    this.#forget(entry);
    this.tell.said(words ? `Not done: ${words}. ${sentence}` : sentence, { canUndo: false, isTrouble: true });
    this.tell.shown(idsOf(entry), []);
  }

  #forget({ batch }) {
    this.steps.done = this.steps.done.filter((step) => step.batch !== batch);
    this.steps.undone = this.steps.undone.filter((step) => step.batch !== batch);
    storeSteps(this.steps);
  }

  #queueChanged() {
    this.tell.waits(this.queue.isStuck ? this.queue.waiting.length : 0);
    this.tell.works(this.queue.waiting.reduce((sum, entry) => sum + (entry.many ?? 0), 0));
    this.tell.shown(this.queue.waiting.flatMap(idsOf), []);
  }
}

const idsOf = (entry) => Object.keys(entry.after).map(Number);

/** Whether both were done by one wish: they are undone together. */
const isWith = (step, other) => step.group !== undefined && step.group === other?.group;

/** A random UUID. Browsers have their own only for pages from this machine or over https. */
function newNumber() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
