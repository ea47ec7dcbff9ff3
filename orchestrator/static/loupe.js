// The loupe: one photo after another in the frozen order of a pass, decided about by key, button or swipe.
import { embedded, paced } from "./api.js";
import { decidedBadges } from "./badges.js";
import { burstName } from "./burst-badge.js";
import { NOT_FETCHED } from "./burst-photos.js";
import { DecisionBar } from "./decision-bar.js";
import { Details } from "./details.js";
import { count } from "./format.js";
import { onKeys } from "./keys.js";
import { onFrame } from "./live.js";
import { LoupeDeciding } from "./loupe-deciding.js";
import { showEnd } from "./loupe-end.js";
import { Looking } from "./loupe-looking.js";
import { Filmstrip } from "./loupe-filmstrip.js";
import { listenToOrder } from "./loupe-order.js";
import { Pass } from "./loupe-pass.js";
import { isDecided, LoupePhotos } from "./loupe-photos.js";
import { rivalsOf } from "./loupe-rivals.js";
import { announce, flash } from "./loupe-said.js";
import { isHurrying, isTooFast, onRest } from "./loupe-timing.js";
import { isHelpOpen, listenToTools, rememberPlace, toggleFull, toggleHelp } from "./loupe-tools.js";
import { listenToSwipes } from "./loupe-touch.js";
import { attempt, forgetTrouble, isInTrouble } from "./loupe-trouble.js";
import { preferences } from "./preferences.js";
import { say } from "./toast.js";
import { keep, togglePick, toggleReject } from "./wishes.js";

const AHEAD = 3; // photos that are decoded, in both directions
const END_REST_MS = 2000;
const ASKED_AHEAD = 12; // photos whose larger pictures are asked for, the way one goes

const part = (id) => document.getElementById(id);
const { kind } = embedded("loupe-state");
const view = (photo) => deciding.view(photo);
const photos = new LoupePhotos({ view, changed: changedElsewhere, removed: removedElsewhere });
const deciding = new LoupeDeciding({ inHand, changed: showDecided, decided, returnTo });
const bar = new DecisionBar(document.querySelector(".loupe-decide .decision-bar"), decide);
const looking = new Looking({ rivals, stand, get: (id) => photos.get(id), keep: () => keepThis(), keepOnly });
const filmstrip = new Filmstrip(photos, { go, show, words: kind === "rate" ? "Like it" : "" });
const details = new Details(part("details"), { closed: () => {}, decide, view });

let pass;
let place; // where one stands
let aim; // where one is going; the same once the photo is there
let shownId;
let isAtEnd = false;
let framesComing; // a promise: the frames of the bursts stood at so far
let heading = 1; // or -1: the way one goes

const shown = () => (shownId === undefined ? undefined : photos.get(shownId));

/** The photo that keys decide about: never one that is not seen yet, or no more. Says why when there is none. */
function inHand() {
  const isThere = !isAtEnd && aim === place;
  const photo = details.stars.inHand ?? (isThere ? shown() : undefined);
  if (!photo && pass) flash(isAtEnd ? "There is no photo here" : "Not decided: the photo is still on its way");
  return photo;
}

function decide(photo, wishFor) {
  deciding.decide(photo, wishFor);
}

// Moving

async function start() {
  await deciding.sent(); // what the last page decided counts for where one goes on
  const opened = await attempt(() => Pass.open(kind, (told) => photos.put(told), pass), start);
  if (!opened) return;
  pass = opened.pass;
  const query = new URL(location).searchParams;
  const isSame = Number(query.get("of")) === pass.id;
  await go(isSame ? Number(query.get("at")) || opened.position : opened.position);
}

/** In the order that is preferred now; or at this place, with the photos that came since. */
async function startAnew(at) {
  history.replaceState(null, "", `/review?pass=${kind}${at ? `&of=${pass.id}&at=${at}` : ""}`);
  photos.forgetPlaces();
  await start();
}

/** Goes to a place; past the last is the end. Over photos that were removed it goes on by `step`. */
async function go(to, { step = 1, frame } = {}) {
  if (!pass || to < 1) return;
  aim = to;
  forgetTrouble();
  if (to > pass.n) return end();
  const stop = pass.seen(to) ?? (await attempt(() => pass.stop(to), () => go(to, { step, frame })));
  if (aim !== to || isInTrouble()) return;
  if (!stop) return go(to + step, { step });
  heading = Math.sign(to - place) || heading;
  place = to;
  if (!photos.has(stop.photo.id)) photos.put([stop.photo]);
  show(frame ?? frameToShow(stop));
  attempt(() => pass.prepare(to));
}

function move(step) {
  if (!isAtEnd) go(aim + step, { step });
  else if (step < 0) go(pass.n, { step });
}

async function goToBurst(way) {
  const found = pass && (await attempt(() => pass.burstFrom(aim, way), () => goToBurst(way)));
  if (found) go(found, { step: way === "next" ? 1 : -1 });
  else if (found === null) flash(way === "next" ? "No burst after this" : "No burst before this");
}

async function end() {
  isAtEnd = true;
  place = aim;
  shownId = photos.shownId = undefined;
  part("main").classList.add("at-end");
  part("end").hidden = false;
  looking.clear();
  details.close();
  rememberPlace(kind, pass.id, place);
  announce("That was the last one");
  if (pass.n) attempt(() => pass.stop(pass.n)); // so that undo finds the way back
  await refreshEnd();
  part("end").querySelector("h2").focus({ preventScroll: true });
}

let endAsked = 0;
async function refreshEnd() {
  const asked = (endAsked += 1);
  const progress = await attempt(() => pass.progress(), refreshEnd);
  if (progress && isAtEnd && asked === endAsked) showEnd(part("end"), kind, progress, { go, goOn: () => startAnew(pass.n + 1) });
}

/** The one that the stop proposed; once it is rejected, the sharpest of the frames that are left. */
function frameToShow({ photo: { id } }) {
  return photos.get(id).rejected ? (photos.nextFrame(place, id) ?? id) : id;
}

function moveToFrame(step) {
  const ids = photos.framesAt(place);
  const next = ids[ids.indexOf(shownId) + step];
  if (ids.length < 2 && kind === "cull" && shown()?.burst) return; // they are on their way
  if (ids.length < 2) move(step);
  else if (next !== undefined && !isAtEnd) show(next);
}

// Showing

function show(id) {
  isAtEnd = false;
  shownId = photos.shownId = id;
  part("main").classList.remove("at-end");
  part("end").hidden = true;
  const photo = shown();
  looking.show(photo);
  part("file-name").textContent = photo.file_name;
  part("file-name").title = photo.file_name;
  part("position").textContent = `${count(place)} / ${count(pass.n)}`;
  showState();
  announce(`${count(place)} of ${count(pass.n)}: ${photo.file_name}${photo.user_rating ? `, ${photo.user_rating} stars` : ""}`);
  if (details.isOpen) details.open(id, photo);
  rememberPlace(kind, pass.id, place);
  expectNext();
  if (kind === "cull" && photo.burst) framesComing = Promise.all([framesComing, loadFrames(place, photo.burst.id)]);
  if (kind === "rate" && !isMaybe()) framesComing = Promise.all([framesComing, loadMaybes(place, photo)]);
}

/** What was decided about it, and what stands beside it. */
function showState() {
  const photo = shown();
  if (!photo) return;
  bar.show(photo);
  part("stage").classList.toggle("rejected", photo.rejected);
  part("badges").replaceChildren(...decidedBadges(photo));
  part("frames").hidden = !(kind === "cull" && photo.burst);
  if (photo.burst) part("frames").textContent = `❐ ${burstName(photo.burst)}`;
  showFilmstrip();
}

/** Tells the stage what may be looked at next: the way one goes first, then the way back. */
async function expectNext() {
  const at = place;
  const next = [];
  for (const near of placesAround(at)) {
    const stop = pass.seen(near) ?? (await attempt(() => pass.stop(near)));
    if (aim !== at) return; // already further on, with its own
    if (stop) next.push(photos.get(stop.photo.id) ?? stop.photo);
    if (kind === "cull" && stop?.photo.burst) loadFrames(near, stop.photo.burst.id); // a key may keep one of them at once
  }
  const frames = framesAround();
  looking.stage.expect([...next.slice(0, 1), ...frames, ...next.slice(1)], frames, later(at));
  showFilmstrip(); // its neighbours are there now
}

function placesAround(at) {
  const way = Array.from({ length: isHurrying() ? 2 * AHEAD : AHEAD }, (_, n) => n + 1);
  const both = [...way.map((n) => at + n * heading), ...(isHurrying() ? [] : way.map((n) => at - n * heading))];
  return both.filter((near) => near >= 1 && near <= pass.n);
}

/** Photos further on, as far as they are known. */
function later(at) {
  const places = Array.from({ length: ASKED_AHEAD - AHEAD }, (_, n) => at + (AHEAD + 1 + n) * heading);
  return places.map((near) => pass.seen(near)?.photo).filter(Boolean);
}

/** The other frames of the burst, nearest first. */
function framesAround() {
  const ids = photos.framesAt(place);
  const from = (id) => Math.abs(ids.indexOf(id) - ids.indexOf(shownId));
  return ids.filter((id) => id !== shownId).sort((one, other) => from(one) - from(other)).slice(0, 2 * AHEAD).map((id) => photos.get(id));
}

async function loadFrames(at, burstId) {
  const frames = await photos.loadFrames(at, burstId);
  frames.forEach((frame) => pass.placeOf(frame.id) ?? pass.know(frame.id, at));
  if (frames.length && at === place && !isAtEnd) expectNext();
}

/** In the rate pass a photo is looked at beside those that are like it. */
async function loadMaybes(at, photo) {
  const found = await photos.loadMaybes(at, photo);
  if (found.length && at === place && !isAtEnd) expectNext();
}

/** One looks at a photo that is like that of the stop. */
const isMaybe = () => kind === "rate" && shownId !== pass.seen(place)?.photo.id;

function showFilmstrip() {
  if (!isAtEnd) filmstrip.show({ pass, place, shownId });
}

// Deciding

/** Keep and reject go on at once; of a burst to the next frame after a reject. A rating stays, unless one chose else. */
function decided(photo, wishFor) {
  if (photo.id !== shownId || looking.compare.isOpen) return;
  if (isMaybe()) return void (wishFor === toggleReject && show(pass.seen(place).photo.id));
  if (wishFor === toggleReject && !photo.rejected) {
    const frame = photos.nextFrame(place, photo.id);
    if (frame === undefined) goOn(photo);
    else show(frame);
  } else if (wishFor === keep || (preferences.auto_advance && wishFor(photo).body.user_rating)) {
    goOn(photo);
  }
}

/** Past stops with decided frames of the same burst: a pass that is older than the burst has one for each. */
function goOn({ burst }) {
  const isOfIt = (photo) => kind === "cull" && burst && photo.burst?.id === burst.id && isDecided(photo);
  go(pass.past(place, (stop) => isOfIt(photos.get(stop.photo.id) ?? stop.photo)));
}

/** Keep in a burst: this frame stays, the others go; of a bracket all stay. The server need not be there for it. */
function keepOfBurst() {
  if (looking.compare.isOpen) return false;
  const photo = inHand();
  if (!photo) return true; // it was said
  if (kind !== "cull" || photo.id !== shownId || !photo.burst || photo.rejected) return false;
  const frames = photos.framesAt(place).map((id) => photos.get(id));
  const others = frames.filter((frame) => frame.id !== photo.id && !frame.rejected);
  if (frames.length === 0) keepOnceKnown(photo);
  else if (others.length === 0) return false;
  else {
    if (photo.burst.kind === "bracket") deciding.keepAll([photo, ...others], "exposure");
    else deciding.keepOnly(photo, others, " of the burst");
    goOn(photo);
  }
  return true;
}

/** Which frames the others are is still on its way. */
async function keepOnceKnown(photo) {
  await loadFrames(place, photo.burst.id);
  if (photos.framesAt(place).length === 0) say(NOT_FETCHED, { tone: "red" });
  else if (shownId === photo.id && !keepOfBurst()) decide(photo, keep);
}

// Comparing

async function rivals(count) {
  await framesComing;
  if (isAtEnd || shownId === undefined) return [];
  const isBurst = kind === "cull" && Boolean(shown().burst);
  return (await attempt(() => rivalsOf(shown(), { pass, place, photos, count, isBurst }))) ?? [];
}

function stand({ id }) {
  if (id !== shownId) go(pass.placeOf(id), { frame: id });
}

function keepThis() {
  const photo = inHand();
  if (photo) decide(photo, keep);
}

/** Goes on to a frame that nothing is decided about, or past the photos that were compared. */
function keepOnly(photo, others) {
  deciding.keepOnly(photo, others);
  const frame = photos.nextFrame(place, photo.id);
  const last = Math.max(...[photo, ...others].map(({ id }) => pass.placeOf(id)));
  if (frame === undefined) go(last + 1);
  else show(frame);
}

/** Undo and redo show what they are about. */
function returnTo(ids) {
  const there = ids.find((id) => pass?.placeOf(id) !== undefined);
  if (there === undefined || (!isAtEnd && ids.includes(shownId))) return;
  go(pass.placeOf(there), { frame: ids.length === 1 && photos.has(there) ? there : undefined });
}

function showDecided(ids, items) {
  photos.put(items.filter((photo) => photos.has(photo.id)));
  if (ids.includes(shownId) || filmstrip.isOpen) showState();
  looking.compare.refresh();
  details.decided(ids, items);
  if (isAtEnd && items.length) refreshEnd();
}

/** Another tab, or a person elsewhere, removed them from Keepers. */
function removedElsewhere(ids) {
  pass.forget();
  photos.forgetPlaces();
  looking.compare.without(ids);
  if (isAtEnd || !ids.includes(shownId)) return;
  flash("This photo was removed from Keepers");
  go(place);
}

function changedElsewhere(ids) {
  showState();
  looking.compare.refresh();
  if (details.isOpen && ids.includes(details.id)) details.refresh();
}

// Keys, buttons and swipes

function askForProject() {
  if (shownId === undefined || isAtEnd) return false;
  details.askForProject(shown());
  return true;
}

function togglePanel() {
  if (details.isOpen) details.close();
  else if (shownId !== undefined) details.open(shownId, shown());
}

function leave() {
  if (isHelpOpen()) toggleHelp();
  else if (details.isOpen) details.close();
  else location.assign("/gallery");
}

function switchStrip() {
  filmstrip.toggle();
  showFilmstrip();
}

const tools = { undo: () => deciding.undo(), panel: togglePanel, strip: switchStrip, full: toggleFull, help: toggleHelp };

onKeys({
  previous: (event) => isTooFast(event) || move(-1),
  next: (event) => isTooFast(event) || move(1),
  frameUp: (event) => isTooFast(event) || moveToFrame(-1),
  frameDown: (event) => isTooFast(event) || moveToFrame(1),
  first: () => go(1),
  last: () => pass && go(pass.n, { step: -1 }),
  previousBurst: () => goToBurst("previous"),
  nextBurst: () => goToBurst("next"),
  keep: keepOfBurst,
  project: askForProject,
  panel: togglePanel,
  burst: switchStrip,
  full: toggleFull,
  help: toggleHelp,
  escape: leave,
});
looking.listen();
listenToSwipes(part("stage"), () => looking.stage.isZoomed, {
  left: () => move(1),
  right: () => move(-1),
  up: () => inHand() && decide(inHand(), togglePick),
  down: () => inHand() && decide(inHand(), toggleReject),
});
listenToTools(tools, part("details"));
// The button that keeps does what the key does.
part("main").addEventListener("click", (event) => {
  if (!event.target.closest('[data-decide="keep"]') || !keepOfBurst()) return;
  event.stopPropagation();
}, { capture: true });
part("previous").addEventListener("click", () => move(-1));
part("next").addEventListener("click", () => move(1));

onFrame(paced(() => isAtEnd && refreshEnd(), END_REST_MS)); // photos come in
listenToOrder(() => startAnew());
onRest(() => shownId !== undefined && expectNext());
if (kind === "rate") filmstrip.toggle();
start();
