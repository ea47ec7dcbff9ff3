// Numbers, times and sizes as people read them.

const numbers = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 2 });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "long" });
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60]];

export const count = (n) => numbers.format(n);

/** "312", "1.2K", "310K": where there is no room for more. */
export const compact = (n) => (n < 1000 ? count(n) : short.format(n));

export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

/** "5 minutes ago"; the exact time belongs in a title. */
export function ago(moment, now = Date.now()) {
  const seconds = (new Date(moment).getTime() - now) / 1000;
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= size) return relative.format(Math.round(seconds / size), unit);
  }
  return seconds > 5 ? `in ${Math.round(seconds)} seconds` : "just now";
}

export const exact = (moment) =>
  new Date(moment).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });

/** "2 h 05 min", for how long something takes. */
export function duration(seconds) {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  const minutes = Math.round(seconds / 60);
  if (minutes >= 2880) return `${Math.round(minutes / 1440)} days`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

export function bytes(size) {
  if (size < 1e6) return `${Math.max(1, Math.round(size / 1e3))} kB`;
  return size < 1e9 ? `${(size / 1e6).toFixed(1)} MB` : `${(size / 1e9).toFixed(2)} GB`;
}

// Times from cameras name no zone: they are read as the camera wrote them, whatever zone this browser is in.
const asWritten = (local, options) => new Date(`${local}Z`.replace("ZZ", "Z")).toLocaleString("en-GB", { timeZone: "UTC", ...options });

export const captureDay = (local) =>
  asWritten(local, { weekday: "long", day: "numeric", month: "long", year: "numeric" });

export const captureTime = (local) =>
  asWritten(local, { day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** "1/250 s", "2.5 s" */
export function shutter(seconds) {
  return seconds >= 0.3 ? `${Number(seconds.toFixed(1))} s` : `1/${Math.round(1 / seconds)} s`;
}

/** "Canon EOS R5": many cameras name their maker twice. */
export function camera({ camera_make: make, camera_model: model }) {
  return make && model && !model.toLowerCase().startsWith(make.toLowerCase()) ? `${make} ${model}` : (model ?? make ?? "");
}

/** ["50 mm", "f/2.8", "1/250 s", "ISO 400"], as far as it is known. */
export function exposure(shot) {
  const parts = [];
  if (shot.focal_length_mm) parts.push(`${Number(shot.focal_length_mm.toFixed(1))} mm`);
  if (shot.aperture) parts.push(`f/${Number(shot.aperture.toFixed(1))}`);
  if (shot.shutter_seconds) parts.push(shutter(shot.shutter_seconds));
  if (shot.iso) parts.push(`ISO ${shot.iso}`);
  return parts;
}

const STAGES = { convert: "Previews", render: "Views", curate: "Descriptions", embed: "Similarity", score: "Scores", train: "Taste", bursts: "Bursts" };

export const stageName = (stage) => STAGES[stage] ?? stage;

export const stateWord = (state) =>
  ({
    queued: "waiting",
    published: "in work",
    retrying: "trying again",
    held: "held",
    failed: "failed",
    done: "done",
    cancelled: "cancelled",
  })[state] ?? state;

export const errorName = (type) => type.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
