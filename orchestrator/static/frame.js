// What every page has: the pipeline at a glance, the number of problems, the theme, and word that the server is gone.
import { appearance, APPEARANCES, choose, onAppearance } from "./appearance.js";
import "./backfills.js";
import "./clip.js";
import { ago, exact } from "./format.js";
import { showGone } from "./gone.js";
import { onFrame, onReset, onState } from "./live.js";
import { refreshStages } from "./pipeline.js";

const themeButton = document.getElementById("theme-button");

function setUpTheme() {
  const say = () => {
    themeButton.setAttribute("aria-label", `Appearance: ${appearance()}`);
    themeButton.title = `Appearance: ${appearance()}`;
  };
  themeButton.addEventListener("click", () => choose(APPEARANCES[(APPEARANCES.indexOf(appearance()) + 1) % APPEARANCES.length]));
  onAppearance(say);
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
  showGone({ isDown });
  refreshStages(); // when it went down, because the login may have ended: asking tells
});
