// The nodes of the gateway, for its operator.

import { type GatewayNode, useNodes } from "../../api/nodes";
import { Problem } from "../../lib/problem";
import { Ago, Foreign, Mono, Page, Panel, Pill } from "../../parts/basics";
import { type Column, Empty, Table } from "../../parts/table";

const columns: Column<GatewayNode>[] = [
  {
    key: "name",
    head: "Node",
    track: "minmax(0, 2fr)",
    phone: "title",
    cell: (row) => (
      <strong>
        <Foreign text={row.name ?? row.id} />
      </strong>
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
    cell: (row) => (row.started_at === null ? "–" : <Ago at={row.started_at} />),
  },
  {
    key: "beat",
    head: "Last heard",
    track: "130px",
    end: true,
    cell: (row) => (row.heartbeat_at === null ? "–" : <Ago at={row.heartbeat_at} />),
  },
];

export function NodesPage() {
  const nodes = useNodes();
  // A gateway on the embedded store is one process: there is nothing to be listed.
  const single = nodes.error instanceof Problem && nodes.error.status === 404;
  return (
    <Page
      lead="Processes that share one store. Work of one that falls silent is taken over by the others."
      title="Nodes"
    >
      <Panel bare>
        <Table
          columns={columns}
          empty={
            <Empty icon="nodes" title="One node">
              This gateway runs as a single process. Over PostgreSQL, several can share one store; they are
              listed here.
            </Empty>
          }
          error={nodes.data === undefined && !single ? nodes.error : null}
          isLoading={nodes.isPending}
          label="Nodes"
          onRetry={() => void nodes.refetch()}
          rowKey={(row) => row.id}
          rows={nodes.data ?? []}
        />
      </Panel>
    </Page>
  );
}
