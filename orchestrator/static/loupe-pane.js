// One photo in the room there is for it: the sharpest picture that is decoded, laid where the zoom says.
import { decodedAt, pictureAt } from "./loupe-images.js";
import { boxOf } from "./loupe-zoom.js";

export class Pane {
  /** `find(photo, size)` is a rendition that is ready; calls `resized()` when the room is another. */
  constructor(node, { find, resized }) {
    this.node = node;
    this.find = find;
    this.sheet = document.createElement("div");
    this.sheet.className = "loupe-sheet";
    this.watch = new ResizeObserver(() => {
      this.measured = undefined;
      resized(this);
    });
    this.watch.observe(node);
  }

  /** Shows what is decoded of the photo, or fetches its preview; `sizes` are the renditions that would do, best first. */
  show(photo, sizes) {
    this.photo = photo;
    this.picture = this.shares = undefined;
    if (!photo.preview_url) return this.node.replaceChildren("No preview of this photo.");
    this.#lay(this.#best(sizes) ?? pictureAt(previewOf(photo)), []);
    if (this.sheet.parentNode !== this.node || this.node.childNodes.length > 1) this.node.replaceChildren(this.sheet);
    return undefined;
  }

  /** Lays a sharper picture over the one that is seen, when there is one; whether there was. */
  improve(sizes) {
    const better = this.picture && this.#best(sizes);
    if (!better || better.pixels <= this.picture.pixels) return false;
    this.#lay(better, [this.image]);
    return true;
  }

  /** Lays marks, an ImageBitmap, over the picture; `shares` of its pixels are marked. They go with the photo. */
  mark(bitmap, shares) {
    this.sheet.querySelector("canvas")?.remove();
    this.shares = shares;
    if (!bitmap) return;
    const canvas = document.createElement("canvas");
    canvas.className = "loupe-marks";
    [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
    canvas.getContext("bitmaprenderer").transferFromImageBitmap(bitmap);
    this.sheet.append(canvas);
  }

  clear() {
    this.photo = this.picture = undefined;
    this.sheet.replaceChildren();
    this.node.replaceChildren();
  }

  close() {
    this.watch.disconnect();
    this.clear();
  }

  get room() {
    this.measured ??= { width: this.node.clientWidth, height: this.node.clientHeight };
    return this.measured;
  }

  /** What the zoom needs to know: the room, the photo's own size, and how dense the screen is. */
  get place() {
    return { room: this.room, size: this.#size(), density: devicePixelRatio };
  }

  /** Puts the photo where the zoom says. */
  lie(zoom) {
    if (!this.picture) return;
    const box = boxOf(this.place, zoom);
    for (const [name, length] of Object.entries(box)) this.sheet.style[name] = `${length}px`;
  }

  /** A point of the page as one of the room; its middle when there is none, or it is elsewhere. */
  pointAt(pointer) {
    const { left, top, width, height } = this.node.getBoundingClientRect();
    const at = pointer && { left: pointer.clientX - left, top: pointer.clientY - top };
    const isInside = at && at.left >= 0 && at.top >= 0 && at.left <= width && at.top <= height;
    return isInside ? at : { left: width / 2, top: height / 2 };
  }

  #size() {
    const { photo } = this;
    const full = this.find(photo, "full");
    if (full) return { width: full.width, height: full.height };
    return { width: photo.width ?? photo.preview_width ?? 3, height: photo.height ?? photo.preview_height ?? 2 };
  }

  #best(sizes) {
    const found = [...sizes.map((size) => this.find(this.photo, size)), previewOf(this.photo)];
    return found.map((shape) => shape && decodedAt(shape.url)).find(Boolean);
  }

  /** The older one goes once the newer one is painted: nothing is to be seen in between. */
  #lay(picture, older) {
    this.picture = picture;
    this.image = imageFor(picture, this.photo, this.sheet);
    if (older.length) older.at(-1).after(this.image);
    else this.sheet.replaceChildren(this.image);
    afterNextFrame(() => older.forEach((image) => image !== this.image && image.remove()));
  }
}

export const previewOf = (photo) => ({ url: photo.preview_url, width: photo.preview_width, height: photo.preview_height });

/** An image can stand in one place only: in a second one a copy of it does. */
function imageFor({ image: kept, isDecoded, decoded }, photo, sheet) {
  const image = kept.isConnected && kept.parentNode !== sheet ? kept.cloneNode() : kept;
  image.className = "loupe-photo";
  image.alt = photo.subject ?? `Photo ${photo.file_name}`;
  const blur = !isDecoded && photo.placeholder;
  image.style.backgroundImage = blur ? `url("data:image/jpeg;base64,${photo.placeholder}")` : "";
  if (blur) decoded.then(() => (image.style.backgroundImage = ""));
  return image;
}

function afterNextFrame(work) {
  requestAnimationFrame(() => requestAnimationFrame(work));
}
