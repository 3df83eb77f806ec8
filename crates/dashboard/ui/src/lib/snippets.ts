// Ready programs that verify what an endpoint receives: one for each scheme and language, each complete in itself.

import type { Scheme } from "./profiles";

export type Language = "curl" | "node" | "python" | "go" | "rust";

export const LANGUAGES: readonly { readonly value: Language; readonly label: string }[] = [
  { value: "curl", label: "curl" },
  { value: "node", label: "Node" },
  { value: "python", label: "Python" },
  { value: "go", label: "Go" },
  { value: "rust", label: "Rust" },
];

type Recipe = {
  /** Headers to read, by the name of the variable that holds each. */
  readonly signature: string;
  readonly id: string | null;
  readonly time: string | null;
};

const RECIPES: Readonly<Record<Scheme, Recipe>> = {
  standard: { signature: "webhook-signature", id: "webhook-id", time: "webhook-timestamp" },
  aly: { signature: "x-aly-signature", id: null, time: null },
  alvys: { signature: "x-alvys-signature", id: "x-alvys-event-id", time: null },
  aryeo: { signature: "signature", id: null, time: null },
};

/** A program for one scheme in one language. `url` is where the endpoint receives. */
export function snippet(scheme: Scheme, language: Language, url: string): string {
  switch (language) {
    case "curl":
      return curl(scheme, url);
    case "node":
      return node(scheme);
    case "python":
      return python(scheme);
    case "go":
      return go(scheme);
    case "rust":
      return rust(scheme);
  }
}

function curl(scheme: Scheme, url: string): string {
  const target = `'${url.replaceAll("'", "'\\''")}'`;
  const start = `# Sends a signed request to your receiver, as the gateway does. Put the secret into the environment first.
BODY='{"type":"test.ping","data":{}}'
T=$(date +%s)
`;
  const sign = (text: string) =>
    `printf '%s' "${text}" | openssl dgst -sha256 -hmac "$HOOKYARD_SECRET" -r | cut -d' ' -f1`;
  switch (scheme) {
    case "standard":
      return `${start}ID=evt_test
KEY=$(printf '%s' "\${HOOKYARD_SECRET#whsec_}" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \\n')
SIG=$(printf '%s' "$ID.$T.$BODY" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$KEY" -binary | openssl base64 -A)
curl -i ${target} -H 'content-type: application/json' \\
  -H "webhook-id: $ID" -H "webhook-timestamp: $T" -H "webhook-signature: v1,$SIG" --data-binary "$BODY"`;
    case "aly":
      return `${start}SIG=$(${sign("$T.$BODY")})
curl -i ${target} -H 'content-type: application/json' \\
  -H "X-Aly-Timestamp: $T" -H "X-Aly-Signature: t=$T,v1=$SIG" --data-binary "$BODY"`;
    case "alvys":
      return `${start}ID=evt_test
SIG=$(${sign("$T.$ID.$BODY")})
curl -i ${target} -H 'content-type: application/json' -H "X-Alvys-Event-Id: $ID" \\
  -H "X-Alvys-Timestamp: $T" -H "X-Alvys-Signature: t=$T,v1=$SIG" --data-binary "$BODY"`;
    case "aryeo":
      return `${start}SIG=$(${sign("$BODY")})
curl -i ${target} -H 'content-type: application/json' -H "Signature: $SIG" --data-binary "$BODY"`;
  }
}

function node(scheme: Scheme): string {
  const { signature, id } = RECIPES[scheme];
  const head = `import { createHmac, timingSafeEqual } from "node:crypto";

const same = (a, b) => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

// body: the exact bytes that came in, before any JSON parser. headers: by lower-case name.
export function verify(body, headers, secret) {`;
  const fresh = `  if (!(Math.abs(Date.now() / 1000 - Number(time)) <= 300)) return false;`;
  switch (scheme) {
    case "standard":
      return `${head}
  const id = headers["${id}"] ?? "";
  const time = headers["webhook-timestamp"] ?? "";
${fresh}
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const want = createHmac("sha256", key).update(\`\${id}.\${time}.\`).update(body).digest("base64");
  const given = (headers["${signature}"] ?? "").split(" ");
  return given.some((it) => it.startsWith("v1,") && same(it.slice(3), want));
}`;
    case "aly":
    case "alvys":
      return `${head}
  const parts = Object.fromEntries((headers["${signature}"] ?? "").split(",").map((it) => it.trim().split("=")));
  const time = parts.t;
${fresh}
  const want = createHmac("sha256", secret).update(\`\${time}.${
    scheme === "alvys" ? `\${headers["${id}"]}.` : ""
  }\`).update(body).digest("hex");
  return ${scheme === "alvys" ? `[parts.v1, parts.v0].some((it) => same(it ?? "", want))` : `same(parts.v1 ?? "", want)`};
}`;
    case "aryeo":
      return `${head}
  const want = createHmac("sha256", secret).update(body).digest("hex");
  return same(headers["${signature}"] ?? "", want);
}`;
  }
}

function python(scheme: Scheme): string {
  const { signature, id } = RECIPES[scheme];
  const imports =
    scheme === "standard"
      ? "import base64\nimport hashlib\nimport hmac\nimport time"
      : scheme === "aryeo"
        ? "import hashlib\nimport hmac"
        : "import hashlib\nimport hmac\nimport time";
  const head = `${imports}


def verify(body: bytes, headers: dict[str, str], secret: str) -> bool:
    """body: the exact bytes that came in. headers: by lower-case name."""`;
  const fresh = `    if not at.isdecimal() or abs(time.time() - int(at)) > 300:
        return False`;
  switch (scheme) {
    case "standard":
      return `${head}
    event, at = headers.get("${id}", ""), headers.get("webhook-timestamp", "")
${fresh}
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{event}.{at}.".encode() + body
    want = "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    given = headers.get("${signature}", "").split(" ")
    return any(hmac.compare_digest(it.encode(), want.encode()) for it in given)`;
    case "aly":
    case "alvys":
      return `${head}
    given = headers.get("${signature}", "").split(",")
    parts = dict(it.strip().split("=", 1) for it in given if "=" in it)
    at = parts.get("t", "")
${fresh}
    signed = f"{at}.${scheme === "alvys" ? `{headers.get('${id}', '')}.` : ""}".encode() + body
    want = hmac.digest(secret.encode(), signed, hashlib.sha256).hex()
    return ${
      scheme === "alvys"
        ? `any(hmac.compare_digest(parts.get(it, "").encode(), want.encode()) for it in ("v1", "v0"))`
        : `hmac.compare_digest(parts.get("v1", "").encode(), want.encode())`
    }`;
    case "aryeo":
      return `${head}
    want = hmac.digest(secret.encode(), body, hashlib.sha256).hex()
    return hmac.compare_digest(headers.get("${signature}", "").encode(), want.encode())`;
  }
}

function go(scheme: Scheme): string {
  const { signature, id } = RECIPES[scheme];
  const dated = scheme !== "aryeo";
  const imports = [
    "crypto/hmac",
    "crypto/sha256",
    scheme === "standard" ? "encoding/base64" : "encoding/hex",
    ...(dated ? ["math"] : []),
    "net/http",
    ...(dated ? ["strconv", "strings", "time"] : []),
  ];
  const head = `package receiver

import (
${imports.map((it) => `\t"${it}"`).join("\n")}
)

// Verify wants the exact bytes that came in, before any JSON decoder.
func Verify(body []byte, header http.Header, secret string) bool {`;
  const fresh = `	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil || math.Abs(float64(time.Now().Unix()-seconds)) > 300 {
		return false
	}`;
  switch (scheme) {
    case "standard":
      return `${head}
	id, at := header.Get("${id}"), header.Get("webhook-timestamp")
${fresh}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + at + "."))
	mac.Write(body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	for _, given := range strings.Split(header.Get("${signature}"), " ") {
		if hmac.Equal([]byte(given), []byte(want)) {
			return true
		}
	}
	return false
}`;
    case "aly":
    case "alvys":
      return `${head}
	parts := map[string]string{}
	for _, it := range strings.Split(header.Get("${signature}"), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(it), "=")
		parts[name] = value
	}
	at := parts["t"]
${fresh}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(at + "."${scheme === "alvys" ? ` + header.Get("${id}") + "."` : ""}))
	mac.Write(body)
	want := []byte(hex.EncodeToString(mac.Sum(nil)))
	return ${
    scheme === "alvys"
      ? `hmac.Equal([]byte(parts["v1"]), want) || hmac.Equal([]byte(parts["v0"]), want)`
      : `hmac.Equal([]byte(parts["v1"]), want)`
  }
}`;
    case "aryeo":
      return `${head}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	want := hex.EncodeToString(mac.Sum(nil))
	return hmac.Equal([]byte(header.Get("${signature}")), []byte(want))
}`;
  }
}

function rust(scheme: Scheme): string {
  const { signature, id } = RECIPES[scheme];
  const crates =
    scheme === "standard"
      ? 'hmac = "0.12", sha2 = "0.10", base64 = "0.22", http = "1"'
      : 'hmac = "0.12", sha2 = "0.10", hex = "0.4", http = "1"';
  const uses = scheme === "standard" ? "use base64::{Engine as _, engine::general_purpose::STANDARD};\n" : "";
  const head = `// Cargo.toml: ${crates}
${uses}use hmac::{Hmac, Mac as _};
use http::HeaderMap;
use sha2::Sha256;
${scheme === "aryeo" ? "" : "use std::time::{SystemTime, UNIX_EPOCH};\n"}
/// \`body\`: the exact bytes that came in, before any JSON parser.
pub fn verify(body: &[u8], headers: &HeaderMap, secret: &str) -> Option<()> {
    let header = |name: &str| headers.get(name)?.to_str().ok();`;
  const fresh = `    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    if now.abs_diff(at.parse().ok()?) > 300 {
        return None;
    }`;
  switch (scheme) {
    case "standard":
      return `${head}
    let (id, at) = (header("${id}")?, header("webhook-timestamp")?);
${fresh}
    let key = STANDARD.decode(secret.trim_start_matches("whsec_")).ok()?;
    header("${signature}")?.split(' ').find_map(|given| {
        let given = STANDARD.decode(given.strip_prefix("v1,")?).ok()?;
        let mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
        mac.chain_update(format!("{id}.{at}.")).chain_update(body).verify_slice(&given).ok()
    })
}`;
    case "aly":
    case "alvys":
      return `${head}
    let parts = || header("${signature}").into_iter().flat_map(|it| it.split(','));
    let part = |name: &str| parts().find_map(|it| it.trim().strip_prefix(name));
    let at = part("t=")?;
${fresh}
    ${scheme === "alvys" ? `["v1=", "v0="].into_iter().find_map(|version| {` : `["v1="].into_iter().find_map(|version| {`}
        let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
        let mac = mac.chain_update(format!("{at}.${scheme === "alvys" ? "{}." : ""}"${
          scheme === "alvys" ? `, header("${id}")?` : ""
        })).chain_update(body);
        mac.verify_slice(&hex::decode(part(version)?).ok()?).ok()
    })
}`;
    case "aryeo":
      return `${head}
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.chain_update(body).verify_slice(&hex::decode(header("${signature}")?).ok()?).ok()
}`;
  }
}
