// What one endpoint got, newest first.

import { Select } from "@mantine/core";
import { useMemo } from "react";
import { type DeliveryFilter, STATUSES, useDeliveries } from "../../api/deliveries";
import { useHref } from "../../api/session";
import { words } from "../../lib/text";
import { Panel } from "../../parts/basics";
import { DeliveriesTable } from "../../parts/deliveries";
import { useFilters } from "../../parts/filters";
import { Empty } from "../../parts/states";

export function EndpointDeliveries({ id }: { readonly id: string }) {
  const href = useHref();
  const [filter, setFilter] = useFilters(["status"]);
  const status = STATUSES.find((it) => it === filter.status);
  const asked = useMemo<DeliveryFilter>(
    () => ({ endpoint: id, ...(status ? { status } : {}) }),
    [id, status],
  );
  const list = useDeliveries(asked);
  return (
    <Panel
      actions={
        <Select
          aria-label="Status"
          clearable
          data={STATUSES.map((it) => ({ value: it, label: words(it) }))}
          onChange={(value) => setFilter({ status: value })}
          placeholder="Any status"
          size="xs"
          value={status ?? null}
          w={150}
        />
      }
      bare
      title="Deliveries"
    >
      <DeliveriesTable
        empty={
          status ? (
            <Empty icon="filter" title="No delivery fits">
              Clear the status to see all of them.
            </Empty>
          ) : (
            <Empty icon="deliveries" title="No deliveries yet">
              Send a test to see what your receiver gets, or publish an event it asks for.
            </Empty>
          )
        }
        error={list.error}
        hasMore={list.hasMore}
        href={href}
        isLoading={list.isLoading}
        isLoadingMore={list.isLoadingMore}
        onMore={list.loadMore}
        onRetry={list.retry}
        rows={list.rows}
      />
    </Panel>
  );
}
