// Before anybody is signed in: the way in, and what to do when a link does not lead in any more.

import { Button, PasswordInput } from "@mantine/core";
import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import { useSignIn } from "../api/session";
import { Problem, reason } from "../lib/problem";
import { Note } from "../parts/basics";
import { Icon } from "../parts/icons";

function Card({
  title,
  lead,
  children,
}: {
  readonly title: string;
  readonly lead: string;
  readonly children?: ReactNode;
}) {
  useEffect(() => {
    document.title = `${title} · Hookyard`;
  }, [title]);
  return (
    <main className="gate">
      <div className="gate-card">
        <div className="brand" style={{ padding: 0 }}>
          <span className="logo">
            <Icon name="webhook" size={18} />
          </span>
          Hookyard
        </div>
        <h1>{title}</h1>
        <p>{lead}</p>
        {children}
      </div>
    </main>
  );
}

export function SignIn() {
  const [key, setKey] = useState("");
  const [missing, setMissing] = useState(false);
  const enter = useSignIn();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const given = key.trim();
    setMissing(given === "");
    if (given !== "") {
      enter.mutate(given);
    }
  };
  const refused =
    enter.error instanceof Problem && (enter.error.status === 401 || enter.error.status === 422);
  const fieldText = missing
    ? "Paste an API key."
    : refused
      ? "This key is not known here. It may have been revoked or cut off when it was copied."
      : null;
  return (
    <Card lead="With a tenant’s API key, or with the operator’s key to see all tenants." title="Sign in">
      <form className="form" noValidate onSubmit={submit}>
        <PasswordInput
          autoComplete="current-password"
          autoFocus
          error={fieldText}
          label="API key"
          onChange={(event) => setKey(event.currentTarget.value)}
          spellCheck={false}
          value={key}
          visibilityToggleButtonProps={{ "aria-label": "Show or hide the key", tabIndex: 0 }}
        />
        {enter.error !== null && !refused && (
          <Note live tone="bad">
            {reason(enter.error)}
          </Note>
        )}
        <Button fullWidth loading={enter.isPending} size="md" type="submit">
          Sign in
        </Button>
      </form>
    </Card>
  );
}

/** The portal without a session: exchanges the link's token, or says that the link is over. */
export function PortalDoor({
  token,
  onEntered,
}: {
  readonly token: string | null;
  readonly onEntered: () => void;
}) {
  const enter = useSignIn();
  const { mutate } = enter;
  useEffect(() => {
    if (token !== null) {
      mutate(token, { onSuccess: onEntered });
    }
  }, [mutate, token, onEntered]);
  if (token !== null && enter.error === null) {
    return <Card lead="One moment." title="Opening" />;
  }
  const refused = enter.error === null || (enter.error instanceof Problem && enter.error.status < 500);
  return (
    <Card
      lead={
        refused
          ? "Links to this page work for a limited time. Go back to where you got it and open it again."
          : reason(enter.error)
      }
      title={refused ? "This link has ended" : "Not reachable"}
    >
      {!refused && token !== null && (
        <Button onClick={() => mutate(token, { onSuccess: onEntered })} variant="default">
          Try again
        </Button>
      )}
    </Card>
  );
}

export function Unreachable({ error, onRetry }: { readonly error: unknown; readonly onRetry: () => void }) {
  return (
    <Card lead={reason(error)} title="Not reachable">
      <Button onClick={onRetry} variant="default">
        Try again
      </Button>
    </Card>
  );
}
