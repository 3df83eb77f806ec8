// Long work the gateway does by itself: recovering what an endpoint missed.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, want } from "./client";
import type { RecoverEndpoint } from "./schema";
import { usePlace } from "./session";

export type { Job } from "./schema";

export const jobKey = (tenant: string, id: string) => ["job", tenant, id] as const;

export function useRecover(id: string) {
  const { tenant } = usePlace();
  return useMutation({
    mutationFn: (body: RecoverEndpoint) =>
      want(
        api.POST("/v1/tenants/{tenant}/endpoints/{id}/recover", { params: { path: { tenant, id } }, body }),
      ),
  });
}

/** A job, read again until it has ended. */
export function useJob(id: string) {
  const { tenant } = usePlace();
  return useQuery({
    queryKey: jobKey(tenant, id),
    queryFn: () => want(api.GET("/v1/tenants/{tenant}/jobs/{id}", { params: { path: { tenant, id } } })),
    refetchInterval: (query) => (query.state.data?.status === "running" ? 500 : false),
  });
}

export function useCancelJob() {
  const { tenant } = usePlace();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      want(api.POST("/v1/tenants/{tenant}/jobs/{id}/cancel", { params: { path: { tenant, id } } })),
    onSuccess: (job) => client.setQueryData(jobKey(tenant, job.id), job),
  });
}
