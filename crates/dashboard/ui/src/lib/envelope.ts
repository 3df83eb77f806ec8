// The body an endpoint got, built once more from the event: the same members in the same order around the exact
// bytes of `data`, as each profile writes them.

export type EnvelopeEvent = {
  readonly id: string;
  readonly type: string;
  readonly occurred_at: string;
  readonly scope?: string | null;
  readonly source?: string | null;
};

type ProfileName = "standard" | "aly" | "alvys" | "alumia" | "aryeo";

/** `data` is the exact text of the event's payload. */
export function envelope(profile: ProfileName, event: EnvelopeEvent, data: string): string {
  const text = (value: string) => JSON.stringify(value);
  const at = event.occurred_at;
  switch (profile) {
    case "standard":
      return `{"type":${text(event.type)},"timestamp":${text(at)},"data":${data}}`;
    case "aly":
      return `{"id":${text(event.id)},"type":${text(event.type)},"created_at":${text(at)},"site_slug":${
        event.scope ? text(event.scope) : "null"
      },"data":${data}}`;
    case "alvys":
      return `{"id":${text(event.id)},"type":${text(event.type)},"timestamp":${text(
        at.replace(/Z$/, "0000+00:00"),
      )},"version":"v1","data":${data}}`;
    case "alumia":
      return event.source
        ? received(data)
        : `{"id":${text(event.id)},"type":${text(event.type)},"createdAt":${text(at)},"data":${data}}`;
    case "aryeo":
      return event.source ? received(data) : data;
  }
}

// What is passed on unchanged and was no JSON is shown by the API as a text.
function received(data: string): string {
  if (!data.startsWith('"')) {
    return data;
  }
  const value: unknown = JSON.parse(data);
  return typeof value === "string" && !isQuotedJson(value) ? value : data;
}

function isQuotedJson(value: string): boolean {
  try {
    JSON.parse(value);
    return true;
  } catch {
    return false;
  }
}

export const byteLength = (text: string): number => new TextEncoder().encode(text).length;
