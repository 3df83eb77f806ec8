// The nodes of the gateway, for its operator.

import { useQuery } from "@tanstack/react-query";
import { api, want } from "./client";

export type { Node } from "./schema";

export function useNodes() {
  return useQuery({
    queryKey: ["nodes"],
    queryFn: async () => (await want(api.GET("/v1/nodes"))).data,
    refetchInterval: 5_000,
    retry: false,
  });
}
