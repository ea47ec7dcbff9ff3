// What a person can wish for a photo by a key, a click or a tap, and what it says. Pure functions; no document here.
//
// A wish is {body, words, nothing}: what the server is sent, what is said when it changes the photo, and what is said
// when it would change nothing.

export function rate(photo, stars) {
  return stars
    ? { body: { user_rating: stars }, words: `${starsOf(stars)} for ${photo.file_name}`, nothing: `${photo.file_name} has ${starsOf(stars)} already` }
    : { body: { user_rating: null }, words: `Cleared the stars of ${photo.file_name}`, nothing: `${photo.file_name} has no stars` };
}

export function togglePick(photo) {
  return photo.manual_match
    ? { body: { manual_match: false }, words: `Took the pick from ${photo.file_name}` }
    : { body: { manual_match: true }, words: `Picked ${photo.file_name}` };
}

export function keep(photo) {
  return { body: { action: "keep" }, words: `Kept ${photo.file_name}`, nothing: `${photo.file_name} is kept already` };
}

export function toggleReject(photo) {
  return photo.rejected
    ? { body: { action: "restore" }, words: `Restored ${photo.file_name}` }
    : { body: { action: "reject" }, words: `Rejected ${photo.file_name}` };
}

/** Clears pick and reject, never the stars. */
export function clearFlags(photo) {
  return {
    body: { manual_match: false, action: "restore" },
    words: `Cleared pick and reject of ${photo.file_name}`,
    nothing: `${photo.file_name} is neither picked nor rejected`,
  };
}

/** These tags, or with null those that were suggested. */
export function retag(photo, tags) {
  const [before, after] = [new Set(photo.tags), new Set(tags)];
  const [taken, added] = [photo.tags.filter((tag) => !after.has(tag)), (tags ?? []).filter((tag) => !before.has(tag))];
  return { body: { tags }, words: wordsOfTags(photo.file_name, tags, taken, added), nothing: `${photo.file_name} has these tags already` };
}

/** These tags beside those that each photo has. */
export function addTags(photo, tags) {
  return { body: { add_tags: tags }, words: `Tagged ${photo.file_name}: ${tags.join(", ")}` };
}

export function takeTags(photo, tags) {
  return { body: { remove_tags: tags }, words: `Took the tag ${tags.join(", ")} from ${photo.file_name}` };
}

function wordsOfTags(name, tags, taken, added) {
  if (tags === null) return `Tags as suggested for ${name}`;
  return added.length ? `Tagged ${name}: ${added.join(", ")}` : `Took ${taken.join(", ")} from the tags of ${name}`;
}

/** What `body` changes about the photo, as the server will say it too: {} when nothing. */
export function changesOf(photo, body) {
  const after = {};
  if ("user_rating" in body) after.user_rating = body.user_rating;
  if ("manual_match" in body) after.manual_match = body.manual_match;
  if ("project" in body) after.project = body.project;
  if ("tags" in body) after.tags = body.tags ?? photo.description?.suggested_tags ?? [];
  if (body.user_rating || body.manual_match || body.action === "keep") after.kept = true;
  if (body.action) after.rejected = body.action === "reject";
  if (body.action === "keep") after.rejected = false;
  // Whether its score alone makes an unpicked photo a match is for the server to say.
  if ("manual_match" in after && after.manual_match !== photo.manual_match) after.is_match = after.manual_match;
  return Object.fromEntries(Object.entries(after).filter(([name, value]) => photo[name] !== value));
}

const starsOf = (n) => `${n} ${n === 1 ? "star" : "stars"}`;
