// Times and durations as people read them. Everything is shown in the reader's own zone; the exact UTC text
// stands in the title of each time.

const STAMP = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});

const SHORT = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
});

/** A date and a time of day, to the second. */
export function stamp(iso: string): string {
  const at = new Date(iso);
  return Number.isNaN(at.getTime()) ? iso : STAMP.format(at);
}

/** A date and a time of day, for the axis of a chart. */
export function shortStamp(iso: string): string {
  const at = new Date(iso);
  return Number.isNaN(at.getTime()) ? iso : SHORT.format(at);
}

const UNITS: readonly (readonly [seconds: number, name: string])[] = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
  [1, "s"],
];

/** Seconds in the two largest units that say something: `1 h 30 min`, `10 s`, `2 d`. */
export function span(seconds: number): string {
  if (seconds > 0 && seconds < 1) {
    return `${Math.round(seconds * 1000)} ms`;
  }
  let rest = Math.round(seconds);
  const words: string[] = [];
  for (const [size, name] of UNITS) {
    const count = Math.floor(rest / size);
    if (count > 0) {
      words.push(`${count} ${name}`);
      rest -= count * size;
    } else if (words.length > 0) {
      break;
    }
    if (words.length === 2) {
      break;
    }
  }
  return words.join(" ") || "0 s";
}

/** Milliseconds, in the unit that keeps the number short. */
export function millis(value: number): string {
  if (value < 1_000) {
    return `${Math.round(value)} ms`;
  }
  return value < 10_000 ? `${(value / 1_000).toFixed(2)} s` : span(value / 1_000);
}

/** How long ago, or how soon: `12 s ago`, `in 4 min`. */
export function ago(iso: string, now: number): string {
  const at = new Date(iso).getTime();
  if (Number.isNaN(at)) {
    return iso;
  }
  const seconds = Math.round((now - at) / 1_000);
  if (Math.abs(seconds) < 2) {
    return seconds < 0 ? "in a moment" : "just now";
  }
  const size = UNITS.find(([unit]) => Math.abs(seconds) >= unit) ?? ([1, "s"] as const);
  const words = `${Math.floor(Math.abs(seconds) / size[0])} ${size[1]}`;
  return seconds < 0 ? `in ${words}` : `${words} ago`;
}
