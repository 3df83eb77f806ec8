// Why a request was not done, in the API's own words.

export type FieldError = { readonly pointer: string; readonly code: string; readonly message: string };

export class Problem extends Error {
  override readonly name = "Problem";
  readonly status: number;
  readonly code: string;
  readonly fields: readonly FieldError[];
  readonly retryAfterS: number | null;

  constructor(
    status: number,
    code: string,
    detail: string,
    fields: readonly FieldError[] = [],
    retryAfterS: number | null = null,
  ) {
    super(detail);
    this.status = status;
    this.code = code;
    this.fields = fields;
    this.retryAfterS = retryAfterS;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** A problem out of whatever an answer held. */
export function problemOf(status: number, body: unknown, retryAfter: string | null = null): Problem {
  const fields: FieldError[] = [];
  if (isRecord(body) && Array.isArray(body.errors)) {
    for (const it of body.errors) {
      if (isRecord(it) && typeof it.pointer === "string" && typeof it.message === "string") {
        fields.push({ pointer: it.pointer, code: String(it.code ?? ""), message: it.message });
      }
    }
  }
  const detail = isRecord(body) && typeof body.detail === "string" && body.detail !== "" ? body.detail : null;
  const code = isRecord(body) && typeof body.code === "string" ? body.code : `http_${status}`;
  const wait = retryAfter !== null && /^\d+$/.test(retryAfter) ? Number(retryAfter) : null;
  return new Problem(status, code, detail ?? fallback(status), fields, wait);
}

function fallback(status: number): string {
  switch (status) {
    case 401:
      return "You are not signed in.";
    case 403:
      return "This key may not do that.";
    case 404:
      return "There is nothing here. It may have been deleted, or this gateway does not have it yet.";
    case 429:
      return "Too many requests at once. Wait a moment, then try again.";
    default:
      return status >= 500
        ? `The gateway could not answer (${status}). Nothing was changed; try again.`
        : `The gateway refused this (${status}).`;
  }
}

/** The text to show for anything that was thrown. */
export function reason(thrown: unknown): string {
  if (thrown instanceof Problem) {
    return thrown.message;
  }
  if (thrown instanceof TypeError) {
    return "The gateway cannot be reached. Check that it runs and that you are connected, then try again.";
  }
  return thrown instanceof Error ? thrown.message : "Something went wrong.";
}

/** The message for a field, found by its JSON pointer; fields below it count as it. */
export function fieldError(thrown: unknown, ...pointers: readonly string[]): string | null {
  if (!(thrown instanceof Problem)) {
    return null;
  }
  const of = (it: FieldError) =>
    pointers.some((pointer) => it.pointer === pointer || it.pointer.startsWith(`${pointer}/`));
  const found = thrown.fields.filter(of).map((it) => it.message);
  return found.length === 0 ? null : [...new Set(found)].join(" ");
}

/** What a problem says beyond the fields a form shows beside its inputs; null when the form says it all. */
export function formError(thrown: unknown, shown: readonly string[]): string | null {
  if (thrown === null || thrown === undefined) {
    return null;
  }
  if (thrown instanceof Problem && thrown.fields.length > 0) {
    const rest = thrown.fields.filter(
      (it) => !shown.some((pointer) => it.pointer === pointer || it.pointer.startsWith(`${pointer}/`)),
    );
    return rest.length === 0 ? null : rest.map((it) => `${it.pointer}: ${it.message}`).join(" ");
  }
  return reason(thrown);
}
