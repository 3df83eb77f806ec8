// Filters that stand in the address, so that a list can be sent to somebody.

import { useCallback } from "react";
import { useSearchParams } from "wouter";

/** One filter of the query string, and how to set it. */
export function useFilters<K extends string>(
  names: readonly K[],
): readonly [Readonly<Record<K, string>>, (change: Partial<Record<K, string | null>>) => void, boolean] {
  const [query, setQuery] = useSearchParams();
  const values = Object.fromEntries(names.map((name) => [name, query.get(name) ?? ""])) as Record<K, string>;
  const set = useCallback(
    (change: Partial<Record<K, string | null>>) => {
      setQuery(
        (old) => {
          const next = new URLSearchParams(old);
          for (const [name, value] of Object.entries(change) as [K, string | null][]) {
            if (value === null || value === "") {
              next.delete(name);
            } else {
              next.set(name, value);
            }
          }
          return next;
        },
        { replace: true },
      );
    },
    [setQuery],
  );
  return [values, set, names.some((name) => values[name] !== "")];
}

export const TIMES: readonly { readonly value: string; readonly label: string }[] = [
  { value: "15m", label: "Last 15 minutes" },
  { value: "1h", label: "Last hour" },
  { value: "24h", label: "Last day" },
  { value: "7d", label: "Last 7 days" },
  { value: "30d", label: "Last 30 days" },
];

/** A span such as `1h`, or a time, as the time it begins; to the minute, so that a list keeps its key. */
export function sinceOf(value: string, now = Date.now()): string | undefined {
  const match = /^(\d+)([mhd])$/.exec(value);
  if (match === null) {
    const at = new Date(value);
    return value === "" || Number.isNaN(at.getTime()) ? undefined : at.toISOString();
  }
  const unit = { m: 60_000, h: 3_600_000, d: 86_400_000 }[match[2] ?? "m"] ?? 60_000;
  const at = now - Number(match[1]) * unit;
  return new Date(Math.floor(at / 60_000) * 60_000).toISOString();
}
