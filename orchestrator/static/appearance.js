// Light, dark, or as the system is: chosen for this browser, and the same in all of its tabs. theme.js shows it before
// the first paint.

const listeners = new Set();

export const APPEARANCES = ["system", "light", "dark"];

/** `listener()` is called when another was chosen. */
export const onAppearance = (listener) => listeners.add(listener);

let chosen = stored();

export const appearance = () => chosen;

/** Whether it will be so again when the page is opened the next time. */
export function choose(name) {
  show(name);
  try {
    if (name === "system") localStorage.removeItem("theme");
    else localStorage.setItem("theme", name);
    return true;
  } catch {
    return false;
  }
}

function stored() {
  const name = localStorage.getItem("theme");
  return APPEARANCES.includes(name) ? name : "system";
}

function show(name) {
  chosen = name;
  if (name === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  for (const listener of listeners) listener();
}

addEventListener("storage", ({ key }) => key === "theme" && show(stored()));
