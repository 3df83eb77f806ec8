// Sources: the inbound doors of a tenant, and the providers that may stand before them.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, done, want } from "./client";
import { all, usePages } from "./pages";
import type { NewSource, Source, SourcePatch } from "./schema";
import { usePlace } from "./session";

export type { NewSource, Provider, Source, SourcePatch, SourceStatus } from "./schema";

export const sourcesKey = (tenant: string) => ["sources", tenant] as const;
export const sourceKey = (tenant: string, id: string) => ["source", tenant, id] as const;

export function useSources() {
  const { tenant } = usePlace();
  return useQuery({
    queryKey: sourcesKey(tenant),
    queryFn: () =>
      all((cursor) =>
        want(
          api.GET("/v1/tenants/{tenant}/sources", {
            params: { path: { tenant }, query: { limit: 250, ...(cursor ? { cursor } : {}) } },
          }),
        ),
      ),
  });
}

export function useSource(id: string) {
  const { tenant } = usePlace();
  return useQuery({
    queryKey: sourceKey(tenant, id),
    queryFn: () => want(api.GET("/v1/tenants/{tenant}/sources/{id}", { params: { path: { tenant, id } } })),
  });
}

export function useProviders() {
  return useQuery({
    queryKey: ["providers"],
    queryFn: async () => (await want(api.GET("/v1/providers"))).data,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function useSourceEvents(id: string) {
  const { tenant } = usePlace();
  return usePages(["events", tenant, { source: id }], (cursor) =>
    want(
      api.GET("/v1/tenants/{tenant}/sources/{id}/events", {
        params: { path: { tenant, id }, query: { limit: 100, ...(cursor ? { cursor } : {}) } },
      }),
    ),
  );
}

function useKept(): (source: Source) => void {
  const { tenant } = usePlace();
  const client = useQueryClient();
  return (source) => {
    const { secret: _, ...rest } = source;
    client.setQueryData(sourceKey(tenant, source.id), rest);
    void client.invalidateQueries({ queryKey: sourcesKey(tenant) });
  };
}

export function useCreateSource() {
  const { tenant } = usePlace();
  const onSuccess = useKept();
  return useMutation({
    mutationFn: (body: NewSource) =>
      want(api.POST("/v1/tenants/{tenant}/sources", { params: { path: { tenant } }, body })),
    onSuccess,
    gcTime: 0,
  });
}

export function useUpdateSource(id: string) {
  const { tenant } = usePlace();
  const onSuccess = useKept();
  return useMutation({
    mutationFn: (body: SourcePatch) =>
      want(api.PATCH("/v1/tenants/{tenant}/sources/{id}", { params: { path: { tenant, id } }, body })),
    onSuccess,
  });
}

export function useMoveSource(id: string) {
  const { tenant } = usePlace();
  const onSuccess = useKept();
  return useMutation({
    mutationFn: (move: "enable" | "disable" | "pause" | "resume") =>
      want(api.POST(`/v1/tenants/{tenant}/sources/{id}/${move}`, { params: { path: { tenant, id } } })),
    onSuccess,
  });
}

export function useRotateSourceSecret(id: string) {
  const { tenant } = usePlace();
  const onSuccess = useKept();
  return useMutation({
    mutationFn: (body: { readonly overlap_s?: number; readonly secret?: string }) =>
      want(
        api.POST("/v1/tenants/{tenant}/sources/{id}/rotate-secret", {
          params: { path: { tenant, id } },
          body,
        }),
      ),
    onSuccess,
    gcTime: 0,
  });
}

export function useRevealSourceSecret(id: string) {
  const { tenant } = usePlace();
  return useMutation({
    mutationFn: () =>
      want(api.POST("/v1/tenants/{tenant}/sources/{id}/reveal-secret", { params: { path: { tenant, id } } })),
    gcTime: 0,
  });
}

export function useDeleteSource(id: string) {
  const { tenant } = usePlace();
  const client = useQueryClient();
  return useMutation({
    mutationFn: () =>
      done(api.DELETE("/v1/tenants/{tenant}/sources/{id}", { params: { path: { tenant, id } } })),
    onSuccess: () => {
      client.removeQueries({ queryKey: sourceKey(tenant, id) });
      void client.invalidateQueries({ queryKey: sourcesKey(tenant) });
    },
  });
}

/** What came of a request to a source. */
export type Received = { readonly status: number; readonly body: string };

/** Signs a sample as the provider would and sends it to the source's own door. */
export function useSendSample(source: Source) {
  const client = useQueryClient();
  const { tenant } = usePlace();
  return useMutation<Received, Error, { readonly payload: string; readonly secret: string }>({
    mutationFn: async ({ payload, secret }) => {
      const { headers } = await want(
        api.POST("/v1/signatures/sign", {
          body: {
            scheme: source.provider,
            secret,
            payload,
            url: source.public_url ?? source.receive_url,
            method: "POST",
          },
        }),
      );
      // The door of this very gateway, whatever address the provider was told.
      const response = await globalThis.fetch(`/in/${encodeURIComponent(source.id)}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: payload,
        credentials: "omit",
      });
      return { status: response.status, body: (await response.text()).slice(0, 4_096) };
    },
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["events", tenant] });
      void client.invalidateQueries({ queryKey: sourceKey(tenant, source.id) });
    },
  });
}
