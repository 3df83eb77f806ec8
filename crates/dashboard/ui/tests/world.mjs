// What the stories happen in: the real binary with a fresh store, a real receiver, a real browser.
//
// A debug binary has no pages built in. Then, or when `HOOKYARD_UI_DIST` names others, a small server stands before it that
// gives out these pages under the same policy and passes everything else on.

import { execFileSync, spawn } from "node:child_process";
import { createHmac, timingSafeEqual } from "node:crypto";
import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import https from "node:https";
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

/** A gateway with a store of its own; `args` are further flags of `serve`. */
export async function startGateway(args = []) {
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
      ...args,
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

/** Passes a request on, and what comes back, piece by piece. */
function pass(request, answer, target, headers) {
  const passed = http.request(
    { host: target.hostname, port: target.port, method: request.method, path: request.url, headers },
    (from) => {
      answer.writeHead(from.statusCode, from.headers);
      from.pipe(answer);
    },
  );
  passed.on("error", () => answer.destroy());
  answer.on("close", () => passed.destroy());
  request.pipe(passed);
}

/** A key and a certificate that nobody has signed but itself. */
function selfSigned() {
  const args = [
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-days",
    "2",
  ];
  const pem = execFileSync("openssl", [...args, "-subj", "/CN=stories", "-keyout", "-", "-out", "-"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return { key: pem, cert: pem };
}

/** A site over https, answered by a function that may be set later. */
export async function startSite(host) {
  const site = { answer: (_, answer) => answer.writeHead(404).end() };
  const server = https.createServer(selfSigned(), (request, answer) => site.answer(request, answer));
  site.origin = `https://${host}:${await listening(server)}`;
  /** Ends TLS before somebody else, as a proxy does. */
  site.standBefore = (url) => {
    site.answer = (request, answer) =>
      pass(request, answer, new URL(url), { ...request.headers, "x-forwarded-proto": "https" });
  };
  site.stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return site;
}

const TYPES = { ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

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
  const index = readFileSync(path.join(DIST, "index.html"), "utf8");
  const target = new URL(gateway.url);
  // The page under the headers, and so the policy, that the gateway gives its own.
  const show = async (url, answer) => {
    const given = await fetch(`${gateway.url}${url}`);
    const policy = given.headers.get("content-security-policy");
    const nonce = /'nonce-([^']+)'/.exec(policy)?.[1] ?? "";
    const kept = ["content-type", "cache-control", "content-security-policy", "x-frame-options"];
    answer.writeHead(
      200,
      Object.fromEntries(
        kept.flatMap((name) => (given.headers.has(name) ? [[name, given.headers.get(name)]] : [])),
      ),
    );
    answer.end(index.replaceAll("__CSP_NONCE__", nonce));
  };
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
      show(request.url, answer).catch(() => answer.destroy());
      return;
    }
    pass(request, answer, target, request.headers);
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

export async function openBrowser(args = []) {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--force-color-profile=srgb", ...args],
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
