// Server-Sent Events over `fetch`: unlike `EventSource` it can begin after an event seen before, which matters when a
// tab was hidden for a while, and it tells why a connection was refused.

export type Message = { readonly id: string | null; readonly event: string; readonly data: string };

/** Takes text in whatever pieces it comes and gives whole messages out. */
export class Reader {
  private rest = "";
  private lines: string[] = [];

  push(text: string): Message[] {
    const found: Message[] = [];
    const parts = (this.rest + text).split(/\r\n|\n|\r(?!$)/);
    this.rest = parts.pop() ?? "";
    for (const line of parts) {
      if (line !== "") {
        this.lines.push(line);
        continue;
      }
      const message = read(this.lines);
      this.lines = [];
      if (message !== null) {
        found.push(message);
      }
    }
    return found;
  }
}

function read(lines: readonly string[]): Message | null {
  let id: string | null = null;
  let event = "message";
  const data: string[] = [];
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "id") {
      id = value;
    } else if (name === "event") {
      event = value;
    } else if (name === "data") {
      data.push(value);
    }
  }
  return data.length === 0 && id === null && event === "message"
    ? null
    : { id, event, data: data.join("\n") };
}

export type StreamState = "connecting" | "live" | "offline" | "absent";

export type Stream = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly onMessage: (message: Message) => void;
  readonly onState: (state: StreamState) => void;
  /** Beyond how many milliseconds of silence a connection counts as dead. */
  readonly silenceMs?: number;
};

/** Listens until the answer is called. Comes back by itself, later each time. */
export function listen({ url, headers: given, onMessage, onState, silenceMs = 45_000 }: Stream): () => void {
  const stop = new AbortController();
  let last: string | null = null;
  let failures = 0;

  const once = async (): Promise<boolean> => {
    const attempt = new AbortController();
    const end = () => attempt.abort();
    stop.signal.addEventListener("abort", end);
    let quiet = setTimeout(end, silenceMs);
    try {
      const headers: Record<string, string> = { ...given, accept: "text/event-stream" };
      if (last !== null) {
        headers["last-event-id"] = last;
      }
      const answer = await fetch(url, { headers, signal: attempt.signal, credentials: "same-origin" });
      if (answer.status === 404 || answer.status === 403 || answer.status === 401) {
        onState("absent");
        return false;
      }
      if (answer.status === 410) {
        // What came behind the last id is not kept any more: on from now, and everything is read again.
        last = null;
        onMessage({ id: null, event: "lagged", data: "" });
        return true;
      }
      const type = answer.headers.get("content-type") ?? "";
      if (!answer.ok || answer.body === null || !type.startsWith("text/event-stream")) {
        return true;
      }
      onState("live");
      failures = 0;
      const reader = new Reader();
      const text = answer.body.pipeThrough(new TextDecoderStream());
      const pieces = text.getReader();
      for (;;) {
        const { done, value } = await pieces.read();
        if (done) {
          return true;
        }
        clearTimeout(quiet);
        quiet = setTimeout(end, silenceMs);
        for (const message of reader.push(value)) {
          last = message.id ?? last;
          onMessage(message);
        }
      }
    } catch {
      return true;
    } finally {
      clearTimeout(quiet);
      stop.signal.removeEventListener("abort", end);
    }
  };

  const forEver = async () => {
    onState("connecting");
    while (!stop.signal.aborted && (await once())) {
      if (stop.signal.aborted) {
        return;
      }
      failures += 1;
      onState("offline");
      const waitMs = Math.min(15_000, 500 * 2 ** Math.min(failures, 5));
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, waitMs);
        stop.signal.addEventListener("abort", () => {
          clearTimeout(timer);
          resolve(null);
        });
      });
    }
  };
  void forEver();
  return () => stop.abort();
}
