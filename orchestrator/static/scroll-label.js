// While one scrolls fast, what the list has there is said beside the scrollbar.
import { captureDay, count, plural } from "./format.js";

const STAYS_MS = 900;
const FAST = 0.6; // windows in one frame

export class ScrollLabel {
  /** `textAt()` says what is to be shown now, nothing when there is nothing to say. */
  constructor(node, textAt) {
    this.node = node;
    this.textAt = textAt;
  }

  /** The window moved so far, and is at this share of the list now. */
  moved(windows, share) {
    if (!this.node || (this.node.hidden && windows < FAST)) return;
    const text = this.textAt();
    this.node.hidden = !text;
    if (!text) return;
    this.node.textContent = text;
    this.node.style.setProperty("--share", share);
    clearTimeout(this.hiding);
    this.hiding = setTimeout(() => (this.node.hidden = true), STAYS_MS);
  }
}

const FIELDS = { captured: "captured_at", rating: "user_rating", taste: "preference_score", "taste-up": "preference_score" };
const NONE = { captured: "No capture date", rating: "Not rated" };
const WORDS = {
  captured: captureDay,
  newest: (value) => `Added ${captureDay(value)}`,
  rating: (value) => plural(value, "star"),
  sharpness: (value) => `Sharpness ${count(Math.round(value))}`,
  exposure: (value) => `Exposure ${count(Math.round(value))}`,
};
const taste = (value) => `Taste ${count(value)}`;

/** What a list of this order has at a place: the photo that is seen there, or where its segment begins. */
export function placeLabel(sort, segment, photo) {
  if (sort === "relevance" || !segment) return undefined;
  const isOfPhoto = photo && sort !== "newest"; // when it was added is known of the segment
  const value = isOfPhoto ? (FIELDS[sort] ? photo[FIELDS[sort]] : photo.scores[sort]) : segment.value;
  if (value === undefined || (value === null && sort === "newest")) return undefined;
  return value === null ? (NONE[sort] ?? "No score") : (WORDS[sort] ?? taste)(value);
}
