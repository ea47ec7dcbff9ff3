// One photo of the list as large as the window, over the gallery: looked at closely as in Review, and decided about by the
// same keys. It follows the focus of the grid, and the grid follows it.
import { decidedBadges } from "./badges.js";
import { DecisionBar } from "./decision-bar.js";
import { onKeys } from "./keys.js";
import { Looking } from "./loupe-looking.js";
import { announce } from "./loupe-said.js";
import { listenToSwipes } from "./loupe-touch.js";
import { togglePick, toggleReject } from "./wishes.js";

const AHEAD = [1, 2, -1, 3, -2]; // neighbours whose pictures are fetched, soonest first
const MOST_COMPARED = 4;
const NARROW = matchMedia("(max-width: 1000px)"); // the panel covers the list there, and the large photo the panel
const part = (id) => document.getElementById(id);

export class GalleryLarge {
  /**
   * `ask`: `store()` and `grid()` of the page, `inHand()` as Deciding has it, `decide(photo, wishFor)`,
   * `keepThis(photo)`, `keepOnly(photo, others)`, `selected()` ids, `panel()`, which opens or closes the panel, and `inPanel()`, its photo.
   */
  constructor(ask) {
    this.ask = ask;
    this.node = part("large");
    this.bar = new DecisionBar(this.node.querySelector(".decision-bar"), (photo, wishFor) => ask.decide(photo, wishFor));
    this.looking = new Looking({
      rivals: (count) => this.#rivals(count),
      stand: ({ id }) => this.#stand(id),
      get: (id) => this.#seen(id),
      keep: () => ask.keepThis(this.photo), // of a burst too: the others are beside it, and Shift+k rejects them
      keepOnly: (photo, others) => ask.keepOnly(photo, others),
    });
    this.#listen();
  }

  get isOpen() {
    return !this.node.hidden;
  }

  /** As it is seen. */
  get photo() {
    return this.isOpen ? this.#seen(this.id) : undefined;
  }

  /** Has an entry to go back from. */
  open({ id }) {
    if (!this.#seen(id)) return;
    if (!this.isOpen) {
      this.node.classList.toggle("over", Boolean(this.ask.inPanel()));
      history.pushState({ isLarge: true }, "");
    }
    this.node.hidden = false;
    this.show(id);
  }

  /** By hand: as if one had gone back. */
  leave() {
    const { isLarge } = history.state ?? {};
    this.close();
    if (isLarge) history.back();
  }

  close() {
    if (!this.isOpen) return;
    this.looking.clear();
    this.node.hidden = true;
    this.ask.grid().focus(this.id);
  }

  /** The photo that has the focus of the grid now. */
  show(id) {
    const photo = this.#seen(id);
    if (!this.isOpen || !photo || (id === this.id && !this.looking.stage.isEmpty)) return;
    this.#stand(id);
    this.looking.show(photo);
    announce(photo.file_name);
    const { order } = this.ask.store();
    const at = order.indexOf(id);
    this.looking.stage.expect(AHEAD.map((step) => this.#seen(order[at + step])).filter((near) => near?.preview_url), []);
  }

  /** Something was decided about photos, or they changed. */
  refresh() {
    const { photo } = this;
    if (!photo) return;
    this.node.querySelector('[data-part="name"]').textContent = photo.file_name;
    this.node.querySelector('[data-part="badges"]').replaceChildren(...decidedBadges(photo));
    this.bar.show(photo);
    part("stage").classList.toggle("rejected", photo.rejected);
    this.looking.compare.refresh();
  }

  #stand(id) {
    this.id = id;
    this.refresh();
  }

  #seen(id) {
    const photo = this.ask.store().photos.get(id);
    return photo && this.ask.store().view(photo);
  }

  /** What is selected, if these are few, else the photo stood at and those behind it. */
  #rivals(count) {
    const { order } = this.ask.store();
    const selected = this.ask.selected();
    const others = (isFew(selected) ? selected : order.slice(order.indexOf(this.id))).filter((id) => id !== this.id);
    return [this.id, ...others].map((id) => this.#seen(id)).filter((photo) => photo?.preview_url).slice(0, count);
  }

  #listen() {
    this.looking.listen();
    const move = (key) => () => this.#move(key);
    // Asked before those of Looking, which act on what is open.
    onKeys({
      zoom: () => this.#opens(),
      overlays: () => this.#opens() && !this.isOpen, // so they show at once
      compare: () => this.#compare(),
      next: move("ArrowRight"),
      previous: move("ArrowLeft"),
      first: move("Home"),
      last: move("End"),
    });
    const enlarge = () => this.ask.inPanel() && this.open(this.ask.inPanel());
    const acts = { open: enlarge, close: () => this.leave(), next: move("ArrowRight"), previous: move("ArrowLeft"), panel: () => this.#togglePanel() };
    document.addEventListener("click", (event) => acts[event.target.closest("[data-large]")?.dataset.large]?.());
    part("details").addEventListener("click", (event) => event.target.closest(".details-picture") && enlarge());
    const decide = (wishFor) => () => this.photo && this.ask.decide(this.photo, wishFor);
    listenToSwipes(part("stage"), () => this.looking.stage.isZoomed, {
      left: move("ArrowRight"), right: move("ArrowLeft"), up: decide(togglePick), down: decide(toggleReject),
    });
  }

  /** Opens what is in hand; false when it is open already, and the key means something else. */
  #opens() {
    if (this.isOpen) return false;
    const photo = this.ask.inHand();
    if (photo?.preview_url) this.open(photo);
    return true;
  }

  #compare() {
    const selected = this.ask.selected();
    if (isFew(selected) && !this.looking.compare.isOpen) this.looking.compare.count = selected.length;
    const [first] = isFew(selected) ? selected : [];
    if (!this.isOpen && first !== undefined && this.#seen(first)?.preview_url) this.open({ id: first });
    else this.#opens();
    return !this.isOpen; // else it is for the comparison to open or close
  }

  #togglePanel() {
    if (NARROW.matches && this.node.classList.contains("over")) this.leave();
    else this.ask.panel();
  }

  #move(key) {
    if (!this.isOpen || this.looking.compare.isOpen) return false;
    this.ask.grid().focus(this.id);
    this.ask.grid().keys.move(key);
    return true;
  }
}

const isFew = ({ length }) => length > 1 && length <= MOST_COMPARED;
