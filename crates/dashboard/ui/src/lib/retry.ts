// A retry policy as moments on a line.

export type Moment = { readonly attempt: number; readonly afterS: number; readonly delayS: number };

/** When each attempt is made, counted from the first. */
export function moments(delaysS: readonly number[]): Moment[] {
  const all: Moment[] = [{ attempt: 1, afterS: 0, delayS: 0 }];
  let sum = 0;
  delaysS.forEach((delayS, index) => {
    sum += delayS;
    all.push({ attempt: index + 2, afterS: sum, delayS });
  });
  return all;
}

/** The delays a person typed, in seconds: `10 100` or `10, 1m, 2h`; null when one of them is none. */
export function readDelays(text: string): number[] | null {
  const parts = text.split(/[\s,]+/).filter((it) => it !== "");
  const factor: Readonly<Record<string, number>> = { s: 1, m: 60, min: 60, h: 3_600, d: 86_400 };
  const delays: number[] = [];
  for (const part of parts) {
    const match = /^(\d+(?:\.\d+)?)(s|m|min|h|d)?$/.exec(part);
    if (match === null) {
      return null;
    }
    delays.push(Number(match[1]) * (factor[match[2] ?? "s"] ?? 1));
  }
  return delays;
}
