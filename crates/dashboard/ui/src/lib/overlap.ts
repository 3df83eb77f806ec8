// Until when two secrets sign, as this tab knows from rotating: the API does not tell it later. No secret stands here.

const key = (endpoint: string) => `hookyard-overlap-${endpoint}`;

export function keepOverlap(endpoint: string, until: Date): void {
  try {
    sessionStorage.setItem(key(endpoint), until.toISOString());
  } catch {
    // Storage may be forbidden, as in some frames; then the dialog alone has said it.
  }
}

/** The end of the overlap, while it lasts. */
export function overlapOf(endpoint: string, now = Date.now()): string | null {
  try {
    const until = sessionStorage.getItem(key(endpoint));
    return until !== null && new Date(until).getTime() > now ? until : null;
  } catch {
    return null;
  }
}
