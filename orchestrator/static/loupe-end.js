// The page after the last photo: what was done, and what comes next.
import { count } from "./format.js";

/** Shows it in `node`; `go(place)` goes back, and `goOn()` to what came in since the pass was opened. */
export function showEnd(node, kind, progress, { go, goOn }) {
  const part = (name) => node.querySelector(`[data-end="${name}"]`);
  const { n, position, more, passed_over: passedOver, to_rate: toRate } = progress;
  part("title").textContent = titleOf(kind, progress);
  part("words").textContent = wordsOf(kind, progress);
  part("rate").hidden = kind === "rate" || toRate === 0;
  part("rate").textContent = `${count(toRate)} kept: rate ${toRate === 1 ? "it" : "them"}?`;
  part("more").classList.toggle("unseen", more === 0); // its room stays: nothing moves when photos come in
  part("more").textContent = `Go on with ${count(more)} more`;
  part("more").onclick = goOn;
  part("again").hidden = n === 0;
  part("again").textContent = passedOver ? `Look at the ${count(passedOver)} passed over` : "From the start";
  part("again").onclick = () => go(passedOver ? position : 1);
}

function titleOf(kind, { n, passed_over: passedOver, more }) {
  if (passedOver) return `That was the last of ${count(n)}`;
  if (more) return `${count(more)} more came in`;
  if (n === 0) return kind === "cull" ? "Nothing to cull" : "Nothing to rate";
  return `${n === 1 ? "The only one is" : `All ${count(n)} are`} ${kind === "cull" ? "culled" : "rated"}`;
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
  return `${parts.join(", ")}. Undo (Ctrl+Z) takes the last decision back.`;
}
