// Whether a photo that was decided about still belongs to the list that shows it. Pure functions; no document here.

const HOLDS = {
  all: () => true,
  match: (photo) => photo.is_match,
  nomatch: (photo) => !photo.is_match,
  rated: (photo) => photo.user_rating !== null,
  unrated: (photo) => photo.user_rating === null,
  "for-projects": (photo) => photo.user_rating >= 4 && !photo.project,
  bursts: (photo) => Boolean(photo.burst),
};

/** `query` is the address of the list. What no decision can change is taken for granted. */
export function holds(query, photo) {
  const filter = query.get("filter") ?? "all";
  if (query.has("project") && photo.project !== query.get("project")) return false;
  if (filter === "failed") return true;
  if (filter === "rejected") return photo.rejected;
  return !photo.rejected && HOLDS[filter](photo);
}
