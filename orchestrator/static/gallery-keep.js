// Keep in the gallery: of a burst this frame stays and the others go, as in the loupe. What was selected is only kept, and
// so is a frame of a bracket: its other exposures are part of the same picture.
import { Refusal } from "./api.js";
import { NOT_FETCHED, photosOfBurst } from "./burst-photos.js";
import { onKeys } from "./keys.js";
import { say } from "./toast.js";
import { keep } from "./wishes.js";

export class GalleryKeep {
  /**
   * `ask`: `store()` and `deciding()` of the page, `inHand()` and `many()` as Deciding has them. Made after Deciding, its
   * key comes here first.
   */
  constructor(ask) {
    this.ask = ask;
    onKeys({ keep: () => !this.ask.many() && this.#ofBurst(this.ask.inHand()) });
  }

  /** By a button, which does what the key does. */
  decide(photo, wishFor) {
    if (wishFor !== keep || !this.#ofBurst(photo)) this.ask.deciding().decide(photo, wishFor);
  }

  /** Keeps this one only, if it is a frame of a burst; whether it is. */
  #ofBurst(photo) {
    if (photo?.burst?.kind !== "burst" || photo.rejected) return false;
    const loaded = [...this.ask.store().photos.values()].filter((one) => one.burst?.id === photo.burst.id && !one.isGone);
    if (loaded.length === photo.burst.size) this.#keepOnly(photo, loaded);
    else this.#keepOnceKnown(photo);
    return true;
  }

  /** Which frames the others are is not known here. */
  async #keepOnceKnown(photo) {
    try {
      this.#keepOnly(photo, await photosOfBurst(photo.burst.id));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      say(NOT_FETCHED, { tone: "red" });
    }
  }

  #keepOnly(photo, frames) {
    const deciding = this.ask.deciding();
    const others = frames.map((frame) => deciding.view(frame)).filter((frame) => frame.id !== photo.id && !frame.rejected);
    if (others.length) deciding.keepOnly(deciding.view(photo), others, " of the burst");
    else deciding.decide(photo, keep);
  }
}
