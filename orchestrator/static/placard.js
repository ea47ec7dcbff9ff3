// One photo and its label, which appears piece by piece. All words are text: a model may say anything.
import { embedded, getJson, paced, postJson, Refusal, sendJson } from "./api.js";
import { bytes, camera, captureDay, exact, exposure } from "./format.js";
import { onFrame, onReset } from "./live.js";

const REST_MS = 300;
const BUILT_IN = "built-in";
const MAKING = { waiting: "Waiting to be looked at…", working: "Being looked at…" };
const DESCRIBING = { waiting: "Waiting to be described…", working: "Being described…", held: "Waiting to be described." };

const part = (id) => document.getElementById(id);
const picture = part("picture");
let placard;

function show(found) {
  placard = found;
  const { convert, curate, words } = placard;
  showPicture();
  say(part("making"), placard.preview_url ? "" : (convert.sentence ?? MAKING[convert.state] ?? ""));
  part("frame").classList.toggle("failed", convert.state === "failed");
  say(part("subject"), words?.subject ?? placard.file_name);
  part("subject").classList.toggle("is-name", !words);
  document.title = `${words?.subject ?? placard.file_name} · Keepers`;
  say(part("medium"), medium(placard.exif));
  say(part("damage"), placard.damage ?? "");
  say(part("mood"), words?.artistic_mood ?? "");
  say(part("light"), words?.lighting_critique ?? "");
  showTags(words?.suggested_tags ?? []);
  say(part("describing"), describing(convert, curate));
  say(part("by"), by(words));
  say(part("file-name"), `${placard.file_name}, ${bytes(placard.size)}`);
  part("file-name").title = `Dropped ${exact(placard.dropped_at)}`;
  part("photo").hidden = placard.photo_id === null;
  part("photo").href = `/gallery?photo=${placard.photo_id}`;
  showAgain(convert, curate);
}

function showPicture() {
  picture.hidden = !placard.preview_url;
  if (!placard.preview_url) return;
  picture.alt = placard.words?.subject ?? placard.file_name;
  if (picture.getAttribute("src") === placard.preview_url) return;
  [picture.width, picture.height] = [placard.preview_width, placard.preview_height];
  picture.style.backgroundImage = `url(data:image/jpeg;base64,${placard.placeholder})`;
  picture.src = placard.preview_url;
}

const medium = (shot) =>
  shot ? [[camera(shot), shot.lens].filter(Boolean).join(", "), ...exposure(shot), shot.captured_at && captureDay(shot.captured_at)].filter(Boolean).join(" · ") : "";

function showTags(tags) {
  part("tags").hidden = tags.length === 0;
  part("tags").replaceChildren(...tags.map((tag) => Object.assign(document.createElement("li"), { className: "from-file", textContent: tag })));
}

/** Why there are no words yet, or no newer ones. */
function describing(convert, curate) {
  if (convert.state !== "done" || curate.state === "done") return "";
  return curate.sentence ?? DESCRIBING[curate.state] ?? "";
}

function by(words) {
  if (!words) return "";
  return words.described_by === BUILT_IN ? "Described from pixels and Exif alone, without a vision model" : `Described by ${words.described_by}`;
}

function showAgain(convert, curate) {
  const hasFailed = convert.state === "failed" || curate.state === "failed";
  part("again").hidden = !hasFailed && curate.state !== "done";
  part("again").textContent = hasFailed ? "Try again" : "Describe again";
}

function say(node, words) {
  if (node.textContent !== words) node.textContent = words;
  node.hidden = !words;
}

async function attempt(work) {
  say(part("refused"), "");
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    say(part("refused"), error.message);
  }
}

part("again").addEventListener("click", () => attempt(async () => show(await postJson(`/api/placards/${placard.id}/again`))));
part("remove").addEventListener("click", () => {
  if (part("sure").hidden) return say(part("sure"), "The photo and its label are removed for good. Press Remove again if you are sure.");
  return attempt(async () => {
    await sendJson("DELETE", `/api/placards/${placard.id}`);
    location.assign("/");
  });
});
part("remove").addEventListener("blur", () => say(part("sure"), ""));

const look = paced(async () => show(await getJson(`/api/placards/${placard.id}`)), REST_MS);
const isUnderWay = ({ convert, curate }) => convert.state !== "failed" && !["failed", "done"].includes(curate.state);

show(embedded("placard-state"));
onFrame(() => isUnderWay(placard) && look());
onReset(look);
