// The states of cards and imports, made by the same code as on their pages.
import { showFrames } from "./burst-frames.js";
import { showBursts } from "./bursts-line.js";
import { fillCard, makeCard } from "./card.js";
import { makeFrame, showMarks } from "./compared-frame.js";
import { DecisionBar } from "./decision-bar.js";
import { DriveCard } from "./drive-card.js";
import { FolderRow } from "./folder-row.js";
import { ImportRow } from "./import-row.js";
import { showEnd } from "./loupe-end.js";
import { makeEntry } from "./loupe-filmstrip.js";
import { legendOf } from "./loupe-overlays.js";
import { showSight } from "./loupe-sight.js";
import { SelectionBar } from "./selection-bar.js";
import { showStars } from "./stars.js";
import { Tags } from "./tags.js";

const GREY = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 3 2'><rect width='3' height='2' fill='#777'/><path d='m0 2 1-1 .6.5.5-.7L3 2z' fill='#555'/></svg>";
const PICTURE = `data:image/svg+xml,${encodeURIComponent(GREY)}`;
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
  ["set aside", { rejected: true, set_aside: true }],
  ["selected", { isSelected: true, user_rating: 2 }],
  ["not selected", { isSelected: false }],
  ["left the list", { user_rating: 3, hasLeft: true }],
  ["removed", { isGone: true }],
  ["one stage failed", { stages: { convert: "done", embed: "failed" } }],
  ["in a burst", { burst: { id: 0, kind: "burst", size: 12, is_best: false } }],
  ["best of a burst", { burst: { id: 0, kind: "burst", size: 12, is_best: true } }],
  ["in a bracket", { burst: { id: 0, kind: "bracket", size: 3, is_best: false } }],
  ["very long name", { file_name: LONG, user_rating: 3, damage: "x", project: LONG }],
  ["markup and right-to-left", { file_name: "<b>bold</b> \u202egpj.exe" }],
];
const FRAMES = [
  { sharpness: 61.4 },
  { sharpness: 88.2, is_best: true },
  { sharpness: 70, user_rating: 4, manual_match: true },
  { thumbnail_url: null },
  { file_name: LONG, sharpness: 12, width: 2000, height: 3000 },
];
const BRACKET = [-2, 0, 2].map((ev) => ({ exposure_bias_ev: ev, sharpness: 80 + ev, user_rating: ev ? null : 5, is_best: ev === 0, is_chosen: true }));
const LINES = [
  { totals: { photos: 1204, groups: 310, brackets: 12 }, search: { is_running: false } },
  { totals: { photos: 2, groups: 1, brackets: 1 }, search: { is_running: true } },
  { totals: { photos: 0, groups: 0, brackets: 0 }, search: { is_running: true } },
  { totals: { photos: 0, groups: 0, brackets: 0 }, search: { is_running: false } },
];
const NARROW = ["narrow", { user_rating: 5, damage: "x", manual_match: true }];
const BARS = [{}, { user_rating: 3, manual_match: true, kept: true }, { user_rating: 5, kept: true, rejected: true }];

function showCard([name, fields], width) {
  const card = makeCard(0, width, 140);
  const photo = { id: 0, file_name: `${name}.jpg`, captured_at: null, user_rating: null, preference_score: null, manual_match: false, is_match: false, kept: false, rejected: false, project: null, burst: null, damage: null, placeholder: null, thumbnail_url: PICTURE, stages: done };
  fillCard(card, { ...photo, ...fields });
  document.querySelector(".cards-row").append(card);
}

const AT_100 = { level: 1, x: 0.5, y: 0.5 };
const SIGHTS = [
  { zoom: AT_100, sharpness: { isThere: true }, legend: [] },
  { zoom: AT_100, sharpness: { isThere: false }, legend: [] },
  { zoom: { ...AT_100, level: 2.5 }, sharpness: { isThere: false, trouble: "Drive Photos2 is not connected." }, legend: [] },
  { legend: legendOf("focus") },
  { legend: legendOf("clipping") },
  { zoom: AT_100, sharpness: { isThere: true }, legend: legendOf("clipping", { highlights: 0.0312, shadows: 0 }) },
];
const STRIP = [{ kept: true }, { user_rating: 3, kept: true }, { rejected: true }, { manual_match: true, kept: true, user_rating: 5 }, { thumbnail_url: null }, { width: 800, height: 12_000 }];
// The first four of a cull pass, the others of a rate pass.
const ENDS = [
  { kept: 120, rejected: 94, to_rate: 120 },
  { kept: 20, rejected: 10, passed_over: 184, to_rate: 1 },
  { kept: 120, rejected: 94, to_rate: 120, more: 1_312 },
  { n: 0 },
  { kept: 214 },
  { kept: 214, rejected: 2, passed_over: 30 },
  { n: 0 },
];
const COMPARED = [
  { user_rating: 4, kept: true },
  { manual_match: true, kept: true },
  { rejected: true },
  { file_name: LONG, preview_url: null },
];
const WATCH = { path: "/photos/2024", state: "watching", is_polled: false, problem: null, last_new_at: null };
const WRITTEN = { waiting: 0, not_written: 0, first: [], problem: null };
const FOLDERS = [
  { label: "neither" },
  { label: "watched, sidecars written", watches: [WATCH], writes_sidecars: true },
  { label: "looked at now and then, some to be written", watches: [{ ...WATCH, state: "polling", is_polled: true, last_new_at: new Date().toISOString() }], writes_sidecars: true, sidecars: { ...WRITTEN, waiting: 1204 } },
  { label: "not connected", is_online: false, watches: [{ ...WATCH, state: "waiting", problem: "Drive Photos2 is not connected." }] },
  { label: "in a bucket", path: "s3://archive/raw", is_bucket: true },
  { label: "not written", writes_sidecars: true, sidecars: { waiting: 0, not_written: 12, first: ["DSC_0027.xmp: This folder is read-only."], problem: null } },
  { label: LONG, path: `/photos/${LONG}`, watches: [{ ...WATCH, path: `/photos/${LONG}/part`, state: "starting" }] },
];

const NONE = { photos: 0, bytes: 0 };
const ASIDE = { ...NONE, restored: 0, missing: 0 };
const DRIVES = [
  { label: "some rejected, some set aside", rejected: { photos: 214, bytes: 9.2e9 }, set_aside: { photos: 120, bytes: 5.1e9, restored: 3, missing: 12 } },
  { label: "nothing rejected" },
  { label: "not connected", rejected: { photos: 12, bytes: 4.1e8 }, trouble: "Photos2 is not connected, so nothing can be moved there.", free_bytes: null, total_bytes: null },
  { label: LONG, path: `/photos/${LONG}`, rejected: { photos: 2, bytes: 9e7 } },
];
const BATCHES = [
  { state: "running", done: 4100, total: 10_000 },
  { state: "done", files: 640, bytes: 9.2e9, left: 120, not_moved: [{ photo_id: 1, message: "DSC_0027.NEF stays: it was changed since Keepers read it." }] },
  undefined,
  { state: "stopped", files: 12, bytes: 4e8, error: "Photos2 is full: there is no room for another name. What was moved before is written down; the same again goes on." },
];

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
const selection = new SelectionBar(document.getElementById("selection-bar"), { decide: () => {} });
const chosen = { id: "many", file_name: "214 photos", user_rating: 3, manual_match: false, kept: true, rejected: false, project: undefined };
selection.show({ photos: chosen, selected: 214, isAll: false, total: 12_345, isInProject: true });
selection.showWork(12_345);
selection.tags.node.hidden = false;
selection.tags.show([{ tag: "dog", photos: 214 }, { tag: "river at dawn", photos: 12 }], 214);
new Tags(document.querySelector(".tagging"), () => {}).show({ id: 1, tags: ["dog", "river at dawn", LONG], description: { suggested_tags: ["dog"] } });
function showStrip(node, kind, frames) {
  const started = "2024-05-04T10:00:00";
  const unknown = { width: 3000, height: 2000, captured_at: started, thumbnail_url: PICTURE, sharpness: null, exposure_bias_ev: null, user_rating: null, manual_match: false, is_best: false, is_chosen: false };
  const all = frames.map((fields, n) => ({ ...unknown, id: n, file_name: `DSC_000${n}.jpg`, captured_at: `2024-05-04T10:00:0${n}`, ...fields }));
  showFrames(node, { kind, size: all.length, started_at: started, frames: all });
  node.querySelector(".best .burst-picture").tabIndex = 0; // as where the strip is opened: one can be reached by key
  node.hidden = false;
}
showStrip(document.getElementById("burst-example"), "burst", FRAMES);
showStrip(document.getElementById("bracket-example"), "bracket", BRACKET);
document.querySelectorAll("#line-states .bursts-line").forEach((node, n) => {
  const { totals, search } = LINES[n];
  showBursts(node, { totals, search: { gap_seconds: 5, least_cosine: 0.94, is_own_cosine: n === 0, ...search } });
  node.hidden = false;
});
for (const [n, fields] of STRIP.entries()) {
  const photo = { id: n, file_name: `DSC_000${n}.jpg`, width: 3000, height: 2000, thumbnail_url: PICTURE, user_rating: null, manual_match: false, kept: false, rejected: false, ...fields };
  document.getElementById("strip-example").append(makeEntry({ photo, isHere: n === 1, choose: () => {} }));
}
document.querySelectorAll("#end-states .loupe-end").forEach((node, n) => {
  const progress = { n: 214, position: 1, kept: 0, rejected: 0, passed_over: 0, more: 0, to_rate: 0, ...ENDS[n] };
  showEnd(node, node.dataset.kind, progress, { go: () => {}, goOn: () => {} });
});
document.querySelectorAll("#sight-states .loupe-sight").forEach((node, n) => showSight(node, SIGHTS[n]));
for (const [n, fields] of COMPARED.entries()) {
  const photo = { file_name: `DSC_000${n}.jpg`, user_rating: null, manual_match: false, kept: false, rejected: false, preview_url: PICTURE, ...fields };
  const { node, room } = makeFrame(photo);
  showMarks(node, photo, `${n + 1} of ${COMPARED.length}`);
  room.append(photo.preview_url ? Object.assign(new Image(), { src: photo.preview_url, alt: "" }) : "No preview of this photo.");
  if (n === 0) node.setAttribute("aria-current", "true");
  document.querySelector(".compared-example .compared-all").append(node);
}
for (const [n, fields] of FOLDERS.entries()) {
  const root = { id: n, path: "/photos/2024", is_bucket: false, is_online: true, watches: [], writes_sidecars: false, sidecars: WRITTEN, ...fields };
  document.getElementById("folder-rows").append(new FolderRow(root, { store: () => {} }).node);
}
for (const [n, fields] of DRIVES.entries()) {
  const drive = { root_id: n, path: "/photos/2024", folder: "/photos/2024/_keepers_rejected", trouble: null, kept: { photos: 8120, bytes: 2.6e11 }, rejected: NONE, set_aside: ASIDE, free_bytes: 1.1e11, total_bytes: 5e11, ...fields };
  const card = new DriveCard(drive, { move: () => {}, restore: () => {} });
  document.getElementById("drives").append(card.node);
  if (BATCHES[n]) card.tell({ kind: "move", total: 334, done: 334, files: 0, bytes: 0, left: 0, not_moved: [], error: null, ...BATCHES[n] });
}
for (const [index, fields] of IMPORTS.entries()) {
  const row = new ImportRow(index, { act: async () => {} });
  row.show({ path: `/photos/${fields.label}`, done: 0, damaged: 0, failed: 0, skipped: 0, pending: 0, stages: {}, ratings: { with_rating: 0, of: fields.found }, ...fields });
  document.getElementById("imports").append(row.node);
}
