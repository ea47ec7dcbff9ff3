// What is around the photos of the gallery: filters, sort, size, and what stands there when there are none.
import { count, plural } from "./format.js";
import { filterOf, isNarrowed, NARROWING, sortOf } from "./gallery-address.js";
import { isTyping } from "./keys.js";

const SIZES = { small: [110, 150], medium: [150, 220], large: [230, 320] }; // row heights on a phone and on a desk
const PHONE = "(max-width: 700px)";
const MOST_TAGS = 12;
const DATE_REST_MS = 700;
const MOST_VALUES = 200; // as many are counted; of others there is no number

const FURTHER = ["content_type", "camera", "tag", "from", "to", "technical"]; // behind "More filters"

const EMPTY = {
  all: ["No photos yet", "Choose a folder on the Import page; photos show up here while it works."],
  match: ["No match yet", "Pick photos with P, or rate some: once your taste is learned well enough, its matches stand here."],
  nomatch: ["Everything matches", "Every photo here is a match."],
  "for-projects": ["Nothing waits for a project", "Photos with four stars or five that are in no project wait here."],
  rated: ["Nothing is rated yet", "Give a photo its stars with the keys 1 to 5."],
  unrated: ["Nothing left to rate", "Every photo here has its stars."],
  rejected: ["Nothing is rejected", "Rejected photos wait here; none is ever deleted for you."],
  bursts: ["No bursts", "Photos of one moment that look alike are grouped after every import."],
  failed: ["Nothing failed", "Photos that a stage could not work on would be listed here."],
};

const part = (id) => document.getElementById(id);

/** Calls `chosen` with what is to be another in the address, and, when rows are to have another height, `sized()`. */
export function listenToControls({ chosen, sized }) {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-filter]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      chosen({ filter: link.dataset.filter });
    }
    const size = event.target.closest("[data-size]");
    if (size) {
      localStorage.setItem("size", size.dataset.size);
      showSize();
      sized();
    }
  });
  part("sort").addEventListener("change", (event) => chosen({ sort: event.target.value }));
  part("project")?.addEventListener("change", (event) => chosen({ project: event.target.value }));
  part("search").addEventListener("submit", (event) => {
    event.preventDefault();
    // Other words, another order: unless one was chosen, they are sorted by relevance.
    chosen({ q: part("words").value.trim(), ...(part("sort").value === "relevance" && { sort: undefined }) });
  });
  part("words").addEventListener("search", () => part("words").value || chosen({ q: undefined })); // its own cross
  part("words").addEventListener("keydown", (event) => event.key === "Escape" && part("words").blur());
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    event.preventDefault();
    part("words").focus();
    part("words").select();
  });
  let typing; // a timer
  part("further").addEventListener("change", ({ target }) => {
    clearTimeout(typing);
    // A date that is typed is a date after each digit of its year.
    if (target.type === "date") typing = setTimeout(chooseFurther, DATE_REST_MS);
    else chooseFurther();
  });
  const chooseFurther = () => {
    const fields = part("further").elements;
    if (part("further").checkValidity()) chosen(Object.fromEntries(FURTHER.map((name) => [name, fields[name].value.trim()])));
  };
  part("further").addEventListener("submit", (event) => event.preventDefault());
  part("further-clear").addEventListener("click", () => chosen(Object.fromEntries(FURTHER.map((name) => [name, undefined]))));
  part("tag-choice").addEventListener("click", (event) => {
    const tag = event.target.closest("[data-tag]")?.dataset.tag;
    if (tag !== undefined) chosen({ tag });
  });
  part("import-filter").addEventListener("click", () => chosen({ import: undefined }));
  part("empty-clear").addEventListener("click", () => chosen(Object.fromEntries(["filter", "sort", ...NARROWING].map((name) => [name, undefined]))));
  part("filters-button").addEventListener("click", () => (isPhone() ? setSheet(!isSheetOpen()) : setRail(isRailHidden())));
  part("backdrop").addEventListener("click", closeSheet);
  matchMedia(PHONE).addEventListener("change", () => {
    setSheet(false);
    setRail(localStorage.getItem("rail") !== "hidden");
    sized();
  });
  setRail(localStorage.getItem("rail") !== "hidden");
  showSize();
}

export function showControls(query) {
  for (const link of document.querySelectorAll("[data-filter]")) {
    if (link.dataset.filter === filterOf(query)) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
    const target = new URLSearchParams(query);
    target.set("filter", link.dataset.filter);
    link.href = `/gallery?${target}`;
  }
  part("sort").querySelector('[value="relevance"]').hidden = !query.get("q");
  part("sort").value = sortOf(query);
  part("words").value = query.get("q") ?? "";
  for (const name of FURTHER) showChosen(part("further").elements[name], query.get(name) ?? "");
  const chosen = FURTHER.filter((name) => query.has(name));
  part("further-count").textContent = chosen.length ? `(${chosen.length})` : "";
  part("further-clear").hidden = chosen.length === 0;
  if (chosen.length) part("further").closest("details").open = true;
  if (part("project")) part("project").value = query.get("project") ?? "";
  const narrowing = [...chosen, "project", "filter"].filter((name) => query.has(name));
  part("filters-count").textContent = narrowing.length ? `(${count(new Set(narrowing).size)})` : "";
  part("import-filter").hidden = !query.has("import");
}

export function showEmpty(query, isEmpty) {
  const narrowed = isNarrowed(query);
  const [title, hint] = narrowed ? ["No photos here", whatIsMissing(query)] : EMPTY[filterOf(query)];
  part("empty").hidden = !isEmpty;
  part("grid").hidden = isEmpty;
  part("empty-title").textContent = title;
  part("empty-hint").textContent = hint;
  part("empty-import").hidden = narrowed || filterOf(query) !== "all";
  part("empty-clear").hidden = !narrowed;
}

/** `counts` by filter; undefined while they are not known. */
export function showCounts(query, counts) {
  for (const link of document.querySelectorAll("[data-filter]")) {
    link.querySelector(".number").textContent = counts ? count(counts[link.dataset.filter]) : "";
  }
  part("summary").textContent = counts ? plural(counts[filterOf(query)], "photo") + (query.has("import") ? " of one import" : "") : "";
}

/** How many photos each value would leave, beside its name; the tags that most of them have can be chosen by a click. */
export function showFacets(query, facets) {
  const fields = part("further").elements;
  showNumbers(fields.camera, facets.cameras);
  showNumbers(fields.content_type, facets.content_types);
  if (part("project")) showNumbers(part("project"), facets.projects);
  const tags = Object.entries(facets.tags).slice(0, MOST_TAGS);
  part("tag-choice").replaceChildren(...tags.map(([tag, photos]) => tagButton(tag, photos, tag === query.get("tag")?.toLowerCase())));
}

function showNumbers(select, numbers) {
  const areAll = Object.keys(numbers).length < MOST_VALUES;
  for (const option of select.options) {
    if (!option.value) continue;
    option.dataset.name ??= option.textContent;
    const number = numbers[option.value] ?? (areAll ? 0 : undefined);
    option.textContent = number === undefined ? option.dataset.name : `${option.dataset.name} (${count(number)})`;
  }
}

function tagButton(tag, photos, isChosen) {
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.tag = isChosen ? "" : tag; // chosen again, it is let go
  button.setAttribute("aria-pressed", String(isChosen));
  const [name, number] = [document.createElement("span"), document.createElement("span")];
  name.className = "from-file";
  name.textContent = tag;
  number.className = "number";
  number.textContent = count(photos);
  button.append(name, " ", number);
  return button;
}

const whatIsMissing = (query) => (query.has("q") ? `Nothing was found for “${query.get("q")}”, with the filters that are chosen.` : "No photo matches all the filters that are chosen.");

export function targetHeight() {
  return SIZES[sizeName()][isPhone() ? 0 : 1];
}

const isPhone = () => matchMedia(PHONE).matches;

export const isSheetOpen = () => document.body.classList.contains("has-sheet");

/** On a phone the filters are a sheet. */
export function closeSheet() {
  if (isPhone()) setSheet(false);
}

function setSheet(isOpen) {
  document.body.classList.toggle("has-sheet", isOpen);
  if (isPhone()) part("filters-button").setAttribute("aria-expanded", String(isOpen));
}

const isRailHidden = () => document.body.classList.contains("has-no-rail");

/** On a desk they stand at the left, and can be put away. */
function setRail(isShown) {
  if (!isPhone()) localStorage.setItem("rail", isShown ? "shown" : "hidden");
  document.body.classList.toggle("has-no-rail", !isShown && !isPhone());
  part("filters-button").setAttribute("aria-expanded", String(isPhone() ? isSheetOpen() : isShown));
}

function showChosen(field, value) {
  // A camera whose photos are gone may still be in the address.
  if (field.tagName === "SELECT" && ![...field.options].some((option) => option.value === value)) field.add(new Option(value, value));
  field.value = value;
}

function sizeName() {
  return localStorage.getItem("size") in SIZES ? localStorage.getItem("size") : "medium";
}

function showSize() {
  for (const button of document.querySelectorAll("[data-size]")) {
    button.setAttribute("aria-pressed", String(button.dataset.size === sizeName()));
  }
}
