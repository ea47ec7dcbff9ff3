// What the address of the gallery says: which photos, in which order, and the one that the panel shows.

/** What of the address narrows the list, beside its filter. */
export const NARROWING = ["project", "import", "q", "content_type", "tag", "camera", "from", "to", "technical"];
const CHOOSING = ["filter", "sort", ...NARROWING];

/** Of the address, what chooses and orders photos. */
export function queryOfAddress() {
  const { searchParams } = new URL(location);
  return new URLSearchParams(CHOOSING.map((name) => [name, searchParams.get(name)]).filter(([, value]) => value));
}

const usualSort = (query) => (query.get("q")?.trim() ? "relevance" : "newest");
export const sortOf = (query) => query.get("sort") ?? usualSort(query);
export const filterOf = (query) => query.get("filter") ?? "all";
export const isNarrowed = (query) => NARROWING.some((name) => query.has(name));

/** Whether two addresses show the same photos, in whatever order. */
export const isSameList = (one, other) => ["filter", ...NARROWING].every((name) => one.get(name) === other.get(name));

/** Of every filter, with what narrows the list now. */
export const countsAddress = (query) => `/api/photos/counts?${only(query, NARROWING)}`;
export const facetsAddress = (query) => `/api/photos/facets?${only(query, ["filter", ...NARROWING])}`;

const only = (query, names) => new URLSearchParams([...query].filter(([name]) => names.includes(name)));

/** The address of another list: `query` with these changes. */
export function addressWith(query, changes) {
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value) next.set(name, value);
    else next.delete(name);
  }
  if (next.get("sort") === "relevance" && !next.has("q")) next.delete("sort");
  for (const [name, usual] of [["filter", "all"], ["sort", usualSort(next)]]) if (next.get(name) === usual) next.delete(name);
  return `/gallery${next.size ? `?${next}` : ""}`;
}

/** The photo of the panel; undefined for none. */
export const photoInAddress = () => Number(new URL(location).searchParams.get("photo")) || undefined;

/** An open panel is one entry to go back from, however many photos are shown in it. */
export function rememberPhoto(id, { isOpen }) {
  const url = new URL(location);
  url.searchParams.set("photo", id);
  if (isOpen) history.replaceState(history.state, "", url);
  else history.pushState({ isPanel: true }, "", url);
}

/** The panel was closed by hand: as if one had gone back, where one had come from the list. */
export function forgetPhoto() {
  const url = new URL(location);
  if (!url.searchParams.has("photo")) return;
  if (history.state?.isPanel) return history.back();
  url.searchParams.delete("photo");
  history.replaceState(history.state, "", url);
}
