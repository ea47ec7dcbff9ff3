// The page that says what rejected originals take on each drive, sets them aside and brings them back.
import { embedded, getJson, postJson, Refusal } from "./api.js";
import { DriveCard } from "./drive-card.js";

const POLL_MS = 500;

const cards = new Map(); // root id -> its card
const list = document.getElementById("drives");

function show({ drives, batches }) {
  document.getElementById("no-drives").hidden = drives.length > 0;
  for (const drive of drives) {
    if (!cards.has(drive.root_id)) {
      const card = new DriveCard(drive, { move: (wish) => start(card, "move", wish), restore: (wish) => start(card, "restore", wish) });
      cards.set(drive.root_id, card);
      list.append(card.node);
    }
    cards.get(drive.root_id).show(drive);
  }
  return batches;
}

const start = (card, what, wish) => attempt(card, async () => follow(card, await postJson(`/api/rejects/${what}`, wish)));

async function attempt(card, work) {
  card.busy(true);
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    card.refuse(error.message);
  }
  await refresh(); // what is shown may be what was refused
  card.busy(false);
}

/** Until it has ended. */
async function follow(card, batch) {
  while (batch.state === "running") {
    card.tell(batch);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    batch = await again(batch);
  }
  card.tell(batch);
}

/** How far it is now; as before, and why nothing newer is known, while nobody answers. */
async function again(batch) {
  try {
    return await getJson(`/api/rejects/batches/${batch.id}`);
  } catch (error) {
    if (!(error instanceof Refusal && error.isPassing)) throw error;
    return { ...batch, error: error.message };
  }
}

async function refresh() {
  try {
    show(await getJson("/api/free-space"));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
}

for (const batch of show(embedded("free-space-state"))) {
  const card = cards.get(batch.root_id);
  if (!card) continue;
  if (batch.state === "running") attempt(card, () => follow(card, batch));
  else if (batch.state === "stopped") card.tell(batch);
}
