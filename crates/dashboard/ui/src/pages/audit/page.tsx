// Who did what, when, from where.

import { Button, Drawer } from "@mantine/core";
import { useState } from "react";
import { type AuditEntry, useAudit } from "../../api/settings";
import { words } from "../../lib/text";
import { Ago, At, Facts, Foreign, Mono, Page, Panel } from "../../parts/basics";
import { Body } from "../../parts/code";
import { type Column, Empty, Table } from "../../parts/table";

/** `endpoint.created` as people say it. */
function act(action: string): string {
  return words(action.replaceAll(".", " "));
}

export function AuditPage() {
  const list = useAudit();
  const [shown, setShown] = useState<AuditEntry | null>(null);
  const columns: Column<AuditEntry>[] = [
    {
      key: "action",
      head: "What",
      track: "minmax(0, 1.2fr)",
      phone: "title",
      cell: (row) => (
        <Button className="bare-button" onClick={() => setShown(row)} size="compact-sm" variant="transparent">
          {act(row.action)}
        </Button>
      ),
    },
    {
      key: "subject",
      head: "To what",
      track: "minmax(0, 1.8fr)",
      phone: "full",
      cell: (row) => <Mono clip text={row.subject} />,
    },
    {
      key: "actor",
      head: "Who",
      track: "minmax(0, 1.3fr)",
      phone: "full",
      cell: (row) => <Mono clip text={row.actor} />,
    },
    {
      key: "origin",
      head: "From",
      track: "minmax(0, 0.8fr)",
      phone: "hide",
      cell: (row) => <span className="dim">{row.origin ? <Mono clip text={row.origin} /> : "–"}</span>,
    },
    {
      key: "at",
      head: "When",
      track: "100px",
      phone: "side",
      end: true,
      cell: (row) => (
        <span className="dim">
          <Ago at={row.at} />
        </span>
      ),
    },
  ];
  return (
    <Page lead="Every change, with what was before and after. Secrets never stand here." title="Audit log">
      <Panel bare>
        <Table
          columns={columns}
          empty={
            <Empty icon="audit" title="Nothing was changed yet">
              Each change is written here together with what it changed.
            </Empty>
          }
          error={list.error}
          hasMore={list.hasMore}
          isLoading={list.isLoading}
          isLoadingMore={list.isLoadingMore}
          label="Audit log"
          onMore={list.loadMore}
          onRetry={list.retry}
          rowKey={(row) => row.id}
          rows={list.rows}
        />
      </Panel>
      <Drawer
        closeButtonProps={{ "aria-label": "Close" }}
        onClose={() => setShown(null)}
        opened={shown !== null}
        position="right"
        size="lg"
        title={shown === null ? "" : act(shown.action)}
      >
        {shown !== null && (
          <div className="stack">
            <Facts
              rows={[
                ["Who", <Foreign key="who" text={shown.actor} />],
                ["When", <At at={shown.at} key="at" />],
                ["From", shown.origin ? <Foreign key="from" text={shown.origin} /> : "The gateway itself"],
                ["To what", <Foreign key="what" text={shown.subject} />],
              ]}
            />
            {shown.before != null && <Body label="Before" text={JSON.stringify(shown.before)} />}
            {shown.after != null && <Body label="After" text={JSON.stringify(shown.after)} />}
          </div>
        )}
      </Drawer>
    </Page>
  );
}
