import { screen } from "@testing-library/react";
import type { ComponentType } from "react";
import { describe, expect, it } from "vitest";
import { API_KEY, AUDIT, DELIVERY, ENDPOINT, EVENT, EVENT_TYPE, NODE, SOURCE, TENANT } from "../testing/rows";
import { gateway, list, show } from "../testing/world";
import { ApiKeysPage } from "./api-keys/page";
import { AuditPage } from "./audit/page";
import { DeliveriesPage } from "./deliveries/page";
import { EndpointDeliveries } from "./endpoint/deliveries";
import { EndpointsPage } from "./endpoints/page";
import { EventTypesPage } from "./event-types/page";
import { EventsPage } from "./events/page";
import { NodesPage } from "./nodes/page";
import { SourcesPage } from "./sources/page";
import { TenantsPage } from "./tenants/page";

type Case = {
  readonly name: string;
  readonly page: ComponentType;
  readonly path: string;
  readonly row: object;
  readonly full: string | RegExp;
  readonly empty: string;
};

const CASES: readonly Case[] = [
  {
    name: "Webhooks",
    page: EndpointsPage,
    path: "/endpoints",
    row: ENDPOINT,
    full: "Warehouse",
    empty: "No webhooks yet",
  },
  {
    name: "Events",
    page: EventsPage,
    path: "/events",
    row: EVENT,
    full: "order.created",
    empty: "No events yet",
  },
  {
    name: "Deliveries",
    page: DeliveriesPage,
    path: "/deliveries",
    row: DELIVERY,
    full: "order.created",
    empty: "No deliveries yet",
  },
  {
    name: "Deliveries",
    page: () => <EndpointDeliveries id={ENDPOINT.id} />,
    path: "/deliveries",
    row: DELIVERY,
    full: "order.created",
    empty: "No deliveries yet",
  },
  {
    name: "Sources",
    page: SourcesPage,
    path: "/sources",
    row: SOURCE,
    full: "Shop on GitHub",
    empty: "No sources yet",
  },
  {
    name: "Event types",
    page: EventTypesPage,
    path: "/event-types",
    row: EVENT_TYPE,
    full: "order.created",
    empty: "The catalogue is empty",
  },
  {
    name: "API keys",
    page: ApiKeysPage,
    path: "/api-keys",
    row: API_KEY,
    full: "Shop backend",
    empty: "No API keys yet",
  },
  {
    name: "Audit log",
    page: AuditPage,
    path: "/audit",
    row: AUDIT,
    full: "Endpoint created",
    empty: "Nothing was changed yet",
  },
  {
    name: "Tenants",
    page: TenantsPage,
    path: "/v1/tenants",
    row: TENANT,
    full: "Acme",
    empty: "No tenants yet",
  },
  {
    name: "Nodes",
    page: NodesPage,
    path: "/v1/nodes",
    row: NODE,
    full: "node-a",
    empty: "No nodes",
  },
];

describe.each(CASES)("the list of $name", ({ name, page: Page, path, row, full, empty }) => {
  it("says that it loads", () => {
    gateway({ [path]: "never" });
    show(<Page />);
    const waiting = screen.getByRole("status", { name: `Loading ${name.toLowerCase()}` });
    expect(waiting.getAttribute("aria-busy")).toBe("true");
  });

  it("says that there is nothing, and what to do", async () => {
    gateway({ [path]: list() });
    show(<Page />);
    expect(await screen.findByText(empty)).toBeTruthy();
    expect(screen.queryByRole("table")).toBeNull();
  });

  it("says why it could not be had, and tries again", async () => {
    gateway({ [path]: 500 });
    show(<Page />);
    expect(await screen.findByText(`${name} could not be loaded`)).toBeTruthy();
    expect(screen.getByText("The gateway said 500.")).toBeTruthy();
    gateway({ [path]: list(row) });
    screen.getByRole("button", { name: "Try again" }).click();
    expect(await screen.findByRole("table", { name })).toBeTruthy();
  });

  it("shows its rows", async () => {
    gateway({ [path]: list(row) });
    show(<Page />);
    const table = await screen.findByRole("table", { name });
    expect(table.textContent).toMatch(full);
  });
});
