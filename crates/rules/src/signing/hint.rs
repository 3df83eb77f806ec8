//! Why a signature differs: tries the mistakes that are made most, and names the one that explains it.
//!
//! The caller holds the secret already, so telling which bytes were signed gives nothing away.

use hookyard_domain::scheme::Scheme;

use super::base::{self, Layout};
use super::standard::{self, VerifyKey};
use super::verify::Case;

/// The mistake that explains the signatures given, if one does.
pub(super) fn why(case: &Case<'_>) -> Option<String> {
    other_payload(case)
        .map(str::to_owned)
        .or_else(|| other_layout(case))
        .or_else(|| other_key(case).map(str::to_owned))
}

fn other_payload(case: &Case<'_>) -> Option<&'static str> {
    changed_payload(case.payload, |bytes| case.fits(&case.key, case.layout(), bytes))
}

/// How the payload was changed on its way, where it is a usual way: `fits` says what was signed.
pub(crate) fn changed_payload(
    payload: &[u8],
    fits: impl Fn(&[u8]) -> bool,
) -> Option<&'static str> {
    let fits = |bytes: &[u8]| bytes != payload && fits(bytes);
    let trimmed = payload.trim_ascii_end();
    if fits(trimmed) {
        return Some("it was made over the payload without the newline or blank at its end");
    }
    if fits(&[payload, b"\n"].concat()) || fits(&[payload, b"\r\n"].concat()) {
        return Some(
            "it was made over the payload with a newline at its end, which is missing here",
        );
    }
    if payload.strip_prefix(b"\xef\xbb\xbf").is_some_and(fits) {
        return Some("it was made over the payload without the byte order mark at its start");
    }
    let unix = without_carriage_returns(payload);
    if fits(&unix) || fits(&with_carriage_returns(&unix)) {
        return Some("it was made over the payload with other line ends (LF or CRLF)");
    }
    if fits(&without_blanks(payload)) {
        return Some(
            "it was made over the same JSON without blanks; use the bytes as they came, not \
             parsed and printed again",
        );
    }
    None
}

fn other_layout(case: &Case<'_>) -> Option<String> {
    let right = case.layout();
    let wrong = Layout::ALL
        .into_iter()
        .filter(|it| *it != right)
        .find(|it| case.fits(&case.key, *it, case.payload))?;
    let lacks = if right.has_id() && !wrong.has_id() { ", without the event's id" } else { "" };
    Some(format!(
        "it was made over `{}`{lacks}; what has to be signed is `{}`",
        wrong.as_str(),
        right.as_str()
    ))
}

fn other_key(case: &Case<'_>) -> Option<&'static str> {
    let secret = case.secret;
    let fits = |bytes: &[u8]| case.fits(&VerifyKey::plain(bytes), case.layout(), case.payload);
    let decoded = |text: &str| base::from_base64(text).is_some_and(|bytes| fits(&bytes));
    let bare = secret.strip_prefix(standard::SYMMETRIC).unwrap_or(secret);
    let prefixed = [standard::SYMMETRIC, bare].concat();
    match case.scheme {
        Scheme::Standard => {
            if fits(prefixed.as_bytes()) {
                return Some(
                    "it was made with the secret's whole text as key; the key is what the base64 \
                     after `whsec_` decodes to",
                );
            }
            if fits(bare.as_bytes()) {
                return Some(
                    "it was made with the secret's text without `whsec_` as key; the key is what \
                     that base64 decodes to",
                );
            }
        }
        Scheme::Aly | Scheme::Alvys | Scheme::Aryeo => {
            if fits(secret.trim().as_bytes()) {
                return Some("the secret given has blanks or a newline around it");
            }
            if bare != secret && fits(bare.as_bytes()) {
                return Some(
                    "it was made with the secret without its `whsec_`, which belongs to it",
                );
            }
            if bare == secret && fits(prefixed.as_bytes()) {
                return Some("the secret given lacks its `whsec_`, which belongs to it");
            }
            if decoded(bare) {
                return Some(
                    "it was made with the secret decoded from base64; the key is the secret's text",
                );
            }
        }
    }
    None
}

fn without_carriage_returns(payload: &[u8]) -> Vec<u8> {
    payload.iter().copied().filter(|it| *it != b'\r').collect()
}

fn with_carriage_returns(payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(payload.len() + 16);
    for byte in payload {
        if *byte == b'\n' {
            bytes.push(b'\r');
        }
        bytes.push(*byte);
    }
    bytes
}

/// The payload without white space outside of strings.
fn without_blanks(payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(payload.len());
    let mut in_string = false;
    let mut escaped = false;
    for byte in payload {
        if in_string {
            in_string = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
        } else {
            in_string = *byte == b'"';
            if byte.is_ascii_whitespace() {
                continue;
            }
        }
        bytes.push(*byte);
    }
    bytes
}
