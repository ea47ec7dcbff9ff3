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

/** Whether a decision, as it is sent, leaves a list with the photos it had. */
export function staysWhole(query, { action, ...body }) {
  const filter = query.get("filter") ?? "all";
  const asks = (...filters) => filters.includes(filter);
  if (action && !(action === "keep" && !asks("rejected"))) return false;
  if ("user_rating" in body && asks("rated", "unrated", "for-projects")) return false;
  if ("manual_match" in body && asks("match", "nomatch")) return false;
  if ("project" in body && (asks("for-projects") || query.has("project"))) return false;
  return !(("add_tags" in body || "remove_tags" in body) && (query.has("tag") || query.has("q")));
}

/** `query` is the address of the list. What no decision can change is taken for granted. */
export function holds(query, photo) {
  const filter = query.get("filter") ?? "all";
  if (query.has("project") && photo.project !== query.get("project")) return false;
  if (filter === "failed") return true;
  if (filter === "rejected") return photo.rejected;
  return !photo.rejected && HOLDS[filter](photo);
}
