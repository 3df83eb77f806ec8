// The fields of an endpoint, for making one and for changing one.

import { Checkbox, NumberInput, Select, Switch, Textarea, TextInput } from "@mantine/core";
import { fieldError } from "../lib/problem";
import { PROFILES, type ProfileName, scopeLabel } from "../lib/profiles";
import { readDelays } from "../lib/retry";
import { Icon } from "./icons";
import { type Pair, Pairs } from "./pairs";
import { EventPicker, type PickerType } from "./picker";
import { RetryLine } from "./retry";

export type Draft = {
  readonly url: string;
  readonly name: string;
  readonly events: readonly string[];
  readonly scope: string;
  readonly description: string;
  readonly profile: ProfileName | "";
  readonly secret: string;
  readonly headers: readonly Pair[];
  /** Headers are left as they are: their values are masked, so they cannot be sent back. */
  readonly keepHeaders: boolean;
  readonly retry: "" | "own" | ProfileName;
  readonly delays: string;
  readonly jitter: number;
  readonly timeoutS: string;
  readonly perS: string;
  readonly burst: string;
  readonly maxInFlight: string;
  readonly ordered: boolean;
  readonly previous: boolean;
  readonly autoDisable: "" | "never" | "events" | "seconds";
  readonly autoDisableAfter: string;
  readonly verify: "" | "none" | "challenge";
};

export const BLANK: Draft = {
  url: "",
  name: "",
  events: [],
  scope: "",
  description: "",
  profile: "",
  secret: "",
  headers: [],
  keepHeaders: false,
  retry: "",
  delays: "10, 100",
  jitter: 0,
  timeoutS: "",
  perS: "",
  burst: "",
  maxInFlight: "",
  ordered: false,
  previous: false,
  autoDisable: "",
  autoDisableAfter: "",
  verify: "",
};

/** Fields whose errors stand beside an input. */
export const POINTERS = [
  "/url",
  "/name",
  "/events",
  "/scope",
  "/description",
  "/profile",
  "/secret",
  "/headers",
  "/retry",
  "/timeout_s",
  "/rate_limit",
  "/max_in_flight",
  "/auto_disable",
  "/verify",
];

type Props = {
  readonly draft: Draft;
  readonly onChange: (change: Partial<Draft>) => void;
  readonly types: readonly PickerType[];
  readonly error: unknown;
  /** The tenant's profile: what the words are, and what "left out" means. */
  readonly profile: ProfileName;
  readonly isNew: boolean;
  /** The scope everything is limited to. */
  readonly fixedScope: string | null;
  readonly advancedOpen?: boolean;
};

export function EndpointFields({
  draft,
  onChange,
  types,
  error,
  profile,
  isNew,
  fixedScope,
  advancedOpen = false,
}: Props) {
  const put = <K extends keyof Draft>(key: K, value: Draft[K]) =>
    onChange({ [key]: value } as Partial<Draft>);
  const delays = readDelays(draft.delays);
  const scope = scopeLabel(profile);
  return (
    <>
      <TextInput
        data-autofocus={isNew || undefined}
        description="Gets a signed POST for each event. It has to be https, unless the operator allows http."
        error={fieldError(error, "/url")}
        inputMode="url"
        label="Endpoint URL"
        onChange={(event) => put("url", event.currentTarget.value)}
        placeholder="https://example.com/webhooks"
        required
        spellCheck={false}
        value={draft.url}
      />
      <TextInput
        error={fieldError(error, "/name")}
        label="Name"
        onChange={(event) => put("name", event.currentTarget.value)}
        placeholder="Warehouse"
        required={profile === "alvys"}
        value={draft.name}
      />
      <EventPicker
        error={fieldError(error, "/events")}
        onChange={(events) => put("events", events)}
        types={types}
        value={draft.events}
      />
      <TextInput
        description={`Only events of this ${scope.toLowerCase()}. Left empty, it gets those of all.`}
        disabled={fixedScope !== null}
        error={fieldError(error, "/scope")}
        label={scope}
        onChange={(event) => put("scope", event.currentTarget.value)}
        placeholder="All"
        spellCheck={false}
        value={fixedScope ?? draft.scope}
      />
      <details className="disclose" open={advancedOpen || undefined}>
        <summary>
          <Icon name="right" size={14} /> Advanced
        </summary>
        <div className="form">
          <Textarea
            autosize
            error={fieldError(error, "/description")}
            label="Description"
            maxRows={6}
            minRows={2}
            onChange={(event) => put("description", event.currentTarget.value)}
            value={draft.description}
          />
          <div className="pair">
            <Select
              clearable
              data={PROFILES}
              description="Wire format, signature and policy"
              error={fieldError(error, "/profile")}
              label="Profile"
              onChange={(value) => put("profile", value ?? "")}
              placeholder="The tenant’s"
              value={draft.profile || null}
            />
            <Select
              clearable
              data={[
                { value: "challenge", label: "Challenge it" },
                { value: "none", label: "Not needed" },
              ]}
              description="Before it gets anything"
              error={fieldError(error, "/verify")}
              label="Verification"
              onChange={(value) => put("verify", value ?? "")}
              placeholder="As the profile says"
              value={draft.verify || null}
            />
          </div>
          {isNew && (
            <TextInput
              description="Left empty, a fresh one is made and shown once."
              error={fieldError(error, "/secret")}
              label="Secret of your own"
              onChange={(event) => put("secret", event.currentTarget.value)}
              spellCheck={false}
              value={draft.secret}
            />
          )}
          {!isNew && draft.headers.length > 0 && (
            <Checkbox
              checked={!draft.keepHeaders}
              description="Values that look like credentials are masked here, so give all of them anew."
              label="Replace the headers"
              onChange={(event) => put("keepHeaders", !event.currentTarget.checked)}
            />
          )}
          {(isNew || !draft.keepHeaders) && (
            <Pairs
              description="Go out with every delivery"
              error={fieldError(error, "/headers")}
              label="Headers"
              onChange={(headers) => put("headers", headers)}
              value={draft.headers}
            />
          )}
          <Select
            clearable
            data={[
              { value: "own", label: "Delays of my own" },
              ...PROFILES.map((it) => ({ value: it.value, label: `As ${it.label}` })),
            ]}
            error={draft.retry === "own" ? null : fieldError(error, "/retry")}
            label="Retries"
            onChange={(value) => put("retry", value ?? "")}
            placeholder="As the profile says"
            value={draft.retry || null}
          />
          {draft.retry === "own" && (
            <>
              <div className="pair">
                <TextInput
                  description="Before attempt 2, 3, …: 10, 1m, 2h"
                  error={delays === null ? "Write seconds, or 30s, 5m, 2h, 1d." : fieldError(error, "/retry")}
                  label="Delays"
                  onChange={(event) => put("delays", event.currentTarget.value)}
                  value={draft.delays}
                />
                <NumberInput
                  description="Either way, in per cent"
                  label="Variation"
                  max={100}
                  min={0}
                  onChange={(value) => put("jitter", Number(value) || 0)}
                  value={draft.jitter}
                />
              </div>
              {delays !== null && <RetryLine delaysS={delays} jitter={draft.jitter / 100} />}
            </>
          )}
          <div className="pair">
            <NumberInput
              description="Seconds one attempt may take"
              error={fieldError(error, "/timeout_s")}
              label="Time-out"
              max={120}
              min={1}
              onChange={(value) => put("timeoutS", String(value))}
              placeholder="As the profile says"
              value={draft.timeoutS}
            />
            <NumberInput
              description="Attempts at once"
              error={fieldError(error, "/max_in_flight")}
              label="In flight"
              max={1000}
              min={1}
              onChange={(value) => put("maxInFlight", String(value))}
              placeholder="64"
              value={draft.maxInFlight}
            />
          </div>
          <div className="pair">
            <NumberInput
              description="Requests a second"
              error={fieldError(error, "/rate_limit")}
              label="Rate limit"
              min={0}
              onChange={(value) => put("perS", String(value))}
              placeholder="None"
              value={draft.perS}
            />
            <NumberInput
              description="Requests at once before it counts"
              label="Burst"
              min={1}
              onChange={(value) => put("burst", String(value))}
              placeholder="As the rate"
              value={draft.burst}
            />
          </div>
          <div className="pair">
            <Select
              clearable
              data={[
                { value: "never", label: "Never" },
                { value: "events", label: "After failed events in a row" },
                { value: "seconds", label: "After seconds of nothing but failures" },
              ]}
              error={fieldError(error, "/auto_disable")}
              label="Switched off by itself"
              onChange={(value) => put("autoDisable", value ?? "")}
              placeholder="As the profile says"
              value={draft.autoDisable || null}
            />
            {(draft.autoDisable === "events" || draft.autoDisable === "seconds") && (
              <NumberInput
                label={draft.autoDisable === "events" ? "Events" : "Seconds"}
                min={1}
                onChange={(value) => put("autoDisableAfter", String(value))}
                value={draft.autoDisableAfter}
              />
            )}
          </div>
          <Switch
            checked={draft.ordered}
            description="One after the other; a failing one holds the rest back."
            label="In order"
            onChange={(event) => put("ordered", event.currentTarget.checked)}
          />
          <Switch
            checked={draft.previous}
            description="Adds what each changed field was before, where the profile knows that."
            label="Include previous attributes"
            onChange={(event) => put("previous", event.currentTarget.checked)}
          />
        </div>
      </details>
    </>
  );
}
