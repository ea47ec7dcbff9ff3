// Both tabs of Problems: what waits and the causes are kept up to date, new rows appear on top, and messages are put
// back, discarded and reopened. Nothing that is being read or pointed at moves: a cause that is gone says so in its place.
import { paced, postJson, Refusal } from "./api.js";
import { errorName, plural } from "./format.js";
import { onFrame, onReset } from "./live.js";

const REST_MS = 1000;
const SLOW_MS = 800;
const MOST_ROWS = 300;
const DONE = {
  requeue: ({ requeued: n }, noun = "message") => (n ? `${plural(n, noun)} put back. ${n === 1 ? "It is" : "They are"} tried again now.` : "There was nothing left to try again."),
  discard: ({ discarded: n }, noun = "message") => (n ? `${plural(n, noun)} discarded. What failed stays marked so.` : "There was nothing left to discard."),
  reopen: ({ reopened: n }, noun = "message") => (n ? `${plural(n, noun)} brought back.` : "There was nothing left to reopen."),
};
const STATES = { requeue: ["", "↻ put back"], discard: ["", "✕ discarded"], reopen: ["red", "! open"] };

const now = document.getElementById("now");
const list = document.getElementById("rows");
const filters = document.getElementById("filters");

filters.addEventListener("change", () => {
  for (const field of filters.elements) field.disabled = field.value === "";
  filters.submit();
});
// A page that comes back from the browser's memory has its fields switched off.
addEventListener("pageshow", () => [...filters.elements].forEach((field) => (field.disabled = false)));

let acts = 0; // answered so far: what was asked for before the last of them is out of date

const refreshNow = paced(async () => {
  const before = acts;
  const fresh = await fetchPart("/problems/now", { state: now.dataset.state });
  if (!fresh || acts !== before) return;
  showWaiting(fresh.querySelector(".waiting"));
  showCauses(fresh.querySelector(".causes"));
  document.dispatchEvent(new Event("rows-added"));
}, REST_MS);

const fetchRows = paced(async () => {
  const fresh = await fetchPart(list.dataset.address, { newer_than: list.firstElementChild?.dataset.id ?? 0 });
  if (fresh) showRows([...fresh.querySelectorAll("li.failure")]);
}, REST_MS);

/** Our own template, escaped by the server; parsed apart so that nothing in it could run. */
async function fetchPart(path, more) {
  const address = new URL(path, location.origin);
  new URL(location).searchParams.forEach((value, name) => address.searchParams.set(name, value));
  for (const [name, value] of Object.entries(more)) address.searchParams.set(name, value);
  const response = await fetch(address).catch(() => undefined);
  return response?.ok ? new DOMParser().parseFromString(await response.text(), "text/html") : undefined;
}

function showWaiting(fresh) {
  const shown = now.querySelector(".waiting");
  if (isInHand(shown) || words(shown) === words(fresh)) return;
  shown.replaceWith(fresh);
}

function showCauses(fresh) {
  const section = now.querySelector(".causes");
  const byCause = new Map([...fresh.querySelectorAll(".cause-card")].map((card) => [card.dataset.cause, card]));
  for (const card of section.querySelectorAll(".cause-card")) {
    const next = byCause.get(card.dataset.cause);
    byCause.delete(card.dataset.cause);
    if (next) renew(card, next);
    else settle(card);
  }
  section.append(...byCause.values());
  for (const key of byCause.keys()) offerKind(key.split("/")[1]);
  renewHead(section, fresh);
}

function renew(card, next) {
  if (card.classList.contains("settled") || !isInHand(card)) {
    if (words(card) !== words(next)) card.replaceWith(next);
  } else card.querySelector(".cause-count").replaceWith(next.querySelector(".cause-count"));
}

function settle(card) {
  card.classList.add("settled");
  if (card.querySelector(".outcome").hidden) tell(card, "Nothing of this is left.");
}

function offerKind(type) {
  const { options } = filters.elements.error_type;
  if (![...options].some((option) => option.value === type)) options.add(new Option(errorName(type), type));
}

function renewHead(section, fresh) {
  const [shown, next] = [section, fresh].map((part) => part.querySelector(".causes-head"));
  if (next && !shown) section.prepend(next);
  if (!shown) return;
  const left = fresh.querySelector(".cause-card") ? "One cause is left" : "Nothing is left to look at";
  shown.querySelector("h2").textContent = next ? next.querySelector("h2").textContent : left;
  if (next && !isInHand(shown)) shown.classList.remove("settled");
}

const isInHand = (node) => node.matches(":hover") || node.contains(document.activeElement);
// Times tell themselves anew in the browser; the server's are empty.
function words(node) {
  const copy = node.cloneNode(true);
  for (const time of copy.querySelectorAll("time")) time.textContent = time.dateTime;
  return copy.textContent.replace(/\s+/g, " ").trim();
}

function showRows(rows) {
  if (rows.length === 0) return;
  const before = list.offsetHeight;
  list.prepend(...rows);
  if (list.getBoundingClientRect().top < 0) scrollBy(0, list.offsetHeight - before);
  while (list.children.length > MOST_ROWS) list.lastElementChild.remove();
  document.getElementById("nothing").hidden = true;
  document.querySelector(".list-title").classList.remove("visually-hidden");
  document.dispatchEvent(new Event("rows-added"));
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-act], [data-resume], [data-undo]");
  if (!button) return;
  button.disabled = true;
  if (button.dataset.resume) await resume(button);
  else if (button.dataset.undo) await undo(button);
  else if (button.closest(".letter")) await actOnLetter(button);
  else await actOnCause(button);
});

async function resume(button) {
  await answerOf(() => postJson(`/api/stages/${button.dataset.resume}/resume`));
  button.closest(".notice").remove();
  refreshNow();
}

async function actOnCause(button) {
  const verb = button.dataset.act;
  const place = button.closest(".cause-card, .causes-head");
  const slow = setTimeout(() => tell(place, "Working on it…", { isDone: false }), SLOW_MS);
  const answer = await answerOf(() => postJson(`/api/dead-letters/${verb}`, chosen(button)));
  clearTimeout(slow);
  button.disabled = false;
  if (answer instanceof Refusal) return tell(place, answer.message, { isRefused: true });
  tell(place, DONE[verb](answer, place.dataset.noun), { undo: answer.discarded ? answer.batch : undefined });
  place.classList.add("settled");
  place.querySelector(".outcome").focus();
  refreshNow();
}

/** What the button is about; the server leaves out what is not asked for. */
const chosen = (button) => Object.fromEntries(Object.entries(JSON.parse(button.parentElement.dataset.which)).filter(([, value]) => value !== null));

async function undo(button) {
  const place = button.closest(".cause-card, .causes-head");
  const answer = await answerOf(() => postJson("/api/dead-letters/reopen", { batch: button.dataset.undo }));
  if (answer instanceof Refusal) return tell(place, answer.message, { isRefused: true });
  place.classList.remove("settled");
  tell(place, DONE.reopen(answer, place.dataset.noun));
  place.querySelector(".outcome").focus();
  refreshNow();
}

async function actOnLetter(button) {
  const row = button.closest(".letter");
  const verb = button.dataset.act;
  const answer = await answerOf(() => postJson(`/api/dead-letters/${row.dataset.id}/${verb}`));
  if (answer instanceof Refusal) return showOnLetter(row, "red", answer.message, []);
  const others = verb === "discard" ? ["reopen"] : verb === "reopen" ? ["requeue", "discard"] : [];
  showOnLetter(row, ...STATES[verb], others);
  refreshNow();
}

function showOnLetter(row, tone, sentence, verbs) {
  const badge = row.querySelector(".badge");
  badge.className = `badge ${tone}`;
  badge.textContent = sentence;
  badge.setAttribute("role", "status");
  const labels = { requeue: "Retry", discard: "Discard", reopen: "Undo" };
  row.querySelector(".letter-actions").replaceChildren(...verbs.map((verb) => makeButton(labels[verb], { act: verb })));
}

async function answerOf(ask) {
  try {
    return await ask();
  } catch (refusal) {
    if (refusal instanceof Refusal) return refusal;
    throw refusal;
  } finally {
    acts += 1;
  }
}

function tell(place, sentence, { undo: batch, isRefused = false, isDone = !isRefused } = {}) {
  const outcome = place.querySelector(".outcome");
  outcome.hidden = false;
  outcome.classList.toggle("refused", isRefused);
  outcome.classList.toggle("done", isDone);
  outcome.replaceChildren(sentence, ...(batch ? [" ", makeButton("Undo", { undo: batch })] : []));
}

function makeButton(label, data) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = data.act === "requeue" ? "" : "quiet";
  button.textContent = label;
  Object.assign(button.dataset, data);
  return button;
}

if (list.dataset.isFirst === "yes") {
  setInterval(refreshNow, 30_000); // counts of very many come late
  onFrame((frame) => {
    if (frame.failures.length) fetchRows();
    refreshNow();
  });
  onReset(() => {
    fetchRows();
    refreshNow();
  });
}
