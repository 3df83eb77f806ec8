// Who is signed in, and what they may do.

import { type QueryClient, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, useContext } from "react";
import type { ProfileName } from "../lib/profiles";
import { api, want } from "./client";
import type { Session } from "./schema";

export type { Session } from "./schema";

export const SESSION = ["session"] as const;

export async function fetchSession(): Promise<Session | null> {
  const state = await want(api.GET("/session"));
  return state.session ?? null;
}

export function useSessionQuery(enabled = true) {
  return useQuery({ queryKey: SESSION, queryFn: fetchSession, staleTime: 60_000, retry: false, enabled });
}

/** Exchanges a key or a portal's token for a session. */
export async function signIn(key: string): Promise<Session | null> {
  const state = await want(api.POST("/session", { body: { key } }));
  return state.session ?? null;
}

export function useSignIn() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: signIn,
    onSuccess: (session) => become(client, session),
  });
}

export async function signOut(client: QueryClient): Promise<void> {
  await api.DELETE("/session").catch(() => null);
  await forget(client);
}

/** Drops everything that was read under the session. */
export function forget(client: QueryClient): Promise<void> {
  return become(client, null);
}

/** Another session: what was read under the one before is gone, but for the query that says who it is. */
async function become(client: QueryClient, session: Session | null): Promise<void> {
  // An answer under way would say who it was before.
  await client.cancelQueries({ queryKey: SESSION });
  client.setQueryData(SESSION, session);
  client.removeQueries({ predicate: (query) => query.queryKey[0] !== SESSION[0] });
}

/** The tenant a page is about, and what may be done there. */
export type Place = {
  readonly tenant: string;
  readonly tenantName: string | null;
  readonly profile: ProfileName;
  /** The scope everything is limited to. */
  readonly scope: string | null;
  readonly isOperator: boolean;
  readonly isPortal: boolean;
  readonly can: {
    readonly read: boolean;
    readonly manage: boolean;
    readonly replay: boolean;
    /** Sources and the catalogue, which belong to the tenant as a whole. */
    readonly configure: boolean;
    readonly publish: boolean;
    readonly admin: boolean;
  };
};

export const PlaceContext = createContext<Place | null>(null);

export function usePlace(): Place {
  const place = useContext(PlaceContext);
  if (place === null) {
    throw new Error("There is no tenant here.");
  }
  return place;
}

export function powers(session: Session): Place["can"] {
  const scopes = new Set<string>(session.scopes);
  const capabilities = new Set<string>(session.capabilities);
  const operator = session.kind === "operator";
  return {
    read: operator || capabilities.has("read"),
    manage: operator || capabilities.has("manage"),
    replay: operator || capabilities.has("replay"),
    configure: operator || scopes.has("write") || scopes.has("admin"),
    publish: operator || scopes.has("admin") || scopes.has("publish"),
    admin: operator || scopes.has("admin"),
  };
}

/** Makes addresses of the tenant's pages. */
export function useHref(): (path: string) => string {
  const { tenant } = usePlace();
  return (path) => `/t/${tenant}/${path}`;
}
