// The photos of a project in rows; dragging, arrow buttons and Shift with an arrow key put them in another order.

const MOVES = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };

export class PlacedPhotos {
  /** Calls `moved(photo, idsBefore)` when a photo has another place, and `chosen(photo)` when it is to be the cover. */
  constructor(list, template, tell) {
    this.list = list;
    this.template = template;
    this.tell = tell;
    this.photos = new Map(); // id -> photo
    list.addEventListener("click", (event) => this.#click(event));
    list.addEventListener("keydown", (event) => this.#key(event));
    list.addEventListener("dragstart", (event) => this.#lift(event));
    list.addEventListener("dragover", (event) => this.#over(event));
    list.addEventListener("drop", (event) => this.#drop(event));
    list.addEventListener("dragend", () => this.#unmark("dragged"));
  }

  get ids() {
    return [...this.list.children].map(idOf);
  }

  placeOf(id) {
    return this.ids.indexOf(id) + 1;
  }

  add(photos) {
    const added = photos.filter((photo) => !this.photos.has(photo.id));
    for (const photo of added) this.photos.set(photo.id, photo);
    this.list.append(...added.map((photo) => this.#make(photo)));
    this.#mark();
  }

  /** Brings the photos into this order. */
  arrange(ids) {
    const nodes = new Map([...this.list.children].map((node) => [idOf(node), node]));
    this.list.append(...ids.map((id) => nodes.get(id)).filter(Boolean));
    this.#mark();
  }

  /** `address(id)`: where a photo is shown large. */
  link(address) {
    for (const node of this.list.children) node.querySelector(".picture").href = address(idOf(node));
  }

  /** Undefined: the first photo. */
  showCover(id) {
    this.coverId = id;
    this.#mark();
  }

  #make(photo) {
    const node = this.template.content.firstElementChild.cloneNode(true);
    node.dataset.id = photo.id;
    node.draggable = true;
    node.style.setProperty("--shape", shapeOf(photo));
    const link = node.querySelector(".picture");
    link.title = photo.file_name;
    link.draggable = false; // the photo is dragged, not its address
    if (photo.placeholder) link.style.backgroundImage = `url("data:image/jpeg;base64,${photo.placeholder}")`;
    const picture = node.querySelector("img");
    picture.alt = photo.subject ?? photo.file_name;
    if (photo.thumbnail_url) picture.src = photo.thumbnail_url;
    node.querySelector(".earlier").setAttribute("aria-label", `Move ${photo.file_name} earlier`);
    node.querySelector(".later").setAttribute("aria-label", `Move ${photo.file_name} later`);
    node.querySelector(".cover-button").setAttribute("aria-label", `Cover: use ${photo.file_name}`);
    return node;
  }

  #mark() {
    const nodes = [...this.list.children];
    const coverId = nodes.some((node) => idOf(node) === this.coverId) ? this.coverId : nodes[0] && idOf(nodes[0]);
    for (const [n, node] of nodes.entries()) {
      node.querySelector(".is-cover").hidden = idOf(node) !== coverId;
      // Not disabled: the focus would be lost when a photo arrives at an end.
      node.querySelector(".earlier").setAttribute("aria-disabled", String(n === 0));
      node.querySelector(".later").setAttribute("aria-disabled", String(n === nodes.length - 1));
    }
  }

  #click(event) {
    const node = event.target.closest(".placed");
    if (event.target.closest(".earlier")) this.#step(node, -1);
    if (event.target.closest(".later")) this.#step(node, 1);
    if (event.target.closest(".cover-button")) this.tell.chosen(this.photos.get(idOf(node)));
  }

  #key(event) {
    const step = event.shiftKey && !event.ctrlKey && !event.metaKey && !event.altKey ? MOVES[event.key] : undefined;
    if (!step) return;
    event.preventDefault();
    this.#step(event.target.closest(".placed"), step);
  }

  #step(node, step) {
    const nodes = [...this.list.children];
    const place = nodes.indexOf(node) + step;
    if (place < 0 || place >= nodes.length) return;
    this.#put(node, nodes[place], step > 0);
  }

  #put(node, beside, isBehind) {
    const before = this.ids;
    const focused = node.contains(document.activeElement) ? document.activeElement : undefined;
    if (isBehind) beside.after(node);
    else beside.before(node);
    focused?.focus(); // a node that is moved loses it
    node.scrollIntoView({ block: "nearest" });
    this.#mark();
    if (this.ids.some((id, n) => id !== before[n])) this.tell.moved(this.photos.get(idOf(node)), before);
  }

  #lift(event) {
    this.lifted = event.target.closest(".placed");
    this.lifted.classList.add("dragged");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", this.photos.get(idOf(this.lifted)).file_name);
  }

  #over(event) {
    const node = event.target.closest(".placed");
    if (!this.lifted || !node) return;
    event.preventDefault();
    this.#unmark("drop-before", "drop-after");
    if (node !== this.lifted) node.classList.add(isRightHalf(node, event) ? "drop-after" : "drop-before");
  }

  #drop(event) {
    const node = event.target.closest(".placed");
    if (!this.lifted || !node) return;
    event.preventDefault();
    const { lifted } = this;
    this.#unmark("dragged");
    if (node !== lifted) this.#put(lifted, node, isRightHalf(node, event));
  }

  #unmark(...names) {
    if (names.includes("dragged")) this.lifted = undefined;
    for (const node of this.list.children) node.classList.remove("drop-before", "drop-after", ...names);
  }
}

const idOf = (node) => Number(node.dataset.id);

function isRightHalf(node, event) {
  const { left, width } = node.getBoundingClientRect();
  return event.clientX > left + width / 2;
}

function shapeOf({ preview_width: width, preview_height: height }) {
  return (width && height ? Math.min(3, Math.max(0.5, width / height)) : 1.5).toFixed(4);
}
