// The providers, and who sees what: the gate, or the pages.

import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider, useQueryClient } from "@tanstack/react-query";
import { setNonce } from "get-nonce";
import { useCallback, useEffect, useState } from "react";
import { Redirect, Route, Router, Switch } from "wouter";
import { whenSignedOut } from "./api/client";
import { LiveContext, useLiveUpdates } from "./api/live";
import { forget, type Place, PlaceContext, powers, type Session, useSessionQuery } from "./api/session";
import { useTenant } from "./api/settings";
import { Problem } from "./lib/problem";
import type { ProfileName } from "./lib/profiles";
import { Failed } from "./parts/states";
import { theme, variables } from "./parts/theme";
import { Toasts } from "./parts/toasts";
import { gatewayRoutes, NotFound, tenantRoutes } from "./routes";
import { PortalDoor, SignIn, Unreachable } from "./shell/gate";
import { Shell } from "./shell/shell";

export function makeClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        refetchOnWindowFocus: true,
        // What the gateway refused stays refused; only what did not reach it is worth another try.
        retry: (failures, error) => failures < 2 && !(error instanceof Problem && error.status < 500),
        retryDelay: 400,
      },
    },
  });
}

export function App({ nonce }: { readonly nonce: string }) {
  const [client] = useState(makeClient);
  useState(() => setNonce(nonce));
  const base = /^\/portal(\/|$)/.test(window.location.pathname) ? "/portal" : "";
  return (
    <MantineProvider
      cssVariablesResolver={variables}
      defaultColorScheme="auto"
      getStyleNonce={() => nonce}
      theme={theme}
    >
      <QueryClientProvider client={client}>
        <Toasts>
          <Router base={base}>
            <Entrance isPortal={base !== ""} />
          </Router>
        </Toasts>
      </QueryClientProvider>
    </MantineProvider>
  );
}

/** The token behind the `#`, taken out of the address at once so that it stays in no history. */
function takeToken(): string | null {
  const token = new URLSearchParams(window.location.hash.slice(1)).get("token");
  if (token !== null) {
    window.history.replaceState(null, "", window.location.pathname + window.location.search);
  }
  return token;
}

function Entrance({ isPortal }: { readonly isPortal: boolean }) {
  const [token, setToken] = useState(() => (isPortal ? takeToken() : null));
  const client = useQueryClient();
  // A link counts for more than whoever was signed in here before.
  const session = useSessionQuery(token === null);
  const entered = useCallback(() => setToken(null), []);
  useEffect(() => whenSignedOut(() => void forget(client)), [client]);

  if (isPortal) {
    if (token !== null || session.data === null) {
      return <PortalDoor onEntered={entered} token={token} />;
    }
  }
  if (session.isPending) {
    return null;
  }
  if (session.isError && !(session.error instanceof Problem && session.error.status === 401)) {
    return <Unreachable error={session.error} onRetry={() => void session.refetch()} />;
  }
  if (session.data === null || session.data === undefined) {
    return <SignIn />;
  }
  return <Inside isPortal={isPortal} session={session.data} />;
}

function Inside({ session, isPortal }: { readonly session: Session; readonly isPortal: boolean }) {
  const home = session.tenant ? `/t/${session.tenant.id}/overview` : "/tenants";
  return (
    <Switch>
      <Route path="/t/:tenant/*?">
        {({ tenant }) => <InTenant isPortal={isPortal} key={tenant} session={session} tenant={tenant} />}
      </Route>
      <Route path="/">
        <Redirect href={home} replace />
      </Route>
      {gatewayRoutes.map(({ path, page: Page }) => (
        <Route key={path} path={path}>
          <Shell place={null} session={session}>
            {session.kind === "operator" ? <Page /> : <NotFound />}
          </Shell>
        </Route>
      ))}
      <Route>
        <Shell place={null} session={session}>
          <NotFound />
        </Shell>
      </Route>
    </Switch>
  );
}

type TenantProps = { readonly tenant: string; readonly session: Session; readonly isPortal: boolean };

/** The tenant of an address: known from the session, or asked for when it is the operator who looks. */
function InTenant({ tenant, session, isPortal }: TenantProps) {
  const own = session.tenant?.id === tenant ? session.tenant : null;
  const asked = useTenant(tenant, own === null && session.kind === "operator");
  const found = own ?? asked.data;
  if (found === undefined || found === null) {
    if (session.kind === "operator" && asked.isPending) {
      return null;
    }
    return (
      <Shell place={null} session={session}>
        {asked.error === null ? <NotFound /> : <Failed error={asked.error} what="The tenant" />}
      </Shell>
    );
  }
  const place: Place = {
    tenant,
    tenantName: found.name ?? null,
    profile: found.profile as ProfileName,
    scope: session.scope ?? null,
    isOperator: session.kind === "operator",
    isPortal: isPortal || session.kind === "portal",
    can: powers(session),
  };
  return <Tenant place={place} session={session} />;
}

function Tenant({ place, session }: { readonly place: Place; readonly session: Session }) {
  const live = useLiveUpdates(place.tenant);
  return (
    <PlaceContext value={place}>
      <LiveContext value={live}>
        <Shell place={place} session={session}>
          <Switch>
            {tenantRoutes.map(({ path, page: Page }) => (
              <Route key={path} path={`/t/:tenant/${path}`}>
                {(params: Readonly<Record<string, string | undefined>>) => (
                  <Page id={params.id ?? ""} key={params.id ?? path} />
                )}
              </Route>
            ))}
            <Route path="/t/:tenant">
              <Redirect href={`/t/${place.tenant}/overview`} replace />
            </Route>
            <Route>
              <NotFound />
            </Route>
          </Switch>
        </Shell>
      </LiveContext>
    </PlaceContext>
  );
}
