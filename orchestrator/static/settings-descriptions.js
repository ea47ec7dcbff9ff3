// Where photos are described, on the settings page: the yes to sending them away can be taken back.
import { getJson, paced, postJson, Refusal, sendJson } from "./api.js";
import { onFrame, onReset } from "./live.js";
import { say } from "./toast.js";

const REST_MS = 3000;
const section = document.getElementById("descriptions");
const [sentence, note] = section.querySelectorAll("p");
const button = section.querySelector("button");
let shown;

function show(curation) {
  shown = curation;
  const words = curation.is_remote ? elsewhere(curation) : here(curation);
  if (sentence.textContent !== words) sentence.textContent = words;
  button.hidden = !curation.is_remote;
  note.hidden = !curation.is_remote || !curation.consent;
  button.textContent = curation.consent ? `Send no more photos to ${curation.host}` : `Yes, send photos to ${curation.host}`;
}

const elsewhere = ({ host, model, consent }) =>
  consent
    ? `Photos are sent to ${host}, to be described by ${model}.`
    : `To be described by ${model}, photos would be sent to ${host}. Nothing is sent before you say yes.`;

const here = ({ endpoint, model, falls_back: fallsBack }) =>
  fallsBack
    ? `Photos are described on this machine, from pixels and Exif: no vision model has answered at ${endpoint} yet.`
    : `Photos are described by ${model} at ${endpoint}. That is this machine or its own network: none leaves it.`;

const look = paced(async () => show(await getJson("/api/curation")), REST_MS);

button.addEventListener("click", async () => {
  const { host, consent } = shown;
  button.disabled = true;
  try {
    show(await (consent ? sendJson("DELETE", `/api/curation/consent?host=${encodeURIComponent(host)}`) : postJson("/api/curation/consent", { host })));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    say(`Not stored: ${error.message}`, { tone: "red" });
  }
  button.disabled = false;
});

onFrame(look);
onReset(look);
look();
