// The gallery: a list of photos whose state is in the address, live, and moved through by keyboard.
import { embedded, getJson, paced } from "./api.js";
import { Bursts } from "./bursts.js";
import { Deciding } from "./deciding.js";
import { Details } from "./details.js";
import { captureDay, count } from "./format.js";
import { addressWith, filterOf, forgetPhoto, isSameList, photoInAddress, queryOfAddress, rememberPhoto, sortOf } from "./gallery-address.js";
import { GalleryBulk } from "./gallery-bulk.js";
import { closeSheet, isSheetOpen, listenToControls, showControls, showEmpty, targetHeight } from "./gallery-controls.js";
import { GalleryCounts } from "./gallery-counts.js";
import { GalleryKeep } from "./gallery-keep.js";
import { listenToGalleryKeys } from "./gallery-keys.js";
import { GalleryLarge } from "./gallery-large.js";
import { isReturning, keepPlace, placeIn } from "./gallery-place.js";
import { attempt, retryBy } from "./gallery-trouble.js";
import { Grid } from "./grid.js";
import { lastEvent, onFrame, onReset } from "./live.js";
import { fetchByIds, PhotoStore } from "./photo-store.js";
import { placeLabel } from "./scroll-label.js";
import { starOf } from "./stars.js";
import { keep, rate } from "./wishes.js";

const LIVE_REST_MS = 500;
const MOST_ON_TOP = 300; // photos that come in one by one; for more of them the list begins anew

const part = (id) => document.getElementById(id);
const state = embedded("gallery-state");
const view = (photo) => {
  const seen = deciding.view(photo);
  return { ...seen, ...bulk.marksOf(seen) };
};
const bulk = new GalleryBulk({ list: () => ({ query, store, total: counts.total ?? store.total }), view, grid: () => grid, deciding: () => deciding });
const deciding = new Deciding({
  inHand: photoInHand,
  changed: showDecided,
  many: () => bulk.inHand(),
  works: (photos) => bulk.showWork(photos),
  settled: (body) => bulk.settled(body),
});
const keeping = new GalleryKeep({ store: () => store, deciding: () => deciding, inHand: photoInHand, many: () => bulk.inHand() });
const bursts = new Bursts({ inHand: photoInHand, remember: (...done) => deciding.remember(...done), closed: stripClosed });
const details = new Details(part("details"), { closed: detailsClosed, decide: (photo, wishFor) => keeping.decide(photo, wishFor), view });
const changed = new Set(); // ids that a frame named and that were not looked at yet
const waiting = new Map(); // photos that came in while the reader was further down

let query = queryOfAddress();
let store = new PhotoStore(query, { view, first: state.photos });
let grid = makeGrid();
const counts = new GalleryCounts({ query: () => query, told: () => bulk.selection.isEmpty || bulk.show() });
let focusedLast; // photo; undefined until one had the focus in this list
let newest = 0; // the highest id that the list had when it began

function makeGrid() {
  return new Grid(part("grid"), {
    target: targetHeight(),
    heading: (photo) => (sortOf(query) === "captured" ? (photo.captured_at ? captureDay(photo.captured_at) : "No capture date") : undefined),
    label: (segment, photo) => placeLabel(sortOf(query), segment, photo),
    wants: { more: loadMore, photos: fetchAgain, focused, opened },
  });
}

// The address

/** Shows another selection, and gives it an entry to go back from. */
function go(changes) {
  const address = addressWith(query, changes);
  if (address !== location.pathname + location.search) {
    leavePlace();
    history.pushState(null, "", address);
  }
  return load();
}

/** With `isBack`, the list stands where it was left. */
async function load({ isBack = false } = {}) {
  const wanted = queryOfAddress();
  large.close();
  if (!isSameList(wanted, query)) bulk.leave();
  query = wanted;
  showControls(query);
  bursts.showLine(filterOf(query) === "bursts");
  closeSheet();
  counts.begin();
  retryBy(load);
  const fresh = new PhotoStore(query, { view });
  await attempt(() => fresh.more());
  if (wanted !== query || !fresh.isLoaded) return;
  retryBy(() => grid.retry());
  store = fresh;
  focusedLast = undefined;
  waiting.clear();
  showPill();
  grid.show(store);
  scrollTo(0, 0);
  showEmpty(query, grid.isEmpty && store.isComplete);
  showPhotoOfAddress();
  await (isBack ? returnToPlace(placeIn(query)) : spanList());
}

/** One went back or forward within a list: the panel and the large photo are as they were. */
function showEntry() {
  if (!history.state?.isLarge) large.close();
  if (details.isOpen && photoInAddress()) rememberPhoto(details.id, details); // who went on in the large photo stays there
  else showPhotoOfAddress();
}

/** The panel is as the address says. */
function showPhotoOfAddress() {
  const id = photoInAddress();
  if (id) details.open(id, store.photos.get(id));
  else details.close();
}

// Loading

/** What is next of a segment; whether it came. */
async function loadMore(segment) {
  const from = store;
  const photos = await attempt(() => from.more(segment));
  if (from !== store || !photos) return false;
  grid.extend(segment);
  showEmpty(query, grid.isEmpty && store.isComplete);
  return true;
}

/** Lets one jump anywhere in the list; with a photo, loads what is around it. Whether the list has that one. */
async function spanList(around) {
  const from = store;
  const [anchored, first] = await Promise.all([attempt(() => from.anchor(around)), attempt(newestId)]);
  if (from !== store || !anchored) return false;
  newest = first ?? 0;
  if (anchored.begins) grid.show(store);
  else grid.span();
  while (anchored.segment && !store.known.has(around) && anchored.segment.next !== null) {
    if (!(await grid.load(anchored.segment)) || from !== store) return false;
  }
  return store.known.has(around);
}

/** What comes in later has a higher one. */
async function newestId() {
  if (sortOf(query) === "newest") return Math.max(0, ...store.segments[1].ids);
  const wanted = new URLSearchParams(query);
  wanted.set("sort", "newest");
  wanted.set("limit", 1);
  return (await getJson(`/api/photos?${wanted}`)).items[0]?.id;
}

/** Photos near the screen that have grown old. */
function fetchAgain(ids) {
  return attempt(() => refresh(store, ids));
}

/** Shows photos of the list as they are now. Those that were removed stay where they are until it is loaded again. */
async function refresh(from, ids) {
  const photos = await from.refresh(ids);
  const found = new Set(photos.map((photo) => photo.id));
  const gone = ids.filter((id) => !found.has(id) && from.photos.has(id)).map((id) => ({ ...from.photos.get(id), isGone: true }));
  from.put(gone);
  if (from !== store) return;
  grid.update([...photos, ...gone]);
  large.refresh();
}

/** Loads what is around a photo of the list; whether it is there. */
const find = async (id) => store.known.has(id) || spanList(id);

/** The list stands where it was left, with the focus if it had it. */
async function returnToPlace({ id, focusId }) {
  const from = store;
  const isThere = await spanList(id);
  if (from !== store) return;
  if (isThere) grid.scrollToPhoto(id);
  if (store.known.has(focusId)) grid.focus(focusId, { reveal: false });
}

function leavePlace() {
  keepPlace(query, { id: grid.firstVisibleId, focusId: focusedLast, selection: bulk.selection.state });
}

addEventListener("pagehide", leavePlace);
addEventListener("popstate", () => {
  if (String(queryOfAddress()) === String(query)) return showEntry();
  leavePlace();
  return load({ isBack: true });
});

// Live

const lookAtChanged = paced(async () => {
  const ids = [...changed];
  changed.clear();
  const from = store;
  const known = ids.filter((id) => from.photos.has(id));
  if (known.length) await refresh(from, known);
  const pulling = ids.filter((id) => details.stars.has(id));
  if (pulling.length) details.stars.decided(pulling, await fetchByIds(pulling));
  if (details.isOpen && ids.includes(details.id)) details.refresh();
  const photos = await from.newcomers(ids);
  if (from === store && photos.length) await welcome(photos);
  if (known.length) bulk.show(); // its buttons show what is selected
}, LIVE_REST_MS);

/** So much changed that nobody names it, every score perhaps: what is on screen is looked at, the rest once it is. */
const lookAtAll = paced(async () => {
  store.growOld();
  grid.renew();
  await details.refresh();
}, LIVE_REST_MS);

async function welcome(photos) {
  const here = photos.filter(isNew);
  if (here.length === 0) return;
  if (sortOf(query) === "newest" && grid.isAtTop && !details.isOpen) return putOnTop(here);
  here.forEach((photo) => waiting.set(photo.id, photo));
  // They belong somewhere in the middle: moving photos apart is for the reader to ask for.
  if (sortOf(query) !== "newest" && (grid.isEmpty || (grid.isAtTop && !hasAttention()))) return load();
  return showPill();
}

/** Others are in a part of the list that is not loaded, and come with it. */
function isNew(photo) {
  if (store.isComplete) return true;
  return photo.id > (sortOf(query) === "newest" && store.segments[1].ids.length ? Math.min(...store.segments[1].ids) : newest);
}

function hasAttention() {
  return details.isOpen || !bulk.selection.isEmpty || part("grid").contains(document.activeElement);
}

function putOnTop(photos) {
  const fresh = photos.filter((photo) => !store.known.has(photo.id)).sort((one, other) => other.id - one.id);
  if (store.head.ids.length + fresh.length > MOST_ON_TOP) return load();
  store.prepend(fresh);
  grid.prepend();
  return showEmpty(query, grid.isEmpty && store.isComplete);
}

function showPill() {
  part("pill").hidden = waiting.size === 0;
  part("pill").textContent = `↑ ${count(waiting.size)} new`;
}

function bringInWaiting() {
  const photos = [...waiting.values()];
  waiting.clear();
  showPill();
  scrollTo(0, 0);
  if (sortOf(query) === "newest") putOnTop(photos);
  else load();
}

// Focus and the panel

function focused(id) {
  focusedLast = id;
  large.show(id);
  if (details.isOpen) showDetails(id);
}

function opened(id, how) {
  if (how === "i" && details.isOpen && details.id === id) details.close();
  else showDetails(id);
}

function showDetails(id) {
  if (id === undefined) return undefined;
  rememberPhoto(id, details);
  return details.open(id, store.photos.get(id));
}

function detailsClosed() {
  forgetPhoto();
  if (!part("grid").contains(document.activeElement) && grid.focusId !== undefined) grid.focus(grid.focusId, { reveal: false });
}

function stripClosed(id, cameFrom) {
  grid.focus(store.known.has(id) ? id : cameFrom);
}

// Deciding

/** The photo that keys decide about: the focused card's, or the one in the panel. */
function photoInHand() {
  if (large.isOpen) return large.photo;
  if (part("grid").contains(document.activeElement)) {
    const photo = store.photos.get(grid.focusId);
    return photo && view(photo);
  }
  return isNobodyFocused() || part("details").contains(document.activeElement) ? details.inHand : undefined;
}

function showDecided(ids, items) {
  store.put(items);
  grid.update(ids.map((id) => store.photos.get(id)).filter(Boolean));
  details.decided(ids, items);
  large.refresh();
  if (!bulk.selection.isEmpty) bulk.show();
}

part("grid").addEventListener("click", (event) => {
  const photo = store.photos.get(Number(event.target.closest(".card")?.dataset.id));
  const star = photo && starOf(event, view(photo).user_rating);
  if (star !== undefined) deciding.decide(view(photo), (seen) => rate(seen, star));
});

// What pulled a score is a link, so that it can have a tab of its own; else it opens here.
part("details").addEventListener("click", (event) => {
  const pull = event.target.closest("a")?.closest(".pull");
  if (!pull || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  showDetails(Number(pull.dataset.id));
});

// The first key after the page opened: it finds the photos without a Tab.
const STARTING_KEYS = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Enter", "i"]);
// A click beside everything gives the focus to what holds it all.
const isNobodyFocused = () => [null, document.body, part("main")].includes(document.activeElement);

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || !isNobodyFocused() || !STARTING_KEYS.has(event.key) || grid.startId === undefined) return;
  event.preventDefault();
  grid.focus(grid.startId);
  if (!event.key.startsWith("Arrow")) opened(grid.focusId, event.key);
});

/** One thing at a time, the topmost first. */
function escape() {
  if (isSheetOpen()) closeSheet();
  else if (large.isOpen && (history.state?.isLarge || !details.isOpen)) large.leave();
  else if (details.isOpen) details.close();
  else if (!bulk.selection.isEmpty) bulk.clear();
  else return false;
  return true;
}

listenToGalleryKeys({ list: () => ({ store }), grid: () => grid, bulk, inHand: photoInHand, details, escape });
// After them: what one looks at closely is left first.
const large = new GalleryLarge({
  store: () => store, grid: () => grid, inHand: photoInHand,
  decide: (photo, wishFor) => keeping.decide(photo, wishFor), keepOnly: (photo, others) => deciding.keepOnly(photo, others),
  keepThis: (photo) => deciding.decide(photo, keep),
  selected: () => [...bulk.selection.ids],
  panel: () => opened(large.id, "i"), inPanel: () => details.shown,
});
part("pill").addEventListener("click", bringInWaiting);
listenToControls({ chosen: go, sized: () => grid.setTarget(targetHeight()) });

let isAll = false; // the reset that follows is about what a frame told already
onFrame((frame) => {
  isAll = Boolean(frame.all);
  if (isAll || frame.taste.length) lookAtAll(); // a re-score names no photos, and a large decision neither
  if (isAll) {
    counts.since = lastEvent();
    counts.ask();
  }
  if (frame.photos.length === 0) return;
  frame.photos.forEach((id) => changed.add(id));
  counts.since = lastEvent();
  lookAtChanged();
  counts.ask();
});
onReset(() => {
  if (isAll) return (isAll = false);
  if (grid.isAtTop && !hasAttention()) return load();
  lookAtAll(); // new photos come with the next load
  return counts.ask();
});
retryBy(() => grid.retry());

showControls(query);
bursts.showLine(filterOf(query) === "bursts");
grid.show(store);
showEmpty(query, grid.isEmpty && store.isComplete);
counts.begin();
deciding.start();
history.scrollRestoration = "manual"; // the browser cannot know how high the list will be
const place = isReturning() ? placeIn(query) : {};
const opening = photoInAddress();
if (place.selection) bulk.selection.restore(place.selection);
if (opening) {
  details.open(opening);
  find(opening).then((isThere) => isThere && grid.focus(opening));
} else {
  returnToPlace(place);
}
