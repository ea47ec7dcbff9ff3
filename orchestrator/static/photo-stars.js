// Photos outside the grid that are rated where they stand: nodes with the id of a photo, and stars in them.
import { decidedBadges } from "./badges.js";
import { showStars, starOf } from "./stars.js";
import { rate } from "./wishes.js";

export class PhotoStars {
  /** Calls `decide(photo, wishFor)` for photos under `node`; `view` makes of a photo what is to be seen of it. */
  constructor(node, { decide, view }) {
    this.node = node;
    this.view = view;
    this.photos = new Map(); // id -> photo, as the server told it
    node.addEventListener("click", (event) => {
      const photo = this.#photoAt(event.target);
      const star = photo && starOf(event, photo.user_rating);
      if (star !== undefined) decide(photo, (seen) => rate(seen, star));
    });
  }

  /** The photo with the focus, as it is seen: keys act on it. */
  get inHand() {
    return this.#photoAt(document.activeElement);
  }

  has(id) {
    return this.photos.has(id);
  }

  /** From now on `node` is about this photo. */
  add(node, photo) {
    node.dataset.id = photo.id;
    this.photos.set(photo.id, photo);
    this.#show(node, photo.id);
  }

  /** These look different; `items` are photos as the server told them just now. They stay where they are. */
  decided(ids, items) {
    items.filter((photo) => this.has(photo.id)).forEach((photo) => this.photos.set(photo.id, photo));
    for (const id of ids) for (const node of this.node.querySelectorAll(`[data-id="${id}"]`)) this.#show(node, id);
  }

  /** The first stars in a node are its own; photos inside it have theirs after them. */
  #show(node, id) {
    const photo = this.view(this.photos.get(id));
    node.classList.toggle("rejected", photo.rejected);
    showStars(node.querySelector(".stars"), photo.user_rating);
    node.querySelector(".badges").replaceChildren(...decidedBadges(photo));
  }

  #photoAt(element) {
    const node = element?.closest("[data-id]");
    const photo = node && this.node.contains(node) ? this.photos.get(Number(node.dataset.id)) : undefined;
    return photo && this.view(photo);
  }
}
