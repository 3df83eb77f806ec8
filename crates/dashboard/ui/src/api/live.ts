// What happens elsewhere, shown here at once: one stream for the tab, closed while nobody looks. Without it the lists
// are asked for every few seconds.

import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { createContext, useContext, useEffect, useState } from "react";
import { listen, type Message, type StreamState } from "../lib/sse";
import { SESSION_HEADER, sessionName } from "./client";
import { askHead } from "./deliveries";
import { endpointsKey } from "./endpoints";
import { askEventsHead } from "./events";
import { refreshHeads } from "./pages";

/** How often lists are read again while much is happening. */
const CALM_MS = 700;
/** How often what is costly to the gateway, the numbers and the list of all webhooks, is read again meanwhile. */
export const COSTLY_MS = 4_000;
/** How often they are read without a stream. */
const POLL_MS = 3_000;

export type Live = "live" | "connecting" | "polling" | "hidden";

export const LiveContext = createContext<Live>("connecting");

export function useLive(): Live {
  return useContext(LiveContext);
}

type Kind = "events" | "attempts" | "endpoints";

/** Gathers what changed and brings it up to date, calmly. */
export class Refresher {
  private readonly due = new Set<Kind>();
  private timer: ReturnType<typeof setTimeout> | null = null;
  private costlyTimer: ReturnType<typeof setTimeout> | null = null;
  private costlyAt = Number.NEGATIVE_INFINITY;
  private busy = false;
  private readonly client: QueryClient;
  private readonly tenant: string;

  constructor(client: QueryClient, tenant: string) {
    this.client = client;
    this.tenant = tenant;
  }

  note(...kinds: readonly Kind[]): void {
    for (const kind of kinds) {
      this.due.add(kind);
    }
    if (this.timer === null && !this.busy) {
      this.timer = setTimeout(() => void this.run(), CALM_MS);
    }
  }

  stop(): void {
    if (this.timer !== null) {
      clearTimeout(this.timer);
    }
    if (this.costlyTimer !== null) {
      clearTimeout(this.costlyTimer);
    }
    this.timer = null;
    this.costlyTimer = null;
    this.due.clear();
  }

  /** At once when it was long ago; else once more when the time has come, so that nothing stays as it was. */
  private async costly(): Promise<void> {
    const waitMs = this.costlyAt + COSTLY_MS - Date.now();
    if (waitMs > 0) {
      this.costlyTimer ??= setTimeout(() => {
        this.costlyTimer = null;
        void this.costly();
      }, waitMs);
      return;
    }
    this.costlyAt = Date.now();
    const { client, tenant } = this;
    const keys = [["overview", tenant], ["stats", tenant], endpointsKey(tenant)];
    await Promise.allSettled(keys.map((queryKey) => client.invalidateQueries({ queryKey })));
  }

  private async run(): Promise<void> {
    this.timer = null;
    this.busy = true;
    const due = new Set(this.due);
    this.due.clear();
    const { client, tenant } = this;
    const again = (...key: readonly unknown[]) => client.invalidateQueries({ queryKey: key });
    const work: Promise<unknown>[] = [];
    if (due.has("events")) {
      work.push(refreshHeads(client, ["events", tenant], askEventsHead));
    }
    if (due.has("events") || due.has("attempts")) {
      work.push(refreshHeads(client, ["deliveries", tenant], askHead), this.costly());
    }
    if (due.has("attempts")) {
      work.push(
        again("delivery", tenant),
        again("attempts", tenant),
        again("event-deliveries", tenant),
        again("endpoint", tenant),
      );
    }
    if (due.has("endpoints")) {
      work.push(again("endpoint", tenant), again(...endpointsKey(tenant)));
    }
    await Promise.allSettled(work);
    this.busy = false;
    if (this.due.size > 0) {
      this.note();
    }
  }
}

function kindsOf(message: Message): Kind[] {
  switch (message.event) {
    case "event.accepted":
      return ["events"];
    case "attempt.finished":
      return ["attempts"];
    case "endpoint.changed":
      return ["endpoints"];
    case "lagged":
      return ["events", "attempts", "endpoints"];
    default:
      return [];
  }
}

/** Keeps the shown lists of a tenant current for as long as it is used. */
export function useLiveUpdates(tenant: string | null): Live {
  const client = useQueryClient();
  const [state, setState] = useState<StreamState>("connecting");
  const [hidden, setHidden] = useState(() => document.hidden);

  useEffect(() => {
    const look = () => setHidden(document.hidden);
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, []);

  useEffect(() => {
    if (tenant === null || hidden) {
      return;
    }
    const refresher = new Refresher(client, tenant);
    let wasAway = false;
    const stop = listen({
      url: `/v1/tenants/${encodeURIComponent(tenant)}/stream`,
      headers: { [SESSION_HEADER]: sessionName() },
      onState: (next) => {
        setState(next);
        if (next === "offline") {
          wasAway = true;
        } else if (next === "live" && wasAway) {
          wasAway = false;
          refresher.note("events", "attempts", "endpoints");
        }
      },
      onMessage: (message) => refresher.note(...kindsOf(message)),
    });
    return () => {
      stop();
      refresher.stop();
    };
  }, [client, tenant, hidden]);

  useEffect(() => {
    if (tenant === null || hidden || state === "live") {
      return;
    }
    const refresher = new Refresher(client, tenant);
    const timer = setInterval(() => refresher.note("events", "attempts", "endpoints"), POLL_MS);
    return () => {
      clearInterval(timer);
      refresher.stop();
    };
  }, [client, tenant, hidden, state]);

  if (hidden) {
    return "hidden";
  }
  return state === "live" ? "live" : state === "connecting" ? "connecting" : "polling";
}
