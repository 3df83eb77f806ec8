// Keys of a tenant, and links to its portal.

import { Button, Checkbox, Modal, Select, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { usePlace } from "../../api/session";
import {
  type ApiKey,
  type KeyScope,
  useApiKeys,
  useCreateKey,
  useCreatePortalLink,
  useRevokeKey,
} from "../../api/settings";
import { fieldError, formError } from "../../lib/problem";
import { scopeLabel } from "../../lib/profiles";
import { span } from "../../lib/time";
import { Ago, At, CopyButton, Foreign, Mono, Note, Page, Panel, Value } from "../../parts/basics";
import { Confirm } from "../../parts/confirm";
import { FormFoot } from "../../parts/form-foot";
import { Icon } from "../../parts/icons";
import { type Column, Empty, Table } from "../../parts/table";
import { useSay } from "../../parts/toasts";

const SCOPES: readonly { readonly value: KeyScope; readonly label: string; readonly says: string }[] = [
  { value: "read", label: "Read", says: "Look at everything but secrets" },
  { value: "write", label: "Write", says: "Make, change and delete; retry and replay" },
  { value: "publish", label: "Publish", says: "Publish events" },
  { value: "admin", label: "Admin", says: "Everything, keys included" },
];

function Never() {
  return (
    <>
      <span className="phone-only">never</span>
      <span className="wide-only">Never</span>
    </>
  );
}

export function ApiKeysPage() {
  const place = usePlace();
  const keys = useApiKeys();
  const revoke = useRevokeKey();
  const say = useSay();
  const [making, setMaking] = useState(false);
  const [linking, setLinking] = useState(false);
  const [asking, setAsking] = useState<ApiKey | null>(null);
  const [shown, setShown] = useState<string | null>(null);
  const columns: Column<ApiKey>[] = [
    {
      key: "name",
      head: "Name",
      track: "minmax(0, 1.5fr)",
      phone: "title",
      cell: (row) => (
        <strong>
          <Foreign text={row.name} />
        </strong>
      ),
    },
    { key: "hint", head: "Key", track: "minmax(0, 1fr)", cell: (row) => <Mono clip text={row.hint} /> },
    {
      key: "scopes",
      head: "May",
      track: "minmax(0, 1.3fr)",
      cell: (row) => row.scopes.join(", "),
    },
    {
      key: "expires",
      head: "Ends",
      track: "minmax(0, 1fr)",
      cell: (row) => (
        <span className="dim">
          <span className="phone-only">ends </span>
          {row.expires_at ? <Ago at={row.expires_at} /> : <Never />}
        </span>
      ),
    },
    {
      key: "made",
      head: "Made",
      track: "110px",
      cell: (row) => (
        <>
          <span className="phone-only">made </span>
          <Ago at={row.created_at} />
        </>
      ),
    },
    {
      key: "act",
      head: "",
      track: "90px",
      phone: "side",
      end: true,
      cell: (row) => (
        <Button color="red" onClick={() => setAsking(row)} size="compact-sm" variant="subtle">
          Revoke
        </Button>
      ),
    },
  ];
  return (
    <Page
      actions={
        <>
          <Button
            leftSection={<Icon name="link" size={16} />}
            onClick={() => setLinking(true)}
            variant="default"
          >
            Portal link
          </Button>
          <Button leftSection={<Icon name="plus" size={16} />} onClick={() => setMaking(true)}>
            New API key
          </Button>
        </>
      }
      lead="For programs, the command line and signing in here. Each does only what it is allowed to."
      title="API keys"
    >
      <Panel bare>
        <Table
          columns={columns}
          empty={
            <Empty icon="key" title="No API keys yet">
              A program needs one to publish events or to manage webhooks.
            </Empty>
          }
          error={keys.data === undefined ? keys.error : null}
          isLoading={keys.isPending}
          label="API keys"
          onRetry={() => void keys.refetch()}
          rowKey={(row) => row.id}
          rows={keys.data ?? []}
        />
      </Panel>
      <Modal
        closeButtonProps={{ "aria-label": "Close" }}
        closeOnClickOutside={false}
        onClose={() => setMaking(false)}
        opened={making}
        title="New API key"
      >
        <Form
          onClose={() => setMaking(false)}
          onMade={(key) => {
            setMaking(false);
            setShown(key);
          }}
        />
      </Modal>
      <Modal
        closeButtonProps={{ "aria-label": "Close" }}
        closeOnClickOutside={false}
        onClose={() => setShown(null)}
        opened={shown !== null}
        title="API key"
      >
        <div className="stack">
          <Note tone="warn" title="Copy it now.">
            It is shown this once; only a hash of it is kept.
          </Note>
          <div className="value">
            <code>{shown}</code>
          </div>
          <div className="line apart">
            <CopyButton text={shown ?? ""} variant="filled" />
            <Button onClick={() => setShown(null)} variant="default">
              Done
            </Button>
          </div>
        </div>
      </Modal>
      <Modal
        closeButtonProps={{ "aria-label": "Close" }}
        onClose={() => setLinking(false)}
        opened={linking}
        title="Portal link"
      >
        <LinkForm profileScope={scopeLabel(place.profile)} />
      </Modal>
      <Confirm
        action="Revoke"
        error={revoke.error}
        isBusy={revoke.isPending}
        onClose={() => setAsking(null)}
        onConfirm={() => {
          if (asking !== null) {
            revoke.mutate(asking.id, {
              onSuccess: () => {
                setAsking(null);
                say.done("Revoked.");
              },
            });
          }
        }}
        open={asking !== null}
        title="Revoke this key?"
      >
        Whatever uses <Foreign text={asking?.name ?? ""} /> is refused from now on, sessions signed in with it
        included. It cannot be brought back.
      </Confirm>
    </Page>
  );
}

function Form({ onClose, onMade }: { readonly onClose: () => void; readonly onMade: (key: string) => void }) {
  const create = useCreateKey();
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<readonly KeyScope[]>(["read"]);
  const [lives, setLives] = useState<string | null>(null);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate(
      {
        name: name.trim(),
        scopes: [...scopes],
        ...(lives === null ? {} : { expires_at: new Date(Date.now() + Number(lives) * 1_000).toISOString() }),
      },
      { onSuccess: (made) => onMade(made.key ?? "") },
    );
  };
  return (
    <form className="form" noValidate onSubmit={submit}>
      <TextInput
        data-autofocus
        error={fieldError(create.error, "/name")}
        label="Name"
        onChange={(event) => setName(event.currentTarget.value)}
        placeholder="Shop backend"
        required
        value={name}
      />
      <Checkbox.Group
        error={fieldError(create.error, "/scopes")}
        label="It may"
        onChange={(value) => setScopes(value as KeyScope[])}
        value={[...scopes]}
      >
        <div className="stack tight" style={{ paddingTop: 6 }}>
          {SCOPES.map((it) => (
            <Checkbox description={it.says} key={it.value} label={it.label} value={it.value} />
          ))}
        </div>
      </Checkbox.Group>
      <Select
        clearable
        data={[86_400, 2_592_000, 7_776_000, 31_536_000].map((it) => ({
          value: String(it),
          label: `In ${span(it)}`,
        }))}
        error={fieldError(create.error, "/expires_at")}
        label="Ends"
        onChange={setLives}
        placeholder="Never"
        value={lives}
      />
      {formError(create.error, ["/name", "/scopes", "/expires_at"]) !== null && (
        <Note live tone="bad">
          {formError(create.error, ["/name", "/scopes", "/expires_at"])}
        </Note>
      )}
      <FormFoot action="Save" isBusy={create.isPending} onClose={onClose} />
    </form>
  );
}

const CAPABILITIES = [
  { value: "read", label: "Read", says: "Look at webhooks, events and deliveries" },
  { value: "manage", label: "Manage", says: "Make, change, test and delete webhooks" },
  { value: "replay", label: "Replay", says: "Retry, replay and recover" },
] as const;

function LinkForm({ profileScope }: { readonly profileScope: string }) {
  const create = useCreatePortalLink();
  const [scope, setScope] = useState("");
  const [lives, setLives] = useState("3600");
  const [capabilities, setCapabilities] = useState<readonly string[]>(["read", "manage", "replay"]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate({
      expires_in: Number(lives),
      capabilities: CAPABILITIES.map((it) => it.value).filter((it) => capabilities.includes(it)),
      ...(scope.trim() === "" ? {} : { scope: scope.trim() }),
    });
  };
  return (
    <form className="form" noValidate onSubmit={submit}>
      <p style={{ margin: 0 }}>
        Lets a customer see these pages without a key, for a while. It may stand in an iframe.
      </p>
      <TextInput
        description="Left empty, the whole tenant"
        error={fieldError(create.error, "/scope")}
        label={profileScope}
        onChange={(event) => setScope(event.currentTarget.value)}
        placeholder="All"
        value={scope}
      />
      <Checkbox.Group
        error={fieldError(create.error, "/capabilities")}
        label="They may"
        onChange={(value) => setCapabilities(value)}
        value={[...capabilities]}
      >
        <div className="stack tight" style={{ paddingTop: 6 }}>
          {CAPABILITIES.map((it) => (
            <Checkbox description={it.says} key={it.value} label={it.label} value={it.value} />
          ))}
        </div>
      </Checkbox.Group>
      <Select
        allowDeselect={false}
        data={[900, 3_600, 28_800, 86_400].map((it) => ({ value: String(it), label: span(it) }))}
        label="Ends after"
        onChange={(value) => setLives(value ?? "3600")}
        value={lives}
      />
      {formError(create.error, ["/scope", "/capabilities"]) !== null && (
        <Note live tone="bad">
          {formError(create.error, ["/scope", "/capabilities"])}
        </Note>
      )}
      {create.data !== undefined && (
        <div className="stack tight">
          <Value label="portal link" text={create.data.url} />
          <span className="dim small">
            Ends <At at={create.data.expires_at} />
          </span>
        </div>
      )}
      <div className="form-foot">
        <Button disabled={capabilities.length === 0} loading={create.isPending} type="submit">
          {create.data === undefined ? "Make link" : "Make another"}
        </Button>
      </div>
    </form>
  );
}
