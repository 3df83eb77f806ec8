// What the dashboard knows of each profile: how it is called, what its scope is called, and how it signs.

export type ProfileName = "standard" | "aly" | "alvys" | "alumia" | "aryeo";

export type Scheme = "standard" | "aly" | "alvys" | "aryeo";

export const PROFILES: readonly { readonly value: ProfileName; readonly label: string }[] = [
  { value: "standard", label: "Standard Webhooks" },
  { value: "aly", label: "Aly" },
  { value: "alvys", label: "Alvys" },
  { value: "alumia", label: "Alumia" },
  { value: "aryeo", label: "Aryeo" },
];

export function profileLabel(profile: ProfileName): string {
  return PROFILES.find((it) => it.value === profile)?.label ?? profile;
}

/** What an endpoint's subdivision is called by the people of a tenant. */
export function scopeLabel(profile: ProfileName): string {
  switch (profile) {
    case "aly":
      return "Site";
    case "alvys":
      return "Subsidiary";
    case "standard":
    case "alumia":
    case "aryeo":
      return "Scope";
  }
}

/** What the button says that makes an endpoint. */
export function newEndpointLabel(profile: ProfileName): string {
  return profile === "alvys" ? "Create webhook" : "New endpoint";
}

export function schemeOf(profile: ProfileName): Scheme {
  return profile === "alumia" ? "standard" : profile;
}

/** The seconds both secrets sign after a rotation, when nobody says otherwise. */
export function overlapS(profile: ProfileName): number {
  return profile === "standard" || profile === "alvys" ? 86_400 : 0;
}

export type Signed = {
  /** What stands in the headers, by name. */
  readonly parts: readonly { readonly name: string; readonly value: string; readonly says: string }[];
  /** The text that was signed, as a recipe. */
  readonly recipe: string;
  /** How the key is made of the secret. */
  readonly key: string;
  /** How the result is written. */
  readonly form: string;
  /** The header the signature is in. */
  readonly header: string;
};

function header(headers: Readonly<Record<string, string>>, name: string): string | null {
  const found = Object.entries(headers).find(([it]) => it.toLowerCase() === name.toLowerCase());
  return found?.[1] ?? null;
}

/** How the signature of an attempt came to be; null when it carries none. */
export function explain(profile: ProfileName, headers: Readonly<Record<string, string>>): Signed | null {
  const scheme = schemeOf(profile);
  const name = {
    standard: "webhook-signature",
    aly: "X-Aly-Signature",
    alvys: "X-Alvys-Signature",
    aryeo: "Signature",
  }[scheme];
  const signature = header(headers, name);
  if (signature === null) {
    return null;
  }
  const part = (key: string) =>
    signature
      .split(",")
      .map((it) => it.trim().split("="))
      .find(([it]) => it === key)
      ?.slice(1)
      .join("=") ?? "";
  switch (scheme) {
    case "standard": {
      const id = header(headers, "webhook-id") ?? "";
      const time = header(headers, "webhook-timestamp") ?? "";
      return {
        header: name,
        parts: [
          {
            name: "webhook-id",
            value: id,
            says: "The event's id: the same at every attempt, so use it to skip repeats.",
          },
          {
            name: "webhook-timestamp",
            value: time,
            says: "When this attempt was signed, in Unix seconds. Refuse what is minutes old.",
          },
          ...signature.split(" ").map((value, index) => ({
            name,
            value,
            says: value.startsWith("v1a,")
              ? "Ed25519 signature, checked with the public key."
              : index === 0
                ? "HMAC-SHA256 by the secret in force."
                : "HMAC-SHA256 by the previous secret, while the rotation overlaps. One match is enough.",
          })),
        ],
        recipe: `${id}.${time}.{body}`,
        key: "Take the secret after whsec_ and decode it from base64: those bytes are the key.",
        form: "base64 after `v1,`",
      };
    }
    case "aly":
      return {
        header: name,
        parts: [
          { name: "t", value: part("t"), says: "When this attempt was signed, in Unix seconds." },
          { name: "v1", value: part("v1"), says: "HMAC-SHA256 by the secret in force." },
        ],
        recipe: `${part("t")}.{body}`,
        key: "The whole text of the secret, whsec_ included, is the key.",
        form: "hex after `v1=`",
      };
    case "alvys": {
      const id = header(headers, "X-Alvys-Event-Id") ?? "";
      const old = part("v0");
      return {
        header: name,
        parts: [
          { name: "X-Alvys-Event-Id", value: id, says: "The event's id: the same at every attempt." },
          { name: "t", value: part("t"), says: "When this attempt was signed, in Unix seconds." },
          { name: "v1", value: part("v1"), says: "HMAC-SHA256 by the secret in force." },
          ...(old === ""
            ? []
            : [
                {
                  name: "v0",
                  value: old,
                  says: "HMAC-SHA256 by the previous secret, while the rotation overlaps.",
                },
              ]),
        ],
        recipe: `${part("t")}.${id}.{body}`,
        key: "The whole text of the secret is the key.",
        form: "hex after `v1=`",
      };
    }
    case "aryeo":
      return {
        header: name,
        parts: [{ name, value: signature, says: "HMAC-SHA256 by the secret in force." }],
        recipe: "{body}",
        key: "The whole text of the secret is the key.",
        form: "bare hex",
      };
  }
}
