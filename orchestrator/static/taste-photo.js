// A photo in a row of the taste page: its score, its stars, and why it has that score.
import { getJson, Refusal } from "./api.js";

const template = document.getElementById("photo-template");
const pullTemplate = document.getElementById("pull-template");

/** `onRate(photo, stars)` is called with null for stars that are cleared. */
export function makePhoto(photo, onRate) {
  const node = template.content.firstElementChild.cloneNode(true);
  showPicture(node.querySelector(".taste-picture"), photo);
  node.querySelector(".taste-score b").textContent = photo.preference_score ?? "–";
  takeStars(node, photo, onRate);
  const why = node.querySelector(".why");
  why.addEventListener("toggle", () => why.open && explain(why.querySelector(".why-body"), photo, onRate));
  return node;
}

function takeStars(node, photo, onRate) {
  node.dataset.id = photo.id;
  const group = node.querySelector(".stars");
  group.append(...[1, 2, 3, 4, 5].map((n) => star(n, photo)));
  group.addEventListener("click", (event) => {
    const given = event.target.closest("button")?.dataset.star;
    if (given) onRate(photo, given === node.dataset.rating ? null : Number(given));
  });
  showStars(node, photo.user_rating);
}

/** The stars of a photo, in a row or among what pulled another, are others now. */
export function showStars(node, rating) {
  const group = node.querySelector(".stars"); // the first: those of what pulled it come later
  node.dataset.rating = rating ?? "";
  group.setAttribute("aria-label", rating ? `Rated ${stars(rating)}` : "Not rated");
  for (const button of group.children) {
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
  if (photo.preview_url) link.href = photo.preview_url;
  link.title = photo.file_name;
  const [width, height] = [photo.width ?? 3, photo.height ?? 2];
  link.style.aspectRatio = `${width} / ${height}`;
  link.classList.add(width > height ? "wide" : "tall");
  if (photo.placeholder) link.style.backgroundImage = `url("data:image/jpeg;base64,${photo.placeholder}")`;
  const picture = link.querySelector("img");
  picture.alt = photo.file_name;
  if (photo.thumbnail_url) picture.src = photo.thumbnail_url;
}

async function explain(body, photo, onRate) {
  body.textContent = "Looking…";
  try {
    const why = await getJson(`/api/photos/${photo.id}/why`);
    body.replaceChildren(
      paragraph(`Expected: ${why.prediction.toFixed(1)} stars. Without any likeness it would be ${why.intercept.toFixed(1)}.`),
      ...pulls("Pulled up by", why.up, onRate),
      ...pulls("Pulled down by", why.down, onRate),
      ...(why.note ? [paragraph(why.note)] : []),
    );
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    body.textContent = error.message;
  }
}

function pulls(heading, found, onRate) {
  if (found.length === 0) return [];
  const list = document.createElement("ul");
  list.className = "pulls";
  list.append(...found.map((one) => pullOf(one, onRate)));
  const head = document.createElement("h3");
  head.textContent = heading;
  return [head, list];
}

function pullOf({ photo, pull }, onRate) {
  const node = pullTemplate.content.firstElementChild.cloneNode(true);
  const picture = node.querySelector("img");
  picture.alt = photo.file_name;
  node.title = photo.file_name;
  if (photo.thumbnail_url) picture.src = photo.thumbnail_url;
  takeStars(node, photo, onRate);
  node.querySelector(".pull-number").textContent = `${pull > 0 ? "+" : "−"}${Math.abs(pull).toFixed(2)} stars`;
  return node;
}

function paragraph(words) {
  const node = document.createElement("p");
  node.className = "small quiet-text";
  node.textContent = words;
  return node;
}

const stars = (n) => `${n} ${n === 1 ? "star" : "stars"}`;
