// What opens and closes in the loupe beside the photo: the list of keys, and the full screen.
import { announce } from "./loupe-said.js";

const help = document.getElementById("help");

export const isHelpOpen = () => !help.hidden;

export function toggleHelp() {
  help.hidden = !help.hidden;
  document.querySelector('[data-tool="help"]').setAttribute("aria-expanded", String(!help.hidden));
}

export function toggleFull() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen().catch(() => announce("This browser shows no page on the full screen"));
}
