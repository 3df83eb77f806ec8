// The list of pages, one line each.

import { Button } from "@mantine/core";
import type { ComponentType } from "react";
import { Link } from "wouter";
import { ApiKeysPage } from "./pages/api-keys/page";
import { AuditPage } from "./pages/audit/page";
import { DeliveriesPage } from "./pages/deliveries/page";
import { DeliveryPage } from "./pages/delivery/page";
import { EndpointPage } from "./pages/endpoint/page";
import { EndpointsPage } from "./pages/endpoints/page";
import { EventPage } from "./pages/event/page";
import { EventTypesPage } from "./pages/event-types/page";
import { EventsPage } from "./pages/events/page";
import { NodesPage } from "./pages/nodes/page";
import { OverviewPage } from "./pages/overview/page";
import { SignatureCheckerPage } from "./pages/signature-checker/page";
import { SourcePage } from "./pages/source/page";
import { SourcesPage } from "./pages/sources/page";
import { TenantsPage } from "./pages/tenants/page";
import { Page, Panel } from "./parts/basics";
import { Empty } from "./parts/states";

/** Pages of a tenant; those of one thing get its `id`. */
export const tenantRoutes: readonly {
  readonly path: string;
  readonly page: ComponentType<{ readonly id: string }>;
}[] = [
  { path: "overview", page: OverviewPage },
  { path: "events", page: EventsPage },
  { path: "events/:id", page: EventPage },
  { path: "deliveries", page: DeliveriesPage },
  { path: "deliveries/:id", page: DeliveryPage },
  { path: "sources", page: SourcesPage },
  { path: "sources/:id", page: SourcePage },
  { path: "event-types", page: EventTypesPage },
  { path: "signature-checker", page: SignatureCheckerPage },
  { path: "settings/webhooks", page: EndpointsPage },
  { path: "settings/webhooks/:id", page: EndpointPage },
  { path: "settings/api-keys", page: ApiKeysPage },
  { path: "settings/audit-log", page: AuditPage },
];

/** Pages of the gateway, for its operator. */
export const gatewayRoutes: readonly { readonly path: string; readonly page: ComponentType }[] = [
  { path: "/tenants", page: TenantsPage },
  { path: "/nodes", page: NodesPage },
];

export function NotFound() {
  return (
    <Page title="Not found">
      <Panel bare>
        <Empty
          action={
            <Button component={Link} href="/" variant="default">
              To the start
            </Button>
          }
          icon="search"
          title="There is no such page here"
        >
          The address may be mistyped, or it belongs to a tenant you are not signed in to.
        </Empty>
      </Panel>
    </Page>
  );
}
