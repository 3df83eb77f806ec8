// Every screen at both widths and in both themes: photographed, measured for overflow, and gone over by axe.

import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { screens, seed } from "./seed.mjs";
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
        await settled(page);
        checked += 1;
        const shot = path.join(SHOTS, `${name}-${width}-${dark ? "dark" : "light"}.png`);
        await page.screenshot({ path: shot, fullPage: !name.endsWith("-huge") });
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
      const acts = {
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
