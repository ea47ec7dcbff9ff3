// Decisions on their way to the server, in their order. They are kept in the browser until the server has them, so
// that neither a reload nor a server that is gone loses one; each carries a number of its own, so that sending one
// twice makes it once.
import { postJson, Refusal } from "./api.js";

const PREFIX = "decision:";
const LOCK = "keepers-decisions"; // tabs send one after the other
const RETRY_MS = 2000;
// The server is away, or its database is, or it wants a login first; or somebody between has had enough for now.
const PASSING = new Set([0, 401, 403, 408, 429, 502, 503, 504]);

/**
 * An entry is {batch, body, undoes, address, after}: `body` is sent as a new decision, or `undoes` names the one to take
 * back, or something else is asked for at `address`; `after` maps photo ids to the fields that it changes.
 */
export class DecisionQueue {
  /** Calls `settled(entry, answer)`, `refused(entry, sentence)`, and `changed()` when what waits is different. */
  constructor({ settled, refused, changed }) {
    this.tell = { settled, refused, changed };
    this.isStuck = this.isAway = false;
    this.waiting = stored();
    addEventListener("storage", (event) => event.key?.startsWith(PREFIX) && this.#lookAgain());
    addEventListener("online", () => this.send());
    // Nobody leaves unaware of what the server cannot be told. The browser keeps it for the next page, if it could.
    addEventListener("beforeunload", (event) => this.#isUnsafe && event.preventDefault());
  }

  add(entry) {
    this.lastTime = Math.max(Date.now(), (this.lastTime ?? 0) + 1); // two in one millisecond keep their order
    const kept = { ...entry, key: `${PREFIX}${String(this.lastTime).padStart(15, "0")}-${entry.batch}` };
    kept.isStored = store(kept);
    this.waiting.push(kept);
    this.tell.changed();
    this.send();
  }

  /** The photo as it will be once everything has arrived. */
  apply(photo) {
    return this.waiting.reduce((seen, entry) => ({ ...seen, ...entry.after[photo.id] }), photo);
  }

  async send() {
    if (this.isSending) return;
    this.isSending = true;
    clearTimeout(this.timer);
    try {
      await alone(() => this.#sendAll());
    } finally {
      this.isSending = false;
    }
    if (this.isStuck) this.timer = setTimeout(() => this.send(), RETRY_MS);
    else if (this.waiting.length) this.send();
  }

  /** Once nothing is being sent any more: how many could not be. */
  async left() {
    await this.send();
    while (this.isSending) await new Promise((resolve) => setTimeout(resolve, 20));
    return this.waiting.length;
  }

  get #isUnsafe() {
    return this.waiting.some((entry) => this.isAway || !entry.isStored);
  }

  async #sendAll() {
    // Another tab may have sent some of them while this one waited for its turn.
    this.waiting = this.waiting.filter((entry) => !entry.isStored || localStorage.getItem(entry.key) !== null);
    while (this.waiting.length) {
      const [entry] = this.waiting;
      try {
        const answer = await postJson(...request(entry));
        this.#drop(entry);
        this.tell.settled(entry, answer);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        this.isStuck = PASSING.has(error.status);
        this.isAway = this.isStuck && error.status !== 401; // to the login one goes, and comes back
        if (this.isStuck) return this.tell.changed();
        this.#drop(entry);
        this.tell.refused(entry, error.message);
      }
    }
    this.isStuck = this.isAway = false;
    return this.tell.changed();
  }

  #drop(entry) {
    this.isStuck = this.isAway = false;
    this.waiting = this.waiting.filter((other) => other !== entry);
    if (entry.isStored) localStorage.removeItem(entry.key);
  }

  /** Another tab decided, or sent what this one left behind. */
  #lookAgain() {
    if (this.isSending) return;
    this.waiting = [...stored(), ...this.waiting.filter((entry) => !entry.isStored)].sort((one, other) => (one.key < other.key ? -1 : 1));
    this.tell.changed();
  }
}

function request({ batch, body, undoes, address }) {
  if (address) return [address];
  return undoes ? [`/api/decisions/${undoes}/undo`, { batch }] : ["/api/decisions", { ...body, batch }];
}

// Over plain http to another machine there are no locks; two tabs may then send the same twice, which does no harm.
const alone = (work) => (navigator.locks ? navigator.locks.request(LOCK, work) : work());

/** Whether it could be stored: a browser may be full, or keep nothing. It is sent all the same. */
function store(entry) {
  try {
    localStorage.setItem(entry.key, JSON.stringify(entry));
    return true;
  } catch {
    return false;
  }
}

function stored() {
  try {
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(PREFIX)).sort();
    return keys.map((key) => ({ ...JSON.parse(localStorage.getItem(key)), isStored: true }));
  } catch {
    return [];
  }
}
