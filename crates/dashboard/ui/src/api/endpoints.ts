// Endpoints: the outbound subscriptions of a tenant.

import { type QueryClient, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, done, want } from "./client";
import { all } from "./pages";
import type { Endpoint, EndpointPatch, NewEndpoint, TestResult, VerifyResult } from "./schema";
import { usePlace } from "./session";

export type {
  AutoDisable,
  Endpoint,
  EndpointPatch,
  EndpointStatus,
  NewEndpoint,
  Retry,
  TestResult,
  VerifyResult,
} from "./schema";

export const endpointsKey = (tenant: string) => ["endpoints", tenant] as const;
export const endpointKey = (tenant: string, id: string) => ["endpoint", tenant, id] as const;

export function useEndpoints() {
  const { tenant } = usePlace();
  return useQuery({
    queryKey: endpointsKey(tenant),
    queryFn: () =>
      all((cursor) =>
        want(
          api.GET("/v1/tenants/{tenant}/endpoints", {
            params: { path: { tenant }, query: { limit: 250, ...(cursor ? { cursor } : {}) } },
          }),
        ),
      ),
  });
}

export function useEndpoint(id: string) {
  const { tenant } = usePlace();
  return useQuery({
    queryKey: endpointKey(tenant, id),
    queryFn: () => want(api.GET("/v1/tenants/{tenant}/endpoints/{id}", { params: { path: { tenant, id } } })),
  });
}

/** Puts an endpoint as it is now wherever it is shown. The secret is never kept. */
export function keep(client: QueryClient, tenant: string, endpoint: Endpoint): void {
  const { secret: _, ...rest } = endpoint;
  client.setQueryData(endpointKey(tenant, endpoint.id), rest);
  void client.invalidateQueries({ queryKey: endpointsKey(tenant) });
}

export function useCreateEndpoint() {
  const { tenant } = usePlace();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: NewEndpoint) =>
      want(api.POST("/v1/tenants/{tenant}/endpoints", { params: { path: { tenant } }, body })),
    onSuccess: (endpoint) => keep(client, tenant, endpoint),
    gcTime: 0,
  });
}

export function useUpdateEndpoint(id: string) {
  const { tenant } = usePlace();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: EndpointPatch) =>
      want(api.PATCH("/v1/tenants/{tenant}/endpoints/{id}", { params: { path: { tenant, id } }, body })),
    onSuccess: (endpoint) => keep(client, tenant, endpoint),
  });
}

export function useDeleteEndpoint(id: string) {
  const { tenant } = usePlace();
  const client = useQueryClient();
  return useMutation({
    mutationFn: () =>
      done(api.DELETE("/v1/tenants/{tenant}/endpoints/{id}", { params: { path: { tenant, id } } })),
    onSuccess: () => {
      client.removeQueries({ queryKey: endpointKey(tenant, id) });
      void client.invalidateQueries({ queryKey: endpointsKey(tenant) });
    },
  });
}

export type Move = "enable" | "disable" | "pause" | "resume";

export function useMoveEndpoint(id: string) {
  const { tenant } = usePlace();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (move: Move) =>
      want(api.POST(`/v1/tenants/{tenant}/endpoints/{id}/${move}`, { params: { path: { tenant, id } } })),
    onSuccess: (endpoint) => keep(client, tenant, endpoint),
  });
}

export function useVerifyEndpoint(id: string) {
  const { tenant } = usePlace();
  const client = useQueryClient();
  return useMutation<VerifyResult>({
    mutationFn: () =>
      want(api.POST("/v1/tenants/{tenant}/endpoints/{id}/verify", { params: { path: { tenant, id } } })),
    onSuccess: (result) => keep(client, tenant, result.endpoint),
  });
}

export function useTestEndpoint(id: string) {
  const { tenant } = usePlace();
  const client = useQueryClient();
  return useMutation<TestResult, Error, { readonly type: string | null; readonly data: unknown }>({
    mutationFn: ({ type, data }) =>
      want(
        api.POST("/v1/tenants/{tenant}/endpoints/{id}/test", {
          params: { path: { tenant, id } },
          body: type === null ? null : { type, data },
        }),
      ),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: endpointKey(tenant, id) });
      void client.invalidateQueries({ queryKey: ["deliveries", tenant] });
    },
  });
}

export function useRotateSecret(id: string) {
  const { tenant } = usePlace();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: { readonly overlap_s?: number; readonly secret?: string }) =>
      want(
        api.POST("/v1/tenants/{tenant}/endpoints/{id}/rotate-secret", {
          params: { path: { tenant, id } },
          body,
        }),
      ),
    onSuccess: (endpoint) => keep(client, tenant, endpoint),
    gcTime: 0,
  });
}

export function useRevealSecret(id: string) {
  const { tenant } = usePlace();
  return useMutation({
    mutationFn: () =>
      want(
        api.POST("/v1/tenants/{tenant}/endpoints/{id}/reveal-secret", { params: { path: { tenant, id } } }),
      ),
    gcTime: 0,
  });
}
