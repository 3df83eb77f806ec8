// One endpoint in numbers.

import { SegmentedControl } from "@mantine/core";
import { RANGES, type Range, useStats } from "../../api/numbers";
import { count, kept, percent, plural } from "../../lib/text";
import { millis } from "../../lib/time";
import { Ago, Panel } from "../../parts/basics";
import { useFilters } from "../../parts/filters";
import { Chart, Counts, Metrics, Shares } from "../../parts/numbers";
import { Failed, Loading } from "../../parts/states";

export function Stats({ id }: { readonly id: string }) {
  const [filter, setFilter] = useFilters(["range"]);
  const range = RANGES.find((it) => it.value === filter.range)?.value ?? "24h";
  const stats = useStats(id, range);
  if (stats.isPending) {
    return (
      <Panel bare>
        <Loading label="Loading the numbers" />
      </Panel>
    );
  }
  if (stats.data === undefined) {
    return (
      <Panel bare>
        <Failed error={stats.error} onRetry={() => void stats.refetch()} what="The numbers" />
      </Panel>
    );
  }
  const { numbers, backlog, outcomes, codes, response_time: answer } = stats.data;
  const { totals, series } = numbers;
  return (
    <div className="stack">
      <div>
        <SegmentedControl
          aria-label="Time range"
          data={RANGES.map(({ value, label }) => ({ value, label }))}
          onChange={(value) => setFilter({ range: value as Range })}
          value={range}
        />
      </div>
      <Metrics
        label="Numbers of this time"
        rows={[
          {
            label: "Success rate",
            value: numbers.success_rate == null ? "–" : percent(numbers.success_rate),
            hint: `${count(totals.succeeded)} delivered, ${count(totals.failed)} failed`,
          },
          {
            label: "Answer time",
            value: answer.p50_ms == null ? "–" : millis(answer.p50_ms),
            hint: answer.p95_ms == null ? "median" : `median; 95 % within ${kept(millis(answer.p95_ms))}`,
          },
          {
            label: "Attempts",
            value: count(totals.attempts),
            hint: `${plural(totals.retried, "was", "were")} to be made again`,
          },
          {
            label: "Waiting",
            value: `${count(backlog.pending)}${backlog.more ? "+" : ""}`,
            hint: backlog.oldest_at ? (
              <>
                the oldest <Ago at={backlog.oldest_at} />
              </>
            ) : (
              "nothing is owed"
            ),
          },
        ]}
      />
      <Panel title="Deliveries">
        <Chart
          at={series.map((it) => it.at)}
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
      <div className="columns">
        <Panel title="Attempts by outcome">
          <Shares
            label="Attempts by outcome"
            shares={[
              { label: "Succeeded", value: outcomes.succeeded, tone: "good" },
              { label: "HTTP error", value: outcomes.http_error, tone: "bad" },
              { label: "Timeout", value: outcomes.timeout, tone: "warn" },
              { label: "No connection", value: outcomes.connect, tone: "warn" },
              { label: "TLS", value: outcomes.tls, tone: "warn" },
              { label: "DNS", value: outcomes.dns, tone: "warn" },
              { label: "Blocked", value: outcomes.blocked, tone: "calm" },
              { label: "Too large", value: outcomes.too_large, tone: "calm" },
            ]}
          />
        </Panel>
        <Panel title="Attempts by answer">
          <Shares
            label="Attempts by answer"
            shares={[
              { label: "2xx", value: codes["2xx"], tone: "good" },
              { label: "3xx", value: codes["3xx"], tone: "calm" },
              { label: "4xx", value: codes["4xx"], tone: "warn" },
              { label: "5xx", value: codes["5xx"], tone: "bad" },
              { label: "Other", value: codes.other, tone: "calm" },
              { label: "None", value: codes.none, tone: "calm" },
            ]}
          />
        </Panel>
      </div>
    </div>
  );
}
