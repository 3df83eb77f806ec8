//! Keeps credentials out of what is stored of an attempt and shown in logs.
//!
//! Signatures of ours are shown: they are good for one body at one time, and their owner needs them to find out why one
//! does not verify. Those of providers are not, nor those made with a source's secret: many sign no time, and whoever
//! reads one could bring the same body to the source again as another event.

mod text;

use bytes::Bytes;
use hookyard_domain::headers::Headers;

use crate::{custom_headers, inbound};

pub use text::text;

/// What stands in place of a credential.
pub const REDACTED: &str = "[redacted]";

/// Ends of a name's words that mark a credential: `X-Acme-Key`, `XPwd`, `X-Sig`.
const ENDS: [&str; 8] = ["key", "keys", "pass", "pwd", "code", "codes", "sig", "sigs"];

/// Names that end so and hold none.
const HARMLESS: [&str; 1] = ["idempotency-key"];

/// Parts of a name, without its separators, that mark a credential.
const WORDS: [&str; 19] = [
    "accesskey",
    "apikey",
    "bearer",
    "cookie",
    "credential",
    "functionskey",
    "jwt",
    "masterkey",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "secret",
    "session",
    "sharedkey",
    "signingkey",
    "subscriptionkey",
    "token",
    "webhookkey",
];

/// Whether a header of this name is likely to hold a credential. Rather once too often: a hidden value costs a look
/// elsewhere, a shown one a rotation.
#[must_use]
pub fn is_sensitive(header_name: &str) -> bool {
    let name = header_name.to_ascii_lowercase();
    let squashed: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    WORDS.iter().any(|word| squashed.contains(word))
        || speaks_of_auth(&name)
        || ends_like_a_credential(header_name) && !HARMLESS.contains(&name.as_str())
}

/// Whether a header of this name proves to a source who sends.
#[must_use]
pub fn proves_its_sender(header_name: &str) -> bool {
    !custom_headers::signs_deliveries(header_name)
        && (speaks_of_signing(header_name) || inbound::carries_proof(header_name))
}

/// The same headers, with every credential replaced by [`REDACTED`].
#[must_use]
pub fn headers(headers: Headers) -> Headers {
    masked(headers, is_sensitive)
}

/// The same of an event or an attempt: what proved a received event's sender is replaced too.
#[must_use]
pub fn received(headers: Headers) -> Headers {
    masked(headers, |name| is_sensitive(name) || proves_its_sender(name))
}

/// The same of an attempt to forward: what was signed with the source's secret proves its sender to the source itself.
#[must_use]
pub fn forwarded(headers: Headers) -> Headers {
    masked(received(headers), speaks_of_signing)
}

fn masked(headers: Headers, hides: impl Fn(&str) -> bool) -> Headers {
    let shown = |(name, value): (String, String)| {
        let value = if hides(&name) { REDACTED.to_owned() } else { value };
        (name, value)
    };
    Headers(headers.0.into_iter().map(shown).collect())
}

/// The words of a credential that a text may give back: too short a word stands in a text by chance.
const ECHO_BYTES_MIN: usize = 8;

/// A text with every word of these credentials replaced by [`REDACTED`]: a receiver that answers with what it was sent
/// would have them shown to whoever may look at the answer.
#[must_use]
pub fn echoes<'a>(body: Bytes, credentials: impl Iterator<Item = &'a [u8]>) -> Bytes {
    let is_word = |it: &&[u8]| it.len() >= ECHO_BYTES_MIN;
    credentials.flat_map(|it| it.split(u8::is_ascii_whitespace).filter(is_word)).fold(body, without)
}

fn without(body: Bytes, word: &[u8]) -> Bytes {
    let mut rest = &body[..];
    let mut shown = Vec::new();
    while let Some(at) = rest.windows(word.len()).position(|it| it == word) {
        shown.extend_from_slice(&rest[..at]);
        shown.extend_from_slice(REDACTED.as_bytes());
        rest = &rest[at + word.len()..];
    }
    if shown.is_empty() {
        return body;
    }
    shown.extend_from_slice(rest);
    shown.into()
}

/// `X-Acme-Signature`, `HmacSignature`, `X-Shopify-Hmac-Sha256`.
fn speaks_of_signing(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["signature", "hmac"].iter().any(|it| name.contains(it))
}

/// Whether any word of the name ends like a credential. Words end at a separator, at a digit and before a capital.
fn ends_like_a_credential(name: &str) -> bool {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for character in name.chars() {
        if !character.is_ascii_alphabetic() || (was_lower && character.is_ascii_uppercase()) {
            words.push(String::new());
        }
        was_lower = character.is_ascii_lowercase();
        if character.is_ascii_alphabetic()
            && let Some(word) = words.last_mut()
        {
            word.push(character.to_ascii_lowercase());
        }
    }
    words.iter().any(|word| ENDS.iter().any(|end| word.ends_with(end)))
}

/// `auth`, `authorization`, `oauth`, but not `author` and `authority`.
fn speaks_of_auth(name: &str) -> bool {
    name.match_indices("auth").any(|(at, found)| {
        let rest = &name[at + found.len()..];
        !rest.starts_with("or") || rest.starts_with("oriz") || rest.starts_with("oris")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_receiver_gives_back_of_a_credential_is_hidden() {
        let echoes = |body: &'static str, credentials: &[&'static str]| {
            let credentials = credentials.iter().map(|it| it.as_bytes());
            String::from_utf8(echoes(Bytes::from_static(body.as_bytes()), credentials).to_vec())
                .unwrap()
        };
        let given = ["Bearer LEAKME12345", "short"];
        assert_eq!(echoes("nothing of it, in short", &given), "nothing of it, in short");
        assert_eq!(
            echoes("auth: Bearer LEAKME12345, again LEAKME12345LEAKME12345.", &given),
            "auth: Bearer [redacted], again [redacted][redacted]."
        );
        assert_eq!(echoes("", &given), "");
    }

    #[test]
    fn headers_that_carry_credentials_are_sensitive_whatever_their_case() {
        for name in [
            "authorization",
            "Authorization",
            "Proxy-Authorization",
            "X-Authorization",
            "X-Amz-Authorisation",
            "Cookie",
            "Set-Cookie",
            "X-Auth",
            "X-Auth-Token",
            "X-Auth-Origin",
            "X-OAuth-Key",
            "X-Author-Auth",
            "Token",
            "X-CSRF-Token",
            "X-Client-Secret",
            "X-Password",
            "X-Passwd",
            "Api-Key",
            "X-Api-Key",
            "X_API_KEY",
            "X-ApiKey",
            "X-Credential",
            "X-Amz-Credentials",
            "Mcp-Session-Id",
            "X-Private-Key",
            "X-Access-Key",
            "X-Functions-Key",
            "Ocp-Apim-Subscription-Key",
            "X-Bearer",
            "X-Jwt-Assertion",
            "X-Key",
            "X-Acme-Key",
            "x_acme_key",
            "X-AcmeKey",
            "X-KeyValue",
            "X-Key2",
            "XKEY",
            "Key",
            "X-License-Keys",
            "X-Pass",
            "X-Pwd",
            "X-Userpwd",
            "X-Code",
            "X-Passcode",
            "X-Signature-Key",
            "X-Sig",
            "X-Acme-Sig",
            "X-Sig-V2",
        ] {
            assert!(is_sensitive(name), "{name}");
        }
    }

    #[test]
    fn signatures_and_plain_headers_are_shown() {
        for name in [
            "webhook-signature",
            "webhook-id",
            "webhook-timestamp",
            "svix-signature",
            "X-Aly-Signature",
            "X-Alvys-Signature",
            "X-Hub-Signature-256",
            "Signature",
            "Content-Type",
            "User-Agent",
            "Host",
            "Author",
            "X-Author",
            "X-Authors",
            ":authority",
            "X-Authority",
            "Idempotency-Key",
            "X-Request-Id",
            "Retry-After",
            "X-Team",
            "X-Keyboard",
            "X-Passenger",
            "X-Codec",
            "Content-Encoding",
            "X-Signal",
            "X-Design",
            "X-Configuration",
            "",
        ] {
            assert!(!is_sensitive(name), "{name}");
        }
    }

    #[track_caller]
    fn check_masked(mask: fn(Headers) -> Headers, names: &[&str], masked: bool) {
        let headers = names.iter().map(|it| ((*it).to_owned(), "v".to_owned())).collect();
        for (name, value) in mask(Headers(headers)).0 {
            assert_eq!(value == REDACTED, masked, "{name}");
        }
    }

    #[test]
    fn what_proves_a_provider_is_masked_and_what_we_sign_is_not() {
        let proofs = [
            "X-Hub-Signature-256",
            "x-webhook-signature",
            "Stripe-Signature",
            "X-Shopify-Hmac-Sha256",
            "X-Trello-Webhook",
            "X-DocuSign-Signature-7",
            "X-Acme-Signature-V2",
            "HmacSignature",
            "Authorization",
        ];
        check_masked(received, &proofs, true);
        check_masked(forwarded, &proofs, true);
        let ours = ["webhook-signature", "svix-signature", "Signature", "X-Aly-Signature"];
        check_masked(received, &ours, false);
        check_masked(forwarded, &ours, true);
        let plain = ["webhook-id", "X-GitHub-Event", "X-GitHub-Delivery", "traceparent"];
        check_masked(received, &plain, false);
        check_masked(forwarded, &plain, false);
    }

    #[test]
    fn only_the_values_of_sensitive_headers_are_replaced() {
        let pairs = |pairs: &[(&str, &str)]| {
            let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            Headers(pairs.iter().map(owned).collect())
        };
        let sent = pairs(&[
            ("Authorization", "Bearer abc"),
            ("webhook-signature", "v1,abc"),
            ("x-api-key", ""),
            ("X-Team", "blue"),
            ("authorization", "Basic xyz"),
        ]);
        let shown = pairs(&[
            ("Authorization", "[redacted]"),
            ("webhook-signature", "v1,abc"),
            ("x-api-key", "[redacted]"),
            ("X-Team", "blue"),
            ("authorization", "[redacted]"),
        ]);
        assert_eq!(headers(sent), shown);
    }
}
