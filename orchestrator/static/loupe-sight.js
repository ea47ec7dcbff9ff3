// What is said of how a photo is seen: how large, whether its pixels are there, and what the colours over it mean.

/** In `node`, with `zoom` (see loupe-zoom.js) and `legend` (see loupe-overlays.js); nothing of the whole photo without colours. */
export function showSight(node, { zoom, sharpness, legend }) {
  const [words, list] = [node.querySelector("p"), node.querySelector("ul")];
  node.hidden = !zoom && legend.length === 0;
  words.hidden = !zoom;
  if (zoom) words.textContent = zoomWords(zoom, sharpness);
  list.replaceChildren(...legend.map(makeEntry));
}

function zoomWords({ level }, { isThere, trouble }) {
  const words = `${Math.round(level * 100)} %`;
  if (isThere) return words;
  return trouble ? `${words}, blurred: ${trouble}` : `${words}, its pixels are on their way`;
}

function makeEntry({ colour, words }) {
  const entry = document.createElement("li");
  const swatch = document.createElement("span");
  swatch.className = `swatch ${colour}`;
  entry.append(swatch, words);
  return entry;
}
