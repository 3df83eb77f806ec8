// Every delivery, newest first, live.

import { Button, Menu, Select } from "@mantine/core";
import { useEffect, useMemo } from "react";
import { Link } from "wouter";
import { type DeliveryFilter, STATUSES, useDeliveries, useExport } from "../../api/deliveries";
import { useEndpoints } from "../../api/endpoints";
import { useHref, usePlace } from "../../api/session";
import { useEventTypes } from "../../api/settings";
import { newEndpointLabel } from "../../lib/profiles";
import { count, words } from "../../lib/text";
import { Page, Panel } from "../../parts/basics";
import { DeliveriesTable } from "../../parts/deliveries";
import { sinceOf, TimeFilter, useFilters } from "../../parts/filters";
import { Icon } from "../../parts/icons";
import { Empty } from "../../parts/states";
import { useSay } from "../../parts/toasts";

const CODES = [
  { value: "2xx", label: "2xx" },
  { value: "3xx", label: "3xx" },
  { value: "4xx", label: "4xx" },
  { value: "5xx", label: "5xx" },
  { value: "none", label: "No answer" },
];

/** Whether a delivery's last answer is of the class. */
export function ofClass(
  row: { readonly last_status_code?: number | null; readonly attempts: number },
  code: string,
): boolean {
  if (code === "none") {
    return row.attempts > 0 && !row.last_status_code;
  }
  return row.last_status_code != null && String(row.last_status_code).startsWith(code.charAt(0));
}

/** How many rows are searched for a class of answer before somebody is asked whether to go on. */
const SEARCHED = 2_000;

export function DeliveriesPage() {
  const place = usePlace();
  const href = useHref();
  const [filter, setFilter, filtered] = useFilters(["endpoint", "status", "type", "since", "until", "code"]);
  const endpoints = useEndpoints();
  const types = useEventTypes();
  const asked = useMemo<DeliveryFilter>(() => {
    const since = sinceOf(filter.since);
    const until = sinceOf(filter.until);
    const status = STATUSES.find((it) => it === filter.status);
    return {
      ...(filter.endpoint ? { endpoint: filter.endpoint } : {}),
      ...(status ? { status } : {}),
      ...(filter.type ? { type: filter.type } : {}),
      ...(since ? { since } : {}),
      ...(until ? { until } : {}),
    };
  }, [filter.endpoint, filter.status, filter.type, filter.since, filter.until]);
  const list = useDeliveries(asked);
  const say = useSay();
  const exported = useExport();
  const exportAs = (format: "csv" | "ndjson") =>
    exported.mutate({ filter: asked, format }, { onError: say.failed });
  const clear = () =>
    setFilter({ endpoint: null, status: null, type: null, since: null, until: null, code: null });
  const rows = useMemo(
    () => (filter.code === "" ? list.rows : list.rows.filter((row) => ofClass(row, filter.code))),
    [list.rows, filter.code],
  );

  // The gateway does not filter by answer, so the pages are looked through here, up to a bound.
  const { hasMore, isLoadingMore, loadMore } = list;
  const searching = filter.code !== "" && hasMore && rows.length < 50 && list.rows.length % SEARCHED !== 0;
  useEffect(() => {
    if (searching && !isLoadingMore) {
      loadMore();
    }
  }, [searching, isLoadingMore, loadMore]);

  const names = useMemo(
    () => new Map((endpoints.data ?? []).map((it) => [it.id, it.name ?? it.url])),
    [endpoints.data],
  );
  return (
    <Page
      actions={
        <Menu>
          <Menu.Target>
            <Button
              loading={exported.isPending}
              leftSection={<Icon name="download" size={16} />}
              variant="default"
            >
              Export
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => exportAs("csv")}>As CSV</Menu.Item>
            <Menu.Item onClick={() => exportAs("ndjson")}>As NDJSON</Menu.Item>
          </Menu.Dropdown>
        </Menu>
      }
      title="Deliveries"
    >
      <div className="filters">
        <Select
          clearable
          data={STATUSES.map((it) => ({ value: it, label: words(it) }))}
          label="Status"
          onChange={(value) => setFilter({ status: value })}
          placeholder="Any"
          value={filter.status || null}
        />
        <Select
          clearable
          data={(endpoints.data ?? []).map((it) => ({ value: it.id, label: it.name ?? it.url }))}
          label="Webhook"
          onChange={(value) => setFilter({ endpoint: value })}
          placeholder="Any"
          searchable
          value={filter.endpoint || null}
        />
        <Select
          clearable
          data={[
            ...new Set([...(types.data ?? []).map((it) => it.name), ...(filter.type ? [filter.type] : [])]),
          ]}
          label="Event type"
          onChange={(value) => setFilter({ type: value })}
          placeholder="Any"
          searchable
          value={filter.type || null}
        />
        <Select
          clearable
          data={CODES}
          label="Answer"
          onChange={(value) => setFilter({ code: value })}
          placeholder="Any"
          value={filter.code || null}
        />
        <TimeFilter onChange={setFilter} since={filter.since} until={filter.until} />
        {filtered && (
          <Button className="fixed" onClick={clear} variant="subtle">
            Clear
          </Button>
        )}
      </div>
      <Panel bare>
        <DeliveriesTable
          empty={
            filtered ? (
              <Empty
                action={
                  <Button onClick={clear} variant="default">
                    Show all
                  </Button>
                }
                icon="filter"
                title="No delivery fits"
              >
                Widen the time, or leave out a filter.
              </Empty>
            ) : (
              <Empty
                action={
                  place.can.manage &&
                  endpoints.data?.length === 0 && (
                    <Button component={Link} href={href("settings/webhooks?new=1")} variant="default">
                      {newEndpointLabel(place.profile)}
                    </Button>
                  )
                }
                icon="deliveries"
                title="No deliveries yet"
              >
                {endpoints.data?.length === 0
                  ? "Tell the gateway where to send events; each that is owed shows up here the moment it is accepted."
                  : "An event that an endpoint asked for shows up here the moment it is accepted."}
              </Empty>
            )
          }
          endpointName={(id) => names.get(id) ?? id}
          error={list.error}
          foot={
            filter.code !== "" &&
            hasMore && (
              <div className="list-foot">
                {count(list.rows.length)} deliveries looked through.
                {!searching && (
                  <Button loading={isLoadingMore} onClick={loadMore} size="compact-sm" variant="default">
                    Go on
                  </Button>
                )}
              </div>
            )
          }
          hasMore={filter.code === "" && hasMore}
          href={href}
          isLoading={list.isLoading || (rows.length === 0 && searching)}
          isLoadingMore={isLoadingMore}
          onMore={loadMore}
          onRetry={list.retry}
          rows={rows}
        />
      </Panel>
    </Page>
  );
}
