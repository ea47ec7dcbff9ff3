// One photo in the grid.
import { badges } from "./badges.js";
import { burstName, showBurst } from "./burst-badge.js";
import { captureTime, count, stageName } from "./format.js";
import { showStars } from "./stars.js";

const template = document.getElementById("card-template");

/** An empty card for the photo `id`, `width` wide; `fillCard` gives it its content. */
export function makeCard(id, width, height) {
  const card = template.content.firstElementChild.cloneNode(true);
  card.dataset.id = id;
  card.style.width = `${width}px`;
  card.querySelector(".frame").style.height = `${height}px`;
  card.classList.toggle("narrow", width < 170); // too narrow for the words of a badge
  return card;
}

/** Brings the card up to date; touches only what changed, so that a picture never flickers. */
export function fillCard(card, photo) {
  card.setAttribute("aria-label", describe(photo));
  card.classList.toggle("rejected", photo.rejected);
  card.classList.toggle("removed", Boolean(photo.isGone));
  showSelected(card, photo);
  showPicture(card.querySelector(".frame"), photo);
  showBurst(card.querySelector(".frame"), photo.burst);
  card.querySelector(".name").textContent = photo.file_name;
  card.querySelector(".project").textContent = photo.project ?? "";
  card.querySelector(".project").hidden = !photo.project;
  showStars(card.querySelector(".stars"), photo.user_rating);
  card.querySelector(".badges").replaceChildren(...badges(photo));
  card.querySelector(".about").textContent = about(photo);
  showTaste(card, photo.preference_score);
}

/** A tick and a frame; `isSelected` is undefined where nothing can be selected. */
function showSelected(card, { isSelected, file_name: name }) {
  const check = card.querySelector(".check");
  check.hidden = isSelected === undefined;
  card.classList.toggle("selected", Boolean(isSelected));
  if (isSelected === undefined) return;
  card.setAttribute("aria-selected", String(isSelected));
  check.setAttribute("aria-pressed", String(isSelected));
  check.setAttribute("aria-label", `Select ${name}`);
}

function showPicture(frame, photo) {
  const picture = frame.querySelector("img");
  const placeholder = photo.placeholder ? `url("data:image/jpeg;base64,${photo.placeholder}")` : "";
  if (frame.style.backgroundImage !== placeholder) frame.style.backgroundImage = placeholder;
  frame.classList.toggle("waiting", !photo.thumbnail_url);
  frame.querySelector(".why").textContent = photo.thumbnail_url ? "" : whyNoPicture(photo);
  if (picture.getAttribute("src") === photo.thumbnail_url) return;
  picture.hidden = !photo.thumbnail_url;
  if (photo.thumbnail_url) picture.src = photo.thumbnail_url;
  else picture.removeAttribute("src");
}

const whyNoPicture = (photo) => (photo.stages.convert === "failed" ? "No preview: this file failed" : "Preview is on its way");

function showTaste(card, score) {
  const bar = card.querySelector(".taste");
  bar.hidden = score === null;
  bar.firstElementChild.style.width = `${score ?? 0}%`;
  card.querySelector(".taste-number").textContent = score ?? "";
}

/** What a card tells when it has the focus. */
function about({ subject, captured_at: captured, scores }) {
  const parts = [subject, captured && captureTime(captured)];
  if (scores?.sharpness != null) parts.push(`sharpness ${count(Math.round(scores.sharpness))}`);
  if (scores?.exposure != null) parts.push(`exposure ${count(Math.round(scores.exposure))}`);
  return parts.filter(Boolean).join(" · ");
}

function describe(photo) {
  const parts = [photo.file_name];
  if (photo.subject) parts.push(photo.subject);
  if (photo.captured_at) parts.push(captureTime(photo.captured_at));
  parts.push(photo.user_rating ? `${photo.user_rating} stars` : "unrated");
  if (photo.isGone) parts.push("removed from Keepers");
  if (photo.hasLeft) parts.push("no longer in this list");
  if (photo.rejected) parts.push("rejected");
  else if (photo.kept && !photo.user_rating && !photo.manual_match) parts.push("kept");
  if (photo.set_aside) parts.push("original set aside");
  if (photo.manual_match) parts.push("chef’s pick");
  else if (photo.is_match) parts.push("match");
  if (photo.project) parts.push(`in ${photo.project}`);
  if (photo.burst) parts.push(`${photo.burst.is_best ? "best of a " : ""}${burstName(photo.burst)}`);
  if (photo.damage) parts.push("damaged");
  for (const [stage, state] of Object.entries(photo.stages)) if (state === "failed") parts.push(`${stageName(stage)} failed`);
  if (photo.preference_score !== null) parts.push(`taste ${count(photo.preference_score)}`);
  return parts.join(", ");
}
