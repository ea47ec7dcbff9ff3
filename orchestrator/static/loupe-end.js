// The page after the last photo: what was done, and what comes next.
import { count } from "./format.js";

const part = (id) => document.getElementById(id);

/** Shows it; `go(place)` goes back, and `goOn()` to what came in since the pass was opened. */
export function showEnd(kind, progress, { go, goOn }) {
  part("end-title").textContent = titleOf(kind, progress);
  part("end-words").textContent = wordsOf(kind, progress);
  part("end-rate").hidden = kind === "rate" || progress.to_rate === 0;
  part("end-rate").textContent = `${count(progress.to_rate)} kept: rate ${progress.to_rate === 1 ? "it" : "them"}?`;
  part("end-new").classList.toggle("unseen", progress.more === 0); // its room stays: nothing moves when photos come in
  part("end-new").textContent = `Go on with ${count(progress.more)} more`;
  part("end-new").onclick = goOn;
  part("end-again").hidden = progress.n === 0;
  part("end-again").textContent = progress.passed_over ? `Look at the ${count(progress.passed_over)} passed over` : "From the start";
  part("end-again").onclick = () => go(progress.passed_over ? progress.position : 1);
}

function titleOf(kind, { n, passed_over: passedOver, more }) {
  if (passedOver) return `That was the last of ${count(n)}`;
  if (more) return `${count(more)} more came in`;
  if (n === 0) return kind === "cull" ? "Nothing to cull" : "Nothing to rate";
  return kind === "cull" ? `All ${count(n)} are culled` : `All ${count(n)} are rated`;
}

function wordsOf(kind, { n, kept, rejected, passed_over: passedOver, more }) {
  if (n === 0 && more) return "They can be looked at now.";
  if (n === 0) {
    return kind === "cull" ? "Every photo has been decided about. New ones come here after an import." : "No photo has been kept yet: cull first.";
  }
  if (kind === "rate" && !passedOver) return "Every photo that you kept has its stars.";
  if (kind === "rate") return `${count(n - rejected - passedOver)} with stars, ${count(passedOver)} without.`;
  const parts = [`${count(kept)} kept`, `${count(rejected)} rejected`];
  if (passedOver) parts.push(`${count(passedOver)} passed over`);
  return `${parts.join(", ")}. Ctrl+Z takes the last decision back.`;
}
