// Deciding on a page of photos: keys, stars and buttons become decisions, which show at once and can be undone.
import { Decisions } from "./decisions.js";
import { plural } from "./format.js";
import { showGone } from "./gone.js";
import { onKeys } from "./keys.js";
import { onState } from "./live.js";
import { say } from "./toast.js";
import { clearFlags, keep, rate, togglePick, toggleReject } from "./wishes.js";

const STARS = [0, 1, 2, 3, 4, 5].map((n) => [`rate${n}`, (photo) => rate(photo, n || null)]);
const WISHES = { pick: togglePick, keep, reject: toggleReject, clear: clearFlags, ...Object.fromEntries(STARS) };

export class Deciding {
  /**
   * `inHand()` is the photo that keys act on, as it is seen; `changed(ids, items)` is called when photos look different,
   * with what the server says they are where it said so. `said` (see Decisions) is for a page that says it elsewhere
   * than at its foot. On a page where many photos can be selected, `many()` is what keys act on then, {parts, seen, as}:
   * `as` stands for all of them where a wish is made of one; `works` and `settled` as Decisions has them.
   */
  constructor({ inHand, changed, said, many = () => undefined, works, settled }) {
    this.inHand = inHand;
    this.many = many;
    this.decisions = new Decisions({
      shown: changed,
      said: said ?? ((sentence, { canUndo, isTrouble }) => say(sentence, { onUndo: canUndo ? () => this.undo() : undefined, tone: isTrouble ? "red" : "" })),
      waits: (unsent) => showGone({ unsent }),
      works,
      settled,
    });
    const acts = Object.entries(WISHES).map(([action, wishFor]) => [action, () => this.#actOn(wishFor)]);
    onKeys({ ...Object.fromEntries(acts), undo: () => this.undo(), redo: () => this.redo() });
    onState((isDown) => isDown || this.decisions.start());
  }

  /** Sends what an earlier page could not send. To be called once the page can show what comes of it. */
  start() {
    this.decisions.start();
  }

  /** The photo with everything that was decided here, sent or not. */
  view(photo) {
    return this.decisions.view(photo);
  }

  /** `wishFor` makes a wish (see wishes.js) of the photo as it is seen. */
  decide(photo, wishFor) {
    this.decisions.decide(photo, wishFor(photo));
  }

  /** The same about what is selected. */
  decideMany(wishFor, many) {
    this.decisions.decideMany(many, wishFor(many.as));
  }

  /** Whether these parts of a selection are what they are seen to be; says why not. */
  areSettled(parts) {
    return this.decisions.areSettled(parts);
  }

  /** Keeps this photo and rejects these; one undo takes both back. `where` ends the sentence about it. */
  keepOnly(photo, others, where = "") {
    const wishes = [{ photo, body: keep(photo).body }, ...others.map((other) => ({ photo: other, body: { action: "reject" } }))];
    this.decisions.decideTogether(wishes, `Kept ${photo.file_name}, rejected ${plural(others.length, "other")}${where}`);
  }

  /** All of these as one; `what` they are, in the singular. */
  keepAll(photos, what) {
    const wishes = photos.map((photo) => ({ photo, body: keep(photo).body }));
    this.decisions.decideTogether(wishes, `Kept all ${plural(photos.length, what)}`);
  }

  /** Promises how many decisions could not be sent. */
  left() {
    return this.decisions.queue.left();
  }

  /** Removals from Keepers, to be undone from here as one. */
  rememberRemovals(removals, words) {
    const addresses = removals.map((removal) => ({ undo: `/api/removals/${removal}/undo`, again: `/api/removals/${removal}/again` }));
    this.decisions.rememberElsewhere(addresses, words);
  }

  /** A decision that was sent elsewhere, to be undone from here: its batch, its photos, and the words for it. */
  remember(batch, ids, words) {
    this.decisions.remember(batch, ids, words);
  }

  undo() {
    this.decisions.undo();
  }

  redo() {
    this.decisions.redo();
  }

  #actOn(wishFor) {
    const many = this.many();
    if (many) return this.decideMany(wishFor, many);
    const photo = this.inHand();
    if (!photo) return false;
    this.decide(photo, wishFor);
    return true;
  }
}
