// What keys do in the gallery beside deciding, moving and selecting.
import { onKeys, shownKey } from "./keys.js";
import { preferences } from "./preferences.js";

const isOtherBurst = (photo, from) => Boolean(photo?.burst) && photo.burst.id !== from?.burst?.id;
const part = (id) => document.getElementById(id);

/**
 * `ask`: `list()` is what is shown, {store}, by `grid()`; `escape()` leaves what is open, and says whether anything was;
 * `inHand()` is the photo that keys act on, `bulk` what is selected, and `details` the panel about one.
 */
export function listenToGalleryKeys(ask) {
  onKeys({
    escape: () => document.querySelector("dialog[open]") === null && ask.escape(),
    project: () => putIntoProject(ask),
    full: fullScreen,
    help: showKeys,
    next: () => step(ask, 1),
    previous: () => step(ask, -1),
    nextBurst: () => step(ask, 1, isOtherBurst),
    previousBurst: () => step(ask, -1, isOtherBurst),
  });
}

function putIntoProject({ bulk, inHand, details }) {
  if (bulk.inHand()) return bulk.bar.focusProject();
  const photo = inHand();
  if (!photo) return false;
  details.askForProject(photo);
  return true;
}

/** To the next photo that is loaded, or to the next of another burst. The arrows are the grid's own. */
function step({ list, grid }, by, isWanted = () => true) {
  if (!part("grid").contains(document.activeElement)) return false;
  const { order, photos } = list().store;
  const from = photos.get(grid().focusId);
  let place = order.indexOf(grid().focusId) + by;
  while (order[place] !== undefined && !isWanted(photos.get(order[place]), from)) place += by;
  if (order[place] !== undefined) grid().focus(order[place]);
  return true;
}

function fullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen();
}

function showKeys() {
  for (const node of part("gallery-keys").querySelectorAll("[data-keys]")) {
    node.replaceChildren(...preferences.keys[node.dataset.keys].map(keyName));
    node.nextElementSibling.hidden = node.hidden = node.childElementCount === 0; // switched off
  }
  part("gallery-keys").showModal();
}

function keyName(key) {
  const name = document.createElement("kbd");
  name.textContent = shownKey(key);
  return name;
}
