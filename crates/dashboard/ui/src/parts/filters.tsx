// Filters that stand in the address, so that a list can be sent to somebody.

import { Select, TextInput } from "@mantine/core";
import { useCallback, useState } from "react";
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

/** The choice that asks for two times of one's own. */
const BETWEEN = "between";

/** A time of the address as the browser's own field shows it: in the reader's zone, to the minute. */
export function localOf(iso: string): string {
  const at = new Date(iso);
  if (iso === "" || Number.isNaN(at.getTime())) {
    return "";
  }
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** What stands in the field, as a time for the address; `null` while it is none. */
export function isoOf(local: string): string | null {
  const at = new Date(local);
  return local === "" || Number.isNaN(at.getTime()) ? null : at.toISOString();
}

/** When: a span up to now, or from one time until another. */
export function TimeFilter({
  since,
  until,
  onChange,
}: {
  readonly since: string;
  readonly until: string;
  readonly onChange: (change: { readonly since: string | null; readonly until: string | null }) => void;
}) {
  const [opened, setOpened] = useState(false);
  const isSpan = TIMES.some((it) => it.value === since);
  const between = until !== "" || (since !== "" && !isSpan) || opened;
  const begin = isSpan ? (sinceOf(since) ?? "") : since;
  return (
    <>
      <Select
        clearable
        data={[...TIMES, { value: BETWEEN, label: "Between …" }]}
        label="Time"
        onChange={(value) => {
          setOpened(value === BETWEEN);
          onChange(value === BETWEEN ? { since: begin || null, until: null } : { since: value, until: null });
        }}
        placeholder="Any"
        value={between ? BETWEEN : since || null}
      />
      {between && (
        <>
          <TextInput
            className="moment"
            label="From"
            max={localOf(until) || undefined}
            onChange={(event) => onChange({ since: isoOf(event.currentTarget.value), until: until || null })}
            type="datetime-local"
            value={localOf(begin)}
          />
          <TextInput
            className="moment"
            label="Until"
            min={localOf(begin) || undefined}
            onChange={(event) => onChange({ since: begin || null, until: isoOf(event.currentTarget.value) })}
            type="datetime-local"
            value={localOf(until)}
          />
        </>
      )}
    </>
  );
}
