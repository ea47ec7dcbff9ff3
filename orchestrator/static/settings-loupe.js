// The settings of the loupe: stored as soon as they are chosen.
import { onPreferences, preferences } from "./preferences.js";
import { store } from "./settings-store.js";

const advance = document.getElementById("auto-advance");
const orders = document.getElementById("cull-order");

function show() {
  advance.checked = preferences.auto_advance;
  orders.querySelector(`[value="${preferences.cull_order}"]`).checked = true;
}

advance.addEventListener("change", () => {
  const words = advance.checked ? "A rating goes on to the next photo" : "A rating stays at its photo";
  store({ auto_advance: advance.checked }, words).then(show);
});
orders.addEventListener("change", ({ target }) => {
  store({ cull_order: target.value }, `Cull passes: ${target.parentElement.textContent.trim().toLowerCase()}`).then(show);
});
onPreferences(show);
show(); // a browser that goes back shows what was chosen then
