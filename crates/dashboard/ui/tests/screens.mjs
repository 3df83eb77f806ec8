// Every screen at both widths and in both themes: photographed, measured for overflow, and gone over by axe.

import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { crowd, screens, seed } from "./seed.mjs";
import { OPERATOR, openBrowser, openPage, SHOTS, signIn, startFront, startGateway } from "./world.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe finds that keeps somebody out. */
export async function violations(page) {
  // By the debugger's hand, not by a script element, which the page's policy forbids.
  await page.evaluate(axe);
  const found = await page.evaluate(() =>
    globalThis.axe.run(document, {
      resultTypes: ["violations"],
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"],
    }),
  );
  return found.violations.flatMap((it) =>
    it.nodes
      .slice(0, 3)
      .map((node) => `${it.impact} ${it.id}: ${node.target.join(" ")} ${node.any[0]?.message ?? ""}`),
  );
}

/** What a dialog lies over, and rows that are drawn only in sight, are photographed as far as they are seen. */
async function isWindowed(page) {
  return page.evaluate(
    () => document.querySelector('[role="dialog"], .rows.virtual, [role="combobox"]:focus') !== null,
  );
}

/** Texts that run out of what they stand in without an ellipsis or a scroll bar. */
async function clipped(page) {
  return page.evaluate(() => {
    const found = [];
    for (const it of document.querySelectorAll(
      "button, .pill, .cell, dd, h1, h2, h3, .metric, .note, label",
    )) {
      const box = it.getBoundingClientRect();
      const style = getComputedStyle(it);
      const isHidden =
        box.width < 2 ||
        style.visibility === "hidden" ||
        it.closest(".spoken, .row.head, [aria-hidden=true]");
      if (
        !isHidden &&
        it.scrollWidth > it.clientWidth + 1 &&
        style.overflowX === "visible" &&
        it.clientWidth > 0
      ) {
        found.push(`${it.tagName.toLowerCase()}.${it.className}: ${it.textContent.slice(0, 60)}`);
      }
    }
    return found.slice(0, 5);
  });
}

async function overflow(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

export async function settled(page) {
  await page.waitForFunction(() => !document.querySelector('[aria-busy="true"]'));
  await page.evaluate(() => document.fonts.ready);
  // Dialogs and drawers come in within this time; axe would measure colours half way.
  await page.waitForTimeout(350);
}

export async function main(only) {
  const failures = [];
  let checked = 0;
  const gateway = await startGateway();
  const front = await startFront(gateway);
  const browser = await openBrowser();
  const seeded = await seed(gateway);
  const many = await crowd(gateway);
  mkdirSync(SHOTS, { recursive: true });
  try {
    for (const [width, dark] of [
      [1440, false],
      [390, false],
      [1440, true],
      [390, true],
    ]) {
      const { page, context, complaints } = await openPage(browser, {
        width,
        height: width > 700 ? 900 : 844,
        dark,
      });
      const look = async (name) => {
        if (!name.startsWith("loading-")) {
          await settled(page);
        }
        checked += 1;
        const shot = path.join(SHOTS, `${name}-${width}-${dark ? "dark" : "light"}.png`);
        if (!name.startsWith("many-")) {
          await page.evaluate(() => window.scrollTo(0, 0));
        }
        await page.screenshot({ path: shot, fullPage: !name.endsWith("-huge") && !(await isWindowed(page)) });
        for (const it of await clipped(page)) {
          failures.push(`${name} at ${width}: runs out of its place: ${it}`);
        }
        const wide = await overflow(page);
        if (wide > 0) {
          failures.push(`${name} at ${width}: ${wide} px wider than the page`);
        }
        for (const it of await violations(page)) {
          failures.push(`${name} at ${width} ${dark ? "dark" : "light"}: ${it}`);
        }
        for (const it of complaints.splice(0)) {
          failures.push(`${name} at ${width}: ${it}`);
        }
      };
      await page.goto(front.url);
      await page.getByRole("heading", { name: "Sign in" }).waitFor();
      await look("sign-in");
      await signIn(page, front.url, OPERATOR);
      await page.getByRole("heading", { name: "Tenants" }).waitFor();
      for (const [name, where] of screens(seeded)) {
        if (only !== undefined && !name.includes(only)) {
          continue;
        }
        await page.goto(front.url + where);
        await look(name);
      }
      if (only === undefined || only === "palette") {
        await page.goto(`${front.url}/t/${seeded.tenant}/overview`);
        await settled(page);
        await page.keyboard.press("Control+k");
        await page.getByRole("combobox", { name: /Search/ }).fill("order");
        await look("palette");
      }
      const crowded = `${front.url}/t/${many.tenant}`;
      const answering = async (kind) => {
        // What never comes, or comes as an error, from everything that a page asks for itself.
        await page.route(/\/v1\/tenants\/acme\/(overview|deliveries|endpoints|events|sources)/, (route) =>
          kind === "never"
            ? undefined
            : route.fulfill({
                status: 503,
                contentType: "application/problem+json",
                body: JSON.stringify({
                  code: "unavailable",
                  detail: "The store cannot be reached.",
                  status: 503,
                }),
              }),
        );
      };
      const states = {};
      for (const [name, where] of [
        ["overview", "overview"],
        ["deliveries", "deliveries"],
        ["webhooks", "settings/webhooks"],
        ["webhook", `settings/webhooks/${seeded.ids.failing}`],
        ["delivery", `deliveries/${seeded.ids.failed}`],
        ["source", `sources/${seeded.ids.own}`],
      ]) {
        states[`loading-${name}`] = async () => {
          await answering("never");
          await page.goto(`${front.url}/t/acme/${where}`);
          await page.locator('[aria-busy="true"]').first().waitFor();
        };
        states[`error-${name}`] = async () => {
          await answering("error");
          await page.goto(`${front.url}/t/acme/${where}`);
          await page.getByRole("button", { name: "Try again" }).first().waitFor({ timeout: 30_000 });
        };
      }
      const acts = {
        ...states,
        "many-deliveries": async () => {
          await page.goto(`${crowded}/deliveries`);
          await page.getByRole("table", { name: "Deliveries" }).getByRole("link").first().waitFor();
          for (let turn = 0; turn < 6; turn += 1) {
            await page.mouse.wheel(0, 5_000);
            await page.waitForTimeout(60);
          }
        },
        "many-events": async () => {
          await page.goto(`${crowded}/events`);
        },
        "many-webhooks": async () => {
          await page.goto(`${crowded}/settings/webhooks`);
        },
        "many-event-types": async () => {
          await page.goto(`${crowded}/event-types`);
        },
        "many-overview": async () => {
          await page.goto(`${crowded}/overview`);
        },
        "event-whole": async () => {
          await page.goto(`${front.url}/t/acme/events/${seeded.ids.huge}`);
          await page.getByRole("button", { name: "Show all" }).click();
        },
        "dialog-edit-source": async () => {
          await page.goto(`${front.url}/t/acme/sources/${seeded.ids.own}`);
          await page.getByRole("button", { name: "Edit" }).click();
          await page.getByRole("dialog", { name: "Edit source" }).waitFor();
        },
        "dialog-delete": async () => {
          await page.goto(`${front.url}/t/acme/settings/webhooks/${seeded.ids.failing}`);
          await page.getByRole("button", { name: "Delete" }).click();
        },
        "dialog-test": async () => {
          await page.goto(`${front.url}/t/acme/settings/webhooks/${seeded.ids.failing}`);
          await page.getByRole("button", { name: "Send test" }).click();
          await page.getByText("See the whole request and answer").waitFor();
        },
        "dialog-recover": async () => {
          await page.goto(`${front.url}/t/acme/settings/webhooks/${seeded.ids.failing}`);
          await page.getByRole("button", { name: "Recover" }).click();
        },
        "dialog-rotate": async () => {
          await page.goto(`${front.url}/t/acme/settings/webhooks/${seeded.ids.healthy}`);
          await page.getByRole("button", { name: "Rotate secret" }).click();
        },
        "dialog-secret": async () => {
          await page.goto(`${front.url}/t/acme/settings/webhooks/${seeded.ids.healthy}`);
          await page.getByRole("button", { name: "More actions" }).click();
          await page.getByRole("menuitem", { name: "Reveal secret" }).click();
          await page.getByRole("dialog", { name: "Signing secret" }).waitFor();
        },
        "dialog-advanced": async () => {
          await page.goto(`${front.url}/t/acme/settings/webhooks?new=1`);
          await page.getByText("Advanced").click();
        },
        "dialog-portal-link": async () => {
          await page.goto(`${front.url}/t/acme/settings/api-keys`);
          await page.getByRole("button", { name: "Portal link" }).click();
        },
        "delivery-signature": async () => {
          await page.goto(`${front.url}/t/acme/deliveries/${seeded.ids.done}`);
          await page.getByRole("tab", { name: "Signature" }).click();
        },
        "delivery-request": async () => {
          await page.goto(`${front.url}/t/acme/deliveries/${seeded.ids.failed}`);
          await page.getByRole("tab", { name: "Request" }).click();
        },
        "checker-result": async () => {
          await page.goto(`${front.url}/t/acme/signature-checker`);
          await page.getByLabel("Secret", { exact: true }).fill("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
          await page
            .getByLabel("Headers")
            .fill("webhook-id: evt_1\nwebhook-timestamp: 1700000000\nwebhook-signature: v1,AAAA");
          await page.getByLabel("Body").fill("{}");
          await page.getByRole("button", { name: "Check" }).click();
          await page.getByText("The signature is not valid.").waitFor();
        },
        menu: async () => {
          await page.goto(`${front.url}/t/acme/overview`);
          if (width < 900) {
            await page.getByRole("button", { name: "Menu" }).click();
          }
        },
        portal: async () => {
          const { url } = await seeded.call("POST", "/v1/tenants/acme/portal-sessions", {
            capabilities: ["read"],
          });
          await page.goto(front.url + new URL(url).pathname + new URL(url).hash);
          await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
        },
        "portal-ended": async () => {
          await page.goto("about:blank");
          await page.goto(`${front.url}/portal#token=hkp_over`);
          await page.getByRole("heading", { name: "This link has ended" }).waitFor();
        },
      };
      for (const [name, act] of Object.entries(acts)) {
        if (only === undefined || name.includes(only)) {
          await act();
          await look(name);
          await page.unrouteAll({ behavior: "ignoreErrors" });
        }
      }
      await context.close();
    }
  } finally {
    await browser.close();
    await front.stop();
    await seeded.stop();
    await gateway.stop();
  }
  return { checked, failures };
}
