// JSON looked at without losing anything: the exact text of one member, and a laid-out form for reading. Numbers are
// never put through a double, so `12345678901234567890` stays what it is.

/** Where a value that begins at `from` ends, or -1 when it is cut off. */
function end(text: string, from: number): number {
  const first = text[from];
  if (first === '"') {
    for (let at = from + 1; at < text.length; at += 1) {
      if (text[at] === "\\") {
        at += 1;
      } else if (text[at] === '"') {
        return at + 1;
      }
    }
    return -1;
  }
  if (first === "{" || first === "[") {
    let depth = 0;
    for (let at = from; at < text.length; at += 1) {
      const it = text[at];
      if (it === '"') {
        const closed = end(text, at);
        if (closed < 0) {
          return -1;
        }
        at = closed - 1;
      } else if (it === "{" || it === "[") {
        depth += 1;
      } else if (it === "}" || it === "]") {
        depth -= 1;
        if (depth === 0) {
          return at + 1;
        }
      }
    }
    return -1;
  }
  let at = from;
  while (at < text.length && !",}] \t\r\n".includes(text.charAt(at))) {
    at += 1;
  }
  return at;
}

function skip(text: string, from: number): number {
  let at = from;
  while (at < text.length && " \t\r\n".includes(text.charAt(at))) {
    at += 1;
  }
  return at;
}

/** The exact text of a member of the object that `text` is, or null. */
export function member(text: string, name: string): string | null {
  let at = skip(text, 0);
  if (text[at] !== "{") {
    return null;
  }
  at = skip(text, at + 1);
  while (at < text.length && text[at] === '"') {
    const keyEnd = end(text, at);
    if (keyEnd < 0) {
      return null;
    }
    const key: unknown = JSON.parse(text.slice(at, keyEnd));
    at = skip(text, keyEnd);
    if (text[at] !== ":") {
      return null;
    }
    at = skip(text, at + 1);
    const valueEnd = end(text, at);
    if (valueEnd < 0) {
      return null;
    }
    if (key === name) {
      return text.slice(at, valueEnd);
    }
    at = skip(text, valueEnd);
    if (text[at] !== ",") {
      return null;
    }
    at = skip(text, at + 1);
  }
  return null;
}

/** Whether a text is JSON. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The same JSON, one member a line; text that is no JSON stays as it is. */
export function laidOut(text: string): string {
  if (!isJson(text)) {
    return text;
  }
  let out = "";
  let depth = 0;
  const line = () => `\n${"  ".repeat(depth)}`;
  for (let at = skip(text, 0); at < text.length; at = skip(text, at)) {
    const it = text.charAt(at);
    if (it === "{" || it === "[") {
      const next = skip(text, at + 1);
      const close = text.charAt(next);
      if (close === "}" || close === "]") {
        out += it + close;
        at = next + 1;
        continue;
      }
      depth += 1;
      out += it + line();
      at += 1;
    } else if (it === "}" || it === "]") {
      depth -= 1;
      out += line() + it;
      at += 1;
    } else if (it === ",") {
      out += it + line();
      at += 1;
    } else if (it === ":") {
      out += ": ";
      at += 1;
    } else {
      const to = Math.max(end(text, at), at + 1);
      out += text.slice(at, to);
      at = to;
    }
  }
  return out;
}

export type Token = { readonly kind: "key" | "text" | "number" | "word" | "plain"; readonly text: string };

/** Laid-out JSON in coloured pieces. */
export function tokens(text: string): Token[] {
  const found: Token[] = [];
  const pattern = /("(?:[^"\\]|\\.)*")(\s*:)?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\b(?:true|false|null)\b/g;
  let last = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > last) {
      found.push({ kind: "plain", text: text.slice(last, match.index) });
    }
    const [whole, quoted, colon] = match;
    if (quoted === undefined) {
      found.push({ kind: /^[tfn]/.test(whole) ? "word" : "number", text: whole });
    } else if (colon === undefined) {
      found.push({ kind: "text", text: quoted });
    } else {
      found.push({ kind: "key", text: quoted }, { kind: "plain", text: colon });
    }
    last = match.index + whole.length;
  }
  if (last < text.length) {
    found.push({ kind: "plain", text: text.slice(last) });
  }
  return found;
}
