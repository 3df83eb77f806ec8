// Settings → Webhooks: the endpoints of a tenant, and making a new one.

import { Button, TextInput } from "@mantine/core";
import { useState } from "react";
import { Link, useLocation } from "wouter";
import { type Endpoint, useEndpoints } from "../../api/endpoints";
import { useOverview } from "../../api/numbers";
import { useHref, usePlace } from "../../api/session";
import { newEndpointLabel, profileLabel, schemeOf, scopeLabel } from "../../lib/profiles";
import { count } from "../../lib/text";
import { Ago, Foreign, Mono, Page, Panel, Pill, Tags } from "../../parts/basics";
import { useFilters } from "../../parts/filters";
import { Icon } from "../../parts/icons";
import { SecretDialog, type ShownSecret } from "../../parts/secret";
import { type Column, Empty, Table } from "../../parts/table";
import { NewEndpointDialog } from "./new";

function off(reason: Endpoint["disabled_reason"]): string {
  switch (reason) {
    case "gone":
      return "Gone (410)";
    case "failures":
      return "Failed too long";
    case "verification_failed":
      return "Not verified";
    case "manual":
    case null:
    case undefined:
      return "Switched off";
  }
}

/** How an endpoint does, in a word. */
export function health(endpoint: Endpoint, isFailing = false): string {
  if (endpoint.status === "disabled") {
    return off(endpoint.disabled_reason);
  }
  if (endpoint.status === "pending") {
    return "Not verified yet";
  }
  if (endpoint.consecutive_failures > 0) {
    return `${count(endpoint.consecutive_failures)} failed in a row`;
  }
  if (isFailing) {
    return "Failing now";
  }
  return endpoint.last_delivery_at ? "Healthy" : "Nothing sent yet";
}

export function EndpointsPage() {
  const place = usePlace();
  const href = useHref();
  const [, go] = useLocation();
  const [filter, setFilter] = useFilters(["q", "new"]);
  const endpoints = useEndpoints();
  const overview = useOverview("1h");
  const failing = new Set((overview.data?.failing ?? []).map((it) => it.endpoint_id));
  const [shown, setShown] = useState<(ShownSecret & { readonly id: string }) | null>(null);
  const label = newEndpointLabel(place.profile);
  const wanted = filter.q.toLowerCase();
  const rows = (endpoints.data ?? []).filter(
    (it) =>
      wanted === "" ||
      `${it.name ?? ""} ${it.url} ${it.events.join(" ")} ${it.scope ?? ""}`.toLowerCase().includes(wanted),
  );
  const scoped = (endpoints.data ?? []).some((it) => it.scope);

  const columns: Column<Endpoint>[] = [
    {
      key: "name",
      head: "Webhook",
      track: "minmax(0, 2.6fr)",
      phone: "title",
      cell: (row) => (
        <span className="two">
          <Link
            className="stretch clip"
            href={href(`settings/webhooks/${row.id}`)}
            title={row.name ?? row.url}
          >
            <Foreign text={row.name ?? row.url} />
          </Link>
          {row.name && (
            <span className="dim small">
              <Mono clip text={row.url} />
            </span>
          )}
        </span>
      ),
    },
    {
      key: "status",
      head: "Status",
      track: "96px",
      phone: "side",
      cell: (row) => <Pill state={row.status} />,
    },
    {
      key: "events",
      head: "Events",
      track: "minmax(190px, 1.9fr)",
      phone: "full",
      cell: (row) => <Tags most={2} values={row.events} />,
    },
    ...(scoped
      ? [
          {
            key: "scope",
            head: scopeLabel(place.profile),
            track: "minmax(0, 0.8fr)",
            cell: (row: Endpoint) =>
              row.scope ? <Foreign clip text={row.scope} /> : <span className="dim wide-only">All</span>,
          },
        ]
      : []),
    {
      key: "health",
      head: "Health",
      track: "minmax(0, 1fr)",
      cell: (row) => (
        <span
          className={
            (row.consecutive_failures > 0 || failing.has(row.id)) && row.status !== "disabled"
              ? "bad-text clip"
              : "dim clip"
          }
        >
          {health(row, failing.has(row.id))}
        </span>
      ),
    },
    {
      key: "count",
      head: "Deliveries",
      track: "84px",
      end: true,
      phone: "hide",
      cell: (row) => count(row.delivery_count),
    },
    {
      key: "last",
      head: "Last",
      track: "88px",
      end: true,
      cell: (row) =>
        row.last_delivery_at ? (
          <span className="dim">
            <Ago at={row.last_delivery_at} />
          </span>
        ) : (
          <span className="dim wide-only">–</span>
        ),
    },
  ];

  const make = place.can.manage && (
    <Button leftSection={<Icon name="plus" size={16} />} onClick={() => setFilter({ new: "1" })}>
      {label}
    </Button>
  );
  return (
    <Page
      actions={make}
      lead="Where events go: each endpoint gets the events it asks for, signed, and retried until it answers."
      title="Webhooks"
    >
      {(endpoints.data?.length ?? 0) > 8 && (
        <div className="filters">
          <TextInput
            aria-label="Search webhooks"
            leftSection={<Icon name="search" size={16} />}
            onChange={(event) => setFilter({ q: event.currentTarget.value })}
            placeholder="Search"
            value={filter.q}
          />
        </div>
      )}
      <Panel bare>
        <Table
          columns={columns}
          empty={
            wanted === "" ? (
              <Empty
                action={
                  place.can.manage && (
                    <Button onClick={() => setFilter({ new: "1" })} variant="default">
                      Add the first one
                    </Button>
                  )
                }
                icon="webhook"
                title="No webhooks yet"
              >
                Add the address of your receiver and pick its events. The first one takes a minute.
              </Empty>
            ) : (
              <Empty
                action={
                  <Button onClick={() => setFilter({ q: null })} variant="default">
                    Show all
                  </Button>
                }
                icon="filter"
                title="No webhook fits"
              >
                Clear the search to see all of them.
              </Empty>
            )
          }
          error={endpoints.data === undefined ? endpoints.error : null}
          goes
          isLoading={endpoints.isPending}
          label="Webhooks"
          onRetry={() => void endpoints.refetch()}
          rowKey={(row) => row.id}
          rows={rows}
        />
      </Panel>
      <NewEndpointDialog
        label={label}
        onClose={() => setFilter({ new: null })}
        onMade={(endpoint, secret) => {
          setFilter({ new: null });
          const page = href(`settings/webhooks/${endpoint.id}`);
          if (secret === null) {
            go(page);
            return;
          }
          setShown({
            id: endpoint.id,
            secret,
            verify: { scheme: schemeOf(endpoint.profile), url: endpoint.url },
            ...(endpoint.status === "pending"
              ? {
                  note: `The receiver is asked to prove itself (${profileLabel(
                    endpoint.profile,
                  )} challenge). It is Active as soon as it has answered.`,
                }
              : {}),
          });
        }}
        open={filter.new !== "" && place.can.manage}
      />
      <SecretDialog
        onClose={() => {
          const id = shown?.id;
          setShown(null);
          if (id !== undefined) {
            go(href(`settings/webhooks/${id}`));
          }
        }}
        shown={shown}
      />
    </Page>
  );
}
