// Long work the gateway does by itself: recovering what an endpoint missed.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { send, text } from "./client";
import { usePlace } from "./session";

export type Job = {
  readonly id: string;
  readonly kind: string;
  readonly status: "running" | "done" | "cancelled" | "failed";
  readonly total: number;
  readonly done: number;
  readonly error?: string | null;
  readonly created_at: string;
  readonly finished_at?: string | null;
};

export type Recover = {
  readonly since: string;
  readonly until?: string;
  readonly status?: readonly string[];
  readonly rate_per_s?: number;
  readonly limit?: number;
};

export const jobKey = (tenant: string, id: string) => ["job", tenant, id] as const;

const at = (tenant: string, path: string) => `/v1/tenants/${encodeURIComponent(tenant)}/${path}`;

export function useRecover(id: string) {
  const { tenant } = usePlace();
  return useMutation({
    mutationFn: async (body: Recover) =>
      (await send(at(tenant, `endpoints/${encodeURIComponent(id)}/recover`), body)) as Job,
  });
}

/** A job, read again until it has ended. */
export function useJob(id: string) {
  const { tenant } = usePlace();
  return useQuery({
    queryKey: jobKey(tenant, id),
    queryFn: async () => JSON.parse(await text(at(tenant, `jobs/${encodeURIComponent(id)}`))) as Job,
    refetchInterval: (query) => (query.state.data?.status === "running" ? 500 : false),
  });
}

export function useCancelJob() {
  const { tenant } = usePlace();
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (id: string) =>
      (await send(at(tenant, `jobs/${encodeURIComponent(id)}/cancel`), {})) as Job,
    onSuccess: (job) => client.setQueryData(jobKey(tenant, job.id), job),
  });
}
