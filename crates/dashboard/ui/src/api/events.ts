// Events: what was accepted, once each.

import { type QueryKey, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { member } from "../lib/json";
import { api, text, want } from "./client";
import { usePages } from "./pages";
import type { Event, NewEvent } from "./schema";
import { usePlace } from "./session";

export type { Event, NewEvent } from "./schema";

export type EventFilter = {
  readonly type?: string;
  readonly scope?: string;
  readonly source?: string;
  readonly since?: string;
  readonly until?: string;
  readonly q?: string;
};

const PAGE = 100;

export const eventsKey = (tenant: string, filter: EventFilter) => ["events", tenant, filter] as const;
export const eventKey = (tenant: string, id: string) => ["event", tenant, id] as const;

function askEvents(tenant: string, filter: EventFilter, cursor: string | undefined) {
  return want(
    api.GET("/v1/tenants/{tenant}/events", {
      params: { path: { tenant }, query: { ...filter, limit: PAGE, ...(cursor ? { cursor } : {}) } },
    }),
  );
}

export function askEventsHead(key: QueryKey) {
  const [, tenant, filter] = key as ReturnType<typeof eventsKey>;
  return askEvents(tenant, filter, undefined);
}

export function useEvents(filter: EventFilter, enabled = true) {
  const { tenant } = usePlace();
  return usePages(eventsKey(tenant, filter), (cursor) => askEvents(tenant, filter, cursor), { enabled });
}

/** An event, and the exact text of its payload: numbers and order as they came. */
export type ExactEvent = { readonly event: Event; readonly data: string; readonly previous: string | null };

export function useEvent(id: string, enabled = true) {
  const { tenant } = usePlace();
  return useQuery<ExactEvent>({
    queryKey: eventKey(tenant, id),
    enabled,
    queryFn: async () => {
      const body = await text(`/v1/tenants/${encodeURIComponent(tenant)}/events/${encodeURIComponent(id)}`);
      const event = JSON.parse(body) as Event;
      return { event, data: member(body, "data") ?? "null", previous: member(body, "previous") };
    },
  });
}

export function useEventDeliveries(id: string) {
  const { tenant } = usePlace();
  return usePages(["event-deliveries", tenant, id], (cursor) =>
    want(
      api.GET("/v1/tenants/{tenant}/events/{id}/deliveries", {
        params: { path: { tenant, id }, query: { limit: PAGE, ...(cursor ? { cursor } : {}) } },
      }),
    ),
  );
}

export function usePublish() {
  const { tenant } = usePlace();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: NewEvent) =>
      want(api.POST("/v1/tenants/{tenant}/events", { params: { path: { tenant } }, body })),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["events", tenant] });
      void client.invalidateQueries({ queryKey: ["deliveries", tenant] });
    },
  });
}

export function useReplay(id: string) {
  const { tenant } = usePlace();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (endpoints: readonly string[] | null) =>
      want(
        api.POST("/v1/tenants/{tenant}/events/{id}/replay", {
          params: { path: { tenant, id } },
          body: endpoints === null ? {} : { endpoints: [...endpoints] },
        }),
      ),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["event-deliveries", tenant, id] });
      void client.invalidateQueries({ queryKey: ["deliveries", tenant] });
      void client.invalidateQueries({ queryKey: eventKey(tenant, id) });
    },
  });
}
