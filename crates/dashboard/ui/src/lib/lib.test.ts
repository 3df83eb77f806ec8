import { createHmac } from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import { given, policyOf } from "./draft";
import { envelope } from "./envelope";
import { laidOut, member, tokens } from "./json";
import { matches, prefixes } from "./patterns";
import { fieldError, formError, Problem, problemOf, reason } from "./problem";
import { explain } from "./profiles";
import { moments, readDelays } from "./retry";
import { curl, quoted } from "./shell";
import { LANGUAGES, snippet } from "./snippets";
import { Reader } from "./sse";
import { percent, visible, words } from "./text";
import { ago, millis, span } from "./time";

describe("times", () => {
  it("are told in the two largest units that say something", () => {
    expect([0, 0.25, 1, 90, 5_400, 86_400, 90_061].map(span)).toEqual([
      "0 s",
      "250 ms",
      "1 s",
      "1 min 30 s",
      "1 h 30 min",
      "1 d",
      "1 d 1 h",
    ]);
    expect([12, 1_250, 61_000].map(millis)).toEqual(["12 ms", "1.25 s", "1 min 1 s"]);
  });

  it("are told from now, both ways", () => {
    const now = Date.parse("2026-05-19T08:00:00Z");
    expect(ago("2026-05-19T07:59:48Z", now)).toBe("12 s ago");
    expect(ago("2026-05-19T08:04:10Z", now)).toBe("in 4 min");
    expect(ago("2026-05-19T08:00:00Z", now)).toBe("just now");
    expect(ago("nonsense", now)).toBe("nonsense");
  });
});

describe("foreign text", () => {
  it("shows what would hide or turn it", () => {
    expect(visible("a\u0000b\u001bc")).toBe("a␀b␛c");
    expect(visible("\u202Eevil")).toBe("⟨U+202E⟩evil");
    expect(visible("zero\u200bwidth")).toBe("zero⟨U+200B⟩width");
    expect(visible("line\n\ttab طلب")).toBe("line\n\ttab طلب");
  });

  it("is put into words without rounding failures away", () => {
    expect(percent(0.99999)).toBe("> 99.9 %");
    expect([1, 0, 0.5].map(percent)).toEqual(["100 %", "0 %", "50.0 %"]);
    expect(words("http_error")).toBe("HTTP error");
  });
});

describe("JSON", () => {
  const text = '{"a":1,"data":{"n":12345678901234567890,"t":"a\\"}{"},"z":[]}';

  it("keeps the exact text of a member", () => {
    expect(member(text, "data")).toBe('{"n":12345678901234567890,"t":"a\\"}{"}');
    expect(member(text, "missing")).toBeNull();
    expect(member("[1]", "data")).toBeNull();
    expect(member('{"data": "cut off', "data")).toBeNull();
  });

  it("is laid out without a number losing a digit", () => {
    expect(laidOut(text)).toContain("12345678901234567890");
    expect(JSON.parse(laidOut('{"a":[1,{"b":null}],"c":{}}'))).toEqual({ a: [1, { b: null }], c: {} });
    expect(laidOut("no json")).toBe("no json");
  });

  it("is coloured without a letter lost", () => {
    const laid = laidOut(text);
    expect(
      tokens(laid)
        .map((it) => it.text)
        .join(""),
    ).toBe(laid);
    expect(tokens('{"k": true}').map((it) => it.kind)).toEqual([
      "plain",
      "key",
      "plain",
      "plain",
      "word",
      "plain",
    ]);
  });
});

describe("problems", () => {
  const problem = problemOf(422, {
    code: "invalid",
    detail: "One field is wrong.",
    errors: [{ pointer: "/events/0", code: "bad", message: "use a type" }],
  });

  it("stand beside their fields", () => {
    expect(fieldError(problem, "/events")).toBe("use a type");
    expect(fieldError(problem, "/url")).toBeNull();
    expect(formError(problem, ["/events"])).toBeNull();
    expect(formError(problem, ["/url"])).toBe("/events/0: use a type");
  });

  it("say something whatever came back", () => {
    expect(problemOf(502, "<html>").message).toMatch(/could not answer \(502\)/);
    expect(problemOf(429, null, "7").retryAfterS).toBe(7);
    expect(reason(new TypeError("Failed to fetch"))).toMatch(/cannot be reached/);
    expect(problem).toBeInstanceOf(Problem);
  });
});

describe("patterns and policies", () => {
  it("match as the gateway does", () => {
    expect(matches("*", "a.b")).toBe(true);
    expect(matches("order.*", "order.created")).toBe(true);
    expect(matches("order.*", "orders.created")).toBe(false);
    expect(matches("order.created", "order.created")).toBe(true);
    expect(prefixes(["order.created", "order.paid", "site.up"])).toEqual(["order.*"]);
  });

  it("read delays as people write them", () => {
    expect(readDelays("10, 1m 2h")).toEqual([10, 60, 7_200]);
    expect(readDelays("soon")).toBeNull();
    expect(moments([10, 100]).map((it) => it.afterS)).toEqual([0, 10, 110]);
  });

  it("ask for nothing that was left empty", () => {
    const blank = {
      retry: "" as const,
      delays: "",
      jitter: 0,
      timeoutS: "",
      perS: "",
      burst: "",
      maxInFlight: "",
      autoDisable: "" as const,
      autoDisableAfter: "",
    };
    expect(given(policyOf(blank))).toEqual({});
    expect(
      given(policyOf({ ...blank, retry: "own", delays: "10", jitter: 20, perS: "5", autoDisable: "never" })),
    ).toEqual({
      retry: { delays_s: [10], jitter: 0.2 },
      rate_limit: { per_s: 5 },
      auto_disable: false,
    });
  });
});

describe("commands", () => {
  it("quote whatever is in them", () => {
    expect(quoted("plain-1.2")).toBe("plain-1.2");
    expect(quoted("it's; rm -rf")).toBe("'it'\\''s; rm -rf'");
    const line = curl({
      url: "https://a.example/?x=$(id)",
      headers: { Host: "a", "X-A": "`id`", "X-Empty": "" },
      body: "@/etc/hostname",
    });
    // Text of the body, never the name of a file.
    expect(line).toContain("--data-raw @/etc/hostname");
    expect(line).toContain("--globoff");
    expect(line).toContain("-H 'X-Empty;'");
    expect(line).toContain("'https://a.example/?x=$(id)'");
    expect(line).toContain("-H 'X-A: `id`'");
    expect(line).not.toContain("Host");
  });
});

describe("bodies built once more", () => {
  const event = {
    id: "evt_1",
    type: "order.created",
    occurred_at: "2026-05-19T08:35:14.000Z",
    scope: "acme",
  };

  it("are those of each profile", () => {
    expect(envelope("standard", event, "{}")).toBe(
      '{"type":"order.created","timestamp":"2026-05-19T08:35:14.000Z","data":{}}',
    );
    expect(envelope("aly", event, "1")).toBe(
      '{"id":"evt_1","type":"order.created","created_at":"2026-05-19T08:35:14.000Z","site_slug":"acme","data":1}',
    );
    expect(envelope("alvys", event, "1")).toContain(
      '"timestamp":"2026-05-19T08:35:14.0000000+00:00","version":"v1"',
    );
    expect(envelope("aryeo", event, '{"a":1.0}')).toBe('{"a":1.0}');
    expect(envelope("alumia", { ...event, source: "src_1" }, '"a=b"')).toBe("a=b");
    // A text that was published is JSON, and stays in its quotes.
    expect(envelope("aryeo", event, '"@/etc/hostname"')).toBe('"@/etc/hostname"');
    expect(envelope("aryeo", { ...event, source: "src_1" }, '"a=b"')).toBe("a=b");
  });
});

describe("signatures", () => {
  it("are explained for each profile", () => {
    const standard = explain("standard", {
      "Webhook-Id": "evt_1",
      "webhook-timestamp": "5",
      "webhook-signature": "v1,A v1,B",
    });
    expect(standard?.recipe).toBe("evt_1.5.{body}");
    expect(standard?.parts.filter((it) => it.name === "webhook-signature")).toHaveLength(2);
    expect(explain("aly", { "X-Aly-Signature": "t=5,v1=ab" })?.recipe).toBe("5.{body}");
    expect(
      explain("alvys", { "X-Alvys-Signature": "t=5,v1=ab,v0=cd", "X-Alvys-Event-Id": "e" })?.parts,
    ).toHaveLength(4);
    expect(explain("aryeo", {})).toBeNull();
  });

  it("are verified by the program that is handed out", async () => {
    const body = '{"type":"test.ping"}';
    const now = Math.floor(Date.now() / 1_000);
    const hex = (key: string, text: string) => createHmac("sha256", key).update(text).digest("hex");
    const raw = Buffer.from("0123456789abcdef01234567");
    const secret = `whsec_${raw.toString("base64")}`;
    const base64 = createHmac("sha256", raw).update(`e.${now}.${body}`).digest("base64");
    const cases = {
      standard: {
        "webhook-id": "e",
        "webhook-timestamp": String(now),
        "webhook-signature": `v1,zzz v1,${base64}`,
      },
      aly: { "x-aly-signature": `t=${now},v1=${hex(secret, `${now}.${body}`)}` },
      alvys: {
        "x-alvys-event-id": "e",
        "x-alvys-signature": `t=${now},v1=${"0".repeat(64)},v0=${hex(secret, `${now}.e.${body}`)}`,
      },
      aryeo: { signature: hex(secret, body) },
    } as const;
    for (const [scheme, headers] of Object.entries(cases)) {
      const program = snippet(scheme as keyof typeof cases, "node", "https://a.example");
      const { verify } = (await import(
        /* @vite-ignore */ `data:text/javascript;base64,${Buffer.from(program).toString("base64")}`
      )) as { verify: (body: string, headers: object, secret: string) => boolean };
      expect(verify(body, headers, secret), scheme).toBe(true);
      expect(verify(`${body} `, headers, secret), scheme).toBe(false);
      expect(verify(body, {}, secret), scheme).toBe(false);
    }
  });

  it("have a program in every language for every scheme, with the secret from outside", () => {
    for (const scheme of ["standard", "aly", "alvys", "aryeo"] as const) {
      for (const { value } of LANGUAGES) {
        const text = snippet(scheme, value, "https://a.example/it's");
        expect(text.length).toBeGreaterThan(120);
        expect(text).not.toMatch(/undefined|\[object/);
      }
      expect(snippet(scheme, "curl", "https://a.example/it's")).toContain("'https://a.example/it'\\''s'");
    }
  });
});

describe("a stream", () => {
  it("is read in whatever pieces it comes", () => {
    const reader = new Reader();
    const found = [
      ...reader.push(": keep-alive\n\nid: 7\nevent: attempt.fin"),
      ...reader.push('ished\ndata: {"a":1}\ndata: x\r\n'),
      ...reader.push("\r\nid: 8\n\n"),
    ];
    expect(found).toEqual([
      { id: "7", event: "attempt.finished", data: '{"a":1}\nx' },
      { id: "8", event: "message", data: "" },
    ]);
  });

  it("that is away for too long goes on from now, and says that something is missed", async () => {
    const { listen } = await import("./sse");
    const asked: (string | null)[] = [];
    const live = { headers: { "content-type": "text/event-stream" } };
    const answers = [
      new Response("id: 5\n\n", live),
      new Response("", { status: 410 }),
      new Response("", { status: 404 }),
    ];
    vi.stubGlobal("fetch", async (_: string, init: RequestInit) => {
      asked.push(new Headers(init.headers).get("last-event-id"));
      return answers.shift();
    });
    const seen: string[] = [];
    await new Promise<void>((resolve) => {
      listen({
        url: "/s",
        headers: {},
        onMessage: (message) => seen.push(message.event),
        onState: (state) => (state === "absent" ? resolve() : undefined),
      });
    });
    expect(asked).toEqual([null, "5", null]);
    expect(seen).toEqual(["message", "lagged"]);
  });

  it("is taken up after the last id, and given up when it is not there", async () => {
    const { listen } = await import("./sse");
    const asked: (string | null)[] = [];
    const answers = [
      () =>
        new Response("id: 5\nevent: lagged\ndata: 1\n\n", {
          headers: { "content-type": "text/event-stream" },
        }),
      () => new Response("", { status: 404 }),
    ];
    vi.stubGlobal("fetch", async (_: string, init: RequestInit) => {
      asked.push(new Headers(init.headers).get("last-event-id"));
      return (answers.shift() ?? (() => new Response("", { status: 404 })))();
    });
    const states: string[] = [];
    const seen: string[] = [];
    await new Promise<void>((resolve) => {
      listen({
        url: "/s",
        headers: {},
        onMessage: (message) => seen.push(message.event),
        onState: (state) => {
          states.push(state);
          if (state === "absent") {
            resolve();
          }
        },
      });
    });
    expect(asked).toEqual([null, "5"]);
    expect(seen).toEqual(["lagged"]);
    expect(states).toEqual(["connecting", "live", "offline", "absent"]);
  });
});
