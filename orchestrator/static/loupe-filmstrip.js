// The filmstrip: the frames of the burst one stands at, a kept photo and those like it, or the photos before and after.
import { decidedBadges } from "./badges.js";

const NEIGHBOURS = 8; // in both directions
const node = document.getElementById("strip");

export class Filmstrip {
  /** `photos` are a LoupePhotos. Calls `go(place)` and `show(id)`; `words` say what frames are, where it is not plain. */
  constructor(photos, { go, show, words }) {
    this.photos = photos;
    this.ways = { go, show };
    this.words = words;
  }

  get isOpen() {
    return !node.hidden;
  }

  toggle() {
    node.hidden = this.isOpen;
    document.querySelector('[data-tool="strip"]').setAttribute("aria-pressed", String(this.isOpen));
  }

  /** Where one stands: the pass, the place, and the photo that is shown there. */
  show({ pass, place, shownId }) {
    if (!this.isOpen || !pass) return;
    const frames = this.photos.framesAt(place);
    const hasFrames = frames.length > 1;
    node.dataset.words = hasFrames ? this.words : "";
    node.replaceChildren(...(hasFrames ? this.#frames(frames, shownId) : this.#neighbours(pass, place, shownId)).map(makeEntry));
    node.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  }

  #frames(ids, shownId) {
    return ids.map((id) => ({ photo: this.photos.get(id), isHere: id === shownId, choose: () => this.ways.show(id) }));
  }

  #neighbours(pass, place, shownId) {
    const entries = [];
    for (let near = Math.max(1, place - NEIGHBOURS); near <= Math.min(pass.n, place + NEIGHBOURS); near += 1) {
      const stop = pass.seen(near);
      if (!stop) continue;
      const photo = this.photos.get(near === place ? shownId : stop.photo.id) ?? this.photos.view(stop.photo);
      entries.push({ photo, isHere: near === place, choose: () => this.ways.go(near) });
    }
    return entries;
  }
}

export function makeEntry({ photo, isHere, choose }) {
  const entry = document.createElement("li");
  const button = document.createElement("button");
  const picture = document.createElement("img");
  const marks = document.createElement("span");
  entry.className = "strip-entry";
  entry.classList.toggle("rejected", photo.rejected);
  entry.dataset.id = photo.id;
  button.type = "button";
  button.tabIndex = isHere ? 0 : -1; // the arrows move
  button.title = photo.file_name;
  button.setAttribute("aria-label", photo.file_name);
  if (isHere) button.setAttribute("aria-current", "true");
  button.addEventListener("click", choose);
  picture.alt = "";
  picture.decoding = "async";
  picture.draggable = false;
  if (photo.thumbnail_url) picture.src = photo.thumbnail_url;
  else picture.style.visibility = "hidden"; // its room stays
  if (photo.width) picture.style.aspectRatio = `${photo.width} / ${photo.height}`;
  marks.className = "strip-marks";
  marks.append(photo.user_rating ? "★".repeat(photo.user_rating) : "", ...decidedBadges(photo));
  button.append(picture);
  entry.append(button, marks);
  return entry;
}
