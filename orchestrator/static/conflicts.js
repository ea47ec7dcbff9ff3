// Photos with two ratings: choose one of them, for one photo or for all.
import { postJson, Refusal } from "./api.js";
import { plural } from "./format.js";

const outcome = document.getElementById("outcome");

document.querySelector("main").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.choice) settleOne(button.closest(".difference"), button.dataset.choice);
  if (button?.dataset.all) settleAll(button.dataset.all);
});

async function settleOne(row, choice) {
  const buttons = mark(row, choice);
  try {
    const { undo } = await postJson(`/api/rating-conflicts/${row.dataset.id}`, { choice });
    say(row, choice === "ours" ? "Yours stays." : "Taken from the file.", undo);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.status === 0) for (const button of buttons) button.disabled = false;
    say(row, error.message);
  }
}

async function settleAll(choice) {
  const forAll = [...document.querySelectorAll("[data-all]")];
  for (const button of forAll) button.disabled = true;
  try {
    const { changed, undo } = await postJson("/api/rating-conflicts", { choice });
    const open = [...document.querySelectorAll(".difference")].filter((row) => !isSettled(row));
    for (const row of open) mark(row, choice);
    const taken = `${plural(changed, "photo has", "photos have")} the rating of ${changed === 1 ? "its file" : "their files"} now.`;
    tell(choice === "ours" ? "All of yours stay." : taken, undo, open);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    for (const button of forAll) button.disabled = false;
    tell(error.message);
  }
}

const isSettled = (row) => row.querySelector("[aria-pressed=true]") !== null;

function mark(row, choice) {
  const buttons = [...row.querySelectorAll("[data-choice]")];
  for (const button of buttons) {
    button.disabled = true;
    button.setAttribute("aria-pressed", button.dataset.choice === choice);
  }
  return buttons;
}

function say(row, sentence, undo) {
  const line = row.querySelector(".settled");
  line.textContent = sentence;
  if (!undo) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet";
  button.textContent = "Undo";
  button.addEventListener("click", async () => {
    line.textContent = await takeBack(undo);
    mark(row, "ours");
  });
  line.append(button);
}

function tell(sentence, undo, rows = []) {
  outcome.hidden = false;
  outcome.firstElementChild.textContent = sentence;
  const button = outcome.querySelector(".undo");
  button.hidden = !undo;
  button.onclick = async () => {
    button.hidden = true;
    outcome.firstElementChild.textContent = await takeBack(undo);
    for (const row of rows) mark(row, "ours");
  };
}

/** What to say afterwards. */
async function takeBack(batch) {
  try {
    await postJson(`/api/decisions/${batch}/undo`);
    return "Taken back: yours stays.";
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return error.message;
  }
}

// Before this there was nobody who would have heard a click.
for (const button of document.querySelectorAll("[data-choice], [data-all]")) button.disabled = false;
