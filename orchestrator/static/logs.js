// Failed attempts appear on top while the page is open; rows that are being read stay where they are.
import { paced } from "./api.js";
import { onFrame, onReset } from "./live.js";

const REST_MS = 1000;
const MOST_ROWS = 300;
const list = document.getElementById("failures");
const filters = document.getElementById("filters");

filters.addEventListener("change", () => {
  for (const field of filters.elements) field.disabled = field.value === "";
  filters.submit();
});
// A page that comes back from the browser's memory has its fields switched off.
addEventListener("pageshow", () => [...filters.elements].forEach((field) => (field.disabled = false)));

const fetchNew = paced(async () => {
  const address = new URL("/logs/rows", location.origin);
  new URL(location).searchParams.forEach((value, name) => address.searchParams.set(name, value));
  address.searchParams.set("newer_than", list.firstElementChild?.dataset.id ?? 0);
  const response = await fetch(address).catch(() => undefined);
  if (response?.ok) show(await response.text());
}, REST_MS);

function show(html) {
  // Our own template, escaped by the server; parsed apart so that nothing in it could run.
  const rows = [...new DOMParser().parseFromString(html, "text/html").querySelectorAll("li.failure")];
  if (rows.length === 0) return;
  const before = list.offsetHeight;
  list.prepend(...rows);
  if (list.getBoundingClientRect().top < 0) scrollBy(0, list.offsetHeight - before);
  while (list.children.length > MOST_ROWS) list.lastElementChild.remove();
  document.getElementById("nothing").hidden = true;
  document.dispatchEvent(new Event("rows-added"));
}

if (list.dataset.isFirst === "yes") {
  onFrame((frame) => frame.failures.length && fetchNew());
  onReset(fetchNew);
}
