// The one way to the gateway: typed by the committed OpenAPI, signed in by the session's cookie, refusals thrown as
// `Problem`s.

import createClient, { type Middleware } from "openapi-fetch";
import { problemOf } from "../lib/problem";
import type { paths } from "./schema";

/** Told when an answer says that the session is over. */
let onSignedOut: () => void = () => {};

export function whenSignedOut(act: () => void): void {
  onSignedOut = act;
}

/** 128 random bits; `crypto.randomUUID` is missing where the page is served by plain http. */
export function token(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((it) => it.toString(16).padStart(2, "0")).join("");
}

/** Which of the two sessions a browser may hold is meant; other sites cannot send it, which is what makes it safe. */
export function sessionName(): "dashboard" | "portal" {
  return /^\/portal(\/|$)/.test(globalThis.location?.pathname ?? "") ? "portal" : "dashboard";
}

export const SESSION_HEADER = "x-hookyard-session";

const manners: Middleware = {
  onRequest({ request }) {
    request.headers.set(SESSION_HEADER, sessionName());
    // Where the browser repeats a request by itself, it is still done once.
    if (request.method === "POST" && new URL(request.url).pathname.startsWith("/v1/")) {
      request.headers.set("idempotency-key", token());
    }
    return request;
  },
  onResponse({ request, response }) {
    if (response.status === 401 && new URL(request.url).pathname.startsWith("/v1/")) {
      onSignedOut();
    }
  },
};

export const api = createClient<paths>({
  baseUrl: globalThis.location?.origin ?? "",
  credentials: "same-origin",
  fetch: (request) => globalThis.fetch(request),
});
api.use(manners);

type Answer<T> = { readonly data?: T; readonly error?: unknown; readonly response: Response };

/** What was asked for, or the problem thrown. */
export async function want<T>(asked: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await asked;
  if (!response.ok) {
    throw problemOf(response.status, error, response.headers.get("retry-after"));
  }
  return data as T;
}

/** As `want`, for answers without a body. */
export async function done(asked: Promise<Answer<unknown>>): Promise<void> {
  await want(asked);
}

/** The exact text of an answer, for bytes that must not go through a parser. */
export async function text(path: string): Promise<string> {
  return (await fetched(path)).text();
}

/** An answer's bytes. A link would not say which session is meant. */
export async function file(path: string): Promise<Blob> {
  return (await fetched(path)).blob();
}

async function fetched(path: string): Promise<Response> {
  const response = await globalThis.fetch(path, {
    credentials: "same-origin",
    headers: { [SESSION_HEADER]: sessionName() },
  });
  if (response.status === 401) {
    onSignedOut();
  }
  if (!response.ok) {
    let parsed: unknown = null;
    try {
      parsed = JSON.parse(await response.text());
    } catch {
      // Not a problem document: the status says it.
    }
    throw problemOf(response.status, parsed, response.headers.get("retry-after"));
  }
  return response;
}
