// Where the reader was in a list, for the way back to it and for a reload of the page.

const KEY = "places";
const MOST = 20; // lists

/**
 * `place` is {id, focusId, selection}: the photo at the top of the window, undefined at the top of the list; the one with
 * the focus; and what is selected. `query` is the address of the list.
 */
export function keepPlace(query, place) {
  const others = stored().filter(([list]) => list !== String(query));
  try {
    sessionStorage.setItem(KEY, JSON.stringify([...others.slice(-MOST), [String(query), place]]));
  } catch {
    sessionStorage.removeItem(KEY); // full: the way back leads to the top
  }
}

/** {} for a list that was never left. */
export const placeIn = (query) => stored().find(([list]) => list === String(query))?.[1] ?? {};

/** Whether the browser shows this page again, and no link led here. */
export function isReturning() {
  const [entry] = performance.getEntriesByType("navigation");
  return entry?.type === "reload" || entry?.type === "back_forward";
}

const stored = () => JSON.parse(sessionStorage.getItem(KEY)) ?? [];
