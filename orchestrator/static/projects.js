// All projects by their covers, live.
import { embedded, getJson, paced, postJson, Refusal, sendJson } from "./api.js";
import { plural } from "./format.js";
import { onFrame, onReset } from "./live.js";
import { takeWord } from "./project-said.js";
import { sayDone } from "./project-undo.js";

const REST_MS = 2000;
const part = (id) => document.getElementById(id);
const template = part("cover-template");
const refresh = paced(async () => show((await getJson("/api/projects")).items), REST_MS);
let shown;

function show(projects) {
  const now = JSON.stringify(projects);
  if (now === shown) return; // the focus stays where it is
  shown = now;
  const focused = document.activeElement?.getAttribute("href");
  part("summary").textContent = projects.length ? plural(projects.length, "project") : "";
  part("empty").hidden = projects.length > 0;
  part("projects").replaceChildren(...projects.map(makeCover));
  if (focused) part("projects").querySelector(`a[href="${focused}"]`)?.focus({ preventScroll: true });
}

function makeCover({ id, name, photos, cover }) {
  const node = template.content.firstElementChild.cloneNode(true);
  node.style.setProperty("--shape", shapeOf(cover));
  node.querySelector("a").href = `/projects/${id}`;
  node.querySelector(".name").textContent = name;
  node.querySelector(".name").title = name;
  node.querySelector(".number").textContent = plural(photos, "photo");
  node.querySelector(".none").hidden = photos > 0;
  const picture = node.querySelector("img");
  if (cover?.placeholder) node.querySelector(".picture").style.backgroundImage = `url("data:image/jpeg;base64,${cover.placeholder}")`;
  if (!cover?.thumbnail_url) return node;
  picture.src = cover.thumbnail_url;
  picture.hidden = false;
  return node;
}

/** Covers are neither panoramas nor towers: their names stand below them. */
const shapeOf = (cover) => (cover?.width && cover.height ? Math.min(2, Math.max(0.75, cover.width / cover.height)) : 1.5).toFixed(4);

async function create(event) {
  event.preventDefault();
  const field = part("new-name");
  part("refused").hidden = true;
  try {
    const made = await postJson("/api/projects", { name: field.value });
    field.value = "";
    sayDone(`Made the project ${made.name}`, () => remove(made));
    refresh();
  } catch (error) {
    refuse(error);
    field.focus();
  }
}

async function remove({ id, name }) {
  try {
    await sendJson("DELETE", `/api/projects/${id}`);
    sayDone(`Deleted ${name}`, () => bringBack({ id, name }));
    refresh();
  } catch (error) {
    refuse(error);
  }
}

async function bringBack({ id, name }) {
  try {
    await postJson(`/api/projects/${id}/restore`);
    sayDone(`${name} is back`, () => remove({ id, name }));
    refresh();
  } catch (error) {
    refuse(error);
  }
}

function refuse(error) {
  if (!(error instanceof Refusal)) throw error;
  part("refused").textContent = error.message;
  part("refused").hidden = false;
}

part("new-project").addEventListener("submit", create);
part("create").disabled = false; // it needs this script, and waits for it
onFrame(refresh);
onReset(refresh);
show(embedded("projects-state").items);
const word = takeWord();
if (word) sayDone(word.words, () => bringBack(word));
