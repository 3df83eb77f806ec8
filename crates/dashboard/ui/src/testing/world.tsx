// A page in a world of its own: a tenant, and a gateway that answers as the test says.

import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import type { ReactNode } from "react";
import { vi } from "vitest";
import { Router } from "wouter";
import { memoryLocation } from "wouter/memory-location";
import { type Place, PlaceContext } from "../api/session";
import { theme, variables } from "../parts/theme";
import { Toasts } from "../parts/toasts";

export const PLACE: Place = {
  tenant: "acme",
  tenantName: "Acme",
  profile: "standard",
  scope: null,
  isOperator: false,
  isPortal: false,
  can: { read: true, manage: true, replay: true, configure: true, publish: true, admin: true },
};

/** An answer: a value is 200 with it, a number is that status with a problem, "never" is none. */
export type Answer = number | "never" | object;

export type Asked = {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly body: string;
};

/** Puts a gateway before the pages. The longest path that fits answers. */
export function gateway(answers: Readonly<Record<string, Answer>>): Asked[] {
  const asked: Asked[] = [];
  vi.stubGlobal("fetch", async (input: Request | string, init?: RequestInit) => {
    const request =
      input instanceof Request ? input : new Request(new URL(input, "http://localhost:3000"), init);
    const { pathname, search } = new URL(request.url);
    asked.push({ method: request.method, path: pathname, query: search, body: await request.clone().text() });
    const fits = Object.keys(answers)
      .filter((it) => pathname.endsWith(it))
      .sort((a, b) => b.length - a.length);
    const answer = answers[fits[0] ?? ""] ?? { data: [], next_cursor: null };
    if (answer === "never") {
      return new Promise<Response>(() => {});
    }
    const isProblem = typeof answer === "number";
    const body = isProblem
      ? {
          type: "about:blank",
          title: "No",
          status: answer,
          code: "refused",
          detail: `The gateway said ${answer}.`,
        }
      : answer;
    return new Response(JSON.stringify(body), {
      status: isProblem ? answer : 200,
      headers: { "content-type": isProblem ? "application/problem+json" : "application/json" },
    });
  });
  return asked;
}

export function list(...data: readonly object[]): object {
  return { data, next_cursor: null };
}

export function show(page: ReactNode, place: Place = PLACE, path = "/t/acme/here") {
  const client = new QueryClient({
    defaultOptions: { queries: { retry: false }, mutations: { retry: false } },
  });
  const { hook, searchHook, history } = memoryLocation({ path, record: true });
  return {
    history,
    ...render(
      <MantineProvider cssVariablesResolver={variables} env="test" theme={theme}>
        <QueryClientProvider client={client}>
          <Toasts>
            <Router hook={hook} searchHook={searchHook}>
              <PlaceContext value={place}>{page}</PlaceContext>
            </Router>
          </Toasts>
        </QueryClientProvider>
      </MantineProvider>,
    ),
  };
}
