// Deliveries and their attempts.

import { type QueryKey, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { save } from "../lib/save";
import { api, file, want } from "./client";
import { usePages } from "./pages";
import type { Delivery, DeliveryStatus } from "./schema";
import { usePlace } from "./session";

export type { Attempt, Delivery, DeliveryStatus, EndReason, Outcome } from "./schema";

export type DeliveryFilter = {
  readonly endpoint?: string;
  readonly status?: DeliveryStatus;
  readonly type?: string;
  readonly since?: string;
  readonly until?: string;
};

export const STATUSES: readonly DeliveryStatus[] = [
  "pending",
  "sending",
  "succeeded",
  "failed",
  "cancelled",
  "discarded",
];

const PAGE = 100;

export const deliveriesKey = (tenant: string, filter: DeliveryFilter) =>
  ["deliveries", tenant, filter] as const;
export const deliveryKey = (tenant: string, id: string) => ["delivery", tenant, id] as const;
export const attemptsKey = (tenant: string, id: string) => ["attempts", tenant, id] as const;

export function askDeliveries(tenant: string, filter: DeliveryFilter, cursor: string | undefined) {
  return want(
    api.GET("/v1/tenants/{tenant}/deliveries", {
      params: { path: { tenant }, query: { ...filter, limit: PAGE, ...(cursor ? { cursor } : {}) } },
    }),
  );
}

/** The head of a list, by the list's key. */
export function askHead(key: QueryKey) {
  const [, tenant, filter] = key as ReturnType<typeof deliveriesKey>;
  return askDeliveries(tenant, filter, undefined);
}

export function useDeliveries(filter: DeliveryFilter) {
  const { tenant } = usePlace();
  return usePages(deliveriesKey(tenant, filter), (cursor) => askDeliveries(tenant, filter, cursor));
}

const restless = (delivery: Delivery | undefined) =>
  delivery?.status === "pending" || delivery?.status === "sending";

export function useDelivery(id: string) {
  const { tenant } = usePlace();
  return useQuery({
    queryKey: deliveryKey(tenant, id),
    queryFn: () =>
      want(api.GET("/v1/tenants/{tenant}/deliveries/{id}", { params: { path: { tenant, id } } })),
    refetchInterval: (query) => (restless(query.state.data) ? 2_000 : false),
  });
}

export function useAttempts(id: string, live: boolean) {
  const { tenant } = usePlace();
  return useQuery({
    queryKey: attemptsKey(tenant, id),
    queryFn: async () => {
      const page = await want(
        api.GET("/v1/tenants/{tenant}/deliveries/{id}/attempts", {
          params: { path: { tenant, id }, query: { limit: 250 } },
        }),
      );
      return [...page.data].sort((a, b) => b.number - a.number);
    },
    refetchInterval: live ? 2_000 : false,
  });
}

export function useRetryDelivery() {
  const { tenant } = usePlace();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      want(api.POST("/v1/tenants/{tenant}/deliveries/{id}/retry", { params: { path: { tenant, id } } })),
    onSuccess: (delivery) => {
      client.setQueryData(deliveryKey(tenant, delivery.id), delivery);
      void client.invalidateQueries({ queryKey: attemptsKey(tenant, delivery.id) });
      void client.invalidateQueries({ queryKey: ["deliveries", tenant] });
    },
  });
}

export function useCancelDelivery() {
  const { tenant } = usePlace();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      want(api.POST("/v1/tenants/{tenant}/deliveries/{id}/cancel", { params: { path: { tenant, id } } })),
    onSuccess: (delivery) => {
      client.setQueryData(deliveryKey(tenant, delivery.id), delivery);
      void client.invalidateQueries({ queryKey: ["deliveries", tenant] });
    },
  });
}

/** Saves a file of the deliveries. */
export function useExport() {
  const { tenant } = usePlace();
  return useMutation({
    mutationFn: async ({ filter, format }: { filter: DeliveryFilter; format: "csv" | "ndjson" }) => {
      const query = new URLSearchParams({ format });
      for (const [name, value] of Object.entries(filter)) {
        query.set(name, value);
      }
      const path = `/v1/tenants/${encodeURIComponent(tenant)}/deliveries/export?${query}`;
      save(await file(path), `deliveries.${format}`);
    },
  });
}
