// One attempt: the request, the answer, the time it took, and how its signature came to be.

import { Tabs } from "@mantine/core";
import type { Attempt } from "../../api/deliveries";
import { byteLength } from "../../lib/envelope";
import { explain, type ProfileName } from "../../lib/profiles";
import { words } from "../../lib/text";
import { millis } from "../../lib/time";
import { At, Facts, Foreign, Mono, Note, Panel, Pill, Value } from "../../parts/basics";
import { Body, Headers } from "../../parts/code";

export function AttemptDetail({
  attempt,
  body,
  url,
  profile,
}: {
  readonly attempt: Attempt;
  readonly body: string | null;
  readonly url: string | null;
  readonly profile: ProfileName | null;
}) {
  const signed = profile === null ? null : explain(profile, attempt.request_headers);
  return (
    <Panel title={`Attempt ${attempt.number}`}>
      <div className="stack">
        <Facts
          rows={[
            [
              "Outcome",
              <span className="line" key="outcome">
                <Pill
                  label={words(attempt.outcome)}
                  state={attempt.outcome}
                  tone={attempt.outcome === "succeeded" ? "good" : "bad"}
                />
                {attempt.status_code && <Mono text={String(attempt.status_code)} />}
              </span>,
            ],
            attempt.error ? ["Reason", <Foreign key="error" text={attempt.error} />] : null,
            ["Started", <At at={attempt.started_at} key="at" />],
            ["Took", millis(attempt.duration_ms)],
            [
              "Set off",
              attempt.trigger === "automatic"
                ? "Automatically"
                : attempt.trigger === "test"
                  ? "As a test"
                  : "By hand",
            ],
          ]}
        />
        <Tabs defaultValue="response" keepMounted={false}>
          <Tabs.List>
            <Tabs.Tab value="request">Request</Tabs.Tab>
            <Tabs.Tab value="response">Response</Tabs.Tab>
            <Tabs.Tab value="signature">Signature</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel pt={16} value="request">
            <div className="stack">
              {url !== null && (
                <p className="mono" style={{ margin: 0 }}>
                  POST <Foreign text={url} />
                </p>
              )}
              <Headers headers={attempt.request_headers} />
              {body === null ? (
                <Note>The body cannot be shown: its event or its endpoint is gone.</Note>
              ) : (
                <Body label="Body" note={fidelity(attempt, body)} text={body} />
              )}
            </div>
          </Tabs.Panel>
          <Tabs.Panel pt={16} value="response">
            {attempt.status_code == null ? (
              <Note tone="bad" title="There was no answer.">
                {attempt.error && <Foreign text={attempt.error} />}
              </Note>
            ) : (
              <div className="stack">
                <Headers headers={attempt.response_headers} />
                <Body
                  label="Body"
                  note={byteLength(attempt.response_body) >= 4_096 ? "its first 4 KiB" : undefined}
                  text={attempt.response_body}
                />
              </div>
            )}
          </Tabs.Panel>
          <Tabs.Panel pt={16} value="signature">
            {signed === null ? (
              <Note>
                {profile === null
                  ? "The endpoint is gone, so how it was signed is not known any more."
                  : "This request carried no signature: the endpoint has no secret."}
              </Note>
            ) : (
              <ol className="steps">
                <li>
                  <h3 className="sub">Read the headers</h3>
                  <dl className="headers" style={{ marginTop: 6 }}>
                    {signed.parts.map((part) => (
                      <div key={`${part.name}-${part.value}`} style={{ display: "contents" }}>
                        <dt>{part.name}</dt>
                        <dd>
                          <Foreign text={part.value} />
                          <span className="prose dim">{part.says}</span>
                        </dd>
                      </div>
                    ))}
                  </dl>
                </li>
                <li>
                  <h3 className="sub">Put together what was signed</h3>
                  <p>
                    The exact bytes that came in stand for <code>{"{body}"}</code>, before any JSON parser:
                  </p>
                  <Value label="what was signed" text={signed.recipe} />
                </li>
                <li>
                  <h3 className="sub">Make the key</h3>
                  <p>{signed.key}</p>
                </li>
                <li>
                  <h3 className="sub">Compute and compare</h3>
                  <p>
                    HMAC-SHA256 of it with that key, written as <Ticked text={signed.form} />, has to equal
                    what stands in <code>{signed.header}</code>. Compare in constant time.
                  </p>
                </li>
              </ol>
            )}
          </Tabs.Panel>
        </Tabs>
      </div>
    </Panel>
  );
}

/** Words of our own, with what stands between backquotes as code. */
function Ticked({ text }: { readonly text: string }) {
  return text.split("`").map((it, index) => (index % 2 === 0 ? it : <code key={it}>{it}</code>));
}

/** Whether the body built again has the length of the one that was sent. */
function fidelity(attempt: Attempt, body: string): string | undefined {
  const sent = Object.entries(attempt.request_headers).find(
    ([name]) => name.toLowerCase() === "content-length",
  )?.[1];
  return sent === undefined || Number(sent) === byteLength(body)
    ? undefined
    : "built again from the event; the endpoint’s settings have changed since";
}
