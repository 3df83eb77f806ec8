// The one time a secret is shown.

import { Button, Modal, Tabs } from "@mantine/core";
import type { Scheme } from "../lib/profiles";
import { LANGUAGES, snippet } from "../lib/snippets";
import { CopyButton, Foreign, Note } from "./basics";
import { Code } from "./code";

export type ShownSecret = {
  readonly secret: string;
  /** How to verify with it; null where it verifies what comes in. */
  readonly verify: { readonly scheme: Scheme; readonly url: string } | null;
  readonly note?: string;
  /** It can be shown again later. */
  readonly revealed?: boolean;
};

export function SecretDialog({
  shown,
  title = "Signing secret",
  onClose,
}: {
  readonly shown: ShownSecret | null;
  readonly title?: string;
  readonly onClose: () => void;
}) {
  return (
    <Modal
      closeButtonProps={{ "aria-label": "Close" }}
      closeOnClickOutside={false}
      onClose={onClose}
      opened={shown !== null}
      size="xl"
      title={title}
    >
      {shown !== null && (
        <div className="stack">
          {!shown.revealed && (
            <Note tone="warn" title="Copy it now.">
              It is shown this once and kept encrypted; nobody can read it here later by accident.
            </Note>
          )}
          {shown.note !== undefined && <Note tone="info">{shown.note}</Note>}
          <div className="value secret">
            <code>
              <Foreign text={shown.secret} />
            </code>
          </div>
          <div className="line">
            <CopyButton text={shown.secret} variant="filled" />
            <span className="dim">Store it where your receiver can read it, never in its code.</span>
          </div>
          {shown.verify !== null && <Snippets scheme={shown.verify.scheme} url={shown.verify.url} />}
          <div className="form-foot">
            <Button onClick={onClose} variant="default">
              Done
            </Button>
          </div>
        </div>
      )}
    </Modal>
  );
}

/** How a receiver verifies, in five languages. */
export function Snippets({ scheme, url }: { readonly scheme: Scheme; readonly url: string }) {
  return (
    <Tabs defaultValue="curl" keepMounted={false}>
      <Tabs.List aria-label="Language">
        {LANGUAGES.map((language) => (
          <Tabs.Tab key={language.value} value={language.value}>
            {language.label}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {LANGUAGES.map((language) => (
        <Tabs.Panel key={language.value} pt={10} value={language.value}>
          <Code
            label={language.value === "curl" ? "Try your receiver" : `Verify in ${language.label}`}
            text={snippet(scheme, language.value, url)}
          />
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}
