// A tenant with everything that makes a page hard: long addresses, hostile texts, right-to-left names, failures, a huge
// payload, many rows.

import { api, sleepless, startReceiver } from "./world.mjs";

export const HOSTILE = `<script>alert(1)</script><img src=x onerror=alert(2)> \u202Edesrever\u202C \u0007"'&amp;`;
const LONG = `https://hooks.example.com/${"a-very-long-path-that-goes-on/".repeat(9)}?token=${"0123456789".repeat(12)}`;

export async function seed(gateway, tenant = "acme") {
  const call = api(gateway);
  const at = (path) => `/v1/tenants/${tenant}/${path}`;
  await call("POST", "/v1/tenants", { id: tenant, name: "Acme Corporation" });
  await call("POST", "/v1/tenants", { id: "blank", name: "Nothing yet" });
  await call("POST", at("event-types/import"), { catalogue: "aly" });
  await call("PUT", at("event-types/order.created"), {
    description: "An order is persisted after successful checkout.",
    group: "Order events",
    schema: { type: "object", required: ["order"], properties: { order: { type: "object" } } },
    sample: { order: { id: "ord_72", currency: "USD", total: 5076, note: "Linen Tote — natural" } },
  });
  const good = await startReceiver();
  const bad = await startReceiver();
  bad.status = 500;
  bad.body = JSON.stringify({ error: "database is locked", hint: HOSTILE });
  const endpoint = (body) => call("POST", at("endpoints"), body);
  const healthy = await endpoint({ url: good.url, name: "Warehouse", events: ["order.*"] });
  const failing = await endpoint({
    url: bad.url,
    name: "Billing (legacy)",
    events: ["order.created", "order.refunded", "membership.*"],
    retry: { delays_s: [30, 120, 600, 1800, 3600, 7200, 14400], jitter: 0.1 },
    headers: { "X-Team": "billing" },
    description: "The old billing system. Mind the maintenance window on Sundays.",
  });
  const long = await endpoint({
    url: LONG,
    name: "مستودع الطلبات الرئيسي للمنطقة الشرقية",
    events: ["site.published"],
    scope: "eu-1",
  });
  const hostileEndpoint = await endpoint({
    url: `${good.url}/hostile`,
    name: HOSTILE.replace("\u0007", "").slice(0, 110),
    events: ["checkout_session.completed"],
  });
  const off = await endpoint({ url: `${good.url}/off`, events: ["*"] });
  await call("POST", at(`endpoints/${off.id}/disable`));
  const paused = await endpoint({ url: `${good.url}/paused`, name: "Reports", events: ["*"], scope: "acme" });
  await call("POST", at(`endpoints/${paused.id}/pause`));
  await call("POST", at(`endpoints/${paused.id}/rotate-secret`));
  const waiting = await endpoint({
    url: `${good.url}/challenge`,
    name: "Partner",
    events: ["order.created"],
    verify: "challenge",
  });

  const source = await call("POST", at("sources"), { name: "Shop on GitHub", provider: "github" });
  const own = await call("POST", at("sources"), {
    name: "Own program",
    provider: "custom",
    description: "Sends nightly totals",
    events: ["totals.*", "shop.order.created"],
  });
  await receive(gateway, call, own);
  await call("POST", at(`sources/${own.id}/rotate-secret`));
  await call("POST", at("api-keys"), { name: "Shop backend", scopes: ["read", "publish"] });

  const publish = (body) => call("POST", at("events"), body);
  for (let index = 0; index < 30; index += 1) {
    const type = ["order.created", "order.fulfilled", "order.refunded", "site.published"][index % 4];
    await publish({
      type,
      data: { order: { id: `ord_${index}`, total: 4200 + index } },
      ...(index % 5 ? {} : { scope: "acme" }),
    });
  }
  const hostile = await publish({
    type: "order.created",
    data: {
      [HOSTILE]: HOSTILE,
      rtl: "طلب جديد رقم ١٢",
      big: "12345678901234567890123",
      long: "x".repeat(900),
    },
  });
  const huge = await publish({
    type: "order.updated",
    data: { rows: Array.from({ length: 4_000 }, (_, id) => ({ id, text: `row ${id} ${"y".repeat(60)}` })) },
  });
  const failed = await sleepless("a delivery failed", async () => {
    const page = await call("GET", at(`deliveries?endpoint=${failing.id}&limit=10`));
    return page.data.find((it) => it.attempts > 0 && it.event_id === hostile.id);
  });
  const done = await sleepless("a delivery arrived", async () => {
    const page = await call("GET", at(`deliveries?endpoint=${healthy.id}&status=succeeded&limit=10`));
    return page.data[0];
  });
  return {
    tenant,
    call,
    at,
    good,
    bad,
    ids: {
      healthy: healthy.id,
      failing: failing.id,
      waiting: waiting.id,
      off: off.id,
      paused: paused.id,
      long: long.id,
      hostileEndpoint: hostileEndpoint.id,
      source: source.id,
      own: own.id,
      hostile: hostile.id,
      huge: huge.id,
      failed: failed.id,
      done: done.id,
    },
    stop: async () => {
      await good.stop();
      await bad.stop();
    },
  };
}

/** Two requests to a source, signed as its sender signs them. */
async function receive(gateway, call, source) {
  for (const total of [42, 43]) {
    const payload = JSON.stringify({ type: "totals.nightly", data: { total, day: "الاثنين" } });
    const { headers } = await call("POST", "/v1/signatures/sign", {
      scheme: source.provider,
      secret: source.secret,
      payload,
      id: `totals-${total}`,
    });
    const answer = await fetch(`${gateway.url}/in/${source.id}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: payload,
    });
    if (!answer.ok) {
      throw new Error(`a sample was answered ${answer.status} ${await answer.text()}`);
    }
  }
}

/** A tenant with more of everything than fits on a page: 10,000 deliveries, 150 webhooks, 300 event types. */
export async function crowd(gateway, tenant = "crowd") {
  const call = api(gateway);
  const at = (path) => `/v1/tenants/${tenant}/${path}`;
  await call("POST", "/v1/tenants", {
    id: tenant,
    name: "An enterprise with a rather long name, Incorporated",
  });
  const types = Array.from({ length: 300 }, (_, n) => `family_${n % 12}.kind_${n}.happened`);
  await Promise.all(
    types.map((name) => call("PUT", at(`event-types/${name}`), { description: `The ${name} event.` })),
  );
  const first = await call("POST", at("endpoints"), {
    url: "https://hooks.example.com/held",
    name: "Everything, held",
    events: ["*"],
  });
  await call("POST", at(`endpoints/${first.id}/pause`));
  await publishMany(call, at, 10_000, (n) => types[n % types.length]);
  for (let n = 0; n < 150; n += 1) {
    await call("POST", at("endpoints"), {
      url: `https://hooks-${n}.example.com/customers/${n}/webhooks`,
      name: `Customer ${n}`,
      events: types.slice(n, n + 1 + (n % 7)),
    });
  }
  return { tenant, endpoint: first.id };
}

/** As many events as are wanted, a thousand a request. */
export async function publishMany(call, at, total, typeOf) {
  for (let from = 0; from < total; from += 1_000) {
    const items = Array.from({ length: Math.min(1_000, total - from) }, (_, n) => ({
      type: typeOf(from + n),
      data: { n: from + n },
    }));
    const { results } = await call("POST", at("events/batch"), items);
    const wrong = results.find((it) => it.error);
    if (wrong !== undefined) {
      throw new Error(`an event of the batch was refused: ${JSON.stringify(wrong)}`);
    }
  }
}

/** Every screen of the seeded tenant, by name. */
export function screens({ tenant, ids }) {
  const at = (path) => `/t/${tenant}/${path}`;
  return [
    ["overview", at("overview")],
    ["events", at("events")],
    ["event-hostile", at(`events/${ids.hostile}`)],
    ["event-huge", at(`events/${ids.huge}`)],
    ["deliveries", at("deliveries")],
    ["deliveries-none", at("deliveries?type=no.such")],
    ["delivery-failed", at(`deliveries/${ids.failed}`)],
    ["delivery-done", at(`deliveries/${ids.done}`)],
    ["sources", at("sources")],
    ["source-new", at("sources?new=1")],
    ["source", at(`sources/${ids.source}`)],
    ["source-received", at(`sources/${ids.own}`)],
    [
      "deliveries-between",
      at("deliveries?since=2026-01-01T00%3A00%3A00.000Z&until=2099-01-01T00%3A00%3A00.000Z&status=succeeded"),
    ],
    ["event-types", at("event-types")],
    ["event-type", at("event-types?type=order.created")],
    ["signature-checker", at("signature-checker")],
    ["webhooks", at("settings/webhooks")],
    ["webhook-new", at("settings/webhooks?new=1")],
    ["webhook-failing", at(`settings/webhooks/${ids.failing}`)],
    ["webhook-numbers", at(`settings/webhooks/${ids.failing}?tab=numbers`)],
    ["webhook-settings", at(`settings/webhooks/${ids.failing}?tab=settings`)],
    ["webhook-waiting", at(`settings/webhooks/${ids.waiting}`)],
    ["webhook-off", at(`settings/webhooks/${ids.off}`)],
    ["webhook-overlap", at(`settings/webhooks/${ids.paused}`)],
    ["webhook-long", at(`settings/webhooks/${ids.long}`)],
    ["webhook-long-settings", at(`settings/webhooks/${ids.long}?tab=settings`)],
    ["webhook-hostile", at(`settings/webhooks/${ids.hostileEndpoint}`)],
    ["api-keys", at("settings/api-keys")],
    ["audit-log", at("settings/audit-log")],
    ["tenants", "/tenants"],
    ["nodes", "/nodes"],
    ["not-found", at("nothing-here")],
    ["missing", at("deliveries/dlv_00000000000000000000000000")],
    ["empty-overview", "/t/blank/overview"],
    ["empty-webhooks", "/t/blank/settings/webhooks"],
    ["empty-deliveries", "/t/blank/deliveries"],
    ["empty-events", "/t/blank/events"],
    ["empty-sources", "/t/blank/sources"],
    ["empty-api-keys", "/t/blank/settings/api-keys"],
    ["empty-event-types", "/t/blank/event-types"],
  ];
}
