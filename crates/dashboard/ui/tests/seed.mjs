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
  await endpoint({
    url: LONG,
    name: "مستودع الطلبات الرئيسي للمنطقة الشرقية",
    events: ["site.published"],
    scope: "eu-1",
  });
  await endpoint({
    url: `${good.url}/hostile`,
    name: HOSTILE.replace("\u0007", "").slice(0, 110),
    events: ["checkout_session.completed"],
  });
  const off = await endpoint({ url: `${good.url}/off`, events: ["*"] });
  await call("POST", at(`endpoints/${off.id}/disable`));
  const paused = await endpoint({ url: `${good.url}/paused`, name: "Reports", events: ["*"], scope: "acme" });
  await call("POST", at(`endpoints/${paused.id}/pause`));
  const waiting = await endpoint({
    url: `${good.url}/challenge`,
    name: "Partner",
    events: ["order.created"],
    verify: "challenge",
  });

  const source = await call("POST", at("sources"), { name: "Shop on GitHub", provider: "github" });
  await call("POST", at("sources"), {
    name: "Own program",
    provider: "custom",
    description: "Sends nightly totals",
  });
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
      source: source.id,
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
    ["event-types", at("event-types")],
    ["event-type", at("event-types?type=order.created")],
    ["signature-checker", at("signature-checker")],
    ["webhooks", at("settings/webhooks")],
    ["webhook-new", at("settings/webhooks?new=1")],
    ["webhook-failing", at(`settings/webhooks/${ids.failing}`)],
    ["webhook-numbers", at(`settings/webhooks/${ids.failing}?tab=numbers`)],
    ["webhook-settings", at(`settings/webhooks/${ids.failing}?tab=settings`)],
    ["webhook-waiting", at(`settings/webhooks/${ids.waiting}`)],
    ["api-keys", at("settings/api-keys")],
    ["audit-log", at("settings/audit-log")],
    ["tenants", "/tenants"],
    ["nodes", "/nodes"],
    ["not-found", at("nothing-here")],
    ["missing", at("deliveries/dlv_00000000000000000000000000")],
    ["empty-overview", "/t/blank/overview"],
    ["empty-webhooks", "/t/blank/settings/webhooks"],
    ["empty-deliveries", "/t/blank/deliveries"],
    ["empty-event-types", "/t/blank/event-types"],
  ];
}
