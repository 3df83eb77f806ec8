// A request as a command line.

/** One word for a POSIX shell, whatever is in it. */
export function quoted(text: string): string {
  if (text !== "" && /^[A-Za-z0-9_@%+=:,./-]+$/.test(text)) {
    return text;
  }
  return `'${text.replaceAll("'", "'\\''")}'`;
}

// What curl sets by itself, or what belonged to the connection that is gone.
const OWN = new Set(["host", "content-length", "connection", "accept-encoding", "transfer-encoding"]);

export type Sent = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/** The same request by curl, signature and all. */
export function curl({ url, headers, body }: Sent): string {
  // No piece of it is more than text to curl: neither brackets in the URL, nor an `@` before the body.
  const lines = [`curl -sS -i --globoff -X POST ${quoted(url)}`];
  for (const [name, value] of Object.entries(headers)) {
    if (!OWN.has(name.toLowerCase())) {
      lines.push(`-H ${quoted(value === "" ? `${name};` : `${name}: ${value}`)}`);
    }
  }
  lines.push(`--data-raw ${quoted(body)}`);
  return lines.join(" \\\n  ");
}
