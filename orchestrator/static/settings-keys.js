// Which keys do what: keys are added by pressing them, and taken away by a click.
import { keyOf, shownKey } from "./keys.js";
import { onPreferences, preferences } from "./preferences.js";
import { store } from "./settings-store.js";

const MODIFIERS = new Set(["Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock", "NumLock", "Fn"]);
const template = document.getElementById("key-template");
const rows = [...document.querySelectorAll("[data-action]")];
let waiting; // the row for which the next key is meant

const keysOf = (row) => preferences.keys[row.dataset.action];
const wordsOf = (row) => row.querySelector(".words").textContent;
const usualOf = (row) => row.dataset.usual.split(" ").filter(Boolean);

function show() {
  rows.forEach(showRow);
  document.getElementById("usual-keys").disabled = rows.every(isUsual);
}

function showRow(row) {
  const keys = keysOf(row);
  row.querySelector(".keys").replaceChildren(...keys.map((key) => chip(row, key)));
  if (keys.length === 0) row.querySelector(".keys").append(off());
  row.querySelector(".usual").hidden = isUsual(row);
}

const isUsual = (row) => String(keysOf(row)) === String(usualOf(row));

function chip(row, key) {
  const button = template.content.firstElementChild.cloneNode(true);
  button.dataset.key = key;
  button.querySelector("kbd").textContent = shownKey(key);
  button.setAttribute("aria-label", `Take ${shownKey(key)} away from: ${wordsOf(row)}`);
  return button;
}

function off() {
  const node = document.createElement("span");
  node.className = "off";
  node.textContent = "switched off";
  return node;
}

async function give(row, keys, words) {
  const refusal = await store({ keys: { [row.dataset.action]: keys } }, words);
  row.querySelector(".refused").textContent = refusal ?? "";
  row.querySelector(".add").focus();
}

function wait(row) {
  stopWaiting();
  waiting = row;
  row.querySelector(".refused").textContent = "";
  row.querySelector(".changes").hidden = true;
  row.querySelector(".waits").hidden = false;
  row.querySelector(".waits").focus(); // not the button, which would take the space bar for itself
}

function stopWaiting() {
  if (!waiting) return;
  const row = waiting;
  waiting = undefined;
  row.querySelector(".changes").hidden = false;
  row.querySelector(".waits").hidden = true;
}

function pressed(event) {
  if (!waiting || MODIFIERS.has(event.key)) return;
  const row = waiting;
  if (event.key !== "Tab") event.preventDefault();
  event.stopPropagation();
  if (event.repeat) return;
  stopWaiting();
  row.querySelector(".add").focus();
  if (event.key === "Escape" || event.key === "Tab") return;
  const key = keyOf(event);
  if (key === undefined || key.startsWith("Ctrl+")) {
    row.querySelector(".refused").textContent = "Ctrl, Cmd and Alt stay with the browser: choose a key without them.";
  } else {
    give(row, [...keysOf(row), key], `${shownKey(key)}: ${wordsOf(row)}`);
  }
}

document.addEventListener("keydown", pressed, { capture: true });
document.addEventListener("focusout", ({ target }) => target === waiting?.querySelector(".waits") && stopWaiting());
document.addEventListener("click", ({ target }) => {
  const row = target.closest("[data-action]");
  const key = target.closest(".key")?.dataset.key;
  if (target.closest("#usual-keys")) store({ keys: null }, "All keys are as usual");
  else if (key) give(row, keysOf(row).filter((other) => other !== key), `${shownKey(key)} does nothing now`);
  else if (target.closest(".add")) wait(row);
  else if (target.closest(".usual")) give(row, null, `As usual: ${wordsOf(row)}`);
});
onPreferences(show);
show();
