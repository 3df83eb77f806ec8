// The nodes of the gateway, for its operator.

import { useQuery } from "@tanstack/react-query";
import { text } from "./client";

export type GatewayNode = {
  readonly id: string;
  readonly name: string | null;
  readonly status: string;
  readonly started_at: string | null;
  readonly heartbeat_at: string | null;
};

function read(value: unknown): GatewayNode[] {
  const rows = typeof value === "object" && value !== null && "data" in value ? value.data : null;
  if (!Array.isArray(rows)) {
    return [];
  }
  return rows.map((row: Record<string, unknown>) => ({
    id: String(row.id ?? ""),
    name: typeof row.name === "string" ? row.name : null,
    status: typeof row.status === "string" ? row.status : "unknown",
    started_at: typeof row.started_at === "string" ? row.started_at : null,
    heartbeat_at: typeof row.heartbeat_at === "string" ? row.heartbeat_at : null,
  }));
}

export function useNodes() {
  return useQuery({
    queryKey: ["nodes"],
    queryFn: async () => read(JSON.parse(await text("/v1/nodes"))),
    refetchInterval: 5_000,
    retry: false,
  });
}
