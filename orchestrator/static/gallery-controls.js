// What is around the photos of the gallery: filters, sort, size, and what stands there when there are none.

const SIZES = { small: [110, 150], medium: [150, 220], large: [230, 320] }; // row heights on a phone and on a desk
const PHONE = "(max-width: 700px)";

const EMPTY = {
  all: ["No photos yet", "Choose a folder on the Import page; photos show up here while it works."],
  rated: ["Nothing is rated yet", "Give a photo its stars with the keys 1 to 5."],
  unrated: ["Nothing left to rate", "Every photo here has its stars."],
  rejected: ["Nothing is rejected", "Rejected photos wait here; none is ever deleted for you."],
  bursts: ["No bursts", "Photos of one moment that look alike are grouped after every import."],
  failed: ["Nothing failed", "Photos that a stage could not work on would be listed here."],
};

const part = (id) => document.getElementById(id);

export const sortOf = (query) => query.get("sort") ?? "newest";
export const filterOf = (query) => query.get("filter") ?? "all";

/** Calls `chosen({filter?, sort?, project?, import?})` and, when rows are to have another height, `sized()`. */
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
  part("import-filter").addEventListener("click", () => chosen({ import: undefined }));
  part("filters-button").addEventListener("click", () => setSheet(!document.body.classList.contains("has-sheet")));
  part("backdrop").addEventListener("click", closeSheet);
  matchMedia(PHONE).addEventListener("change", sized);
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
  part("sort").value = sortOf(query);
  if (part("project")) part("project").value = query.get("project") ?? "";
  part("import-filter").hidden = !query.has("import");
}

export function showEmpty(query, isEmpty) {
  const isNarrowed = query.has("project") || query.has("import");
  const [title, hint] = isNarrowed ? ["No photos here", "No photo matches what is chosen at the left."] : EMPTY[filterOf(query)];
  part("empty").hidden = !isEmpty;
  part("grid").hidden = isEmpty;
  part("empty-title").textContent = title;
  part("empty-hint").textContent = hint;
  part("empty-import").hidden = isNarrowed || filterOf(query) !== "all";
}

export function targetHeight() {
  return SIZES[sizeName()][matchMedia(PHONE).matches ? 0 : 1];
}

export function closeSheet() {
  setSheet(false);
}

function setSheet(isOpen) {
  document.body.classList.toggle("has-sheet", isOpen);
  part("filters-button").setAttribute("aria-expanded", String(isOpen));
}

function sizeName() {
  return localStorage.getItem("size") in SIZES ? localStorage.getItem("size") : "medium";
}

function showSize() {
  for (const button of document.querySelectorAll("[data-size]")) {
    button.setAttribute("aria-pressed", String(button.dataset.size === sizeName()));
  }
}
