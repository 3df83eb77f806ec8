// What was accepted, newest first.

import { Button, Modal, Select, Textarea, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { type FormEvent, useMemo, useState } from "react";
import { Link, useLocation } from "wouter";
import { type Event, type EventFilter, useEvents, usePublish } from "../../api/events";
import { useHref, usePlace } from "../../api/session";
import { useEventTypes } from "../../api/settings";
import { useSources } from "../../api/sources";
import { laidOut } from "../../lib/json";
import { fieldError, formError } from "../../lib/problem";
import { scopeLabel } from "../../lib/profiles";
import { plural } from "../../lib/text";
import { Ago, Foreign, Mono, Note, Page, Panel } from "../../parts/basics";
import { sinceOf, TimeFilter, useFilters } from "../../parts/filters";
import { FormFoot } from "../../parts/form-foot";
import { Icon } from "../../parts/icons";
import { type Column, Empty, Table } from "../../parts/table";
import { useSay } from "../../parts/toasts";

export function EventsPage() {
  const place = usePlace();
  const href = useHref();
  const [filter, setFilter, filtered] = useFilters([
    "type",
    "scope",
    "source",
    "since",
    "until",
    "q",
    "publish",
  ]);
  const types = useEventTypes();
  const sources = useSources();
  const asked = useMemo<EventFilter>(() => {
    const since = sinceOf(filter.since);
    const until = sinceOf(filter.until);
    return {
      ...(filter.type ? { type: filter.type } : {}),
      ...(filter.scope ? { scope: filter.scope } : {}),
      ...(filter.source ? { source: filter.source } : {}),
      ...(filter.q ? { q: filter.q } : {}),
      ...(since ? { since } : {}),
      ...(until ? { until } : {}),
    };
  }, [filter.type, filter.scope, filter.source, filter.since, filter.until, filter.q]);
  const list = useEvents(asked);
  const [q, setQ] = useState(filter.q);
  const search = useDebouncedCallback((value: string) => setFilter({ q: value }), 300);
  const clear = () => {
    setQ("");
    setFilter({ type: null, scope: null, source: null, since: null, until: null, q: null });
  };
  const sourceName = (id: string) => sources.data?.find((it) => it.id === id)?.name ?? id;

  const columns: Column<Event>[] = [
    {
      key: "type",
      head: "Type",
      track: "minmax(0, 2fr)",
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
      track: "minmax(0, 2fr)",
      phone: "full",
      cell: (row) => (
        <span className="dim">
          <Mono clip text={row.id} />
        </span>
      ),
    },
    {
      key: "scope",
      head: scopeLabel(place.profile),
      track: "minmax(0, 1fr)",
      cell: (row) =>
        row.scope ? <Foreign clip text={row.scope} /> : <span className="dim wide-only">–</span>,
    },
    {
      key: "source",
      head: "From",
      track: "minmax(0, 1fr)",
      cell: (row) => (
        <span className="dim clip">
          {row.source ? <Foreign text={sourceName(row.source)} /> : "Published"}
        </span>
      ),
    },
    {
      key: "deliveries",
      head: "Deliveries",
      track: "84px",
      end: true,
      cell: (row) => (
        <>
          {row.deliveries}
          <span className="phone-only"> {row.deliveries === 1 ? "delivery" : "deliveries"}</span>
        </>
      ),
    },
    {
      key: "at",
      head: "Accepted",
      track: "96px",
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
    <Page
      actions={
        place.can.publish && (
          <Button leftSection={<Icon name="send" size={16} />} onClick={() => setFilter({ publish: "1" })}>
            Publish event
          </Button>
        )
      }
      title="Events"
    >
      <div className="filters">
        <TextInput
          label="Search"
          leftSection={<Icon name="search" size={16} />}
          onChange={(event) => {
            setQ(event.currentTarget.value);
            search(event.currentTarget.value);
          }}
          placeholder="Id or text"
          value={q}
        />
        <Select
          clearable
          data={(types.data ?? []).map((it) => it.name)}
          label="Type"
          onChange={(value) => setFilter({ type: value })}
          placeholder="Any"
          searchable
          value={filter.type || null}
        />
        {(sources.data?.length ?? 0) > 0 && (
          <Select
            clearable
            data={(sources.data ?? []).map((it) => ({ value: it.id, label: it.name }))}
            label="Source"
            onChange={(value) => setFilter({ source: value })}
            placeholder="Any"
            searchable
            value={filter.source || null}
          />
        )}
        <TimeFilter onChange={setFilter} since={filter.since} until={filter.until} />
        {filtered && filter.publish === "" && (
          <Button className="fixed" onClick={clear} variant="subtle">
            Clear
          </Button>
        )}
      </div>
      <Panel bare>
        <Table
          columns={columns}
          empty={
            filtered ? (
              <Empty
                action={
                  <Button onClick={clear} variant="default">
                    Show all
                  </Button>
                }
                icon="filter"
                title="No event fits"
              >
                Widen the time, or leave out a filter.
              </Empty>
            ) : (
              <Empty icon="events" title="No events yet">
                Publish one with the API, the command line or the button above; it is kept here as it came.
              </Empty>
            )
          }
          error={list.error}
          goes
          hasMore={list.hasMore}
          isLoading={list.isLoading}
          isLoadingMore={list.isLoadingMore}
          label="Events"
          onMore={list.loadMore}
          onRetry={list.retry}
          rowKey={(row) => row.id}
          rows={list.rows}
        />
      </Panel>
      <Publish
        onClose={() => setFilter({ publish: null })}
        open={filter.publish !== "" && place.can.publish}
      />
    </Page>
  );
}

function Publish({ open, onClose }: { readonly open: boolean; readonly onClose: () => void }) {
  const place = usePlace();
  const href = useHref();
  const [, go] = useLocation();
  const say = useSay();
  const types = useEventTypes();
  const publish = usePublish();
  const [type, setType] = useState("");
  const [scope, setScope] = useState("");
  const [data, setData] = useState("{}");
  const [wrong, setWrong] = useState<string | null>(null);

  const take = (name: string) => {
    setType(name);
    const sample = types.data?.find((it) => it.name === name)?.sample;
    if (sample !== undefined && sample !== null) {
      setData(laidOut(JSON.stringify(dataOf(sample))));
    }
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    let parsed: unknown;
    try {
      parsed = JSON.parse(data);
      setWrong(null);
    } catch (error) {
      setWrong(`This is no JSON: ${error instanceof Error ? error.message : ""}`);
      return;
    }
    publish.mutate(
      { type: type.trim(), data: parsed, ...(scope === "" ? {} : { scope }) },
      {
        onSuccess: ({ id, deliveries }) => {
          say.done(`Accepted, with ${plural(deliveries, "delivery", "deliveries")}.`);
          onClose();
          go(href(`events/${id}`));
        },
      },
    );
  };
  return (
    <Modal
      closeButtonProps={{ "aria-label": "Close" }}
      onClose={onClose}
      opened={open}
      size="lg"
      title="Publish event"
    >
      <form className="form" noValidate onSubmit={submit}>
        <TextInput
          data-autofocus
          error={fieldError(publish.error, "/type")}
          label="Type"
          list="publish-types"
          onChange={(event) => take(event.currentTarget.value)}
          placeholder="order.created"
          required
          spellCheck={false}
          value={type}
        />
        <datalist id="publish-types">
          {(types.data ?? []).map((it) => (
            <option key={it.name} value={it.name} />
          ))}
        </datalist>
        <TextInput
          error={fieldError(publish.error, "/scope")}
          label={scopeLabel(place.profile)}
          onChange={(event) => setScope(event.currentTarget.value)}
          placeholder="None"
          spellCheck={false}
          value={scope}
        />
        <Textarea
          autosize
          error={wrong ?? fieldError(publish.error, "/data")}
          label="Data"
          maxRows={18}
          minRows={6}
          onChange={(event) => setData(event.currentTarget.value)}
          spellCheck={false}
          styles={{ input: { fontFamily: "var(--mono)", fontSize: 13 } }}
          value={data}
        />
        {formError(publish.error, ["/type", "/scope", "/data"]) !== null && (
          <Note live tone="bad">
            {formError(publish.error, ["/type", "/scope", "/data"])}
          </Note>
        )}
        <FormFoot action="Publish" isBusy={publish.isPending} onClose={onClose} />
      </form>
    </Modal>
  );
}

/** A catalogue's sample may be the whole envelope; what is published is what stands in its `data`. */
function dataOf(sample: unknown): unknown {
  return typeof sample === "object" && sample !== null && "data" in sample && "type" in sample
    ? sample.data
    : sample;
}
