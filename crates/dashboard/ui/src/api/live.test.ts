import { QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { COSTLY_MS, Refresher } from "./live";

describe("what happens elsewhere", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("brings the numbers up to date at once, then on a calm beat, and once more at the end", async () => {
    const client = new QueryClient();
    const asked: string[] = [];
    vi.spyOn(client, "invalidateQueries").mockImplementation(async (filters) => {
      asked.push(String(filters?.queryKey?.[0]));
    });
    const overviews = () => asked.filter((it) => it === "overview").length;
    const refresher = new Refresher(client, "acme");
    const busy = async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 100) {
        refresher.note("attempts");
        await vi.advanceTimersByTimeAsync(100);
      }
    };
    await busy(1_000);
    expect(overviews()).toBe(1);
    await busy(2 * COSTLY_MS);
    expect(overviews()).toBe(3);
    const deliveries = asked.filter((it) => it === "delivery").length;
    expect(deliveries).toBeGreaterThan(8);
    // Nothing happens any more: what happened last is not left out.
    await vi.advanceTimersByTimeAsync(COSTLY_MS);
    expect(overviews()).toBe(4);
    await vi.advanceTimersByTimeAsync(10 * COSTLY_MS);
    expect(overviews()).toBe(4);
    refresher.note("events");
    refresher.stop();
    await vi.advanceTimersByTimeAsync(10 * COSTLY_MS);
    expect(overviews()).toBe(4);
  });
});
