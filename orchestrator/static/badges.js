// What is to be said about a photo at a glance: a glyph and a word, and never colour alone.
import { stageName } from "./format.js";

export function badges(photo) {
  const found = [];
  if (photo.isGone) return [badge("red", "⌫", "Removed")];
  if (photo.rejected) found.push(badge("red", "✕", "Rejected"));
  if (photo.set_aside) found.push(badge("", "⇲", "Set aside", "Its original lies in the folder _keepers_rejected of its drive"));
  if (photo.manual_match) found.push(badge("amber", "★", "Chef’s Pick"));
  else if (photo.is_match) found.push(badge("green", "✓", "MATCH"));
  if (photo.kept && !photo.rejected && !photo.manual_match && !photo.user_rating) found.push(badge("", "◆", "Kept"));
  if (photo.damage) found.push(badge("amber", "△", "Damaged"));
  if (photo.hasLeft && !photo.rejected) found.push(badge("", "↷", "Left list", "It does not belong to this list any more, and is gone when it is loaded again"));
  const failed = Object.entries(photo.stages).filter(([, state]) => state === "failed");
  if (failed.length) found.push(badge("red", "!", `${failed.map(([stage]) => stageName(stage)).join(", ")} failed`));
  return found;
}

/** Only what a person decided. */
export const decidedBadges = (photo) => badges({ ...photo, is_match: false, damage: null, stages: {}, hasLeft: false });

function badge(tone, glyph, word, title = word) {
  const node = document.createElement("span");
  node.className = `badge ${tone}`;
  node.title = title;
  const mark = document.createElement("span");
  mark.textContent = glyph;
  mark.setAttribute("aria-hidden", "true");
  const text = document.createElement("span");
  text.className = "word";
  text.textContent = word;
  node.append(mark, text);
  return node;
}
