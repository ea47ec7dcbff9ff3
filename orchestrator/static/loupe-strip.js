// The filmstrip: the frames of the burst one stands at, or the photos before and after.
import { decidedBadges } from "./badges.js";

const node = document.getElementById("strip");

export const isStripOpen = () => !node.hidden;

export function toggleStrip() {
  node.hidden = !node.hidden;
  document.querySelector('[data-tool="strip"]').setAttribute("aria-pressed", String(!node.hidden));
}

/** `entries` are {photo, isHere, choose}. */
export function showStrip(entries) {
  node.replaceChildren(...entries.map(makeEntry));
  node.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
}

function makeEntry({ photo, isHere, choose }) {
  const entry = document.createElement("li");
  const button = document.createElement("button");
  const picture = document.createElement("img");
  const marks = document.createElement("span");
  entry.className = "strip-entry";
  entry.classList.toggle("rejected", photo.rejected);
  entry.dataset.id = photo.id;
  button.type = "button";
  button.tabIndex = -1; // the arrows move
  button.title = photo.file_name;
  button.setAttribute("aria-label", photo.file_name);
  if (isHere) button.setAttribute("aria-current", "true");
  button.addEventListener("click", choose);
  picture.alt = "";
  picture.decoding = "async";
  picture.draggable = false;
  if (photo.thumbnail_url) picture.src = photo.thumbnail_url;
  if (photo.width) picture.style.aspectRatio = `${photo.width} / ${photo.height}`;
  marks.className = "strip-marks";
  marks.append(photo.user_rating ? "★".repeat(photo.user_rating) : "", ...decidedBadges(photo));
  button.append(picture);
  entry.append(button, marks);
  return entry;
}
