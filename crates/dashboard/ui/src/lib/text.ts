// Foreign text made safe to look at. React keeps it from being read as markup; this keeps it from hiding: control
// characters and the marks that turn the direction of writing are shown as what they are.

const NAMED: Readonly<Record<string, string>> = {
  "\u200b": "U+200B",
  "\u200e": "U+200E",
  "\u200f": "U+200F",
  "\u2028": "U+2028",
  "\u2029": "U+2029",
  "\ufeff": "U+FEFF",
};

// Control characters but tab and line feed; direction marks, embeddings, overrides and isolates; zero width.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** The text with everything visible that would otherwise hide or reorder it. */
export function visible(text: string): string {
  return text.replace(HIDDEN, (it) => {
    const code = it.charCodeAt(0);
    if (code < 0x20) {
      // The pictures of the control characters stand in the same order.
      return String.fromCharCode(0x2400 + code);
    }
    if (code === 0x7f) {
      return "\u2421";
    }
    return `⟨${NAMED[it] ?? `U+${code.toString(16).toUpperCase().padStart(4, "0")}`}⟩`;
  });
}

/** A whole number with thin groups of thousands. */
export function count(value: number): string {
  return new Intl.NumberFormat("en-GB").format(value);
}

/** A share as a percentage that never rounds a failure away. */
export function percent(share: number): string {
  if (share > 0.9995 && share < 1) {
    return "> 99.9 %";
  }
  const value = share * 100;
  return `${value === 100 || value === 0 ? value : value.toFixed(1)} %`;
}

/** A number and its unit, never torn apart at the end of a line. */
export function kept(text: string): string {
  return text.replaceAll(" ", "\u00a0");
}

/** Bytes, in the unit that keeps the number short. */
export function bytes(value: number): string {
  if (value < 1_024) {
    return `${value} B`;
  }
  return value < 1_048_576 ? `${(value / 1_024).toFixed(1)} KiB` : `${(value / 1_048_576).toFixed(1)} MiB`;
}

/** "1 delivery", "3 deliveries". */
export function plural(value: number, one: string, many: string): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A value of the API as words: `http_error` → `HTTP error`. */
export function words(value: string): string {
  const plain = value.replaceAll("_", " ").replace(/\b(http|tls|dns|url|id)\b/g, (it) => it.toUpperCase());
  return plain.charAt(0).toUpperCase() + plain.slice(1);
}
