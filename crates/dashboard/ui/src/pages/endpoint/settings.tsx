// What an endpoint is set to: its own choice where there is one, else its profile's.

import { Button } from "@mantine/core";
import { useState } from "react";
import type { Endpoint, Retry } from "../../api/endpoints";
import { usePlace } from "../../api/session";
import { type ProfileName, profileLabel, schemeOf, scopeLabel } from "../../lib/profiles";
import { plural } from "../../lib/text";
import { span } from "../../lib/time";
import { Ago, At, Facts, Foreign, Panel, Tags, Value } from "../../parts/basics";
import { Headers } from "../../parts/code";
import { RetryLine } from "../../parts/retry";
import { Snippets } from "../../parts/secret";
import { EditDialog } from "./edit";

export function Settings({ endpoint }: { readonly endpoint: Endpoint }) {
  const { policy } = endpoint;
  const headers = endpoint.headers ?? {};
  const place = usePlace();
  const [editing, setEditing] = useState(false);
  return (
    <div className="stack">
      <EditDialog endpoint={endpoint} onClose={() => setEditing(false)} open={editing} />
      <div className="columns">
        <Panel
          actions={
            place.can.manage && (
              <Button onClick={() => setEditing(true)} size="compact-sm" variant="default">
                Edit
              </Button>
            )
          }
          title="Webhook"
        >
          <Facts
            rows={[
              ["Id", <Value key="id" label="webhook id" text={endpoint.id} />],
              ["Endpoint URL", <Foreign key="url" text={endpoint.url} />],
              ["Events", <Tags key="events" most={40} values={endpoint.events} />],
              [
                scopeLabel(endpoint.profile),
                endpoint.scope ? <Foreign key="scope" text={endpoint.scope} /> : "All",
              ],
              endpoint.description
                ? ["Description", <Foreign key="description" text={endpoint.description} />]
                : null,
              ["Profile", profileLabel(endpoint.profile)],
              ["Verification", policy.verify === "challenge" ? "By challenge" : "Not needed"],
              ["Made", <At at={endpoint.created_at} key="made" />],
              ["Last change", <Ago at={endpoint.updated_at} key="changed" />],
            ]}
          />
        </Panel>
        <Panel title="Policy">
          <Facts
            rows={[
              ["Time-out", span(policy.timeout_s)],
              [
                "Rate limit",
                policy.rate_limit
                  ? `${policy.rate_limit.per_s} a second${policy.rate_limit.burst ? `, bursts of ${policy.rate_limit.burst}` : ""}`
                  : "As fast as it answers",
              ],
              ["In flight", `${plural(policy.max_in_flight, "attempt", "attempts")} at once`],
              ["Order", endpoint.ordered ? "One after the other" : "Not kept"],
              ["Switched off", autoDisable(policy.auto_disable)],
              ["Previous attributes", endpoint.include_previous_attributes ? "Included" : "Not included"],
            ]}
          />
        </Panel>
      </div>
      <Panel title="Retries">
        <Retries profile={endpoint.profile} retry={policy.retry} />
      </Panel>
      <Panel title="Headers">
        <Headers headers={headers} />
      </Panel>
      <Panel title="Verifying what is received">
        <Snippets scheme={schemeOf(endpoint.profile)} url={endpoint.url} />
      </Panel>
    </div>
  );
}

function autoDisable(value: Endpoint["policy"]["auto_disable"]): string {
  if (typeof value === "boolean") {
    return value ? "By itself" : "Never by itself";
  }
  return "after_events" in value
    ? `After ${plural(value.after_events, "failed event", "failed events")} in a row`
    : `After ${span(value.after_s)} of nothing but failures`;
}

function Retries({ retry, profile }: { readonly retry: Retry; readonly profile: ProfileName }) {
  if ("preset" in retry) {
    return <p style={{ margin: 0 }}>As {profileLabel(retry.preset ?? profile)} does.</p>;
  }
  return <RetryLine delaysS={retry.delays_s} jitter={retry.jitter} />;
}
