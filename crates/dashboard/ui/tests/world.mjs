// What the stories happen in: the real binary with a fresh store, a real receiver, a real browser.
//
// A debug binary has no pages built in. Then, or when `HOOKYARD_UI_DIST` names others, a small server stands before it that
// gives out these pages under the same policy and passes everything else on.

import { spawn } from "node:child_process";
import { createHmac, timingSafeEqual } from "node:crypto";
import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const HERE = path.dirname(fileURLToPath(import.meta.url));
export const SHOTS = path.join(HERE, "shots");
const DIST = process.env.HOOKYARD_UI_DIST ?? path.join(HERE, "..", "dist");
const BINARY =
  process.env.HOOKYARD_TEST_BIN ?? path.join(HERE, "..", "..", "..", "..", "target", "debug", "hookyard");
const CHROMIUM = process.env.HOOKYARD_TEST_CHROMIUM ?? "/usr/bin/chromium";
export const OPERATOR = "operator-key-of-the-stories";

export const sleepless = async (what, test, withinMs = 10_000) => {
  const until = Date.now() + withinMs;
  for (;;) {
    const found = await test();
    if (found) {
      return found;
    }
    if (Date.now() > until) {
      throw new Error(`it took more than ${withinMs} ms until ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
};

async function listening(server) {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server.address().port;
}

async function freePort() {
  const server = http.createServer();
  const port = await listening(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export async function startGateway() {
  const data = mkdtempSync(path.join(tmpdir(), "hookyard-ui-"));
  const port = await freePort();
  const child = spawn(
    BINARY,
    [
      "serve",
      "--listen",
      `127.0.0.1:${port}`,
      "--data",
      data,
      "--allow-http",
      "--allow-network",
      "127.0.0.0/8",
    ],
    { env: { ...process.env, HOOKYARD_OPERATOR_KEY: OPERATOR }, stdio: ["ignore", "ignore", "pipe"] },
  );
  let said = "";
  child.stderr.on("data", (piece) => {
    said = (said + piece).slice(-8_000);
  });
  const url = `http://127.0.0.1:${port}`;
  await sleepless(
    `the gateway serves (${BINARY})`,
    async () => {
      if (child.exitCode !== null) {
        throw new Error(`the gateway ended: ${said}`);
      }
      return fetch(`${url}/readyz`).then(
        (it) => it.ok,
        () => false,
      );
    },
    20_000,
  );
  return {
    url,
    said: () => said,
    stop: async () => {
      child.kill("SIGTERM");
      await new Promise((resolve) => child.once("exit", resolve));
      rmSync(data, { recursive: true, force: true });
    },
  };
}

const TYPES = { ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-stories'; connect-src 'self'; img-src 'self' data:; " +
  "form-action 'none'; base-uri 'none'";

/** Where the pages are: at the gateway itself, or at a stand-in before it. */
export async function startFront(gateway) {
  // Named pages go before those of the binary: whoever works on them builds no binary for each look.
  const own = process.env.HOOKYARD_UI_DIST
    ? ""
    : await fetch(gateway.url).then(
        (it) => it.text(),
        () => "",
      );
  if (own.includes('id="root"')) {
    return { url: gateway.url, isOwn: true, stop: async () => {} };
  }
  const index = readFileSync(path.join(DIST, "index.html"), "utf8").replaceAll("__CSP_NONCE__", "stories");
  const target = new URL(gateway.url);
  const server = http.createServer((request, answer) => {
    const { pathname } = new URL(request.url, "http://front");
    if (pathname.startsWith("/assets/")) {
      const file = path.join(DIST, path.normalize(pathname));
      if (!existsSync(file)) {
        answer.writeHead(404).end();
        return;
      }
      answer.writeHead(200, { "content-type": TYPES[path.extname(file)] ?? "application/octet-stream" });
      createReadStream(file).pipe(answer);
      return;
    }
    if (pathname === "/" || /^\/(t|tenants|nodes|portal)(\/|$)/.test(pathname)) {
      answer.writeHead(200, { "content-type": "text/html", "content-security-policy": POLICY });
      answer.end(index);
      return;
    }
    const passed = http.request(
      {
        host: target.hostname,
        port: target.port,
        method: request.method,
        path: request.url,
        headers: request.headers,
      },
      (from) => {
        answer.writeHead(from.statusCode, from.headers);
        from.pipe(answer);
      },
    );
    passed.on("error", () => answer.destroy());
    answer.on("close", () => passed.destroy());
    request.pipe(passed);
  });
  const port = await listening(server);
  return {
    url: `http://127.0.0.1:${port}`,
    isOwn: false,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A receiver as a customer writes one: it checks the signature and keeps what came in. */
export async function startReceiver() {
  const state = { status: 200, body: "ok", secrets: [], received: [], port: 0, delayMs: 0 };
  const server = http.createServer((request, answer) => {
    const pieces = [];
    request.on("data", (piece) => pieces.push(piece));
    request.on("end", () => {
      const body = Buffer.concat(pieces);
      const valid = verified(body, request.headers, state.secrets);
      state.received.push({ body: body.toString(), headers: request.headers, valid });
      setTimeout(() => {
        answer.writeHead(state.status, { "content-type": "text/plain" }).end(state.body);
      }, state.delayMs);
    });
  });
  state.port = await listening(server);
  state.url = `http://127.0.0.1:${state.port}/webhooks`;
  state.stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return state;
}

/** How many of the given secrets verify a request (Standard Webhooks). */
function verified(body, headers, secrets) {
  const given = String(headers["webhook-signature"] ?? "").split(" ");
  return secrets.filter((secret) => {
    const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
    const text = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.`;
    const want = Buffer.from(`v1,${createHmac("sha256", key).update(text).update(body).digest("base64")}`);
    return given.some((it) => it.length === want.length && timingSafeEqual(Buffer.from(it), want));
  }).length;
}

/** The API as a program uses it. */
export function api(gateway, key = OPERATOR) {
  return async (method, where, body) => {
    const answer = await fetch(`${gateway.url}${where}`, {
      method,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) {
      throw new Error(`${method} ${where}: ${answer.status} ${text}`);
    }
    return text === "" ? null : JSON.parse(text);
  };
}

export async function openBrowser() {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--force-color-profile=srgb"],
  });
}

/** A page that counts every complaint of the console as a failure. */
export async function openPage(browser, { width = 1440, height = 900, dark = false } = {}) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: dark ? "dark" : "light",
    reducedMotion: "reduce",
    locale: "en-GB",
  });
  const page = await context.newPage();
  page.setDefaultTimeout(12_000);
  const complaints = [];
  page.on("console", (message) => {
    const kind = message.type();
    // The browser reports refusals of the API by itself; what the pages make of them is looked at where it matters.
    if ((kind === "error" || kind === "warning") && !/Failed to load resource/.test(message.text())) {
      complaints.push(`${kind}: ${message.text()}`);
    }
  });
  page.on("pageerror", (error) => complaints.push(`uncaught: ${error.message}`));
  return { page, context, complaints };
}

export async function signIn(page, url, key) {
  await page.goto(url);
  await page.getByLabel("API key", { exact: true }).fill(key);
  await page.getByRole("button", { name: "Sign in" }).click();
}
