// The nodes of the gateway, for its operator.

import { type Node, useNodes } from "../../api/nodes";
import { span } from "../../lib/time";
import { Ago, Foreign, Mono, Note, Page, Panel, Pill } from "../../parts/basics";
import { type Column, Empty, Table } from "../../parts/table";

/** With the usual lease of 15 s a node that serves shows a sign of life every 3 s; so much silence says nothing. */
const QUIET_MS = 5_000;

/** A process that has its store for itself has no name. */
function isAlone(node: Node): boolean {
  return (node.name ?? null) === null;
}

const columns: Column<Node>[] = [
  {
    key: "name",
    head: "Node",
    track: "minmax(0, 2fr)",
    phone: "title",
    cell: (row) => (
      <span className="tags">
        <strong>
          <Foreign text={row.name ?? "This process"} />
        </strong>
        {row.answering && !isAlone(row) && <span className="tag">answered this</span>}
      </span>
    ),
  },
  {
    key: "status",
    head: "Status",
    track: "120px",
    phone: "side",
    cell: (row) => <Pill state={row.status} />,
  },
  { key: "id", head: "Id", track: "minmax(0, 1fr)", cell: (row) => <Mono clip text={row.id} /> },
  {
    key: "started",
    head: "Started",
    track: "130px",
    cell: (row) => <Ago at={row.started_at} />,
  },
  {
    // By the store's clock, which this browser's may not agree with.
    key: "silent",
    head: "Silent for",
    track: "130px",
    end: true,
    cell: (row) =>
      row.silent_ms < QUIET_MS ? (
        "–"
      ) : (
        <time dateTime={row.heartbeat_at} title={`Last heard ${row.heartbeat_at}`}>
          {span(Math.floor(row.silent_ms / 1000))}
        </time>
      ),
  },
];

export function NodesPage() {
  const nodes = useNodes();
  const rows = nodes.data ?? [];
  return (
    <Page
      lead="Processes that share one store. Work of one that falls silent is taken over by the others."
      title="Nodes"
    >
      {rows.length === 1 && rows.every(isAlone) && (
        <Note title="One node">
          This gateway has its store for itself. Over PostgreSQL, several can share one; they are listed here.
        </Note>
      )}
      <Panel bare>
        <Table
          columns={columns}
          empty={
            <Empty icon="nodes" title="No nodes">
              No process has served from this store yet.
            </Empty>
          }
          error={nodes.data === undefined ? nodes.error : null}
          isLoading={nodes.isPending}
          label="Nodes"
          onRetry={() => void nodes.refetch()}
          rowKey={(row) => row.id}
          rows={rows}
        />
      </Panel>
    </Page>
  );
}
