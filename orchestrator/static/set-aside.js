// Originals of rejected photos that lie in `_keepers_rejected`: what is to be said of them where photos are decided about.
import { postJson, Refusal } from "./api.js";
import { say } from "./toast.js";

/** The sentence for photos that were restored, as the server tells them; undefined when their originals are in place. */
export function restoredSaid(photos) {
  const aside = photos.filter((photo) => photo.set_aside && !photo.rejected);
  if (aside.length === 0) return undefined;
  const what = photos.length === 1 ? "Its original is" : `${aside.length} of the originals are`;
  return `Restored. ${what} set aside: Free space, in the settings, brings ${photos.length === 1 ? "it" : "them"} back`;
}

/** The notice in the panel about one photo. */
export class SetAsideNotice {
  constructor(node) {
    this.node = node;
    this.button = node.querySelector("button");
    this.button.addEventListener("click", () => this.#bringBack());
  }

  show(photo) {
    this.node.hidden = !photo.set_aside;
    this.id = photo.id;
    this.button.disabled = false;
  }

  /** That it is back is told by the server, as all that happens to photos. */
  async #bringBack() {
    this.button.disabled = true;
    try {
      await postJson("/api/rejects/restore", { photo_ids: [this.id] });
      say("The original is on its way back");
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      say(error.message, { tone: "red" });
      this.button.disabled = false;
    }
  }
}
