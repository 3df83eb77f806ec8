import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { BLANK } from "../parts/endpoint-form";
import { localOf } from "../parts/filters";
import { ATTEMPT, DELIVERY, ENDPOINT, EVENT, NODE, SOURCE } from "../testing/rows";
import { gateway, list, PLACE, show } from "../testing/world";
import { DeliveriesPage, ofClass } from "./deliveries/page";
import { DeliveryPage } from "./delivery/page";
import { draftOf, patchOf } from "./endpoint/edit";
import { EndpointPage } from "./endpoint/page";
import { newEndpoint } from "./endpoints/new";
import { EndpointsPage } from "./endpoints/page";
import { EventPage } from "./event/page";
import { NodesPage } from "./nodes/page";
import { readHeaders } from "./signature-checker/page";
import * as editSource from "./source/edit";
import { SourcePage } from "./source/page";

const READ_ONLY = {
  ...PLACE,
  isPortal: true,
  can: { ...PLACE.can, manage: false, replay: false, configure: false },
};

describe("a new endpoint", () => {
  it("is asked for with the words of the tenant's profile", async () => {
    gateway({ "/endpoints": list() });
    show(<EndpointsPage />, { ...PLACE, profile: "alvys" }, "/t/acme/settings/webhooks?new=1");
    const dialog = await screen.findByRole("dialog", { name: "Create webhook" });
    expect(within(dialog).getByLabelText("Subsidiary")).toBeTruthy();
    expect(within(dialog).getByLabelText("Endpoint URL")).toBeTruthy();
    expect(within(dialog).getByLabelText("Name")).toBeTruthy();
    expect(within(dialog).getByRole("switch", { name: "All events" })).toBeTruthy();
    expect(within(dialog).getByText("Advanced")).toBeTruthy();
  });

  it("shows what is wrong beside its field, and the secret once when it is made", async () => {
    const asked = gateway({ "/endpoints": 422 });
    show(<EndpointsPage />, PLACE, "/t/acme/settings/webhooks?new=1");
    const dialog = await screen.findByRole("dialog", { name: "New endpoint" });
    fireEvent.change(within(dialog).getByLabelText("Endpoint URL"), {
      target: { value: " https://a.example " },
    });
    fireEvent.click(within(dialog).getByRole("button", { name: "Save" }));
    expect(await within(dialog).findByText("The gateway said 422.")).toBeTruthy();
    gateway({ "/endpoints": { ...ENDPOINT, secret: "whsec_once", data: [], next_cursor: null } });
    fireEvent.click(within(dialog).getByRole("button", { name: "Save" }));
    const secret = await screen.findByRole("dialog", { name: "Signing secret" });
    expect(within(secret).getByText("whsec_once")).toBeTruthy();
    expect(within(secret).getByRole("button", { name: "Copy" })).toBeTruthy();
    expect(JSON.parse(asked.find((it) => it.method === "POST")?.body ?? "")).toEqual({
      url: "https://a.example",
      events: [],
    });
  });

  it("asks only for what was filled in", () => {
    expect(newEndpoint({ ...BLANK, url: "https://a", events: ["*"] }, null)).toEqual({
      url: "https://a",
      events: ["*"],
    });
    expect(newEndpoint({ ...BLANK, scope: "other" }, "mine").scope).toBe("mine");
  });
});

describe("an endpoint", () => {
  const answers = { [`/endpoints/${ENDPOINT.id}`]: ENDPOINT, "/deliveries": list(DELIVERY) };

  it("has its state as text, and every act by its name", async () => {
    gateway(answers);
    show(<EndpointPage id={ENDPOINT.id} />);
    expect(await screen.findByText("Active")).toBeTruthy();
    for (const name of ["Send test", "Rotate secret", "Pause", "Disable", "Recover", "Delete"]) {
      expect(screen.getByRole("button", { name })).toBeTruthy();
    }
    expect(screen.queryByRole("button", { name: "Enable" })).toBeNull();
  });

  it("asks once before it is deleted, and names what is lost", async () => {
    const asked = gateway(answers);
    show(<EndpointPage id={ENDPOINT.id} />);
    fireEvent.click(await screen.findByRole("button", { name: "Delete" }));
    const dialog = await screen.findByRole("dialog", { name: "Delete this webhook?" });
    expect(dialog.textContent).toMatch(/Warehouse, its secret and its settings are lost for good/);
    expect(asked.some((it) => it.method === "DELETE")).toBe(false);
    fireEvent.click(within(dialog).getByRole("button", { name: "Delete" }));
    await waitFor(() => expect(asked.some((it) => it.method === "DELETE")).toBe(true));
  });

  it("offers nothing to somebody who may only read", async () => {
    gateway(answers);
    show(<EndpointPage id={ENDPOINT.id} />, READ_ONLY);
    expect(await screen.findByText("Active")).toBeTruthy();
    for (const name of ["Send test", "Rotate secret", "Pause", "Disable", "Recover", "Delete"]) {
      expect(screen.queryByRole("button", { name })).toBeNull();
    }
  });

  it("tells every tab until when two secrets sign", async () => {
    const soon = new Date(Date.now() + 3_600_000).toISOString();
    gateway({ ...answers, [`/endpoints/${ENDPOINT.id}`]: { ...ENDPOINT, previous_secret_expires_at: soon } });
    const { unmount } = show(<EndpointPage id={ENDPOINT.id} />);
    expect(await screen.findByText("Two secrets sign.")).toBeTruthy();
    expect(screen.getByText(/^The old one for another (1 h|59 min)/)).toBeTruthy();
    unmount();
    gateway(answers);
    show(<EndpointPage id={ENDPOINT.id} />);
    expect(await screen.findByText("Active")).toBeTruthy();
    expect(screen.queryByText("Two secrets sign.")).toBeNull();
  });

  it("is changed only where the form was", () => {
    const before = draftOf({
      ...ENDPOINT,
      events: [...ENDPOINT.events],
      policy: ENDPOINT.policy as never,
      headers: { "X-Key": "•••" },
    });
    expect(patchOf(before, before)).toEqual({});
    expect(patchOf(before, { ...before, name: "", events: ["*"] })).toEqual({ name: null, events: ["*"] });
    expect(patchOf(before, { ...before, keepHeaders: false, headers: [{ name: "A", value: "b" }] })).toEqual({
      headers: { A: "b" },
    });
  });

  it("says when it is not there", async () => {
    gateway({ [`/endpoints/${ENDPOINT.id}`]: 404 });
    show(<EndpointPage id={ENDPOINT.id} />);
    expect(await screen.findByText("The webhook is not here")).toBeTruthy();
  });
});

describe("a delivery", () => {
  const answers = {
    [`/deliveries/${DELIVERY.id}`]: DELIVERY,
    "/attempts": list(ATTEMPT),
    [`/endpoints/${ENDPOINT.id}`]: ENDPOINT,
    [`/events/${EVENT.id}`]: EVENT,
  };

  it("shows why it failed, its attempts, and hostile answers as text", async () => {
    gateway(answers);
    show(<DeliveryPage id={DELIVERY.id} />);
    expect(await screen.findByRole("heading", { name: "Attempts" })).toBeTruthy();
    expect(await screen.findByText("The receiver answered 503 after 42 ms.")).toBeTruthy();
    expect(screen.getByRole("button", { name: "Retry" })).toBeTruthy();
    expect(await screen.findByRole("button", { name: "Copy as curl" })).toBeTruthy();
    expect(screen.getByRole("region", { name: "Body" }).textContent).toBe("<script>alert(1)</script>");
    expect(document.querySelector("script")).toBeNull();
  });

  it("explains its signature", async () => {
    gateway(answers);
    show(<DeliveryPage id={DELIVERY.id} />);
    fireEvent.click(await screen.findByRole("tab", { name: "Signature" }));
    expect(await screen.findByText("evt_1.1764000000.{body}")).toBeTruthy();
    expect(screen.getByText(/previous secret, while the rotation overlaps/)).toBeTruthy();
  });

  it("can be looked at without being sent again", async () => {
    gateway(answers);
    show(<DeliveryPage id={DELIVERY.id} />, READ_ONLY);
    expect(await screen.findByRole("heading", { name: "Attempts" })).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Retry" })).toBeNull();
  });
});

describe("filters", () => {
  it("stand in the address and go to the gateway", async () => {
    const asked = gateway({ "/deliveries": list(DELIVERY) });
    show(<DeliveriesPage />, PLACE, "/t/acme/deliveries?status=failed&type=order.created&code=5xx");
    expect(await screen.findByRole("table", { name: "Deliveries" })).toBeTruthy();
    expect(screen.getByRole("combobox", { name: "Status" })).toHaveProperty("value", "Failed");
    expect(asked.some((it) => it.path.endsWith("/deliveries"))).toBe(true);
  });

  it("take two times of one's own, and ask for what lies between", async () => {
    const asked = gateway({ "/deliveries": list(DELIVERY) });
    const since = "2026-05-19T08:00:00.000Z";
    const { history } = show(<DeliveriesPage />, PLACE, `/t/acme/deliveries?since=${since}`);
    expect(await screen.findByRole("table", { name: "Deliveries" })).toBeTruthy();
    expect(screen.getByLabelText("From")).toHaveProperty("value", localOf(since));
    const until = "2026-05-19T09:30:00.000Z";
    fireEvent.change(screen.getByLabelText("Until"), { target: { value: localOf(until) } });
    await waitFor(() =>
      expect(asked.map((it) => new URLSearchParams(it.query)).some((it) => it.get("until") === until)).toBe(
        true,
      ),
    );
    const last = new URL(history?.at(-1) ?? "", "http://a").searchParams;
    expect([last.get("since"), last.get("until")]).toEqual([since, until]);
    fireEvent.click(screen.getByRole("button", { name: "Clear" }));
    await waitFor(() => expect(screen.queryByLabelText("Until")).toBeNull());
  });

  it("know the classes of answers", () => {
    expect(ofClass({ attempts: 1, last_status_code: 503 }, "5xx")).toBe(true);
    expect(ofClass({ attempts: 1, last_status_code: 404 }, "5xx")).toBe(false);
    expect(ofClass({ attempts: 1, last_status_code: null }, "none")).toBe(true);
    expect(ofClass({ attempts: 0, last_status_code: null }, "none")).toBe(false);
  });
});

describe("an event", () => {
  it("shows its exact payload", async () => {
    gateway({ [`/events/${EVENT.id}`]: EVENT, "/deliveries": list(DELIVERY) });
    show(<EventPage id={EVENT.id} />);
    expect(await screen.findByRole("region", { name: "Data" })).toBeTruthy();
    expect(screen.getByRole("region", { name: "Data" }).textContent).toBe('{\n  "total": 1\n}');
    expect(screen.getByRole("button", { name: "Replay" })).toBeTruthy();
  });
});

describe("a source", () => {
  it("says what to paste where", async () => {
    gateway({
      [`/sources/${SOURCE.id}`]: SOURCE,
      "/v1/providers": {
        data: [
          {
            name: "github",
            title: "GitHub",
            docs_url: "https://docs.github.com",
            setup: ["Payload URL: {url}"],
            secret_from: "gateway",
            signs_url: false,
            handshake: false,
          },
        ],
        next_cursor: null,
      },
    });
    show(<SourcePage id={SOURCE.id} />);
    expect(await screen.findByText(`Payload URL: ${SOURCE.receive_url}`)).toBeTruthy();
  });

  it("is changed in a form, and only where the form was", async () => {
    const asked = gateway({ [`/sources/${SOURCE.id}`]: SOURCE });
    show(<SourcePage id={SOURCE.id} />);
    fireEvent.click(await screen.findByRole("button", { name: "Edit" }));
    const dialog = await screen.findByRole("dialog", { name: "Edit source" });
    fireEvent.change(within(dialog).getByLabelText("Description"), { target: { value: " Nightly " } });
    fireEvent.click(within(dialog).getByRole("button", { name: "Save" }));
    await waitFor(() => expect(asked.some((it) => it.method === "PATCH")).toBe(true));
    expect(JSON.parse(asked.find((it) => it.method === "PATCH")?.body ?? "")).toEqual({
      description: "Nightly",
    });
    const before = editSource.draftOf({ ...SOURCE, events: ["push"] } as never);
    expect(editSource.patchOf(before, before)).toEqual({});
    expect(editSource.patchOf(before, { ...before, events: [], publicUrl: "", token: "t" })).toEqual({
      events: [],
      verify_token: "t",
    });
  });

  it("may be looked at, and not changed, by whoever does not configure", async () => {
    gateway({ [`/sources/${SOURCE.id}`]: SOURCE });
    show(<SourcePage id={SOURCE.id} />, READ_ONLY);
    expect(await screen.findByText("Setting it up")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Edit" })).toBeNull();
  });
});

describe("pasted headers", () => {
  it("are read as lines, as curl's options and as JSON", () => {
    expect(readHeaders("A: 1\r\nb:2")).toEqual({ A: "1", b: "2" });
    expect(readHeaders("-H 'A: 1' \\\n  -H \"b: 2:3\"")).toEqual({ A: "1", b: "2:3" });
    expect(readHeaders('{"A": 1}')).toEqual({ A: "1" });
  });
});

describe("the nodes", () => {
  it("are told apart: who answered, who is silent and for how long", async () => {
    const lost = {
      ...NODE,
      id: "node_2",
      name: "node-b",
      status: "lost",
      answering: false,
      silent_ms: 75_400,
    };
    gateway({ "/v1/nodes": list(NODE, lost) });
    show(<NodesPage />);
    const table = await screen.findByRole("table", { name: "Nodes" });
    const [, first, second] = within(table).getAllByRole("row");
    expect(first?.textContent).toContain("node-aanswered thisServing");
    expect(first?.textContent).toMatch(/–$/);
    expect(second?.textContent).toMatch(/^node-bLost.*1 min 15 s$/);
    expect(screen.queryByText("One node")).toBeNull();
  });

  it("are one where the process has its store for itself", async () => {
    gateway({ "/v1/nodes": list({ ...NODE, id: "node_0", name: null }) });
    show(<NodesPage />);
    expect(await screen.findByText("One node")).toBeTruthy();
    const table = screen.getByRole("table", { name: "Nodes" });
    expect(table.textContent).toContain("This process");
    expect(table.textContent).toContain("Serving");
  });
});
