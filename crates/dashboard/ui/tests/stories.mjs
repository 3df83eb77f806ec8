// The stories a person walks, in a real browser against the real binary with a real receiver.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { framedPortal } from "./framed.mjs";
import { HOSTILE, publishMany } from "./seed.mjs";
import {
  api,
  OPERATOR,
  openBrowser,
  openPage,
  SHOTS,
  signIn,
  sleepless,
  startFront,
  startGateway,
  startReceiver,
} from "./world.mjs";

/** A page that does not answer for so long has frozen; what is measured is far below, also on a busy machine. */
const FROZEN_MS = 750;

/** Does something again and again beside a story, until it is stopped. */
function keepDoing(act, everyMs) {
  let isOn = true;
  const done = (async () => {
    while (isOn) {
      await act();
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  })();
  return {
    stop: () => {
      isOn = false;
      return done;
    },
  };
}

/** Keeps the time of the longest task of the page's main thread. */
async function watchTasks(page) {
  await page.evaluate(() => {
    globalThis.longest = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        globalThis.longest = Math.max(globalThis.longest, entry.duration);
      }
    }).observe({ type: "longtask", buffered: false });
  });
}

const SAMPLE = { order: { id: "ord_1" } };

/** A tenant of its own with its key, for each story. */
async function tenant(world, id, extra = {}) {
  const call = api(world.gateway);
  await call("POST", "/v1/tenants", { id, name: `Tenant ${id}`, ...extra });
  const { key } = await call("POST", `/v1/tenants/${id}/api-keys`, {
    name: "All",
    scopes: ["read", "write", "publish", "admin"],
  });
  return { id, key, call, at: (path) => `/v1/tenants/${id}/${path}` };
}

const stories = {
  "create, copy the secret, test, break, see it live, mend, recover, rotate, disable, delete": async (
    world,
  ) => {
    const it = await tenant(world, "shop");
    const receiver = await startReceiver();
    const { page } = world;
    await it.call("POST", it.at("event-types/import"), { catalogue: "aly" });
    await signIn(page, world.front.url, it.key);
    await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();

    // Create.
    await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Webhooks" }).click();
    await page.getByRole("button", { name: "New endpoint" }).first().click();
    const form = page.getByRole("dialog", { name: "New endpoint" });
    await form.getByRole("button", { name: "Save" }).click();
    await form.getByText(/url/i).first().waitFor();
    await form.getByLabel("Endpoint URL").fill(receiver.url);
    await form.getByLabel("Name", { exact: true }).fill("Warehouse");
    await form.getByRole("textbox", { name: "Events" }).fill("order.created");
    await form.getByRole("checkbox", { name: /^order\.created/ }).check();
    await form.getByRole("textbox", { name: "Events" }).fill("order.refunded");
    await form.getByRole("checkbox", { name: /^order\.refunded/ }).check();
    await form.getByRole("button", { name: "Save" }).click();

    // The secret, once.
    const dialog = page.getByRole("dialog", { name: "Signing secret" });
    await dialog.waitFor();
    const secret = await dialog.locator(".secret code").textContent();
    assert.match(secret, /^whsec_/);
    await world.context.grantPermissions(["clipboard-read", "clipboard-write"], {
      origin: new URL(world.front.url).origin,
    });
    await dialog.getByRole("button", { name: "Copy", exact: true }).click();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), secret);
    receiver.secrets = [secret];
    for (const language of ["curl", "Node", "Python", "Go", "Rust"]) {
      await dialog.getByRole("tab", { name: language }).click();
    }
    await dialog.getByRole("button", { name: "Done" }).click();
    await page.getByRole("heading", { name: /Warehouse/, level: 1 }).waitFor();
    assert.equal(
      await page
        .locator("body")
        .textContent()
        .then((text) => text.includes(secret)),
      false,
    );
    await page.getByText("Active", { exact: true }).first().waitFor();
    const id = new URL(page.url()).pathname.split("/").at(-1);

    // A verified test.
    await page.getByRole("button", { name: "Send test" }).click();
    const test = page.getByRole("dialog", { name: "Send test" });
    await test.getByText(/The receiver answered 200/).waitFor();
    assert.equal(receiver.received.at(-1).valid, 1);
    await test.getByRole("button", { name: "Close" }).last().click();

    // Break it, and see why within two seconds, without a hand on the page.
    receiver.status = 503;
    receiver.body = "maintenance window";
    await it.call("PATCH", it.at(`endpoints/${id}`), { retry: { delays_s: [], jitter: 0 } });
    await page.getByText("Live", { exact: true }).first().waitFor();
    const began = Date.now();
    await it.call("POST", it.at("events"), { type: "order.created", data: SAMPLE });
    await page
      .getByRole("table", { name: "Deliveries" })
      .getByText("Failed", { exact: true })
      .first()
      .waitFor();
    const tookMs = Date.now() - began;
    await page.getByRole("table", { name: "Deliveries" }).getByText("503").first().waitFor();
    assert.ok(tookMs <= 2_000, `the failure was seen after ${tookMs} ms`);
    await page.getByRole("link", { name: "order.created" }).first().click();
    await page.getByRole("heading", { name: /order\.created/, level: 1 }).waitFor();
    await page.getByText(/The receiver answered 503/).waitFor();
    await page.getByText("maintenance window").first().waitFor();
    await page.getByRole("tab", { name: "Signature" }).click();
    await page.getByText("Compute and compare").waitFor();
    await page.getByRole("tab", { name: "Request" }).click();
    await page.getByRole("region", { name: "Body" }).getByText(/ord_1/).waitFor();
    await page.getByRole("button", { name: "Copy as curl" }).click();
    const command = await page.evaluate(() => navigator.clipboard.readText());
    assert.match(command, /^curl .*webhook-signature: v1,/s);
    assert.ok(command.includes(receiver.url));
    assert.ok(command.includes(receiver.received.at(-1).body), "the copied body is the one that was sent");

    // Mend it, retry one by hand.
    receiver.status = 200;
    receiver.body = "ok";
    await page.getByRole("button", { name: "Retry" }).click();
    await page.getByText("Succeeded", { exact: true }).first().waitFor();

    // Recover the rest.
    receiver.status = 500;
    for (let count = 0; count < 3; count += 1) {
      await it.call("POST", it.at("events"), { type: "order.refunded", data: SAMPLE });
    }
    await sleepless("three more failed", async () => {
      const { data } = await it.call("GET", it.at(`deliveries?status=failed&endpoint=${id}`));
      return data.length === 3;
    });
    receiver.status = 200;
    await page.goto(`${world.front.url}/t/shop/settings/webhooks/${id}`);
    await page.getByRole("button", { name: "Recover" }).click();
    const recover = page.getByRole("dialog", { name: "Recover" });
    await recover.getByRole("button", { name: "Start recovering" }).click();
    await recover.getByText(/3 deliveries were put back/).waitFor();
    await recover.getByRole("button", { name: "Done" }).click();
    await sleepless("all arrived", async () => {
      const { data } = await it.call("GET", it.at(`deliveries?status=failed&endpoint=${id}`));
      return data.length === 0;
    });

    // Rotate with overlap: both secrets sign.
    await page.getByRole("button", { name: "Rotate secret" }).click();
    const rotate = page.getByRole("dialog", { name: "Rotate secret" });
    await rotate.getByRole("button", { name: "Rotate", exact: true }).click();
    const renewed = page.getByRole("dialog", { name: "Signing secret" });
    await renewed.getByText(/Both secrets sign until/).waitFor();
    const second = await renewed.locator(".secret code").textContent();
    assert.notEqual(second, secret);
    await renewed.getByRole("button", { name: "Done" }).click();
    await page.getByText("Two secrets sign.").waitFor();
    receiver.secrets = [secret, second];
    await it.call("POST", it.at("events"), { type: "order.created", data: SAMPLE });
    await sleepless("it arrived signed by both", async () => receiver.received.at(-1).valid === 2);

    // Pause, resume, disable, enable, delete.
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByText("Paused", { exact: true }).first().waitFor();
    await page.getByRole("button", { name: "Resume" }).click();
    await page.getByText("Active", { exact: true }).first().waitFor();
    await page.getByRole("button", { name: "Disable" }).click();
    await page
      .getByRole("dialog")
      .getByText(/discarded, not kept/)
      .waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Disable" }).click();
    await page.getByText("Disabled", { exact: true }).first().waitFor();
    await page.getByRole("button", { name: "Enable" }).click();
    await page.getByText("Active", { exact: true }).first().waitFor();
    await page.getByRole("button", { name: "Delete" }).click();
    await page
      .getByRole("dialog")
      .getByText(/lost for good/)
      .waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByText("No webhooks yet").waitFor();
    await receiver.stop();
  },

  "the portal with a read-only link shows all of its scope and refuses what it may not do": async (world) => {
    const it = await tenant(world, "portal");
    const receiver = await startReceiver();
    const { page } = world;
    const mine = await it.call("POST", it.at("endpoints"), {
      url: receiver.url,
      name: "Mine",
      events: ["*"],
      scope: "site-1",
    });
    await it.call("POST", it.at("endpoints"), {
      url: receiver.url,
      name: "Another’s",
      events: ["*"],
      scope: "site-2",
    });
    await it.call("POST", it.at("events"), { type: "order.created", data: SAMPLE, scope: "site-1" });
    const { url } = await it.call("POST", it.at("portal-sessions"), {
      scope: "site-1",
      capabilities: ["read"],
    });
    const link = new URL(url);
    // Whoever follows the link may be signed in with a key as well: the portal shows what its link allows.
    await signIn(page, world.front.url, it.key);
    await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
    await page.goto(world.front.url + link.pathname + link.hash);
    await page.waitForURL(/\/portal\/t\/portal/);
    await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
    assert.equal(new URL(page.url()).hash, "", "the token left the address");
    await page.getByRole("link", { name: "Deliveries" }).first().click();
    await page.getByRole("button", { name: "Export" }).click();
    const [saved] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("menuitem", { name: "As NDJSON" }).click(),
    ]);
    const rows = readFileSync(await saved.path(), "utf8")
      .trim()
      .split("\n")
      .map(JSON.parse);
    assert.deepEqual(
      rows.map((it) => it.endpoint_id),
      [mine.id],
      "the file has what the link allows",
    );
    await page.getByRole("link", { name: "Webhooks" }).first().click();
    await page.getByRole("link", { name: "Mine" }).waitFor();
    assert.equal(await page.getByText("Another’s").count(), 0);
    assert.equal(await page.getByRole("button", { name: "New endpoint" }).count(), 0);
    assert.equal(await page.getByRole("link", { name: "API keys" }).count(), 0);
    await page.getByRole("link", { name: "Mine" }).click();
    await page.getByRole("link", { name: "order.created" }).waitFor();
    for (const name of ["Send test", "Rotate secret", "Pause", "Disable", "Recover", "Delete"]) {
      assert.equal(await page.getByRole("button", { name }).count(), 0, `${name} is not offered`);
    }
    // What the page does not offer, the gateway refuses as well.
    const refused = await page.evaluate(
      async (path) => {
        const answer = await fetch(path, { method: "POST", headers: { "x-hookyard-session": "portal" } });
        return answer.status;
      },
      it.at(`endpoints/${mine.id}/disable`),
    );
    assert.equal(refused, 403);
    await page.goto(`${world.front.url}/portal/t/portal/settings/api-keys`);
    await page
      .getByText(/could not be loaded|no such page/)
      .first()
      .waitFor();
    await receiver.stop();
  },

  "the portal works in another site's frame over https, and in no frame that is not named": framedPortal,

  "a link to the portal that has ended says so": async (world) => {
    await world.page.goto(`${world.front.url}/portal#token=hkp_nothing`);
    await world.page.getByRole("heading", { name: "This link has ended" }).waitFor();
  },

  "a wrong key is refused beside its field, and the operator lands on Tenants": async (world) => {
    const { page } = world;
    await signIn(page, world.front.url, "no-such-key-at-all-1234567890");
    await page.getByText(/not known here/).waitFor();
    await page.getByLabel("API key", { exact: true }).fill(OPERATOR);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Tenants", level: 1 }).waitFor();
    await page.getByRole("button", { name: "Sign out" }).first().click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
  },

  "an alvys tenant speaks of subsidiaries and waits for the challenge": async (world) => {
    const it = await tenant(world, "carrier", { profile: "alvys" });
    const receiver = await startReceiver();
    const { page } = world;
    await signIn(page, world.front.url, it.key);
    await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
    await page.goto(`${world.front.url}/t/carrier/settings/webhooks`);
    await page.getByRole("button", { name: "Create webhook" }).first().click();
    const form = page.getByRole("dialog", { name: "Create webhook" });
    await form.getByLabel("Subsidiary").fill("sub-12345");
    await form.getByLabel("Endpoint URL").fill(receiver.url);
    await form.getByLabel("Name", { exact: true }).fill("Production Integration");
    await form.getByRole("switch", { name: "All events" }).check();
    await form.getByRole("button", { name: "Save" }).click();
    await page.getByRole("dialog", { name: "Signing secret" }).getByRole("button", { name: "Done" }).click();
    await page.getByText("Pending", { exact: true }).first().waitFor();
    await page.getByRole("button", { name: "Verify now" }).click();
    await page.getByText(/The last try/).waitFor();
    await receiver.stop();
  },

  "hostile texts stay texts everywhere": async (world) => {
    const it = await tenant(world, "hostile");
    const receiver = await startReceiver();
    receiver.status = 500;
    receiver.body = HOSTILE;
    const { page } = world;
    const made = await it.call("POST", it.at("endpoints"), {
      url: `${receiver.url}?q=%3Cscript%3E`,
      name: HOSTILE.replace("\u0007", "").slice(0, 110),
      description: HOSTILE.replace("\u0007", ""),
      events: ["*"],
    });
    const event = await it.call("POST", it.at("events"), {
      type: "order.created",
      data: { [HOSTILE]: HOSTILE },
    });
    await page.addInitScript(() => {
      globalThis.alert = () => {
        globalThis.wasHacked = true;
      };
    });
    await signIn(page, world.front.url, it.key);
    await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
    const delivery = await sleepless("it was tried", async () => {
      const { data } = await it.call("GET", it.at("deliveries"));
      return data.find((row) => row.attempts > 0);
    });
    for (const where of [
      "overview",
      "settings/webhooks",
      `settings/webhooks/${made.id}?tab=settings`,
      `events/${event.id}`,
      `deliveries/${delivery.id}`,
      "settings/audit-log",
    ]) {
      await page.goto(`${world.front.url}/t/hostile/${where}`);
      await page.waitForFunction(() => !document.querySelector('[aria-busy="true"]'));
      assert.equal(await page.locator("img[src='x'], main script").count(), 0, where);
      assert.equal(await page.evaluate(() => globalThis.wasHacked ?? false), false, where);
    }
    await page.goto(`${world.front.url}/t/hostile/deliveries/${delivery.id}`);
    await page.getByRole("region", { name: "Body" }).getByText("<script>alert(1)</script>").first().waitFor();
    await receiver.stop();
  },

  "a source receives a signed sample, and the checker says what is wrong with another": async (world) => {
    const it = await tenant(world, "inbound");
    const { page } = world;
    await signIn(page, world.front.url, it.key);
    await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
    await page.goto(`${world.front.url}/t/inbound/sources`);
    await page.getByRole("button", { name: "New source" }).first().click();
    const form = page.getByRole("dialog", { name: "New source" });
    await form.getByLabel("Name", { exact: true }).fill("Own program");
    await form.getByRole("button", { name: "Save" }).click();
    const dialog = page.getByRole("dialog", { name: "Signing secret" });
    const secret = await dialog.locator(".secret code").textContent();
    await dialog.getByRole("button", { name: "Done" }).click();
    await page.getByRole("heading", { name: /Own program/, level: 1 }).waitFor();
    await page.getByRole("button", { name: "Send sample" }).click();
    const sample = page.getByRole("dialog", { name: "Send sample" });
    await sample.getByRole("button", { name: "Send", exact: true }).click();
    await sample.getByText("Accepted (200).").waitFor();
    await sample.getByRole("button", { name: "Close" }).last().click();
    await page.getByRole("table", { name: "Received requests" }).getByRole("link").first().waitFor();

    await page.getByRole("link", { name: "Signature checker" }).first().click();
    await page.getByLabel("Secret", { exact: false }).first().fill(secret);
    await page
      .getByLabel("Headers")
      .fill("webhook-id: evt_1\nwebhook-timestamp: 1700000000\nwebhook-signature: v1,AAAA");
    await page.getByLabel("Body").fill("{}");
    await page.getByRole("button", { name: "Check" }).click();
    await page.getByText("The signature is not valid.").waitFor();
  },

  "a hundred thousand deliveries scroll and filter without freezing": async (world) => {
    const it = await tenant(world, "many");
    // Held, so that a hundred thousand are there and stay as they are.
    const held = await it.call("POST", it.at("endpoints"), {
      url: "http://127.0.0.1:9/held",
      name: "Held",
      events: ["*"],
    });
    await it.call("POST", it.at(`endpoints/${held.id}/pause`));
    await publishMany(it.call, it.at, 100_000, (n) => `kind.${n % 7}`);
    const { page } = world;
    await signIn(page, world.front.url, it.key);
    await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
    await page
      .getByText(/^100,000/)
      .first()
      .waitFor();
    await page.goto(`${world.front.url}/t/many/deliveries`);
    const table = page.getByRole("table", { name: "Deliveries" });
    await table.getByRole("link").first().waitFor();
    await page.getByText("Live", { exact: true }).first().waitFor();
    await watchTasks(page);

    // Down, a page after the other, while new ones keep coming in at the top.
    const arriving = keepDoing(() => it.call("POST", it.at("events"), { type: "kind.live", data: {} }), 50);
    const height = () => page.evaluate(() => document.documentElement.scrollHeight);
    try {
      for (const wanted of [500, 1_500, 3_000, 5_000]) {
        await sleepless(
          `${wanted} rows are there to be scrolled through`,
          async () => {
            await page.evaluate(() => window.scrollTo(0, document.documentElement.scrollHeight));
            return (await height()) > wanted * 40;
          },
          60_000,
        );
        const drawn = await table.getByRole("row").count();
        assert.ok(drawn < 120, `${drawn} rows are drawn`);
      }
      for (let turn = 0; turn < 20; turn += 1) {
        await page.mouse.wheel(0, turn % 2 ? 40_000 : -40_000);
      }
    } finally {
      await arriving.stop();
    }
    await page.evaluate(() => window.scrollTo(0, 0));
    await table.getByText("kind.live").first().waitFor();

    // Through the filters, each of which asks the gateway anew.
    const choose = async (label, option) => {
      await page.getByRole("combobox", { name: label, exact: true }).click();
      await page.getByRole("option", { name: option, exact: true }).click();
    };
    await choose("Webhook", "Held");
    await table.getByRole("link").first().waitFor();
    await choose("Status", "Failed");
    await page.getByText("No delivery fits").waitFor();
    assert.match(page.url(), /status=failed/);
    await choose("Status", "Pending");
    await table.getByRole("link").first().waitFor();
    await choose("Time", "Last hour");
    await table.getByRole("link").first().waitFor();
    const longest = await page.evaluate(() => globalThis.longest);
    console.log(`  the longest task took ${Math.round(longest)} ms`);
    assert.ok(longest < FROZEN_MS, `the page froze for ${longest} ms`);
  },

  "everything is reached with the keyboard, and the palette finds it": async (world) => {
    const it = await tenant(world, "keys");
    const { page } = world;
    await page.goto(world.front.url);
    await page.getByLabel("API key", { exact: true }).waitFor();
    await page.keyboard.type(it.key);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
    await page.keyboard.press("Control+k");
    await page.locator("[role=combobox]:focus").waitFor();
    await page.keyboard.type("audit");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Audit log", level: 1 }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Audit log", level: 1 }).waitFor();
    await page.keyboard.press("Tab");
    await page.getByRole("button", { name: "Skip to the page" }).waitFor();
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement?.id), "main");
  },
};

export async function main(only) {
  const failures = [];
  let checked = 0;
  const gateway = await startGateway();
  const front = await startFront(gateway);
  const browser = await openBrowser();
  try {
    for (const [name, story] of Object.entries(stories)) {
      if (only !== undefined && !name.includes(only)) {
        continue;
      }
      checked += 1;
      const { page, context, complaints } = await openPage(browser);
      const began = Date.now();
      try {
        await story({ gateway, front, browser, page, context });
        assert.deepEqual(complaints, [], "the console is silent");
        console.log(`ok ${name} (${Date.now() - began} ms)`);
      } catch (error) {
        failures.push(
          `${name}: ${error.message}\n${String(error.stack)
            .split("\n")
            .filter((it) => it.includes("stories.mjs"))
            .join("\n")}`,
        );
        await page.screenshot({ path: path.join(SHOTS, `story-${checked}.png`) }).catch(() => null);
      } finally {
        await context.close();
      }
    }
  } finally {
    await browser.close();
    await front.stop();
    await gateway.stop();
  }
  return { checked, failures };
}
