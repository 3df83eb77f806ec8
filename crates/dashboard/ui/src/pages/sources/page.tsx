// The doors events come in through.

import { Button, Modal, Select, Textarea, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { Link, useLocation } from "wouter";
import { useHref, usePlace } from "../../api/session";
import { type Source, useCreateSource, useProviders, useSources } from "../../api/sources";
import { fieldError, formError } from "../../lib/problem";
import { scopeLabel } from "../../lib/profiles";
import { count } from "../../lib/text";
import { Ago, Foreign, Mono, Note, Page, Panel, Pill } from "../../parts/basics";
import { useFilters } from "../../parts/filters";
import { FormFoot } from "../../parts/form-foot";
import { Icon } from "../../parts/icons";
import { SecretDialog, type ShownSecret } from "../../parts/secret";
import { type Column, Empty, Table } from "../../parts/table";

export function SourcesPage() {
  const place = usePlace();
  const href = useHref();
  const [, go] = useLocation();
  const sources = useSources();
  const providers = useProviders();
  const [filter, setFilter] = useFilters(["new"]);
  const [shown, setShown] = useState<(ShownSecret & { readonly id: string }) | null>(null);
  const title = (name: string) => providers.data?.find((it) => it.name === name)?.title ?? name;
  const columns: Column<Source>[] = [
    {
      key: "name",
      head: "Source",
      track: "minmax(0, 1.4fr)",
      phone: "title",
      cell: (row) => (
        <Link className="stretch clip" href={href(`sources/${row.id}`)}>
          <Foreign text={row.name} />
        </Link>
      ),
    },
    {
      key: "status",
      head: "Status",
      track: "100px",
      phone: "side",
      cell: (row) => <Pill state={row.status} />,
    },
    {
      key: "provider",
      head: "Provider",
      track: "minmax(0, 0.9fr)",
      cell: (row) => <Foreign clip text={title(row.provider)} />,
    },
    {
      key: "url",
      head: "Receive URL",
      track: "minmax(0, 2fr)",
      phone: "full",
      cell: (row) => (
        <span className="dim">
          <Mono clip text={row.receive_url} />
        </span>
      ),
    },
    {
      key: "events",
      head: "Received",
      track: "84px",
      end: true,
      cell: (row) => (
        <>
          {count(row.event_count)}
          <span className="phone-only"> received</span>
        </>
      ),
    },
    {
      key: "last",
      head: "Last",
      track: "96px",
      end: true,
      cell: (row) =>
        row.last_event_at ? (
          <span className="dim">
            <Ago at={row.last_event_at} />
          </span>
        ) : (
          <span className="dim wide-only">–</span>
        ),
    },
  ];
  const make = place.can.configure && (
    <Button leftSection={<Icon name="plus" size={16} />} onClick={() => setFilter({ new: "1" })}>
      New source
    </Button>
  );
  return (
    <Page
      actions={make}
      lead="Public URLs that receive other people’s webhooks: verified, kept, and passed on as events."
      title="Sources"
    >
      <Panel bare>
        <Table
          columns={columns}
          empty={
            <Empty
              action={
                place.can.configure && (
                  <Button onClick={() => setFilter({ new: "1" })} variant="default">
                    Add the first one
                  </Button>
                )
              }
              icon="sources"
              title="No sources yet"
            >
              A source gives you a URL to paste at GitHub, Stripe or a program of your own.
            </Empty>
          }
          error={sources.data === undefined ? sources.error : null}
          goes
          isLoading={sources.isPending}
          label="Sources"
          onRetry={() => void sources.refetch()}
          rowKey={(row) => row.id}
          rows={sources.data ?? []}
        />
      </Panel>
      <Modal
        closeButtonProps={{ "aria-label": "Close" }}
        closeOnClickOutside={false}
        onClose={() => setFilter({ new: null })}
        opened={filter.new !== "" && place.can.configure}
        size="lg"
        title="New source"
      >
        <Form
          onClose={() => setFilter({ new: null })}
          onMade={(source) => {
            setFilter({ new: null });
            if (source.secret) {
              setShown({ id: source.id, secret: source.secret, verify: null });
            } else {
              go(href(`sources/${source.id}`));
            }
          }}
        />
      </Modal>
      <SecretDialog
        onClose={() => {
          const id = shown?.id;
          setShown(null);
          if (id !== undefined) {
            go(href(`sources/${id}`));
          }
        }}
        shown={shown}
      />
    </Page>
  );
}

const POINTERS = ["/name", "/provider", "/secret", "/scope", "/description", "/verify_token"];

function Form({
  onClose,
  onMade,
}: {
  readonly onClose: () => void;
  readonly onMade: (source: Source) => void;
}) {
  const place = usePlace();
  const providers = useProviders();
  const create = useCreateSource();
  const [name, setName] = useState("");
  const [provider, setProvider] = useState("custom");
  const [secret, setSecret] = useState("");
  const [scope, setScope] = useState("");
  const [token, setToken] = useState("");
  const [description, setDescription] = useState("");
  const preset = providers.data?.find((it) => it.name === provider);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate(
      {
        name: name.trim(),
        provider,
        ...(secret.trim() === "" ? {} : { secret: secret.trim() }),
        ...(scope.trim() === "" ? {} : { scope: scope.trim() }),
        ...(token.trim() === "" ? {} : { verify_token: token.trim() }),
        ...(description.trim() === "" ? {} : { description: description.trim() }),
      },
      { onSuccess: onMade },
    );
  };
  return (
    <form className="form" noValidate onSubmit={submit}>
      <TextInput
        data-autofocus
        error={fieldError(create.error, "/name")}
        label="Name"
        onChange={(event) => setName(event.currentTarget.value)}
        placeholder="Shop on GitHub"
        required
        value={name}
      />
      <Select
        allowDeselect={false}
        data={(providers.data ?? []).map((it) => ({ value: it.name, label: it.title }))}
        description="Who sends: this decides how the signature is checked."
        error={fieldError(create.error, "/provider")}
        label="Provider"
        onChange={(value) => setProvider(value ?? "custom")}
        searchable
        value={provider}
      />
      {preset?.secret_from === "handshake" ? (
        <Note tone="info">{preset.title} hands its secret over by itself. Set it up right after saving.</Note>
      ) : (
        <TextInput
          description={
            preset?.secret_from === "provider"
              ? "Shown at the provider. You can also give it later."
              : "Left empty, one is made and shown once."
          }
          error={fieldError(create.error, "/secret")}
          label="Secret"
          onChange={(event) => setSecret(event.currentTarget.value)}
          spellCheck={false}
          value={secret}
        />
      )}
      {preset?.handshake === true && (
        <TextInput
          description="Where the provider’s handshake asks for a token you chose"
          error={fieldError(create.error, "/verify_token")}
          label="Verify token"
          onChange={(event) => setToken(event.currentTarget.value)}
          spellCheck={false}
          value={token}
        />
      )}
      <TextInput
        error={fieldError(create.error, "/scope")}
        label={scopeLabel(place.profile)}
        onChange={(event) => setScope(event.currentTarget.value)}
        placeholder="None"
        spellCheck={false}
        value={scope}
      />
      <Textarea
        autosize
        error={fieldError(create.error, "/description")}
        label="Description"
        minRows={2}
        onChange={(event) => setDescription(event.currentTarget.value)}
        value={description}
      />
      {formError(create.error, POINTERS) !== null && (
        <Note live tone="bad">
          {formError(create.error, POINTERS)}
        </Note>
      )}
      <FormFoot action="Save" isBusy={create.isPending} onClose={onClose} />
    </form>
  );
}
