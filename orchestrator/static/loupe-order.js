// The order of a cull pass, chosen in the loupe: what is preferred from now on, and another pass.
import { Refusal } from "./api.js";
import { changePreferences, onPreferences, preferences } from "./preferences.js";
import { say } from "./toast.js";

/** `begin()` opens the pass in the order that was chosen. */
export function listenToOrder(begin) {
  const choice = document.getElementById("order");
  if (!choice) return;
  const show = () => (choice.value = preferences.cull_order);
  choice.addEventListener("change", async () => {
    choice.blur(); // keys decide again
    try {
      await changePreferences({ cull_order: choice.value });
      await begin();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      say(`The order stays: ${error.message}`, { tone: "red" });
    }
    show();
  });
  onPreferences(show);
  show();
}
