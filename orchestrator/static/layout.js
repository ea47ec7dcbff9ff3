// Justified rows: photos keep their shape, rows keep the width. Pure functions; no document here.

const NARROWEST = 0.4;
const WIDEST = 4;
const LOWEST_ROW = 0.45; // of the height that is wanted
const HIGHEST_ROW = 1.7; // what is higher rather leaves a part of its width empty

/** Width over height as the grid shows it; photos without a preview get the shape of most photographs. */
export function shapeOf(item) {
  const width = item.preview_width ?? item.width;
  const height = item.preview_height ?? item.height;
  return width && height ? Math.min(WIDEST, Math.max(NARROWEST, width / height)) : 1.5;
}

/**
 * Rows of `items` ({id, shape, heading}); a heading that differs from the one before starts a row of its own kind.
 * `under` is the heading that the items already stand under. `continues`: more photos follow, so that the last row is
 * to fill the width as all others do.
 * Each row: {kind: "photos", height, cells: [{id, width}]} or {kind: "heading", height, text}.
 */
export function justify(items, { width, target, gap, caption, headingHeight, under, continues = false }) {
  const rows = [];
  const groups = groupsOf(items);
  for (const [n, group] of groups.entries()) {
    const { heading } = group[0];
    if (heading !== (n ? groups[n - 1][0].heading : under) && heading) rows.push({ kind: "heading", height: headingHeight, text: heading });
    const fills = continues && n === groups.length - 1;
    for (const { cells, height } of brokenInto(group, { width, target, gap, fills })) {
      rows.push({ kind: "photos", height: height + caption, cells: cells.map((item) => ({ id: item.id, width: item.shape * height })) });
    }
  }
  return rows;
}

/** Items with the same heading, as they follow each other. */
function groupsOf(items) {
  const groups = [];
  for (const item of items) {
    if (groups.length && groups.at(-1)[0].heading === item.heading) groups.at(-1).push(item);
    else groups.push([item]);
  }
  return groups;
}

/** The rows whose heights are nearest to the target, all in all. */
function brokenInto(items, { width, target, gap, fills }) {
  const best = [{ cost: 0 }]; // by how many items are in rows
  for (let end = 1; end <= items.length; end += 1) {
    best[end] = { cost: Infinity };
    let shapes = 0;
    for (let start = end - 1; start >= 0; start -= 1) {
      shapes += items[start].shape;
      const filling = (width - gap * (end - start - 1)) / shapes;
      if (filling < target * LOWEST_ROW && start < end - 1) break;
      const isLast = end === items.length;
      const isRagged = filling > target && isLast && (!fills || filling > target * HIGHEST_ROW);
      const height = isRagged || filling > target * 3 ? target : filling;
      const cost = best[start].cost + (isRagged && !fills ? 0 : Math.log(filling / target) ** 2);
      if (cost < best[end].cost) best[end] = { cost, start, height };
    }
  }
  const rows = [];
  for (let end = items.length; end > 0; end = best[end].start) rows.push({ cells: items.slice(best[end].start, end), height: best[end].height });
  return rows.reverse();
}

/** As `justify`, for photos that came in on top: rows fill from the last, so that what is below never moves apart. */
export function justifyUpwards(items, options) {
  const rows = justify([...items].reverse(), options);
  for (const row of rows) row.cells.reverse();
  return rows.reverse();
}

/** Gives every row its `top`, from `start` on; returns where the next one would stand. */
export function stack(rows, gap, start = 0) {
  let top = start;
  for (const row of rows) {
    row.top = top;
    top += row.height + gap;
  }
  return top;
}

/** Of things with `top` and `height`, one below the other, the place of the first that ends below `y`. */
export function placeAt(things, y) {
  let low = 0;
  let high = things.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (things[middle].top + things[middle].height <= y) low = middle + 1;
    else high = middle;
  }
  return low;
}
