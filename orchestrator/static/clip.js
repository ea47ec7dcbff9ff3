// Which model similarity comes from, and the button that fetches the better one. Looked at while the pipeline is open.
import { getJson, postJson } from "./api.js";
import { count } from "./format.js";

const LOOK_MS = 1500;
const panel = document.getElementById("pipeline");
const box = document.getElementById("clip");
const [sentence, bar, button] = ["p", "progress", "button"].map((name) => box.querySelector(name));

async function look() {
  if (!panel.matches(":popover-open")) return;
  try {
    const { items } = await getJson("/api/models");
    show(items.find((model) => model.name === "clip"));
  } catch (refusal) {
    box.hidden = true;
    if (refusal.status === undefined) throw refusal;
  }
  setTimeout(look, LOOK_MS);
}

function show(clip) {
  box.hidden = false;
  sentence.textContent = words(clip);
  button.hidden = clip.state !== "absent";
  button.textContent = clip.error || clip.bytes_here ? "Go on fetching CLIP" : "Fetch CLIP";
  const [done, all] = clip.state === "fetching" ? [clip.bytes_here, clip.bytes_total] : [clip.done, clip.wanted];
  bar.hidden = !all;
  if (all) Object.assign(bar, { max: all, value: done });
}

function words(clip) {
  if (clip.error) return clip.error;
  if (clip.in_force) return "Similarity is computed by CLIP.";
  if (clip.is_building) return `CLIP looks at your photos: ${count(clip.done)} of ${count(clip.wanted)}.`;
  if (clip.state === "ready") return "CLIP is here and begins in a moment.";
  if (clip.state === "fetching") return `Fetching CLIP: ${megabytes(clip.bytes_here)} of ${megabytes(clip.bytes_total)}.`;
  return `Similarity is computed by a small starter model. CLIP sees more: ${clip.plan}.`;
}

const megabytes = (bytes) => `${count(Math.round(bytes / 1e6))} MB`;

button.addEventListener("click", async () => {
  try {
    show(await postJson("/api/models/clip/fetch"));
  } catch (refusal) {
    sentence.textContent = refusal.message;
  }
});
panel.addEventListener("toggle", (event) => event.newState === "open" && look());
