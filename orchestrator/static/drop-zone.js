// One photo, dropped, chosen or pasted on the Import page: sent to be described, and then on to its placard.
import { getJson, Refusal } from "./api.js";
import { bytes } from "./format.js";

const MOST_BYTES = 50e6;
const LATELY = 8;

const part = (id) => document.getElementById(id);
const zone = part("drop-zone");
const sending = part("drop-sending");
let request;

/** Sends the one photo of these files, or says why not. */
function take(files) {
  refuse("");
  if (request || !files.length) return;
  const [file] = files;
  if (files.length > 1) return refuse(`These are ${files.length} files. Drop one photo at a time, or import their folder below.`);
  if (!file.size) return refuse(`${file.name} is empty: it has no bytes.`);
  if (file.size > MOST_BYTES) return refuse(`${file.name} has ${bytes(file.size)}, over the limit of 50 MB. Import its folder instead.`);
  send(file);
}

function send(file) {
  request = new XMLHttpRequest(); // fetch tells nothing of how far it has come
  const show = (done) => {
    sending.querySelector("progress").value = done;
    sending.querySelector(".quiet-text").textContent = done < 1 ? `${Math.floor(done * 100)} % of ${bytes(file.size)}` : "Looking at it…";
  };
  sending.querySelector(".name").textContent = file.name;
  show(0);
  request.upload.addEventListener("progress", (event) => show(event.loaded / event.total));
  request.addEventListener("load", () => settle(request.response, file));
  request.addEventListener("error", () => end("Keepers is not answering, or the photo cannot be read any more. Try again."));
  request.addEventListener("abort", () => end(""));
  request.responseType = "json";
  request.open("POST", `/api/placards?${new URLSearchParams({ name: file.name })}`);
  request.setRequestHeader("content-type", "application/octet-stream");
  request.send(file);
  setBusy(true);
  sending.querySelector("button").focus();
}

function settle(answer, file) {
  if (answer?.id !== undefined) return location.assign(`/placard/${answer.id}`);
  end(`${file.name}: ${answer?.error?.message ?? "Keepers could not take this photo."}`);
}

function end(sentence) {
  request = undefined;
  setBusy(false);
  refuse(sentence);
  part("drop-choose").focus();
}

function setBusy(isBusy) {
  sending.hidden = !isBusy;
  part("drop-choose").hidden = isBusy;
}

function refuse(sentence) {
  part("drop-refused").textContent = sentence;
  part("drop-refused").hidden = !sentence;
}

part("drop-choose").addEventListener("click", () => part("drop-file").click());
part("drop-file").addEventListener("change", ({ target }) => {
  take([...target.files]);
  target.value = ""; // the same file may be chosen again
});
sending.querySelector("button").addEventListener("click", () => request?.abort());

// All of the page takes the drop: beside the zone, a browser would leave for the file.

const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
const setOver = (isOver) => zone.classList.toggle("over", isOver);

addEventListener("dragover", (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = request ? "none" : "copy";
  setOver(true);
});
addEventListener("dragleave", (event) => event.relatedTarget === null && setOver(false));
addEventListener("drop", (event) => {
  setOver(false);
  if (!hasFiles(event)) return;
  event.preventDefault();
  const isFolder = [...event.dataTransfer.items].some((item) => item.webkitGetAsEntry?.()?.isDirectory);
  if (isFolder) refuse("This is a folder. Choose it below to import it; here goes one photo.");
  else take([...event.dataTransfer.files]);
});
addEventListener("paste", (event) => {
  if (!event.clipboardData?.files.length) return;
  event.preventDefault();
  take([...event.clipboardData.files]);
});

// What was dropped lately

async function showLately() {
  try {
    const { items } = await getJson(`/api/placards?limit=${LATELY}`);
    part("placards").hidden = items.length === 0;
    part("placards").querySelector("ul").replaceChildren(...items.map(link));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
}

function link(placard) {
  const item = document.createElement("li");
  const to = document.createElement("a");
  to.href = `/placard/${placard.id}`;
  to.title = placard.words?.subject ?? placard.file_name;
  if (placard.thumbnail_url) {
    const image = document.createElement("img");
    image.src = placard.thumbnail_url;
    image.alt = to.title;
    [image.width, image.height] = [placard.preview_width, placard.preview_height];
    to.append(image);
  } else {
    to.className = "from-file small";
    to.textContent = placard.file_name;
  }
  item.append(to);
  return item;
}

addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  request = undefined;
  setBusy(false);
  showLately();
});
showLately();
