// A tenant at a glance: what was delivered, what failed, what is owed.

import { Button, SegmentedControl } from "@mantine/core";
import { Link } from "wouter";
import { type Overview, RANGES, type Range, useOverview } from "../../api/numbers";
import { useHref, usePlace } from "../../api/session";
import { newEndpointLabel } from "../../lib/profiles";
import { count, kept, percent, plural, words } from "../../lib/text";
import { millis } from "../../lib/time";
import { Ago, Foreign, Mono, Page, Panel, Pill, Since } from "../../parts/basics";
import { useFilters } from "../../parts/filters";
import { Chart, Counts, Metrics } from "../../parts/numbers";
import { Empty, Failed, Loading } from "../../parts/states";
import { type Column, Table } from "../../parts/table";

export function OverviewPage() {
  const place = usePlace();
  const href = useHref();
  const [filter, setFilter] = useFilters(["range"]);
  const range = RANGES.find((it) => it.value === filter.range)?.value ?? "24h";
  const overview = useOverview(range);
  const fresh = overview.data !== undefined && isUnused(overview.data);
  return (
    <Page
      actions={
        <SegmentedControl
          aria-label="Time range"
          data={RANGES.map(({ value, label }) => ({ value, label }))}
          onChange={(value) => setFilter({ range: value as Range })}
          value={range}
        />
      }
      title="Overview"
    >
      {overview.isPending ? (
        <Panel bare>
          <Loading label="Loading the numbers" />
        </Panel>
      ) : overview.data === undefined ? (
        <Panel bare>
          <Failed error={overview.error} onRetry={() => void overview.refetch()} what="The numbers" />
        </Panel>
      ) : fresh ? (
        <Panel bare>
          <Empty
            action={
              place.can.manage && (
                <Button component={Link} href={href("settings/webhooks?new=1")}>
                  {newEndpointLabel(place.profile)}
                </Button>
              )
            }
            icon="webhook"
            title="Nothing is delivered yet"
          >
            Tell the gateway where to send events, then publish the first one. The numbers follow by
            themselves.
          </Empty>
        </Panel>
      ) : (
        <Numbers href={href} overview={overview.data} />
      )}
    </Page>
  );
}

function isUnused(overview: Overview): boolean {
  const { pending, active, paused, disabled } = overview.endpoints;
  return (
    pending + active + paused + disabled === 0 &&
    overview.numbers.totals.events === 0 &&
    overview.numbers.totals.attempts === 0
  );
}

function Numbers({
  overview,
  href,
}: {
  readonly overview: Overview;
  readonly href: (path: string) => string;
}) {
  const { backlog, endpoints, numbers } = overview;
  const { totals, series, delivery_time: took } = numbers;
  const at = series.map((it) => it.at);
  return (
    <>
      <Metrics
        label="Numbers of this time"
        rows={[
          {
            label: "Success rate",
            value: numbers.success_rate == null ? "–" : percent(numbers.success_rate),
            hint: `${count(totals.succeeded)} delivered, ${count(totals.failed)} failed`,
          },
          {
            label: "Delivery time",
            value: took.p50_ms == null ? "–" : millis(took.p50_ms),
            hint: took.p95_ms == null ? "median" : `median; 95 % within ${kept(millis(took.p95_ms))}`,
          },
          {
            label: "Events accepted",
            value: count(totals.events),
            hint: plural(totals.attempts, "attempt", "attempts"),
          },
          {
            label: "Waiting",
            value: `${count(backlog.pending)}${backlog.more ? "+" : ""}`,
            hint: backlog.retrying > 0 ? `${count(backlog.retrying)} for a retry` : "in the queue now",
          },
          {
            label: "Oldest undelivered",
            value: backlog.oldest_at ? <Since at={backlog.oldest_at} /> : "None",
            hint: backlog.oldest_at ? "since it was accepted" : "nothing is owed",
          },
          {
            label: "Endpoints",
            value: (
              <>
                {count(endpoints.active)} <span className="unit">active</span>
              </>
            ),
            hint:
              [
                endpoints.failing > 0 ? `${count(endpoints.failing)} failing` : "",
                endpoints.paused > 0 ? `${count(endpoints.paused)} paused` : "",
                endpoints.disabled > 0 ? `${count(endpoints.disabled)} off` : "",
                endpoints.pending > 0 ? `${count(endpoints.pending)} unverified` : "",
              ]
                .filter((it) => it !== "")
                .join(", ") || "none is failing",
          },
        ]}
      />
      <Panel title="Failing endpoints" bare>
        <Failing href={href} rows={overview.failing} />
      </Panel>
      <div className="columns">
        <Panel title="Deliveries">
          <Chart
            at={at}
            kind="bars"
            label="Deliveries over time"
            series={[
              { label: "Delivered", tone: "good", values: series.map((it) => it.counts.succeeded) },
              { label: "To be retried", tone: "warn", values: series.map((it) => it.counts.retried) },
              { label: "Failed", tone: "bad", values: series.map((it) => it.counts.failed) },
              { label: "Discarded", tone: "calm", values: series.map((it) => it.counts.discarded) },
            ]}
          />
          <Counts />
        </Panel>
        <Panel title="Delivery time">
          <Chart
            at={at}
            format={millis}
            kind="curves"
            label="Delivery time"
            series={[
              {
                label: "Median",
                tone: "accent",
                values: series.map((it) => it.delivery_time.p50_ms ?? null),
              },
              { label: "95 %", tone: "warn", values: series.map((it) => it.delivery_time.p95_ms ?? null) },
            ]}
          />
        </Panel>
      </div>
    </>
  );
}

type FailingRow = Overview["failing"][number];

function Failing({
  rows,
  href,
}: {
  readonly rows: readonly FailingRow[];
  readonly href: (path: string) => string;
}) {
  const columns: Column<FailingRow>[] = [
    {
      key: "endpoint",
      head: "Webhook",
      track: "minmax(0, 3fr)",
      phone: "title",
      cell: (row) => (
        <span className="two">
          <Link className="stretch clip" href={href(`settings/webhooks/${row.endpoint_id}`)}>
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
      track: "100px",
      phone: "side",
      cell: (row) => <Pill state={row.status} />,
    },
    {
      key: "failures",
      head: "Failed attempts",
      track: "130px",
      end: true,
      cell: (row) => (
        <>
          {count(row.totals.retried + row.totals.failed)}
          <span className="phone-only"> failed attempts</span>
        </>
      ),
    },
    {
      key: "since",
      head: "Failing since",
      track: "130px",
      end: true,
      cell: (row) =>
        row.failing_since ? (
          <Ago at={row.failing_since} />
        ) : row.disabled_reason ? (
          words(row.disabled_reason)
        ) : (
          "–"
        ),
    },
  ];
  return (
    <Table
      columns={columns}
      empty={
        <Empty icon="check" title="Every endpoint answers">
          An endpoint whose last attempt failed is listed here, the longest failing first.
        </Empty>
      }
      goes
      label="Failing endpoints"
      rowKey={(row) => row.endpoint_id}
      rows={rows}
    />
  );
}
