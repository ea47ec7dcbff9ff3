// Which photos of the gallery are selected: some by their numbers, or all that the list shows but some. No document here.

const MOST_NAMED = 1_000; // ids in one request

export class GallerySelection {
  /** Calls `changed()`. */
  constructor(changed) {
    this.changed = changed;
    this.#reset();
  }

  get isEmpty() {
    return !this.isAll && this.ids.size === 0;
  }

  has(id) {
    return this.isAll ? !this.spared.has(id) : this.ids.has(id);
  }

  /** `total`: how many the list has. */
  countOf(total) {
    return this.isAll ? Math.max(0, total - this.spared.size) : this.ids.size;
  }

  /** From this photo on, ranges reach. */
  toggle(id) {
    this.#mark([id], !this.has(id));
    this.anchor = id;
    this.before = this.#copy();
    this.changed();
  }

  /** `ids`, from the anchor to where the range ends now; what an earlier range had selected is let go. */
  reach(ids) {
    if (this.before) Object.assign(this, this.before, { before: this.#copyOf(this.before) });
    else this.before = this.#copy();
    this.#mark(ids, true);
    this.changed();
  }

  /** Ranges reach from here, though nothing is selected by that. */
  startAt(id) {
    this.anchor = id;
    this.before = this.#copy();
  }

  add(ids) {
    this.#mark(ids, true);
    this.before = this.#copy();
    this.changed();
  }

  selectAll() {
    this.#reset();
    this.isAll = true;
    this.changed();
  }

  clear() {
    if (this.isEmpty) return;
    this.#reset();
    this.changed();
  }

  /** To be kept over a reload; undefined for nothing. */
  get state() {
    const { isAll, ids, spared, anchor } = this;
    return this.isEmpty ? undefined : { isAll, ids: [...ids], spared: [...spared], anchor };
  }

  restore({ isAll, ids, spared, anchor }) {
    Object.assign(this, { isAll, ids: new Set(ids), spared: new Set(spared), anchor });
    this.before = this.#copy();
    this.changed();
  }

  /** As the server is told, and how many each part has; `query` is the address of the list, `total` its length. */
  parts(query, total) {
    if (this.isAll) return [{ selection: selectionOf(query), except: [...this.spared], count: this.countOf(total) }];
    const ids = [...this.ids];
    const starts = Array.from({ length: Math.ceil(ids.length / MOST_NAMED) }, (_, n) => n * MOST_NAMED);
    return starts.map((start) => ids.slice(start, start + MOST_NAMED)).map((part) => ({ ids: part, count: part.length }));
  }

  #reset() {
    Object.assign(this, { isAll: false, ids: new Set(), spared: new Set(), anchor: undefined, before: undefined });
  }

  #mark(ids, isSelected) {
    const kept = this.isAll ? this.spared : this.ids;
    for (const id of ids) {
      if (isSelected === this.isAll) kept.delete(id);
      else kept.add(id);
    }
  }

  #copy() {
    return this.#copyOf(this);
  }

  #copyOf({ isAll, ids, spared }) {
    return { isAll, ids: new Set(ids), spared: new Set(spared) };
  }
}

/** The list of this address as POST /api/decisions names it. */
function selectionOf(query) {
  const chosen = Object.fromEntries([...query].filter(([name]) => name !== "sort"));
  for (const name of ["import", "technical"]) if (name in chosen) chosen[name] = Number(chosen[name]);
  return { filter: "all", ...chosen };
}

/** Many photos as if they were one, for wishes and buttons: what all of `photos` are, they are. */
export function asOne(photos, name) {
  const [first] = photos;
  const all = (field) => photos.length > 0 && photos.every((photo) => photo[field]);
  const common = (field) => (first && photos.every((photo) => photo[field] === first[field]) ? first[field] : undefined);
  return {
    id: `many:${name}`,
    file_name: name,
    user_rating: common("user_rating") ?? null,
    project: common("project"),
    manual_match: all("manual_match"),
    rejected: all("rejected"),
    kept: all("kept"),
  };
}
