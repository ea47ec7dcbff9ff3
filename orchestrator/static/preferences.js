// How the person wants the pages to behave: embedded in each, changed on the settings page, and told to the tabs that
// are open.
import { embedded, sendJson } from "./api.js";

const listeners = new Set();
const tabs = "BroadcastChannel" in globalThis ? new BroadcastChannel("keepers-preferences") : undefined;

/** As they are now; see GET /api/preferences. */
export const preferences = embedded("preferences");

/** `listener()` is called when they changed, here or in another tab. */
export const onPreferences = (listener) => listeners.add(listener);

/** Stores these on the server; throws a Refusal when it does not take them. */
export async function changePreferences(changes) {
  const changed = await sendJson("PATCH", "/api/preferences", changes);
  take(changed);
  tabs?.postMessage(changed);
}

function take(changed) {
  Object.assign(preferences, changed);
  for (const listener of listeners) listener();
}

tabs?.addEventListener("message", ({ data }) => take(data));
