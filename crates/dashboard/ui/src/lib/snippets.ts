// Ready programs that verify what an endpoint receives: one for each scheme and language, each complete in itself. They
// stand in `snippets`, a file each, where the tests that run them find them too.

import type { Scheme } from "./profiles";

export type Language = "curl" | "node" | "python" | "go" | "rust";

export const LANGUAGES: readonly { readonly value: Language; readonly label: string }[] = [
  { value: "curl", label: "curl" },
  { value: "node", label: "Node" },
  { value: "python", label: "Python" },
  { value: "go", label: "Go" },
  { value: "rust", label: "Rust" },
];

const PROGRAMS = import.meta.glob<string>("./snippets/*.txt", {
  query: "?raw",
  import: "default",
  eager: true,
});

/** A program for one scheme in one language. `url` is where the endpoint receives. */
export function snippet(scheme: Scheme, language: Language, url: string): string {
  const program = PROGRAMS[`./snippets/${scheme}.${language}.txt`] ?? "";
  // In the shell an address is one word, whatever stands in it.
  return program.trimEnd().replace("{url}", () => `'${url.replaceAll("'", "'\\''")}'`);
}
