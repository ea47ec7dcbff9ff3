// Justified rows: photos keep their shape, rows keep the width. Pure functions; no document here.

const NARROWEST = 0.4;
const WIDEST = 4;

/** Width over height as the grid shows it; photos without a preview get the shape of most photographs. */
export function shapeOf(item) {
  const width = item.preview_width ?? item.width;
  const height = item.preview_height ?? item.height;
  return width && height ? Math.min(WIDEST, Math.max(NARROWEST, width / height)) : 1.5;
}

/**
 * Rows of `items` ({id, shape, heading}); a heading that differs from the one before starts a row of its own kind.
 * `under` is the heading that the items already stand under.
 * Each row: {kind: "photos", height, cells: [{id, width}]} or {kind: "heading", height, text}.
 */
export function justify(items, { width, target, gap, caption, headingHeight, under }) {
  const rows = [];
  let open = [];
  let shapes = 0;
  let heading = under;

  const close = (height) => {
    if (open.length === 0) return;
    rows.push({ kind: "photos", height: height + caption, cells: open.map((item) => ({ id: item.id, width: item.shape * height })) });
    open = [];
    shapes = 0;
  };
  const heightOf = (count, sum) => (width - gap * (count - 1)) / sum;

  for (const item of items) {
    if (item.heading !== heading) {
      close(Math.min(target, heightOf(open.length, shapes)));
      heading = item.heading;
      if (heading) rows.push({ kind: "heading", height: headingHeight, text: heading });
    }
    open.push(item);
    shapes += item.shape;
    const height = heightOf(open.length, shapes);
    if (height > target) continue;
    // The last photo makes the row lower than wanted: without it the row may be nearer to the target.
    const without = heightOf(open.length - 1, shapes - item.shape);
    if (open.length > 1 && without - target < target - height) {
      open.pop();
      close(without);
      open = [item];
      shapes = item.shape;
      if (heightOf(1, shapes) <= target) close(heightOf(1, shapes));
    } else {
      close(height);
    }
  }
  close(Math.min(target, heightOf(open.length, shapes)));
  return rows;
}

/** As `justify`, for photos that came in on top: rows fill from the last, so that what is below never moves apart. */
export function justifyUpwards(items, options) {
  const rows = justify([...items].reverse(), options);
  for (const row of rows) row.cells.reverse();
  return rows.reverse();
}

/** Gives every row its `top`, from `start` on; returns where the last one ends. */
export function stack(rows, gap, start = 0) {
  let top = start;
  for (const row of rows) {
    row.top = top;
    top += row.height + gap;
  }
  return Math.max(start, top - gap);
}

/** The first row that ends below `y`. */
export function rowAt(rows, y) {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle].top + rows[middle].height <= y) low = middle + 1;
    else high = middle;
  }
  return low;
}
