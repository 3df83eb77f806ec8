// Event patterns: exact types, prefixes such as `order.*`, and `*` for all.

export function matches(pattern: string, type: string): boolean {
  if (pattern === "*") {
    return true;
  }
  return pattern.endsWith(".*") ? type.startsWith(pattern.slice(0, -1)) : pattern === type;
}

export function matchesAny(patterns: readonly string[], type: string): boolean {
  return patterns.some((pattern) => matches(pattern, type));
}

/** The prefix patterns a catalogue offers, those with two types or more. */
export function prefixes(types: readonly string[]): string[] {
  const seen = new Map<string, number>();
  for (const type of types) {
    const dot = type.indexOf(".");
    if (dot > 0) {
      const prefix = `${type.slice(0, dot)}.*`;
      seen.set(prefix, (seen.get(prefix) ?? 0) + 1);
    }
  }
  return [...seen].filter(([, times]) => times > 1).map(([prefix]) => prefix);
}
