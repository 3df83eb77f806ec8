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
