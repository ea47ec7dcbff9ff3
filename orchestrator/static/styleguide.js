// The states of cards and imports, made by the same code as on their pages.
import { fillCard, makeCard } from "./card.js";
import { DecisionBar } from "./decision-bar.js";
import { ImportRow } from "./import-row.js";
import { showStars } from "./stars.js";

const GREY = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 3 2'><rect width='3' height='2' fill='#777'/><path d='m0 2 1-1 .6.5.5-.7L3 2z' fill='#555'/></svg>";
const LONG = `A name that goes on and on ${"and on ".repeat(12)}.jpg`;
const done = { convert: "done", embed: "done" };

const CARDS = [
  ["ready", {}],
  ["on its way", { thumbnail_url: null, stages: { convert: "published" } }],
  ["failed", { thumbnail_url: null, stages: { convert: "failed" } }],
  ["rated, with taste", { user_rating: 4, preference_score: 82, is_match: true }],
  ["match", { preference_score: 91, is_match: true }],
  ["chef’s pick", { manual_match: true, user_rating: 5 }],
  ["kept", { kept: true }],
  ["in a project", { project: "Iceland, the long trip around the ring road", user_rating: 1 }],
  ["damaged", { damage: "The end of this file is missing." }],
  ["rejected", { rejected: true }],
  ["one stage failed", { stages: { convert: "done", embed: "failed" } }],
  ["very long name", { file_name: LONG, user_rating: 3, damage: "x", project: LONG }],
  ["markup and right-to-left", { file_name: "<b>bold</b> \u202egpj.exe" }],
];
const NARROW = ["narrow", { user_rating: 5, damage: "x", manual_match: true }];
const BARS = [{}, { user_rating: 3, manual_match: true, kept: true }, { user_rating: 5, kept: true, rejected: true }];

function showCard([name, fields], width) {
  const card = makeCard(0, width, 140);
  const photo = { id: 0, file_name: `${name}.jpg`, captured_at: null, user_rating: null, preference_score: null, manual_match: false, is_match: false, kept: false, rejected: false, project: null, burst: null, damage: null, placeholder: null, thumbnail_url: `data:image/svg+xml,${encodeURIComponent(GREY)}`, stages: done };
  fillCard(card, { ...photo, ...fields });
  document.querySelector(".cards-row").append(card);
}

const IMPORTS = [
  { label: "2024 Iceland", state: "scanning", found: 0 },
  { label: "2024 Iceland", state: "running", found: 3412, done: 1204, damaged: 12, failed: 3, skipped: 40, pending: 2165, stages: { embed: { done: 1100, pending: 104, failed: 0, held: 0 } } },
  { label: "Photos2", state: "held", found: 8120, pending: 8120, held: "Drive Photos2 is not connected: 8,120 waiting." },
  { label: "Sample", state: "paused", found: 200, done: 80, pending: 120, sample: 200, project: "Iceland" },
  { label: "Archive", state: "done", found: 412, done: 400, failed: 2, skipped: 10, left_alone: { mov: 380, psd: 32 }, finished_at: new Date().toISOString() },
  { label: LONG, state: "failed", found: 0, error: "There is no folder /media/me/Photos any more." },
  { label: "Stopped", state: "cancelled", found: 90, done: 30, skipped: 60 },
];

CARDS.forEach((card) => showCard(card, 210));
showCard(NARROW, 100);
document.querySelectorAll("#star-states .stars").forEach((node, n) => showStars(node, [null, 1, 3, 5][n]));
document.querySelectorAll("#bar-states .decision-bar").forEach((node, n) => {
  new DecisionBar(node, () => {}).show({ user_rating: null, manual_match: false, kept: false, rejected: false, ...BARS[n] });
});
for (const [index, fields] of IMPORTS.entries()) {
  const row = new ImportRow(index, { act: async () => {} });
  row.show({ path: `/photos/${fields.label}`, done: 0, damaged: 0, failed: 0, skipped: 0, pending: 0, stages: {}, ratings: { with_rating: 0, of: fields.found }, ...fields });
  document.getElementById("imports").append(row.node);
}
