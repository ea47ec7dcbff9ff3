// The gallery: a list of photos whose state is in the address, live, and moved through by keyboard.
import { embedded, getJson, paced, Refusal } from "./api.js";
import { Bursts } from "./bursts.js";
import { Deciding } from "./deciding.js";
import { Details } from "./details.js";
import { captureDay, count, plural } from "./format.js";
import { CHOOSING, closeSheet, filterOf, listenToControls, showControls, showEmpty, sortOf, summaryOf, targetHeight, usualSort } from "./gallery-controls.js";
import { Grid } from "./grid.js";
import { lastEvent, onFrame, onReset, onState } from "./live.js";
import { fetchByIds, PhotoStore } from "./photo-store.js";
import { starOf } from "./stars.js";
import { rate } from "./wishes.js";

const LIVE_REST_MS = 500;
const MOST_PAGES_TO_FIND = 20;
const COUNT_REST_MS = 1000;

const part = (id) => document.getElementById(id);
const state = embedded("gallery-state");
const deciding = new Deciding({ inHand: photoInHand, changed: showDecided });
const bursts = new Bursts({ inHand: photoInHand, remember: (...done) => deciding.remember(...done), closed: stripClosed });
const view = (photo) => deciding.view(photo);
const details = new Details(part("details"), { closed: detailsClosed, decide: (photo, wishFor) => deciding.decide(photo, wishFor), view });
const changed = new Set(); // ids that a frame named and that were not looked at yet
let changedAt = 0; // the last event that named photos
const waiting = new Map(); // photos that came in while the reader was further down

let query = queryOf(new URL(location));
let store = new PhotoStore(query, { view, first: state.photos });
let grid = makeGrid();
let loading;
let again = loadMore; // what "Try again" does

function makeGrid() {
  return new Grid(part("grid"), {
    target: targetHeight(),
    heading: (photo) => (sortOf(query) === "captured" ? (photo.captured_at ? captureDay(photo.captured_at) : "No capture date") : undefined),
    wants: { more: loadMore, photos: fetchAgain, focused, opened },
  });
}

// The address

/** Of an address, what chooses and orders photos. */
function queryOf(url) {
  const chosen = new URLSearchParams();
  for (const name of CHOOSING) {
    const value = url.searchParams.get(name);
    if (value) chosen.set(name, value);
  }
  return chosen;
}

/** Shows another selection, and gives it an entry to go back from. */
function go(changes) {
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value) next.set(name, value);
    else next.delete(name);
  }
  if (next.get("sort") === "relevance" && !next.has("q")) next.delete("sort");
  for (const [name, usual] of [["filter", "all"], ["sort", usualSort(next)]]) if (next.get(name) === usual) next.delete(name);
  const address = `/gallery${next.size ? `?${next}` : ""}`;
  if (address !== location.pathname + location.search) history.pushState(null, "", address);
  return load();
}

async function load() {
  const wanted = (query = queryOf(new URL(location)));
  showControls(query);
  bursts.showLine(filterOf(query) === "bursts");
  closeSheet();
  again = load;
  const fresh = new PhotoStore(query, { view });
  await attempt(() => fresh.more());
  if (wanted !== query || fresh.next === undefined) return;
  again = loadMore;
  store = fresh;
  loading = undefined;
  waiting.clear();
  showPill();
  grid.show(store);
  scrollTo(0, 0);
  showEmpty(query, grid.isEmpty && store.isComplete);
  refreshCounts();
  const open = Number(new URL(location).searchParams.get("photo"));
  if (open) details.open(open);
  else details.close();
}

function rememberPhoto(id) {
  const url = new URL(location);
  if (id === undefined) url.searchParams.delete("photo");
  else url.searchParams.set("photo", id);
  history.replaceState(history.state, "", url);
}

// Loading

async function loadMore() {
  if (loading || store.isComplete) return;
  const from = store;
  loading = attempt(() => from.more());
  const photos = await loading;
  loading = undefined;
  if (from !== store || !photos) return;
  from.forgetUnused();
  grid.append(photos);
  showEmpty(query, grid.isEmpty && store.isComplete);
}

/** Photos that were dropped from memory and are near the screen again. */
async function fetchAgain(ids) {
  const photos = await attempt(() => store.refresh(ids));
  if (photos) grid.update(photos);
}

async function attempt(work) {
  part("trouble").hidden = true;
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    part("trouble-text").textContent = error.message;
    part("trouble").hidden = false;
    return undefined;
  }
}

/** Loads pages until the photo is among them, within reason; whether it is. */
async function find(id) {
  for (let pages = 0; pages < MOST_PAGES_TO_FIND && !store.known.has(id) && !store.isComplete; pages += 1) {
    await (loading ?? loadMore());
    if (!part("trouble").hidden) break;
  }
  return store.known.has(id);
}

/** After a reload or on the way back, the list stands where it was left. */
async function returnToPlace() {
  const { address, id } = JSON.parse(sessionStorage.getItem("place") ?? "{}");
  const [entry] = performance.getEntriesByType("navigation");
  const isReturning = entry?.type === "reload" || entry?.type === "back_forward";
  if (isReturning && id && address === location.pathname + location.search && (await find(id))) grid.scrollToPhoto(id);
}

addEventListener("pagehide", () => {
  sessionStorage.setItem("place", JSON.stringify({ address: location.pathname + location.search, id: grid.firstVisibleId }));
});

// Live

const lookAtChanged = paced(async () => {
  const ids = [...changed];
  changed.clear();
  const from = store;
  const known = ids.filter((id) => from.photos.has(id));
  if (known.length) grid.update(await from.refresh(known));
  const pulling = ids.filter((id) => details.stars.has(id));
  if (pulling.length) details.stars.decided(pulling, await fetchByIds(pulling));
  if (details.isOpen && ids.includes(details.id)) details.refresh();
  const photos = await from.newcomers(ids);
  if (from === store && photos.length) await welcome(photos);
}, LIVE_REST_MS);

/** So much changed that nobody names it, every score perhaps: what is on screen is looked at, the rest once it is. */
const lookAtAll = paced(async () => {
  store.growOld();
  grid.renew();
  await details.refresh();
}, LIVE_REST_MS);

async function welcome(photos) {
  const here = photos.filter(belongsInLoadedPart);
  if (here.length === 0) return;
  if (sortOf(query) !== "newest") {
    // They belong somewhere in the middle: moving photos apart is for the reader to ask for.
    here.forEach((photo) => waiting.set(photo.id, photo));
    if (grid.isEmpty || (grid.isAtTop && !hasAttention())) return load();
    return showPill();
  }
  if (grid.isAtTop && !details.isOpen) return putOnTop(here);
  here.forEach((photo) => waiting.set(photo.id, photo));
  return showPill();
}

/** Others come with a later page. */
function belongsInLoadedPart(photo) {
  return sortOf(query) !== "newest" || store.isComplete || photo.id > Math.min(...store.order.slice(-200));
}

function hasAttention() {
  return details.isOpen || part("grid").contains(document.activeElement);
}

function putOnTop(photos) {
  const fresh = photos.filter((photo) => !store.known.has(photo.id)).sort((one, other) => other.id - one.id);
  store.prepend(fresh);
  grid.prepend(fresh);
  showEmpty(query, grid.isEmpty && store.isComplete);
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

const refreshCounts = paced(async () => {
  const project = query.get("project");
  const counts = await getJson(`/api/photos/counts${project ? `?project=${encodeURIComponent(project)}` : ""}`);
  for (const link of document.querySelectorAll("[data-filter]")) {
    link.querySelector(".number").textContent = count(counts[link.dataset.filter]);
  }
  // The server keeps counts for a while; it says what they do not know yet.
  if (counts.as_of_event < changedAt) setTimeout(refreshCounts, COUNT_REST_MS);
  part("summary").textContent = summaryOf(query) ?? plural(counts[filterOf(query)], "photo");
}, COUNT_REST_MS);

// Focus and the panel

function focused(id) {
  if (details.isOpen) showDetails(id);
}

function opened(id, how) {
  if (how === "i" && details.isOpen && details.id === id) details.close();
  else showDetails(id);
}

function showDetails(id) {
  if (id === undefined) return;
  rememberPhoto(id);
  details.open(id);
}

function detailsClosed() {
  rememberPhoto(undefined);
  if (!part("grid").contains(document.activeElement) && grid.focusId !== undefined) grid.focus(grid.focusId, { reveal: false });
}

function stripClosed(id, cameFrom) {
  grid.focus(store.known.has(id) ? id : cameFrom);
}

// Deciding

/** The photo that keys decide about: the focused card's, or the one in the panel. */
function photoInHand() {
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
const isNobodyFocused = () => [null, document.body].includes(document.activeElement);

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    closeSheet();
    details.close();
  } else if (isNobodyFocused() && STARTING_KEYS.has(event.key) && grid.focusId !== undefined) {
    event.preventDefault();
    grid.focus(grid.focusId);
    if (!event.key.startsWith("Arrow")) opened(grid.focusId, event.key);
  }
});
part("pill").addEventListener("click", bringInWaiting);
part("retry").addEventListener("click", () => again());
addEventListener("popstate", load);
listenToControls({ chosen: go, sized: () => grid.setTarget(targetHeight()) });

onFrame((frame) => {
  if (frame.taste.length) lookAtAll(); // a re-score names no photos
  if (frame.photos.length === 0) return;
  frame.photos.forEach((id) => changed.add(id));
  changedAt = lastEvent();
  lookAtChanged();
  refreshCounts();
});
onReset(() => {
  if (grid.isAtTop && !hasAttention()) return load();
  lookAtAll(); // new photos come with the next load
  return refreshCounts();
});
onState((isDown) => {
  if (!isDown && !part("trouble").hidden) part("retry").click();
});

showControls(query);
bursts.showLine(filterOf(query) === "bursts");
grid.show(store);
showEmpty(query, grid.isEmpty && store.isComplete);
refreshCounts();
deciding.start();
history.scrollRestoration = "manual"; // the browser cannot know how high the list will be
const opening = Number(new URL(location).searchParams.get("photo"));
if (opening) {
  details.open(opening);
  find(opening).then((isThere) => isThere && grid.focus(opening));
} else {
  returnToPlace();
}
