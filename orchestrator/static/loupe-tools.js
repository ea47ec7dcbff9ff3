// What the loupe has beside the photo: the list of keys, the full screen, and the address.
import { shownKey } from "./keys.js";
import { announce } from "./loupe-said.js";
import { onPreferences, preferences } from "./preferences.js";

const ADDRESS_REST_MS = 300; // browsers refuse to change it hundreds of times

let addressTimer;
const help = document.getElementById("help");

/** Buttons with `data-tool` do what `tools` has under that name; those in `panel` keep the focus. */
export function listenToTools(tools, panel) {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    tools[button?.dataset.tool]?.();
    // After a click the space bar goes on to the next photo; it does not press the button again.
    if (button && event.detail > 0 && !panel.contains(button)) button.blur();
  });
}

export const isHelpOpen = () => !help.hidden;

export function toggleHelp() {
  help.hidden = !help.hidden;
  for (const button of document.querySelectorAll('[data-tool="help"]')) button.setAttribute("aria-expanded", String(!help.hidden));
}

export function toggleFull() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen().catch(() => announce("This browser shows no page on the full screen"));
}

/** A reload goes on here. */
export function rememberPlace(kind, passId, place) {
  clearTimeout(addressTimer);
  addressTimer = setTimeout(() => {
    history.replaceState(null, "", `/review?pass=${kind}&of=${passId}&at=${place}`);
  }, ADDRESS_REST_MS);
}

// Another tab chose other keys.
onPreferences(() => {
  for (const node of help.querySelectorAll("[data-keys]")) {
    node.replaceChildren(...preferences.keys[node.dataset.keys].map((key) => {
      const name = document.createElement("kbd");
      name.textContent = shownKey(key);
      return name;
    }));
  }
});
