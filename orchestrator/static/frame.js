// What every page has: the pipeline at a glance, the number of problems, the theme, and word that the server is gone.
import "./clip.js";
import { ago, exact } from "./format.js";
import { onFrame, onReset, onState } from "./live.js";
import { refreshStages } from "./pipeline.js";

const gone = document.getElementById("gone");
const themeButton = document.getElementById("theme-button");

function setUpTheme() {
  const order = ["system", "light", "dark"];
  const current = () => localStorage.getItem("theme") ?? "system";
  const say = () => {
    themeButton.setAttribute("aria-label", `Appearance: ${current()}`);
    themeButton.title = `Appearance: ${current()}`;
  };
  themeButton.addEventListener("click", () => {
    const next = order[(order.indexOf(current()) + 1) % order.length];
    if (next === "system") {
      localStorage.removeItem("theme");
      delete document.documentElement.dataset.theme;
    } else {
      localStorage.setItem("theme", next);
      document.documentElement.dataset.theme = next;
    }
    say();
  });
  say();
}

/** Every `<time data-ago>` says how long ago it was, and keeps saying it. */
function refreshTimes() {
  for (const time of document.querySelectorAll("time[data-ago]")) {
    time.textContent = ago(time.dateTime);
    time.title = exact(time.dateTime);
  }
}

setUpTheme();
refreshTimes();
setInterval(refreshTimes, 30_000);
setInterval(refreshStages, 30_000); // times left grow old without an event, and a count of very many is late
document.addEventListener("rows-added", refreshTimes);
refreshStages();
onFrame((frame) => frame.stages && refreshStages());
onReset(refreshStages);
onState((isDown) => {
  gone.hidden = !isDown;
  if (!isDown) refreshStages();
});
