// Where photos are looked at: which pictures of them are wanted and in which order, and the zoom that all panes share.
import { decodeAhead, onBroken, onDecoded } from "./loupe-images.js";
import { Pane, previewOf } from "./loupe-pane.js";
import { Renditions, sizeFor } from "./loupe-renditions.js";
import { isHurrying, paintedStep } from "./loupe-timing.js";
import { fitLevel, panned, zoomedTo } from "./loupe-zoom.js";

const NEAREST = 4;
const SHARP_FRAMES = 3; // of a burst, whose every pixel is fetched while one is zoomed in

export class LoupeStage {
  /** Calls `changed()` when the zoom is another or more is known, and `painted(pane)` when one shows another picture. */
  constructor(node, { changed, painted }) {
    this.changed = changed;
    this.painted = painted;
    this.zoom = undefined;
    this.expected = [];
    this.frames = [];
    this.later = [];
    this.panes = new Set();
    this.renditions = new Renditions(() => this.#planned());
    this.main = this.open(node);
    this.active = this.main;
    onDecoded(() => this.#improve());
    onBroken((url) => this.renditions.forget(url));
  }

  /** A pane in a node, for one more photo beside the others. */
  open(node) {
    const find = (photo, size) => this.renditions.find(photo, size);
    const pane = new Pane(node, { find, resized: (one) => this.#lie(one) });
    this.panes.add(pane);
    return pane;
  }

  close(pane) {
    pane.close();
    this.panes.delete(pane);
    if (this.active === pane) this.active = this.main;
  }

  get isZoomed() {
    return this.zoom !== undefined;
  }

  /** Whether there is a picture to look at closely. */
  get isEmpty() {
    return this.active.picture === undefined;
  }

  /** The photo that is stood at. Frames of one burst are seen at the same point, other photos as a whole. */
  show(photo) {
    const isSameBurst = photo.burst && photo.burst.id === this.standing?.burst?.id;
    this.standing = photo;
    if (this.panes.size > 1) return; // it is seen there
    if (!isSameBurst) this.zoom = undefined;
    this.showIn(this.main, photo);
    paintedStep(this.main);
  }

  /** After the photos beside each other are gone: the one that is stood at, as a whole. */
  showAlone() {
    this.zoom = undefined;
    this.showIn(this.main, this.standing);
  }

  showIn(pane, photo) {
    pane.show(photo, this.#sizes(pane));
    this.#lie(pane);
    this.#want();
    this.painted(pane);
    this.changed();
  }

  /**
   * What may be looked at next, soonest first; `frames` are those of the burst stood at, nearest first. Of what comes
   * `later` the larger pictures are only made.
   */
  expect(photos, frames, later = []) {
    this.expected = photos;
    this.frames = frames;
    this.later = later;
    this.#want();
  }

  clear() {
    this.zoom = this.standing = undefined;
    this.main.clear();
    this.expect([], []);
    this.changed();
  }

  // Zoom

  /** 100 % at the pointer, or the whole photo again; whether it has more pixels than are seen. */
  toggleZoom(pointer) {
    if (this.isZoomed) return this.#setZoom(undefined);
    const pane = this.#paneAt(pointer);
    if (!pane.picture || fitLevel(pane.place) >= 1) return false;
    return this.#setZoom(zoomedTo(pane.place, undefined, 1, pane.pointAt(pointer)));
  }

  zoomBy(factor, pointer) {
    const pane = this.#paneAt(pointer);
    if (!pane.picture) return;
    const level = (this.zoom?.level ?? fitLevel(pane.place)) * factor;
    this.#setZoom(zoomedTo(pane.place, this.zoom, level, pane.pointAt(pointer)));
  }

  pan(by) {
    if (this.isZoomed) this.#setZoom(panned(this.active.place, this.zoom, by));
  }

  /** The pixels that are looked at: {isThere, trouble} of the pane in hand, while it is zoomed. */
  get sharpness() {
    const { photo, picture } = this.active;
    const full = photo && this.renditions.find(photo, "full");
    return { isThere: Boolean(full && full.url === picture?.url), trouble: photo && this.renditions.trouble(photo, "full") };
  }

  #setZoom(zoom) {
    const wasZoomed = this.isZoomed;
    this.zoom = zoom;
    for (const pane of this.panes) this.#lie(pane);
    if (wasZoomed !== this.isZoomed) this.#want();
    this.#improve();
    this.changed();
    return true;
  }

  #paneAt(pointer) {
    const isOver = ({ node }) => pointer && node.contains(document.elementFromPoint(pointer.clientX, pointer.clientY));
    return [...this.panes].find((pane) => pane.photo && isOver(pane)) ?? this.active;
  }

  #lie(pane) {
    if (pane.photo) pane.lie(this.zoom);
    pane.node.classList.toggle("zoomed", this.isZoomed);
  }

  // Pictures

  #sizes(pane) {
    const seen = sizeFor(pane.room) === "dense" ? ["dense", "view"] : ["view"];
    return this.isZoomed ? ["full", ...seen] : seen;
  }

  #improve() {
    for (const pane of this.panes) {
      if (!pane.photo || !pane.improve(this.#sizes(pane))) continue;
      this.#lie(pane);
      this.painted(pane);
      this.changed();
    }
  }

  #want() {
    this.wishes = this.#wishes();
    const size = sizeFor(this.active.room);
    if (!isHurrying()) this.renditions.want([...this.wishes, ...this.later.map((photo) => ({ photo, size }))]);
    this.#plan();
  }

  /** What is seen comes first, and each photo once. */
  #wishes() {
    const seen = [this.active, ...this.panes].filter((pane) => pane.photo).map((pane) => pane.photo);
    const sharp = this.isZoomed ? [...seen, ...this.frames.slice(0, SHARP_FRAMES)] : [];
    const size = sizeFor(this.active.room);
    const wishes = [...sharp.map((photo) => ({ photo, size: "full" })), ...[...seen, ...this.expected].map((photo) => ({ photo, size }))];
    const first = new Map();
    for (const wish of wishes) if (!first.has(`${wish.photo.id} ${wish.size}`)) first.set(`${wish.photo.id} ${wish.size}`, wish);
    return [...first.values()];
  }

  #planned() {
    this.#plan();
    this.#improve(); // it may be decoded already: a small photo's preview is all there is
    this.changed();
  }

  /**
   * Stepping needs something of each photo: the nearest previews come before the rendition of what is seen, and there
   * are only previews of photos that fly by.
   */
  #plan() {
    const photos = [...new Set(this.wishes.map((wish) => wish.photo))];
    const previews = photos.map(previewOf);
    if (isHurrying()) return decodeAhead(previews.filter(({ url }) => url));
    const [inHand, ...others] = this.wishes.map(({ photo, size }) => this.renditions.find(photo, size));
    const shapes = [...previews.slice(0, NEAREST), inHand, ...previews.slice(NEAREST), ...others];
    decodeAhead(shapes.filter((shape) => shape?.url));
  }
}
