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

async function start(card, what, wish) {
  card.busy(true);
  try {
    await follow(card, await postJson(`/api/rejects/${what}`, wish));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    card.refuse(error.message);
    await refresh(); // what is shown may be what was refused
  }
  card.busy(false);
}

/** Until it has ended; as before while nobody answers. */
async function follow(card, batch) {
  card.busy(true);
  while (batch.state === "running") {
    card.tell(batch);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    batch = await getJson(`/api/rejects/batches/${batch.id}`).catch((error) => stayed(error, batch));
  }
  card.tell(batch);
  await refresh();
  card.busy(false);
}

function stayed(error, batch) {
  if (error instanceof Refusal && error.status === 0) return batch;
  throw error;
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
  if (batch.state === "running") follow(card, batch);
  else if (batch.state === "stopped") card.tell(batch);
}
