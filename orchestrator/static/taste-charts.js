// The two figures of the taste page, as SVG with their numbers also as text.
import { count } from "./format.js";

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [440, 220];
const [LEFT, RIGHT, TOP, BOTTOM] = [48, 12, 20, 36];
const STEPS_OF_RATINGS = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000];

/** Accuracy over the number of ratings: `points` of {n, pair_order}; `last` with its interval is the model in force. */
export function drawCurve(figure, points, last) {
  const all = [...points.filter((point) => point.n !== last.n), last].sort((a, b) => a.n - b.n);
  const counts = all.map((point) => point.n);
  const [from, to] = [Math.min(...counts) * 0.85, Math.max(...counts) * 1.18];
  const x = (n) => LEFT + (Math.log(n / from) / Math.log(to / from)) * (WIDTH - LEFT - RIGHT);
  const low = Math.min(0.4, ...all.map((point) => point.pair_order), last.interval[0]);
  const y = (share) => TOP + ((1 - share) / (1 - low)) * (HEIGHT - TOP - BOTTOM);
  const drawn = svg(`Accuracy by number of ratings: ${all.map((p) => `${count(p.n)}: ${percent(p.pair_order)}`).join(", ")}`);
  for (const share of [0.5, 0.6, 0.7, 0.8, 0.9, 1]) {
    drawn.append(line(LEFT, y(share), WIDTH - RIGHT, y(share), share === 0.5 ? "guessing" : "rule"));
    drawn.append(label(LEFT - 8, y(share) + 4, percent(share), "end"));
  }
  drawn.append(label(WIDTH - RIGHT, y(0.5) + 14, "guessing", "end"));
  for (const n of ticks(counts)) drawn.append(line(x(n), HEIGHT - BOTTOM, x(n), HEIGHT - BOTTOM + 4, "tick"), label(x(n), HEIGHT - BOTTOM + 18, count(n), "middle"));
  drawn.append(label((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 2, "ratings", "middle"));
  drawn.append(line(x(last.n), y(last.interval[0]), x(last.n), y(last.interval[1]), "interval"));
  drawn.append(shape("polyline", { points: all.map((p) => `${x(p.n)},${y(p.pair_order)}`).join(" "), class: "curve" }));
  for (const point of all) drawn.append(shape("circle", { cx: x(point.n), cy: y(point.pair_order), r: point === last ? 5 : 3, class: "point" }));
  figure.replaceChildren(drawn);
}

/** Photos by score in equal `bins`, with a line at `match`; without one, scores make no match yet. */
export function drawHistogram(figure, bins, match) {
  const most = Math.max(1, ...bins);
  const step = (WIDTH - LEFT - RIGHT) / bins.length;
  const width = 100 / bins.length;
  const y = (photos) => TOP + (1 - photos / most) * (HEIGHT - TOP - BOTTOM);
  const drawn = svg(`Photos by score: ${bins.map((n, place) => `${place * width} to ${(place + 1) * width}: ${count(n)}`).join(", ")}`);
  drawn.append(line(LEFT, y(0), WIDTH - RIGHT, y(0), "rule"), label(LEFT - 8, y(0) + 4, "0", "end"), label(LEFT - 8, y(most) + 8, count(most), "end"));
  bins.forEach((photos, place) => {
    const isMatch = match !== undefined && place * width >= match;
    const column = shape("rect", { x: LEFT + place * step + 1, y: y(photos), width: step - 2, height: y(0) - y(photos), class: isMatch ? "column match" : "column" });
    column.append(text("title", `${place * width} to ${(place + 1) * width}: ${count(photos)} photos`));
    drawn.append(column);
  });
  for (const score of [0, 25, 50, 75, 100]) drawn.append(label(LEFT + (score / 100) * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM + 18, String(score), "middle"));
  if (match !== undefined) {
    const x = LEFT + (match / 100) * (WIDTH - LEFT - RIGHT);
    drawn.append(line(x, TOP, x, y(0), "match-line"), label(x, TOP - 8, `match from ${match}`, "middle"));
  }
  drawn.append(label((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 2, "score", "middle"));
  figure.replaceChildren(drawn);
}

const percent = (share) => `${Math.round(share * 100)} %`;

/** At most five numbers of ratings, rounded ones where there are enough, none close to its neighbour. */
function ticks(counts) {
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  const round = STEPS_OF_RATINGS.filter((n) => n >= least && n <= most);
  const wanted = round.length > 1 ? round : [...new Set([least, most])];
  return wanted.length > 5 ? wanted.filter((_, place) => place % 2 === 0) : wanted;
}

function svg(words) {
  const node = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", class: "chart" });
  node.setAttribute("aria-label", words);
  return node;
}

const line = (x1, y1, x2, y2, kind) => shape("line", { x1, y1, x2, y2, class: kind });

function label(x, y, words, anchor) {
  const node = text("text", words);
  node.setAttribute("x", x);
  node.setAttribute("y", y);
  node.setAttribute("text-anchor", anchor);
  return node;
}

function text(name, words) {
  const node = document.createElementNS(SVG, name);
  node.textContent = words;
  return node;
}

function shape(name, attributes) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}
