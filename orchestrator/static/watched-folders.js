// The folders that are watched, above the imports.
import { getJson, paced } from "./api.js";
import { onFrame, onReset } from "./live.js";
import { watchLine } from "./watch-line.js";

const REST_MS = 2000;

const list = document.getElementById("watched");

function show(watch) {
  const node = document.getElementById("watched-template").content.firstElementChild.cloneNode(true);
  node.dataset.state = watch.state;
  node.querySelector(".path").textContent = watch.path;
  node.querySelector(".said").textContent = watchLine(watch);
  node.querySelector(".problem").textContent = watch.problem ?? "";
  return node;
}

const refresh = paced(async () => {
  const { items } = await getJson("/api/watches");
  list.replaceChildren(...items.map(show));
  list.hidden = items.length === 0;
}, REST_MS);

onFrame(() => refresh());
onReset(() => refresh());
refresh();
