// A photo in a row of the taste page: its score, its stars, and why it has that score.
import { Why } from "./why.js";

const template = document.getElementById("photo-template");

/** `stars` (see photo-stars.js) shows its rating, and takes another. */
export function makePhoto(photo, stars) {
  const node = template.content.firstElementChild.cloneNode(true);
  showPicture(node.querySelector(".taste-picture"), photo);
  node.querySelector(".taste-score b").textContent = photo.preference_score ?? "–";
  stars.add(node, photo);
  new Why(node.querySelector(".why"), stars).show(photo);
  return node;
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
