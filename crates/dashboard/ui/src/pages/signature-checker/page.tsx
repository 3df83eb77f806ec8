// Paste what came in, and see which part of the signature does not match, and why.

import { Button, PasswordInput, Select, Textarea, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { usePlace } from "../../api/session";
import { useVerifySignature, type Verdict } from "../../api/settings";
import { useProviders } from "../../api/sources";
import { fieldError, formError } from "../../lib/problem";
import { PROFILES } from "../../lib/profiles";
import { words } from "../../lib/text";
import { Foreign, Note, Page, Panel } from "../../parts/basics";
import { Icon } from "../../parts/icons";

/** Headers as they are pasted: `Name: value` a line, or the `-H` of a curl command, or JSON. */
export function readHeaders(text: string): Record<string, string> {
  const plain = text.trim();
  if (plain.startsWith("{")) {
    try {
      const parsed: unknown = JSON.parse(plain);
      if (typeof parsed === "object" && parsed !== null) {
        return Object.fromEntries(Object.entries(parsed).map(([name, value]) => [name, String(value)]));
      }
    } catch {
      // Then it is read line by line.
    }
  }
  const found: Record<string, string> = {};
  for (const line of plain.split(/\r?\n/)) {
    const clean = line
      .trim()
      .replace(/^-H\s+/, "")
      .replace(/\s*\\$/, "")
      .replace(/^(['"])(.*)\1$/, "$2");
    const colon = clean.indexOf(":");
    if (colon > 0) {
      found[clean.slice(0, colon).trim()] = clean.slice(colon + 1).trim();
    }
  }
  return found;
}

export function SignatureCheckerPage() {
  const place = usePlace();
  const providers = useProviders();
  const check = useVerifySignature();
  const [scheme, setScheme] = useState<string>(place.profile);
  const [secret, setSecret] = useState("");
  const [headers, setHeaders] = useState("");
  const [payload, setPayload] = useState("");
  const [url, setUrl] = useState("");
  const [tolerance, setTolerance] = useState("");
  const preset = providers.data?.find((it) => it.name === scheme);
  const mono = { input: { fontFamily: "var(--mono)", fontSize: 13 } };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    check.mutate({
      scheme,
      secret: secret.trim(),
      headers: readHeaders(headers),
      payload,
      ...(url.trim() === "" ? {} : { url: url.trim() }),
      ...(tolerance.trim() === "" ? {} : { tolerance_s: Number(tolerance) }),
    });
  };
  const names = new Set<string>(PROFILES.map((it) => it.value));
  const shown = ["/scheme", "/secret", "/headers", "/payload", "/url", "/tolerance_s"];
  return (
    <Page
      lead="Which part of a signature does not match, and why. The secret goes to this gateway only, and is not kept."
      title="Signature checker"
    >
      <div className="columns wide-left">
        <Panel title="What came in">
          <form className="form" noValidate onSubmit={submit}>
            <Select
              allowDeselect={false}
              data={[
                { group: "Profiles", items: [...PROFILES] },
                {
                  group: "Providers",
                  items: (providers.data ?? [])
                    .filter((it) => !names.has(it.name))
                    .map((it) => ({ value: it.name, label: it.title })),
                },
              ]}
              error={fieldError(check.error, "/scheme")}
              label="Scheme"
              onChange={(value) => setScheme(value ?? place.profile)}
              searchable
              value={scheme}
            />
            <PasswordInput
              autoComplete="off"
              error={fieldError(check.error, "/secret")}
              label="Secret"
              onChange={(event) => setSecret(event.currentTarget.value)}
              required
              spellCheck={false}
              value={secret}
              visibilityToggleButtonProps={{ "aria-label": "Show or hide the secret", tabIndex: 0 }}
            />
            <Textarea
              autosize
              description="One a line, as they were received"
              error={fieldError(check.error, "/headers")}
              label="Headers"
              maxRows={12}
              minRows={4}
              onChange={(event) => setHeaders(event.currentTarget.value)}
              placeholder={"webhook-id: evt_…\nwebhook-timestamp: 1764000000\nwebhook-signature: v1,…"}
              required
              spellCheck={false}
              styles={mono}
              value={headers}
            />
            <Textarea
              autosize
              description="The exact bytes: a blank more and the signature is another"
              error={fieldError(check.error, "/payload")}
              label="Body"
              maxRows={16}
              minRows={5}
              onChange={(event) => setPayload(event.currentTarget.value)}
              spellCheck={false}
              styles={mono}
              value={payload}
            />
            <div className="pair">
              {preset?.signs_url === true && (
                <TextInput
                  description={`${preset.title} signs it too`}
                  error={fieldError(check.error, "/url")}
                  label="URL"
                  onChange={(event) => setUrl(event.currentTarget.value)}
                  spellCheck={false}
                  value={url}
                />
              )}
              <TextInput
                description="Seconds its time may be off"
                error={fieldError(check.error, "/tolerance_s")}
                inputMode="numeric"
                label="Tolerance"
                onChange={(event) => setTolerance(event.currentTarget.value.replace(/\D/g, ""))}
                placeholder="As the scheme says"
                value={tolerance}
              />
            </div>
            {formError(check.error, shown) !== null && (
              <Note live tone="bad">
                {formError(check.error, shown)}
              </Note>
            )}
            <div className="form-foot">
              <Button loading={check.isPending} type="submit">
                Check
              </Button>
            </div>
          </form>
        </Panel>
        <Panel title="Result">
          {check.data === undefined ? (
            <p className="dim" style={{ margin: 0 }}>
              Each step of the check is shown here.
            </p>
          ) : (
            <Result verdict={check.data} />
          )}
        </Panel>
      </div>
    </Page>
  );
}

function Result({ verdict }: { readonly verdict: Verdict }) {
  return (
    <div className="stack">
      <Note
        live
        title={verdict.valid ? "The signature is valid." : "The signature is not valid."}
        tone={verdict.valid ? "good" : "bad"}
      >
        {verdict.reason && <Foreign text={verdict.reason} />}
      </Note>
      <ol className="checks">
        {verdict.checks.map((it, index) => (
          <li className={it.ok ? "good" : "bad"} key={index}>
            <Icon name={it.ok ? "check" : "cross"} />
            <div>
              <strong>{words(it.what)}</strong>{" "}
              <span className="spoken">{it.ok ? "matches" : "does not match"}</span>
              {it.expected && (
                <div className="small">
                  <span className="dim">Expected </span>
                  <Foreign text={it.expected} />
                </div>
              )}
              {it.got && (
                <div className="small">
                  <span className="dim">Got </span>
                  <Foreign text={it.got} />
                </div>
              )}
            </div>
          </li>
        ))}
      </ol>
    </div>
  );
}
