// What stands around the flow: event types, API keys, the audit log, tenants, signatures.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, done, want } from "./client";
import { all, usePages } from "./pages";
import type {
  EventTypeBody,
  NewApiKey,
  NewPortalSession,
  NewTenant,
  SignPayload,
  TenantPatch,
  VerifySignature,
} from "./schema";
import { usePlace } from "./session";

export type {
  ApiKey,
  AuditEntry,
  Check,
  EventType,
  EventTypeBody,
  KeyScope,
  NewTenant,
  Profile,
  Tenant,
  Verdict,
} from "./schema";

const typesKey = (tenant: string) => ["event-types", tenant] as const;
const keysKey = (tenant: string) => ["api-keys", tenant] as const;

export function useEventTypes() {
  const { tenant } = usePlace();
  return useQuery({
    queryKey: typesKey(tenant),
    queryFn: async () => {
      const rows = await all((cursor) =>
        want(
          api.GET("/v1/tenants/{tenant}/event-types", {
            params: { path: { tenant }, query: { limit: 250, ...(cursor ? { cursor } : {}) } },
          }),
        ),
      );
      return rows.sort((a, b) => a.name.localeCompare(b.name, "en"));
    },
  });
}

function useRefresh(key: readonly unknown[]): () => void {
  const client = useQueryClient();
  return () => {
    void client.invalidateQueries({ queryKey: key });
  };
}

export function useImportTypes() {
  const { tenant } = usePlace();
  const onSuccess = useRefresh(typesKey(tenant));
  return useMutation({
    mutationFn: (body: { readonly catalogue: string } | Record<string, never>) =>
      want(api.POST("/v1/tenants/{tenant}/event-types/import", { params: { path: { tenant } }, body })),
    onSuccess,
  });
}

export function usePutType() {
  const { tenant } = usePlace();
  const onSuccess = useRefresh(typesKey(tenant));
  return useMutation({
    mutationFn: ({ name, body }: { readonly name: string; readonly body: EventTypeBody }) =>
      want(api.PUT("/v1/tenants/{tenant}/event-types/{name}", { params: { path: { tenant, name } }, body })),
    onSuccess,
  });
}

export function useDeleteType() {
  const { tenant } = usePlace();
  const onSuccess = useRefresh(typesKey(tenant));
  return useMutation({
    mutationFn: (name: string) =>
      done(api.DELETE("/v1/tenants/{tenant}/event-types/{name}", { params: { path: { tenant, name } } })),
    onSuccess,
  });
}

export function useApiKeys() {
  const { tenant } = usePlace();
  return useQuery({
    queryKey: keysKey(tenant),
    queryFn: () =>
      all((cursor) =>
        want(
          api.GET("/v1/tenants/{tenant}/api-keys", {
            params: { path: { tenant }, query: { limit: 250, ...(cursor ? { cursor } : {}) } },
          }),
        ),
      ),
  });
}

export function useCreateKey() {
  const { tenant } = usePlace();
  const onSuccess = useRefresh(keysKey(tenant));
  return useMutation({
    mutationFn: (body: NewApiKey) =>
      want(api.POST("/v1/tenants/{tenant}/api-keys", { params: { path: { tenant } }, body })),
    onSuccess,
    gcTime: 0,
  });
}

export function useRevokeKey() {
  const { tenant } = usePlace();
  const onSuccess = useRefresh(keysKey(tenant));
  return useMutation({
    mutationFn: (id: string) =>
      done(api.DELETE("/v1/tenants/{tenant}/api-keys/{id}", { params: { path: { tenant, id } } })),
    onSuccess,
  });
}

export function useAudit() {
  const { tenant } = usePlace();
  return usePages(["audit", tenant], (cursor) =>
    want(
      api.GET("/v1/tenants/{tenant}/audit", {
        params: { path: { tenant }, query: { limit: 100, ...(cursor ? { cursor } : {}) } },
      }),
    ),
  );
}

export function useVerifySignature() {
  return useMutation({
    mutationFn: (body: VerifySignature) => want(api.POST("/v1/signatures/verify", { body })),
    gcTime: 0,
  });
}

export function useSign() {
  return useMutation({
    mutationFn: (body: SignPayload) => want(api.POST("/v1/signatures/sign", { body })),
    gcTime: 0,
  });
}

export function useTenants(enabled = true) {
  return useQuery({
    queryKey: ["tenants"],
    enabled,
    queryFn: () =>
      all((cursor) =>
        want(api.GET("/v1/tenants", { params: { query: { limit: 250, ...(cursor ? { cursor } : {}) } } })),
      ),
  });
}

export function useTenant(tenant: string, enabled = true) {
  return useQuery({
    queryKey: ["tenant", tenant],
    enabled,
    queryFn: () => want(api.GET("/v1/tenants/{tenant}", { params: { path: { tenant } } })),
  });
}

export function useCreateTenant() {
  const onSuccess = useRefresh(["tenants"]);
  return useMutation({
    mutationFn: (body: NewTenant) => want(api.POST("/v1/tenants", { body })),
    onSuccess,
  });
}

export function useUpdateTenant(tenant: string) {
  const onSuccess = useRefresh(["tenants"]);
  return useMutation({
    mutationFn: (body: TenantPatch) =>
      want(api.PATCH("/v1/tenants/{tenant}", { params: { path: { tenant } }, body })),
    onSuccess,
  });
}

export function useDeleteTenant() {
  const onSuccess = useRefresh(["tenants"]);
  return useMutation({
    mutationFn: (tenant: string) =>
      done(api.DELETE("/v1/tenants/{tenant}", { params: { path: { tenant } } })),
    onSuccess,
  });
}

export function useCreatePortalLink() {
  const { tenant } = usePlace();
  return useMutation({
    mutationFn: (body: NewPortalSession) =>
      want(api.POST("/v1/tenants/{tenant}/portal-sessions", { params: { path: { tenant } }, body })),
    gcTime: 0,
  });
}
