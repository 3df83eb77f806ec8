// One source: where to point the provider, what came in, and trying it.

import { Button, Modal, Textarea, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { Link, useLocation } from "wouter";
import type { Event } from "../../api/events";
import { useHref, usePlace } from "../../api/session";
import {
  type Provider,
  type Source,
  useDeleteSource,
  useMoveSource,
  useProviders,
  useRevealSourceSecret,
  useRotateSourceSecret,
  useSendSample,
  useSource,
  useSourceEvents,
  useUpdateSource,
} from "../../api/sources";
import { formError, reason } from "../../lib/problem";
import { plural } from "../../lib/text";
import { span } from "../../lib/time";
import {
  Ago,
  At,
  Facts,
  Foreign,
  Mono,
  Note,
  Page,
  Panel,
  Pill,
  Tags,
  useNow,
  Value,
} from "../../parts/basics";
import { Body } from "../../parts/code";
import { Confirm } from "../../parts/confirm";
import { FormFoot } from "../../parts/form-foot";
import { Icon } from "../../parts/icons";
import { SecretDialog, type ShownSecret } from "../../parts/secret";
import { Empty, Failed, Loading } from "../../parts/states";
import { type Column, Table } from "../../parts/table";
import { useSay } from "../../parts/toasts";
import { EditSource } from "./edit";

export function SourcePage({ id }: { readonly id: string }) {
  const href = useHref();
  const found = useSource(id);
  const providers = useProviders();
  const place = usePlace();
  const [editing, setEditing] = useState(false);
  const source = found.data;
  const provider = providers.data?.find((it) => it.name === source?.provider) ?? null;
  return (
    <Page
      actions={source !== undefined && <Actions source={source} />}
      beside={source !== undefined && <Pill state={source.status} />}
      crumbs={[{ label: "Sources", href: href("sources") }]}
      manyActions
      title={source?.name ?? "Source"}
    >
      {found.isPending ? (
        <Panel bare>
          <Loading label="Loading the source" />
        </Panel>
      ) : source === undefined ? (
        <Panel bare>
          <Failed
            back={{ label: "Sources", href: href("sources") }}
            error={found.error}
            onRetry={() => void found.refetch()}
            what="The source"
          />
        </Panel>
      ) : (
        <>
          {source.status === "paused" && (
            <Note icon="pause" tone="warn" title="Paused.">
              What arrives is kept, and passed on once it is resumed.
            </Note>
          )}
          {source.status === "disabled" && (
            <Note tone="bad" title="Disabled.">
              Requests are answered 403 and nothing is kept.
            </Note>
          )}
          <EditSource onClose={() => setEditing(false)} open={editing} source={source} />
          <Overlap until={source.previous_secret_expires_at ?? null} />
          <div className="columns wide-left">
            <Setup provider={provider} source={source} />
            <Panel
              actions={
                place.can.configure && (
                  <Button onClick={() => setEditing(true)} size="compact-sm" variant="default">
                    Edit
                  </Button>
                )
              }
              title="Source"
            >
              <Facts
                rows={[
                  ["Id", <Value key="id" label="source id" text={source.id} />],
                  ["Provider", provider?.title ?? source.provider],
                  ["Secret", source.has_secret ? "Set" : "Not set yet: every request is refused"],
                  source.scope ? ["Scope", <Foreign key="scope" text={source.scope} />] : null,
                  [
                    "Passed on",
                    source.events.length === 0 ? (
                      "Everything"
                    ) : (
                      <Tags key="events" most={20} values={source.events} />
                    ),
                  ],
                  source.public_url
                    ? ["Public URL", <Foreign key="public" text={source.public_url} />]
                    : null,
                  source.description
                    ? ["Description", <Foreign key="about" text={source.description} />]
                    : null,
                  ["Received", plural(source.event_count, "request", "requests")],
                  ["Last", source.last_event_at ? <Ago at={source.last_event_at} key="last" /> : "Never"],
                  ["Made", <At at={source.created_at} key="made" />],
                ]}
              />
            </Panel>
          </div>
          <Received id={id} />
        </>
      )}
    </Page>
  );
}

/** How long the secret before the last rotation is still believed. */
function Overlap({ until }: { readonly until: string | null }) {
  const now = useNow();
  const leftS = until === null ? 0 : (new Date(until).getTime() - now) / 1_000;
  return leftS <= 0 ? null : (
    <Note icon="key" tone="info" title="Two secrets are believed.">
      The old one for another {span(leftS)}. Give the provider the new one before.
    </Note>
  );
}

function Setup({ source, provider }: { readonly source: Source; readonly provider: Provider | null }) {
  const steps = provider?.setup ?? [];
  return (
    <Panel title="Setting it up">
      <div className="stack">
        <div className="stack tight">
          <span className="dim">Receive URL</span>
          <Value label="receive URL" text={source.receive_url} />
        </div>
        {steps.length > 0 && (
          <ol className="steps">
            {steps.map((step) => (
              <li key={step}>
                <Foreign
                  text={step
                    .replaceAll("{url}", source.receive_url)
                    .replaceAll("{secret}", "the secret of this source")}
                />
              </li>
            ))}
          </ol>
        )}
        {provider?.signs_url === true && (
          <Note tone="info">
            {provider.title} signs the URL too, so paste exactly the one above. Behind a proxy the operator
            sets --public-url.
          </Note>
        )}
        {provider !== null && (
          <a className="text-link" href={provider.docs_url} rel="noreferrer noopener" target="_blank">
            {provider.title} on its signatures <Icon name="link" size={13} />
          </a>
        )}
      </div>
    </Panel>
  );
}

function Actions({ source }: { readonly source: Source }) {
  const place = usePlace();
  const href = useHref();
  const [, go] = useLocation();
  const say = useSay();
  const move = useMoveSource(source.id);
  const remove = useDeleteSource(source.id);
  const rotate = useRotateSourceSecret(source.id);
  const [asking, setAsking] = useState<"disable" | "delete" | "rotate" | null>(null);
  const [sampling, setSampling] = useState(false);
  const [giving, setGiving] = useState(false);
  const [shown, setShown] = useState<ShownSecret | null>(null);
  if (!place.can.configure) {
    return null;
  }
  const run = (to: "enable" | "disable" | "pause" | "resume", said: string) =>
    move.mutate(to, {
      onSuccess: () => {
        say.done(said);
        setAsking(null);
      },
      onError: (error) => say.failed(error),
    });
  return (
    <>
      <Button leftSection={<Icon name="send" size={16} />} onClick={() => setSampling(true)}>
        Send sample
      </Button>
      {source.has_secret ? (
        <Button
          leftSection={<Icon name="key" size={16} />}
          onClick={() => setAsking("rotate")}
          variant="default"
        >
          Rotate secret
        </Button>
      ) : (
        <Button leftSection={<Icon name="key" size={16} />} onClick={() => setGiving(true)} variant="default">
          Give secret
        </Button>
      )}
      {source.status === "active" && (
        <Button
          leftSection={<Icon name="pause" size={16} />}
          onClick={() => run("pause", "Paused.")}
          variant="default"
        >
          Pause
        </Button>
      )}
      {source.status === "paused" && (
        <Button
          leftSection={<Icon name="play" size={16} />}
          onClick={() => run("resume", "Resumed.")}
          variant="default"
        >
          Resume
        </Button>
      )}
      {source.status === "disabled" ? (
        <Button
          leftSection={<Icon name="power" size={16} />}
          onClick={() => run("enable", "Enabled.")}
          variant="default"
        >
          Enable
        </Button>
      ) : (
        <Button
          leftSection={<Icon name="power" size={16} />}
          onClick={() => setAsking("disable")}
          variant="default"
        >
          Disable
        </Button>
      )}
      <Button
        color="red"
        leftSection={<Icon name="trash" size={16} />}
        onClick={() => setAsking("delete")}
        variant="light"
      >
        Delete
      </Button>
      <Confirm
        action="Disable"
        error={move.error}
        isBusy={move.isPending}
        onClose={() => setAsking(null)}
        onConfirm={() => run("disable", "Disabled.")}
        open={asking === "disable"}
        title="Disable this source?"
      >
        Requests to <Foreign text={source.name} /> are answered 403 and nothing is kept. Use Pause to keep
        them and pass them on later.
      </Confirm>
      <Confirm
        action="Delete"
        error={remove.error}
        isBusy={remove.isPending}
        onClose={() => setAsking(null)}
        onConfirm={() => remove.mutate(undefined, { onSuccess: () => go(href("sources")) })}
        open={asking === "delete"}
        title="Delete this source?"
      >
        The receive URL of <Foreign text={source.name} /> and its secret are lost for good: the provider gets
        404 from then on. Events it received stay.
      </Confirm>
      <Confirm
        action="Rotate"
        danger={false}
        error={rotate.error}
        isBusy={rotate.isPending}
        onClose={() => setAsking(null)}
        onConfirm={() =>
          rotate.mutate(
            {},
            {
              onSuccess: (made) => {
                setAsking(null);
                if (made.secret) {
                  setShown({ secret: made.secret, verify: null, note: "Paste it at the provider." });
                }
              },
            },
          )
        }
        open={asking === "rotate"}
        title="Rotate secret?"
      >
        A fresh secret is made and shown once. Requests signed with the old one are believed for as long as
        the tenant’s profile lets two secrets overlap, a day under most of them; the page says how long.
      </Confirm>
      <SampleDialog onClose={() => setSampling(false)} open={sampling} source={source} />
      <GiveSecret onClose={() => setGiving(false)} open={giving} source={source} />
      <SecretDialog onClose={() => setShown(null)} shown={shown} />
    </>
  );
}

function GiveSecret({
  source,
  open,
  onClose,
}: {
  readonly source: Source;
  readonly open: boolean;
  readonly onClose: () => void;
}) {
  const update = useUpdateSource(source.id);
  const [secret, setSecret] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    update.mutate({ secret: secret.trim() }, { onSuccess: onClose });
  };
  return (
    <Modal closeButtonProps={{ "aria-label": "Close" }} onClose={onClose} opened={open} title="Give secret">
      <form className="form" noValidate onSubmit={submit}>
        <TextInput
          data-autofocus
          description="As the provider shows it"
          error={formError(update.error, []) ?? undefined}
          label="Secret"
          onChange={(event) => setSecret(event.currentTarget.value)}
          spellCheck={false}
          value={secret}
        />
        <FormFoot action="Save" isBusy={update.isPending} onClose={onClose} />
      </form>
    </Modal>
  );
}

function SampleDialog({
  source,
  open,
  onClose,
}: {
  readonly source: Source;
  readonly open: boolean;
  readonly onClose: () => void;
}) {
  const send = useSendSample(source);
  const reveal = useRevealSourceSecret(source.id);
  const [payload, setPayload] = useState('{\n  "type": "sample.sent",\n  "data": { "hello": "world" }\n}');
  const [error, setError] = useState<unknown>(null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setError(null);
    try {
      const { secret } = await reveal.mutateAsync();
      await send.mutateAsync({ payload, secret });
    } catch (thrown) {
      setError(thrown);
    }
  };
  const answer = send.data;
  return (
    <Modal
      closeButtonProps={{ "aria-label": "Close" }}
      onClose={onClose}
      opened={open}
      size="lg"
      title="Send sample"
    >
      <form className="form" noValidate onSubmit={(event) => void submit(event)}>
        <p style={{ margin: 0 }}>
          Signs this body as the provider would and sends it to the source’s own door, over the network like
          any other.
        </p>
        <Textarea
          autosize
          data-autofocus
          label="Body"
          maxRows={16}
          minRows={5}
          onChange={(event) => setPayload(event.currentTarget.value)}
          spellCheck={false}
          styles={{ input: { fontFamily: "var(--mono)", fontSize: 13 } }}
          value={payload}
        />
        {error !== null && (
          <Note live tone="bad">
            {reason(error)}
          </Note>
        )}
        {answer !== undefined && error === null && (
          <>
            <Note
              live
              title={answer.status < 300 ? `Accepted (${answer.status}).` : `Rejected (${answer.status}).`}
              tone={answer.status < 300 ? "good" : "bad"}
            >
              {answer.status < 300 ? "It is listed below." : "The answer says why."}
            </Note>
            <Body label="Answer" text={answer.body} />
          </>
        )}
        <FormFoot
          action="Send"
          cancel="Close"
          isBusy={send.isPending || reveal.isPending}
          onClose={onClose}
        />
      </form>
    </Modal>
  );
}

function Received({ id }: { readonly id: string }) {
  const href = useHref();
  const list = useSourceEvents(id);
  const columns: Column<Event>[] = [
    {
      key: "type",
      head: "Type",
      track: "minmax(0, 1.5fr)",
      phone: "title",
      cell: (row) => (
        <Link className="stretch clip" href={href(`events/${row.id}`)}>
          <Foreign text={row.type} />
        </Link>
      ),
    },
    {
      key: "id",
      head: "Event",
      track: "minmax(0, 1.5fr)",
      phone: "full",
      cell: (row) => (
        <span className="dim">
          <Mono clip text={row.id} />
        </span>
      ),
    },
    {
      key: "dedupe",
      head: "Provider’s id",
      track: "minmax(0, 1fr)",
      phone: "hide",
      cell: (row) =>
        row.publisher_id ? <Mono clip text={row.publisher_id} /> : <span className="dim">–</span>,
    },
    {
      key: "deliveries",
      head: "Passed on",
      track: "90px",
      end: true,
      cell: (row) => (
        <>
          {row.deliveries}
          <span className="phone-only"> passed on</span>
        </>
      ),
    },
    {
      key: "at",
      head: "Received",
      track: "100px",
      phone: "side",
      end: true,
      cell: (row) => (
        <span className="dim">
          <Ago at={row.created_at} />
        </span>
      ),
    },
  ];
  return (
    <Panel bare title="Received requests">
      <Table
        columns={columns}
        empty={
          <Empty icon="sources" title="Nothing received yet">
            A request with a good signature shows up here. One with a bad signature is answered 401, with the
            reason in its body, and not kept; try yours in the signature checker.
          </Empty>
        }
        error={list.error}
        goes
        hasMore={list.hasMore}
        isLoading={list.isLoading}
        isLoadingMore={list.isLoadingMore}
        label="Received requests"
        onMore={list.loadMore}
        onRetry={list.retry}
        rowKey={(row) => row.id}
        rows={list.rows}
      />
    </Panel>
  );
}
