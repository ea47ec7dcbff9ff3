// How many photos each filter and each value would show, of what narrows the list now.
import { getJson, paced, Refusal } from "./api.js";
import { countsAddress, facetsAddress, filterOf } from "./gallery-address.js";
import { showCounts, showFacets } from "./gallery-controls.js";

const REST_MS = 1000;
const FACETS_REST_MS = 2000;

export class GalleryCounts {
  /** `query()` is the address of the list; calls `told()` when there are new numbers. */
  constructor({ query, told }) {
    Object.assign(this, { query, told });
    this.since = 0; // the last event that the numbers have to know of
    this.ask = paced(() => this.#count(), REST_MS);
    this.askForValues = paced(async () => showFacets(this.query(), await getJson(facetsAddress(this.query()))), FACETS_REST_MS);
  }

  /** Of the list; undefined while that is not known. */
  get total() {
    return this.numbers?.[filterOf(this.query())];
  }

  /** The list is another one. Numbers of another search or project are not left standing beside it. */
  begin() {
    const isOfOther = this.of !== countsAddress(this.query());
    if (isOfOther) this.numbers = undefined;
    showCounts(this.query(), this.numbers);
    if (isOfOther) this.#count().catch(notRefused); // now, however short ago others were counted
    else this.ask();
  }

  async #count() {
    const asked = countsAddress(this.query());
    const numbers = await getJson(asked);
    // The server keeps counts for a while; it says what they do not know yet.
    if (numbers.as_of_event < this.since) setTimeout(this.ask, REST_MS);
    if (asked !== countsAddress(this.query())) return;
    Object.assign(this, { numbers, of: asked });
    showCounts(this.query(), numbers);
    this.told();
    this.askForValues();
  }
}

function notRefused(error) {
  if (!(error instanceof Refusal)) throw error; // else the list says so already
}
