// Light or dark, on the settings page.
import { appearance, choose, onAppearance } from "./appearance.js";
import { say } from "./toast.js";

const choices = document.getElementById("appearance");

function show() {
  choices.querySelector(`[value="${appearance()}"]`).checked = true;
}

choices.addEventListener("change", ({ target }) => {
  if (!choose(target.value)) say("This browser keeps nothing: the appearance lasts until the page is left.", { tone: "red" });
});
onAppearance(show);
show();
