// A photo in a row of the taste page: its score, its stars, and why it has that score.
import { getJson, Refusal } from "./api.js";

const template = document.getElementById("photo-template");
const pullTemplate = document.getElementById("pull-template");

/** `onRate(photo, stars)` is called with null for stars that are cleared. */
export function makePhoto(photo, onRate) {
  const node = template.content.firstElementChild.cloneNode(true);
  node.dataset.id = photo.id;
  showPicture(node.querySelector(".taste-picture"), photo);
  node.querySelector(".taste-score b").textContent = photo.preference_score ?? "–";
  node.querySelector(".stars").append(...[1, 2, 3, 4, 5].map((n) => star(n, photo)));
  showStars(node, photo.user_rating);
  node.querySelector(".stars").addEventListener("click", (event) => {
    const stars = Number(event.target.closest("button")?.dataset.star);
    if (stars) onRate(photo, String(stars) === node.dataset.rating ? null : stars);
  });
  const why = node.querySelector(".why");
  why.addEventListener("toggle", () => why.open && explain(why.querySelector(".why-body"), photo));
  return node;
}

/** The stars of a photo are others now. */
export function showStars(node, rating) {
  node.dataset.rating = rating ?? "";
  node.querySelector(".stars").setAttribute("aria-label", rating ? `Rated ${stars(rating)}` : "Not rated");
  for (const button of node.querySelectorAll("[data-star]")) {
    const isOn = Number(button.dataset.star) <= (rating ?? 0);
    button.firstElementChild.textContent = isOn ? "★" : "☆";
    button.classList.toggle("on", isOn);
    button.setAttribute("aria-pressed", String(Number(button.dataset.star) === rating));
  }
}

function star(n, photo) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "star";
  button.dataset.star = n;
  button.title = stars(n);
  const glyph = document.createElement("span");
  glyph.setAttribute("aria-hidden", "true");
  const words = document.createElement("span");
  words.className = "visually-hidden";
  words.textContent = `${stars(n)} for ${photo.file_name}`;
  button.append(glyph, words);
  return button;
}

function showPicture(link, photo) {
  link.href = `/gallery#photo-${photo.id}`;
  link.title = photo.file_name;
  const picture = link.querySelector("img");
  picture.alt = photo.file_name;
  link.style.aspectRatio = `${photo.width ?? 3} / ${photo.height ?? 2}`;
  if (photo.placeholder) link.style.backgroundImage = `url("data:image/jpeg;base64,${photo.placeholder}")`;
  if (photo.thumbnail_url) picture.src = photo.thumbnail_url;
}

async function explain(body, photo) {
  body.textContent = "Looking…";
  try {
    const why = await getJson(`/api/photos/${photo.id}/why`);
    body.replaceChildren(
      paragraph(`Expected: ${why.prediction.toFixed(1)} stars. Without any likeness it would be ${why.intercept.toFixed(1)}.`),
      ...pulls("Pulled up by", why.up),
      ...pulls("Pulled down by", why.down),
      ...(why.note ? [paragraph(why.note)] : []),
    );
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    body.textContent = error.message;
  }
}

function pulls(heading, found) {
  if (found.length === 0) return [];
  const list = document.createElement("ul");
  list.className = "pulls";
  list.append(...found.map(pullOf));
  const head = document.createElement("h3");
  head.textContent = heading;
  return [head, list];
}

function pullOf({ photo, pull }) {
  const node = pullTemplate.content.firstElementChild.cloneNode(true);
  const picture = node.querySelector("img");
  picture.alt = photo.file_name;
  node.title = photo.file_name;
  if (photo.thumbnail_url) picture.src = photo.thumbnail_url;
  node.querySelector(".pull-stars").textContent = photo.user_rating ? "★".repeat(photo.user_rating) : "no stars now";
  node.querySelector(".pull-number").textContent = `${pull > 0 ? "+" : "−"}${Math.abs(pull).toFixed(2)}`;
  return node;
}

function paragraph(words) {
  const node = document.createElement("p");
  node.className = "small quiet-text";
  node.textContent = words;
  return node;
}

const stars = (n) => `${n} ${n === 1 ? "star" : "stars"}`;
