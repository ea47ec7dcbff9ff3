// Moving the focus of the grid by keyboard, also to photos that are not loaded yet.

const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1, PageUp: -1, PageDown: 1, Home: 1, End: -1 };

export class GridKeys {
  constructor(grid) {
    this.grid = grid;
  }

  moves(key) {
    return key in STEPS && this.grid.rows.of.has(this.grid.focusId);
  }

  /** Of two keys at once, the last one counts. */
  async move(key) {
    const move = (this.latest = Symbol(key));
    let target = this.#target(key);
    while (target?.kind === "waiting") {
      if (key === "Home" || key === "End") this.grid.scrollTo(key === "Home" ? 0 : this.grid.rows.height);
      if (!(await this.grid.load(target.segment)) || move !== this.latest) return;
      target = this.#target(key);
    }
    if (target !== undefined) this.grid.focus(target);
  }

  /** The id of the photo that a key leads to; the row of those that have to be loaded first; undefined for none. */
  #target(key) {
    const { rows, focusId } = this.grid;
    const row = rows.of.get(focusId);
    if (!row) return undefined;
    const step = STEPS[key];
    if (key === "Home" || key === "End") return this.#endOf(rows.end(step), step);
    if (key === "ArrowUp" || key === "ArrowDown") return this.#beside(row, rows.next(row, step));
    if (key === "PageUp" || key === "PageDown") return this.#beside(row, this.#aWindowAway(row, step));
    const column = row.cells.findIndex((cell) => cell.id === focusId);
    return row.cells[column + step]?.id ?? this.#endOf(rows.next(row, step), step);
  }

  #endOf(row, step) {
    return row?.cells ? row.cells.at(step > 0 ? 0 : -1).id : row;
  }

  #beside(row, other) {
    return other?.cells ? this.grid.rows.beside(row, this.grid.focusId, other) : other;
  }

  #aWindowAway(row, step) {
    const { rows, visibleHeight } = this.grid;
    const y = rows.topOf(row) + row.height / 2 + step * visibleHeight * 0.9;
    const there = [...rows.between(y, y + visibleHeight)].find((other) => other.kind !== "heading");
    const isBeyond = step > 0 ? there === undefined : y < 0;
    const found = isBeyond ? rows.end(-step) : there;
    return found === row ? (rows.next(row, step) ?? row) : found;
  }
}
