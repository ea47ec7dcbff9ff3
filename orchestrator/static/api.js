// Fetching JSON, with the server's own sentence when it refuses.

export class Refusal extends Error {
  constructor(status, type, message) {
    super(message);
    this.status = status;
    this.type = type;
  }

  /** Nobody answers, or the server cannot just now: the same may pass later. */
  get isPassing() {
    return this.status === 0 || this.status >= 500;
  }
}

let wasIn = true;

export const getJson = (address, options = {}) => ask(address, options);

export const postJson = (address, body) => sendJson("POST", address, body);

export const sendJson = (method, address, body) =>
  ask(address, {
    method,
    headers: body === undefined ? {} : { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });

async function ask(address, options) {
  let response;
  try {
    response = await fetch(address, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(0, "unreachable", "Keepers is not answering.");
  }
  const body = await response.json().catch(() => null); // a 204 has none
  noteLogin(response.status !== 401);
  if (response.ok) return body;
  throw new Refusal(response.status, body?.error?.type, body?.error?.message ?? `Keepers answered ${response.status}.`);
}

/** Tells the page when the login has ended, and when there is one again: by another tab, for example. */
function noteLogin(isIn) {
  if (isIn === wasIn) return;
  wasIn = isIn;
  dispatchEvent(new CustomEvent("login", { detail: isIn }));
}

/** The JSON that the server put into the page under this id. */
export const embedded = (id) => JSON.parse(document.getElementById(id).textContent);

/**
 * A function that runs `work` soon after it is called, never twice at once and at most every `restMs`; calls in between
 * lead to one more run.
 */
export function paced(work, restMs) {
  let isRunning = false;
  let isWanted = false;
  return async function run() {
    isWanted = true;
    if (isRunning) return;
    isRunning = true;
    while (isWanted) {
      isWanted = false;
      try {
        await work();
      } catch (error) {
        if (!(error instanceof Refusal)) console.error(error);
      }
      await new Promise((resolve) => setTimeout(resolve, restMs));
    }
    isRunning = false;
  };
}
