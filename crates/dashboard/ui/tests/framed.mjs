// The portal where customers see it: in an iframe of another site, both over https, in a browser that keeps no cookies of
// third parties but those that are kept apart for each site that frames them.

import assert from "node:assert/strict";
import { api, openBrowser, sleepless, startFront, startGateway, startReceiver, startSite } from "./world.mjs";

/** Every name leads here, so that two sites can be two sites. */
const NAMES = ["--host-resolver-rules=MAP * 127.0.0.1", "--test-third-party-cookie-phaseout"];

const framing = (url) => `<!doctype html><title>Shop</title><h1>Our shop</h1>
<iframe id="portal" title="Webhooks" src="${url}" style="width: 1200px; height: 800px"></iframe>`;

async function open(browser, site, link) {
  site.answer = (_, answer) => answer.writeHead(200, { "content-type": "text/html" }).end(framing(link));
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    viewport: { width: 1300, height: 900 },
  });
  const page = await context.newPage();
  page.setDefaultTimeout(12_000);
  await page.goto(site.origin);
  return { page, context, frame: page.frameLocator("#portal") };
}

/** What a person of the customer does in the frame, session and all. */
async function used(page, frame, receiver, call) {
  await frame.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
  await frame.getByRole("link", { name: "Webhooks" }).first().click();
  await frame.getByRole("link", { name: "Theirs" }).click();
  await frame.getByRole("heading", { name: /Theirs/, level: 1 }).waitFor();
  // It looks, live; it changes something; both by the cookie alone.
  await frame.getByText("Live", { exact: true }).first().waitFor();
  await call("POST", "/v1/tenants/shop/events", { type: "order.created", data: {} });
  await frame
    .getByRole("table", { name: "Deliveries" })
    .getByText("Succeeded", { exact: true })
    .first()
    .waitFor();
  const before = receiver.received.length;
  await frame.getByRole("button", { name: "Send test" }).click();
  await frame.getByText(/The receiver answered 200/).waitFor();
  assert.equal(receiver.received.length, before + 1);
  // The session outlives the page and its address, from which the token is gone.
  const portal = page.frames().find((it) => it.url().includes("/portal"));
  assert.equal(new URL(portal.url()).hash, "", "the token left the address");
  await portal.evaluate(() => location.reload());
  await sleepless("the frame came back", async () =>
    frame.getByRole("heading", { name: /Theirs/, level: 1 }).isVisible(),
  );
}

export async function framedPortal() {
  const [gate, shop, stranger] = await Promise.all(
    ["hooks.gateway.test", "app.shop.test", "app.stranger.test"].map(startSite),
  );
  const gateway = await startGateway(["--public-url", gate.origin, "--portal-frame-ancestors", shop.origin]);
  const front = await startFront(gateway);
  gate.standBefore(front.url);
  const receiver = await startReceiver();
  const browser = await openBrowser(NAMES);
  try {
    const call = api(gateway);
    await call("POST", "/v1/tenants", { id: "shop" });
    await call("POST", "/v1/tenants/shop/endpoints", { url: receiver.url, name: "Theirs", events: ["*"] });
    const { url: link } = await call("POST", "/v1/tenants/shop/portal-sessions", {});
    assert.ok(link.startsWith(`${gate.origin}/portal#token=`), `the link leads to the public URL: ${link}`);

    const inside = await open(browser, shop, link);
    await used(inside.page, inside.frame, receiver, call);
    const kept = (await inside.context.cookies(gate.origin)).find(
      (it) => it.name === "__Host-hookyard-portal",
    );
    assert.ok(kept, "the session's cookie is kept in the frame");
    assert.deepEqual([kept.secure, kept.httpOnly, kept.sameSite], [true, true, "None"]);
    assert.equal(kept.partitionKey, "https://shop.test", "and apart, for this site alone");
    await inside.context.close();

    // A site that is not named shows nothing of it.
    const outside = await open(browser, stranger, link);
    const blocked = await sleepless("the frame was refused", async () =>
      outside.page.frames().find((it) => it !== outside.page.mainFrame() && /^chrome-error:/.test(it.url())),
    );
    assert.ok(blocked);
    assert.equal(await outside.frame.getByRole("heading", { name: "Overview" }).count(), 0);
    await outside.context.close();
  } finally {
    await browser.close();
    await receiver.stop();
    await front.stop();
    await gateway.stop();
    await Promise.all([gate, shop, stranger].map((it) => it.stop()));
  }
}
