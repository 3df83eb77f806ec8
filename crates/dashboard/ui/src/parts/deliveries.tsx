// Deliveries in rows, as several pages show them.

import type { ReactNode } from "react";
import { Link } from "wouter";
import { words } from "../lib/text";
import { Ago, Foreign, Mono, Pill } from "./basics";
import { type Column, Table } from "./table";

export type DeliveryRow = {
  readonly id: string;
  readonly event_id: string;
  readonly event_type: string;
  readonly endpoint_id: string;
  readonly status: string;
  readonly attempts: number;
  readonly last_status_code?: number | null;
  readonly next_attempt_at?: string | null;
  readonly reason?: string | null;
  readonly trigger: string;
  readonly created_at: string;
};

export type DeliveriesTableProps = {
  readonly rows: readonly DeliveryRow[];
  readonly href: (path: string) => string;
  readonly endpointName?: (id: string) => string;
  readonly isLoading: boolean;
  readonly error: unknown;
  readonly onRetry: () => void;
  readonly hasMore: boolean;
  readonly isLoadingMore: boolean;
  readonly onMore: () => void;
  readonly empty: ReactNode;
  readonly foot?: ReactNode;
};

/** What is to be said of a delivery beside its state. */
function Detail({ row }: { readonly row: DeliveryRow }) {
  if (row.status === "pending" && row.next_attempt_at) {
    return (
      <>
        next <Ago at={row.next_attempt_at} />
      </>
    );
  }
  if (row.reason) {
    return words(row.reason);
  }
  return row.trigger === "automatic" ? null : words(row.trigger);
}

export function DeliveriesTable({ href, endpointName, ...props }: DeliveriesTableProps) {
  const columns: Column<DeliveryRow>[] = [
    {
      key: "type",
      head: "Event",
      track: "minmax(0, 2fr)",
      phone: "title",
      cell: (row) => (
        <Link className="stretch clip" href={href(`deliveries/${row.id}`)} title={row.event_type}>
          <Foreign text={row.event_type} />
        </Link>
      ),
    },
    {
      key: "status",
      head: "Status",
      track: "114px",
      phone: "side",
      cell: (row) => <Pill state={row.status} />,
    },
    {
      key: "code",
      head: "Answer",
      track: "64px",
      cell: (row) =>
        row.last_status_code ? (
          <Mono text={String(row.last_status_code)} />
        ) : (
          <span className="dim wide-only">{row.attempts > 0 ? "none" : "–"}</span>
        ),
    },
    {
      key: "attempts",
      head: "Attempts",
      track: "76px",
      end: true,
      cell: (row) => (
        <>
          {row.attempts}
          <span className="phone-only"> {row.attempts === 1 ? "attempt" : "attempts"}</span>
        </>
      ),
    },
    {
      key: "detail",
      head: "Detail",
      track: "minmax(0, 1.2fr)",
      apart: true,
      cell: (row) =>
        row.reason || row.trigger !== "automatic" || (row.status === "pending" && row.next_attempt_at) ? (
          <span className="dim clip">
            <Detail row={row} />
          </span>
        ) : null,
    },
    ...(endpointName === undefined
      ? []
      : [
          {
            key: "endpoint",
            head: "Webhook",
            track: "minmax(0, 1.6fr)",
            phone: "full" as const,
            cell: (row: DeliveryRow) => (
              <Link className="clip above quiet" href={href(`settings/webhooks/${row.endpoint_id}`)}>
                <Foreign text={endpointName(row.endpoint_id)} />
              </Link>
            ),
          },
        ]),
    {
      key: "at",
      head: "Accepted",
      track: "96px",
      end: true,
      cell: (row) => (
        <span className="dim">
          <Ago at={row.created_at} />
        </span>
      ),
    },
  ];
  return (
    <Table
      columns={columns}
      empty={props.empty}
      error={props.error}
      foot={props.foot}
      goes
      hasMore={props.hasMore}
      isLoading={props.isLoading}
      isLoadingMore={props.isLoadingMore}
      label="Deliveries"
      onMore={props.onMore}
      onRetry={props.onRetry}
      rowKey={(row) => row.id}
      rows={props.rows}
    />
  );
}
