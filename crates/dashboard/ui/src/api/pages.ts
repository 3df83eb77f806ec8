// Lists of any length: pages are asked for as they are needed, and what is new is put on top without reading the rest
// once more.

import {
  type InfiniteData,
  type QueryClient,
  type QueryKey,
  useInfiniteQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { useCallback, useMemo } from "react";

export type Page<T> = { readonly data: readonly T[]; readonly next_cursor: string | null };
type Pages<T> = InfiniteData<Page<T>, string | null>;

export type Listed<T> = {
  readonly rows: readonly T[];
  readonly isLoading: boolean;
  readonly error: unknown;
  readonly hasMore: boolean;
  readonly isLoadingMore: boolean;
  readonly loadMore: () => void;
  readonly retry: () => void;
};

/** A list by its key and the way to ask for one page. */
export function usePages<T extends { readonly id: string }>(
  key: QueryKey,
  ask: (cursor: string | undefined) => Promise<Page<T>>,
  options: { readonly enabled?: boolean; readonly pollMs?: number | false } = {},
): Listed<T> {
  const query = useInfiniteQuery<Page<T>, Error, Pages<T>, QueryKey, string | null>({
    queryKey: key,
    queryFn: ({ pageParam }) => ask(pageParam ?? undefined),
    initialPageParam: null,
    getNextPageParam: (last) => last.next_cursor,
    enabled: options.enabled ?? true,
  });
  const { data, fetchNextPage, refetch, isFetchingNextPage, hasNextPage } = query;
  const rows = useMemo(() => data?.pages.flatMap((page) => page.data) ?? [], [data]);
  const loadMore = useCallback(() => {
    void fetchNextPage({ cancelRefetch: false });
  }, [fetchNextPage]);
  const retry = useCallback(() => {
    void refetch();
  }, [refetch]);
  return {
    rows,
    isLoading: query.isPending && query.fetchStatus !== "idle",
    error: data === undefined ? query.error : null,
    hasMore: hasNextPage,
    isLoadingMore: isFetchingNextPage,
    loadMore,
    retry,
  };
}

/** The first page as it is now, laid over what is already there. */
export function laidOver<T extends { readonly id: string }>(old: Pages<T>, head: Page<T>): Pages<T> {
  const fresh = new Map(head.data.map((row) => [row.id, row]));
  const known = new Set<string>();
  const pages = old.pages.map((page) => ({
    ...page,
    data: page.data.map((row) => {
      known.add(row.id);
      return fresh.get(row.id) ?? row;
    }),
  }));
  const arrived = head.data.filter((row) => !known.has(row.id));
  const [first, ...rest] = pages;
  if (first === undefined || arrived.length === head.data.length) {
    // Nothing of the old list is in the new head: there may be a gap between them, so begin anew.
    return { pages: [head], pageParams: [null] };
  }
  return { ...old, pages: [{ ...first, data: [...arrived, ...first.data] }, ...rest] };
}

/** Brings every shown list whose key begins so up to date at its head. */
export async function refreshHeads<T extends { readonly id: string }>(
  client: QueryClient,
  key: QueryKey,
  ask: (key: QueryKey) => Promise<Page<T>>,
): Promise<void> {
  const shown = client.getQueryCache().findAll({ queryKey: key, type: "active" });
  await Promise.all(
    shown.map(async (query) => {
      if (query.state.data === undefined) {
        return;
      }
      const head = await ask(query.queryKey);
      client.setQueryData<Pages<T>>(query.queryKey, (old) => (old === undefined ? old : laidOver(old, head)));
    }),
  );
  await client.invalidateQueries({ queryKey: key, type: "inactive", refetchType: "none" });
}

/** All rows of a list that is short by nature: endpoints, keys, types. Bounded all the same. */
export async function all<T>(
  ask: (cursor: string | undefined) => Promise<Page<T>>,
  most = 2_000,
): Promise<T[]> {
  const rows: T[] = [];
  let cursor: string | undefined;
  do {
    const page = await ask(cursor);
    rows.push(...page.data);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined && rows.length < most);
  return rows;
}

export { useQueryClient };
