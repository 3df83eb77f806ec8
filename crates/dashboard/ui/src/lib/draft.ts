// Between a form's texts and what the API takes.

import { readDelays } from "./retry";

type ProfileName = "standard" | "aly" | "alvys" | "alumia" | "aryeo";
type Pair = { readonly name: string; readonly value: string };

/** The part of a form that is more than one text. */
export type PolicyDraft = {
  readonly retry: "" | "own" | ProfileName;
  readonly delays: string;
  readonly jitter: number;
  readonly timeoutS: string;
  readonly perS: string;
  readonly burst: string;
  readonly maxInFlight: string;
  readonly autoDisable: "" | "never" | "events" | "seconds";
  readonly autoDisableAfter: string;
};

export type Policy = {
  retry: { delays_s: number[]; jitter: number } | { preset: ProfileName } | null;
  timeout_s: number | null;
  rate_limit: { per_s: number; burst?: number } | null;
  max_in_flight: number | null;
  auto_disable: boolean | { after_events: number } | { after_s: number } | null;
};

const numeric = (text: string): number | null => (text.trim() === "" ? null : Number(text));

/** The policy a form asks for; null in a field is "as the profile says". */
export function policyOf(draft: PolicyDraft): Policy {
  const perS = numeric(draft.perS);
  const burst = numeric(draft.burst);
  const after = numeric(draft.autoDisableAfter) ?? 0;
  return {
    retry:
      draft.retry === ""
        ? null
        : draft.retry === "own"
          ? { delays_s: readDelays(draft.delays) ?? [], jitter: draft.jitter / 100 }
          : { preset: draft.retry },
    timeout_s: numeric(draft.timeoutS),
    rate_limit: perS === null ? null : { per_s: perS, ...(burst === null ? {} : { burst }) },
    max_in_flight: numeric(draft.maxInFlight),
    auto_disable:
      draft.autoDisable === ""
        ? null
        : draft.autoDisable === "never"
          ? false
          : draft.autoDisable === "events"
            ? { after_events: after }
            : { after_s: after },
  };
}

/** What of an object is not null: for making, where left out is "as the profile says". */
export function given<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, it]) => it !== null)) as Partial<T>;
}

export function headersOf(pairs: readonly Pair[]): Record<string, string> {
  return Object.fromEntries(
    pairs.filter((it) => it.name.trim() !== "").map((it) => [it.name.trim(), it.value]),
  );
}
