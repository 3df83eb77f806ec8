// Numbers over time: of a tenant and of one endpoint.

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { api, want } from "./client";
import type { Range } from "./schema";
import { usePlace } from "./session";

export type { EndpointStats, Numbers, Overview, Point, Range } from "./schema";

export const RANGES: readonly { readonly value: Range; readonly label: string }[] = [
  { value: "1h", label: "1 h" },
  { value: "6h", label: "6 h" },
  { value: "24h", label: "24 h" },
  { value: "7d", label: "7 d" },
  { value: "30d", label: "30 d" },
];

export const overviewKey = (tenant: string, range: Range) => ["overview", tenant, range] as const;

export function useOverview(range: Range) {
  const { tenant } = usePlace();
  return useQuery({
    queryKey: overviewKey(tenant, range),
    queryFn: () =>
      want(api.GET("/v1/tenants/{tenant}/overview", { params: { path: { tenant }, query: { range } } })),
    placeholderData: keepPreviousData,
    refetchInterval: 30_000,
  });
}

export function useStats(id: string, range: Range) {
  const { tenant } = usePlace();
  return useQuery({
    queryKey: ["stats", tenant, id, range],
    queryFn: () =>
      want(
        api.GET("/v1/tenants/{tenant}/endpoints/{id}/stats", {
          params: { path: { tenant, id }, query: { range } },
        }),
      ),
    placeholderData: keepPreviousData,
    refetchInterval: 30_000,
  });
}
