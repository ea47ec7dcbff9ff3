// One of the photos that are compared: its room, its name, and what was decided about it.
import { decidedBadges } from "./badges.js";

export function makeFrame(photo) {
  const node = document.createElement("figure");
  const room = document.createElement("div");
  const words = document.createElement("figcaption");
  const name = document.createElement("bdi");
  const marks = document.createElement("span");
  node.className = "compared";
  node.tabIndex = 0;
  room.className = "compared-room";
  name.className = "from-file";
  name.textContent = photo.file_name;
  marks.className = "compared-marks";
  words.append(name, marks);
  node.append(room, words);
  return { node, room };
}

/** `place` says which of them it is: "2 of 4". */
export function showMarks(node, photo, place) {
  const stars = photo.user_rating ? "★".repeat(photo.user_rating) : "";
  node.classList.toggle("rejected", photo.rejected);
  node.querySelector(".compared-marks").replaceChildren(stars, ...decidedBadges(photo));
  node.setAttribute("aria-label", `${photo.file_name}, ${place}`);
}
