// One drive: the room that its photos take, and the verbs about those that are rejected.
import { bytes, count, plural } from "./format.js";

export class DriveCard {
  /** Calls `move(wish)` and `restore(wish)`. */
  constructor(drive, { move, restore }) {
    this.tasks = { move, restore };
    this.node = document.getElementById("drive-template").content.firstElementChild.cloneNode(true);
    this.#part("ask").addEventListener("click", () => this.#ask());
    this.#part("cancel").addEventListener("click", () => this.#leave());
    this.#part("typed").addEventListener("input", () => this.#compare());
    this.#part("confirm").addEventListener("submit", (event) => this.#move(event));
    this.#part("confirm").addEventListener("keydown", (event) => event.key === "Escape" && this.#leave());
    this.#part("bring-back").addEventListener("click", () => this.#restore({}));
    this.#part("bring-restored").addEventListener("click", () => this.#restore({ only_restored: true }));
    this.isBusy = false;
    this.show(drive);
  }

  show(drive) {
    this.drive = drive;
    this.#part("label").textContent = drive.label;
    this.#part("path").textContent = drive.path;
    this.#showRoom(drive);
    this.#say("trouble", drive.trouble);
    this.#say("restored", restoredSaid(drive.set_aside));
    this.#say("missing", missingSaid(drive.set_aside, drive.folder));
    this.#part("work").setAttribute("aria-label", `Photos of ${drive.label}`);
    this.#part("not-moved").setAttribute("aria-label", `Not moved: ${drive.label}`);
    this.#showVerbs();
  }

  /** How far a batch is, or what came of it. */
  tell(batch) {
    const isRunning = batch.state === "running";
    this.#part("work").hidden = !isRunning;
    this.#part("work").max = Math.max(1, batch.total);
    this.#part("work").value = batch.done;
    this.#part("said").textContent = isRunning ? `${count(batch.done)} of ${plural(batch.total, "photo")}` : outcome(batch);
    this.#say("refused", batch.error);
    this.#part("not-moved").hidden = batch.not_moved.length === 0;
    this.#part("not-moved").replaceChildren(...batch.not_moved.map(line), ...more(batch));
  }

  refuse(sentence) {
    this.#say("refused", sentence);
  }

  busy(is) {
    this.isBusy = is;
    if (!is) this.#part("work").hidden = true;
    this.#showVerbs();
  }

  #showRoom({ kept, rejected, set_aside: aside, free_bytes: free, total_bytes: total }) {
    const known = { kept: kept.bytes, rejected: rejected.bytes, aside: aside.bytes };
    const taken = known.kept + known.rejected + known.aside;
    const other = total === null ? 0 : Math.max(0, total - free - taken);
    const whole = Math.max(1, total ?? taken);
    for (const [name, size] of Object.entries({ ...known, other })) {
      const part = this.node.querySelector(`.part.${name}`);
      part.hidden = size === 0;
      part.style.width = `${(100 * size) / whole}%`;
    }
    this.#part("kept-said").textContent = amount(kept);
    this.#part("rejected-said").textContent = amount(rejected);
    this.#part("aside-said").textContent = amount(aside);
    this.#part("other-said").textContent = bytes(other);
    this.#part("free-said").textContent = total === null ? "" : `${bytes(free)} of ${bytes(total)}`;
    for (const node of this.node.querySelectorAll(".is-known")) node.hidden = total === null;
    const rest = total === null ? "" : `, other files ${bytes(other)}, free ${bytes(free)}`;
    this.#part("room").setAttribute("aria-label", `Kept ${bytes(known.kept)}, rejected ${bytes(known.rejected)}, set aside ${bytes(known.aside)}${rest}`);
  }

  #showVerbs() {
    const { rejected, set_aside: aside, trouble, label } = this.drive;
    const isAsking = !this.#part("confirm").hidden;
    this.#part("ask").hidden = rejected.photos === 0 || isAsking;
    this.#part("bring-back").hidden = aside.photos === 0 || isAsking;
    this.#part("bring-restored").hidden = aside.restored === 0 || aside.restored === aside.photos || isAsking;
    for (const name of ["ask", "bring-back", "bring-restored"]) {
      this.#part(name).disabled = this.isBusy || Boolean(trouble);
      this.#part(name).setAttribute("aria-label", `${this.#part(name).textContent}: ${label}`);
    }
  }

  #ask() {
    const { rejected, folder } = this.drive;
    this.#part("what").textContent = `The originals of ${plural(rejected.photos, "rejected photo")}, ${bytes(rejected.bytes)}, move with what lies beside them:`;
    this.#part("where").textContent = folder;
    this.#part("confirm").hidden = false;
    this.#part("typed").value = "";
    this.#say("refused", "");
    this.#compare();
    this.#showVerbs();
    this.#part("typed").focus();
  }

  #leave() {
    this.#part("confirm").hidden = true;
    this.#showVerbs();
    this.#part("ask").focus();
  }

  #compare() {
    this.#part("confirm").querySelector("[type=submit]").disabled = this.#typed() !== this.drive.rejected.photos;
  }

  #typed() {
    return Number(this.#part("typed").value.replaceAll(/[\s,.'’]/g, "") || Number.NaN);
  }

  #move(event) {
    event.preventDefault();
    if (this.#typed() !== this.drive.rejected.photos) return;
    this.#part("confirm").hidden = true;
    this.#clear();
    this.tasks.move({ root: this.drive.root_id, confirm_count: this.drive.rejected.photos });
  }

  #restore(which) {
    this.#clear();
    this.tasks.restore({ root: this.drive.root_id, ...which });
  }

  #clear() {
    this.#say("refused", "");
    this.#part("said").textContent = "";
    this.#part("not-moved").hidden = true;
  }

  #say(name, sentence) {
    this.#part(name).textContent = sentence ?? "";
    this.#part(name).hidden = !sentence;
  }

  #part(name) {
    return this.node.querySelector(`.${name}`);
  }
}

const amount = ({ photos, bytes: size }) => (photos ? `${plural(photos, "photo")}, ${bytes(size)}` : "none");

function restoredSaid({ restored }) {
  if (!restored) return "";
  return `${plural(restored, "photo")} whose ${restored === 1 ? "original is" : "originals are"} set aside ${restored === 1 ? "is" : "are"} not rejected any more. Bring ${restored === 1 ? "it" : "them"} back to where you keep your photos.`;
}

function missingSaid({ missing }, folder) {
  return missing ? `${plural(missing, "file")} that ${missing === 1 ? "was" : "were"} set aside ${missing === 1 ? "is" : "are"} not in ${folder} any more.` : "";
}

function outcome({ kind, files, bytes: size, left, state }) {
  const verb = kind === "move" ? "set aside" : "brought back";
  const stayed = left ? ` ${plural(left, "photo")} stayed:` : "";
  return state === "stopped" && files === 0 ? stayed : `${plural(files, "file")} ${verb}, ${bytes(size)}.${stayed}`;
}

function line({ photo_id: id, message }) {
  const node = document.createElement("li");
  node.className = "from-file";
  node.append(message);
  if (id !== null) {
    const link = Object.assign(document.createElement("a"), { href: `/gallery?filter=rejected&photo=${id}`, textContent: "Show" });
    link.setAttribute("aria-label", `Show the photo: ${message}`);
    node.append(" ", link);
  }
  return node;
}

function more({ left, not_moved: named }) {
  if (left <= named.length) return [];
  return [Object.assign(document.createElement("li"), { textContent: `And ${count(left - named.length)} more.` })];
}
