// Who describes the photos, where that is worth a word: photos that leave the machine wait for one yes.
import { getJson, paced, postJson, Refusal } from "./api.js";
import { count } from "./format.js";
import { onFrame, onReset } from "./live.js";

const REST_MS = 3000;
const notice = document.getElementById("curation");
const sentence = notice.querySelector("p");
const button = notice.querySelector("button");
let host;

function show(curation) {
  host = curation.host;
  const needsYes = curation.is_remote && !curation.consent;
  const words = needsYes ? question(curation) : curation.is_remote ? statement(curation) : hint(curation);
  notice.hidden = !words;
  notice.classList.toggle("amber", needsYes);
  if (sentence.textContent !== words) sentence.textContent = words;
  button.hidden = !needsYes;
  button.textContent = `Yes, send photos to ${host}`;
}

const calls = (number) => `${count(number)} ${number === 1 ? "call" : "calls"}`;

const question = ({ host, model, waiting }) =>
  `To be described by ${model}, photos are sent to ${host}: one call for each, ${waiting ? `${calls(waiting)} now` : "none is waiting yet"}. ` +
  "Only previews are sent, and nothing before you say yes. Everything else goes on without it.";

const statement = ({ host, model, waiting }) =>
  `Photos are sent to ${host}, to be described by ${model}${waiting ? `: ${calls(waiting)} to go` : ""}.`;

function hint({ endpoint, falls_back: fallsBack, described, model }) {
  if (!fallsBack || !described.some((kind) => kind.described_by === "built-in")) return "";
  return (
    `No vision model answers at ${endpoint} yet, so descriptions say only what pixels and Exif show. ` +
    `Start Ollama and type: ollama pull ${model}. They are then written anew.`
  );
}

const look = paced(async () => show(await getJson("/api/curation")), REST_MS);

button.addEventListener("click", async () => {
  button.disabled = true;
  try {
    show(await postJson("/api/curation/consent", { host }));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    sentence.textContent = error.message;
  }
  button.disabled = false;
});

onFrame(look);
onReset(look);
look();
