// The row of buttons that decides about one photo: stars, pick, keep, reject. A tap for every key.
import { showStars, starOf } from "./stars.js";
import { keep, rate, togglePick, toggleReject } from "./wishes.js";

const BUTTONS = { pick: togglePick, keep, reject: toggleReject };

export class DecisionBar {
  /** Calls `decide(photo, wishFor)`. */
  constructor(node, decide) {
    this.node = node;
    node.addEventListener("click", (event) => {
      const star = starOf(event, this.photo.user_rating);
      const wishFor = BUTTONS[event.target.closest("[data-decide]")?.dataset.decide];
      if (star !== undefined) decide(this.photo, (photo) => rate(photo, star));
      else if (wishFor) decide(this.photo, wishFor);
    });
  }

  show(photo) {
    this.photo = photo;
    showStars(this.node.querySelector(".stars"), photo.user_rating);
    this.#press("pick", photo.manual_match);
    this.#press("keep", photo.kept && !photo.rejected);
    this.#press("reject", photo.rejected);
    const reject = this.node.querySelector('[data-decide="reject"]');
    reject.querySelector(".glyph").textContent = photo.rejected ? "↺" : "✕";
    reject.querySelector(".word").textContent = photo.rejected ? "Restore" : "Reject";
  }

  #press(name, isPressed) {
    const button = this.node.querySelector(`[data-decide="${name}"]`);
    // A button whose word changes says by the word what it does.
    if (name !== "reject") button.setAttribute("aria-pressed", String(isPressed));
    button.classList.toggle("on", isPressed);
  }
}
