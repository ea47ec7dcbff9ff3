// One project: its photos in the order that the person gives them, its name, its cover, and its end.
import { embedded, getJson, paced, postJson, Refusal, sendJson } from "./api.js";
import { plural } from "./format.js";
import { onFrame, onReset } from "./live.js";
import { PlacedPhotos } from "./placed-photos.js";
import { leaveWord, takeWord } from "./project-said.js";
import { sayDone } from "./project-undo.js";

const REST_MS = 2000;
const part = (id) => document.getElementById(id);
const forms = ["rename", "merge"].map(part).filter(Boolean);
const state = embedded("project-state");
const address = `/api/projects/${state.project.id}`;
let project = state.project;
let next = state.photos.next;

const placed = new PlacedPhotos(part("photos"), part("photo-template"), {
  moved: (photo, before) => order(`${photo.file_name} is ${placed.placeOf(photo.id)} of ${project.photos} now`, before),
  chosen: (photo) => chooseCover(photo),
});

const refresh = paced(async () => {
  const now = await getJson(address);
  part("fresh").hidden = now.photos === project.photos;
  show({ ...now, photos: project.photos });
}, REST_MS);

function show(now) {
  project = now;
  document.title = `${project.name} · Keepers`;
  part("name").textContent = project.name;
  const inGallery = `/gallery?project=${encodeURIComponent(project.name)}`;
  part("gallery-link").href = inGallery;
  placed.link((id) => `${inGallery}&photo=${id}`);
  const rejected = project.rejected ? `, ${project.rejected} more rejected` : "";
  part("summary").textContent = plural(project.photos, "photo") + rejected;
  placed.showCover(project.is_cover_chosen ? project.cover?.photo_id : undefined);
  part("empty").hidden = project.photos > 0;
  if (project.rejected) part("empty-hint").textContent = "All that were in it are rejected.";
  part("how").hidden = project.photos < 2;
  part("more").hidden = !next;
}

/** The order is written as a whole: what is loaded comes first, what is not follows as it did. */
async function order(words, before) {
  const ids = placed.ids;
  await carryOut(async () => {
    await postJson(`${address}/order`, { ids });
    sayDone(words, before && (() => takeBackOrder(before)));
  }, () => placed.arrange(before ?? ids));
}

function takeBackOrder(before) {
  placed.arrange(before);
  order("The order is as it was");
}

async function chooseCover(photo, words = `${photo.file_name} is the cover`) {
  const before = project.is_cover_chosen ? project.cover.photo_id : null;
  await carryOut(async () => {
    show(await sendJson("PATCH", address, { cover_id: photo.id }));
    sayDone(words, () => chooseCover({ id: before }, "The cover is as it was"));
  });
}

async function rename(name) {
  const before = project.name;
  await carryOut(async () => {
    show(await sendJson("PATCH", address, { name }));
    closeForms();
    part("rename-name").value = project.name;
    sayDone(`${before} is ${project.name} now`, () => rename(before));
  });
}

async function merge(event) {
  event?.preventDefault();
  const into = part("merge-into");
  await carryOut(async () => {
    const ended = await postJson(`${address}/merge`, { into: Number(into.value) });
    leaveWord({ id: ended.id, name: ended.name, words: `Merged ${ended.name} into this project` });
    location.assign(`/projects/${into.value}`);
  });
}

async function remove() {
  await carryOut(async () => {
    const ended = await sendJson("DELETE", address);
    leaveWord({ id: ended.id, name: ended.name, words: `Deleted ${ended.name}. Its ${plural(ended.photos, "photo")} stay.` });
    location.assign("/projects");
  });
}

async function bringBack({ id }) {
  await carryOut(async () => {
    await postJson(`/api/projects/${id}/restore`);
    location.assign(`/projects/${id}`);
  });
}

async function showMore() {
  const page = await getJson(`${address}/photos?limit=200&after=${encodeURIComponent(next)}`);
  next = page.next;
  placed.add(page.items);
  show(project);
}

async function carryOut(work, otherwise = () => {}) {
  const refused = part("refused");
  refused.hidden = true;
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    otherwise();
    refused.firstElementChild.textContent = error.message;
    part("merge-instead").hidden = !chooseNamed(error);
    refused.hidden = false;
  }
}

/** Whether the name that was refused is of a project that this one can be merged into, which is then chosen. */
function chooseNamed(error) {
  if (error.type !== "name_taken" || !part("merge-into")) return false;
  const wanted = part("rename-name").value.trim().toLowerCase();
  const found = [...part("merge-into").options].find((option) => option.text.toLowerCase() === wanted);
  if (found) found.selected = true;
  return Boolean(found);
}

const openerOf = (form) => document.querySelector(`[aria-controls="${form.id}"]`);

function closeForms() {
  for (const form of forms) {
    if (form.contains(document.activeElement)) openerOf(form).focus();
    form.hidden = true;
    openerOf(form).setAttribute("aria-expanded", "false");
  }
}

function toggle(form) {
  const isOpen = !form.hidden;
  closeForms();
  if (isOpen) return;
  form.hidden = false;
  openerOf(form).setAttribute("aria-expanded", "true");
  form.querySelector("input, select").focus();
}

for (const button of document.querySelectorAll(".project-tools button")) button.disabled = false; // they waited for this script
for (const form of forms) openerOf(form).addEventListener("click", () => toggle(form));
addEventListener("keydown", (event) => event.key === "Escape" && closeForms());
part("rename").addEventListener("submit", (event) => {
  event.preventDefault();
  rename(part("rename-name").value);
});
part("merge")?.addEventListener("submit", merge);
part("merge-instead").addEventListener("click", () => merge());
part("delete").addEventListener("click", remove);
part("fresh").addEventListener("click", () => location.reload());
part("more").addEventListener("click", () => carryOut(showMore));
onFrame(refresh);
onReset(refresh);
placed.add(state.photos.items);
show(project);
const word = takeWord();
if (word) sayDone(word.words, () => bringBack(word));
