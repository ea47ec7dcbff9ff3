// The bar that says that the server is gone or wants a login, and how many decisions wait for it.
import { plural } from "./format.js";

const gone = document.getElementById("gone");
const why = gone.querySelector(".why");
const login = document.createElement("a");
const waits = document.createElement("span");
const state = { isDown: false, isLoggedOut: false, unsent: 0 };
const notAnswering = why.textContent;

login.textContent = "Log in";
waits.className = "unsent";
addEventListener("login", (event) => showGone({ isLoggedOut: !event.detail }));
gone.append(waits);
// What sticks below it makes room.
new ResizeObserver(() => document.body.style.setProperty("--gone", `${gone.offsetHeight}px`)).observe(gone);

/**
 * What is different: `isDown`, whether nobody answers, `isLoggedOut`, whether the login has ended, or `unsent`, how many
 * decisions are still to be sent.
 */
export function showGone(news) {
  Object.assign(state, news);
  // A place that was scrolled to is worth more than a fresh page: nobody is sent to the login, there is a link to it.
  login.href = `/login?next=${encodeURIComponent(location.pathname + location.search)}`;
  if (state.isLoggedOut) why.replaceChildren("You are logged out. What you see stays. ", login, ".");
  else why.replaceChildren(notAnswering);
  waits.textContent = state.unsent ? ` ${plural(state.unsent, "decision waits", "decisions wait")} to be sent.` : "";
  gone.hidden = !state.isDown && !state.isLoggedOut && state.unsent === 0;
}
