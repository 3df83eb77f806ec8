//! For people: which part of a received request is wrong, and what probably made it so.
//!
//! Whoever asks holds the secret already, so telling which bytes were signed gives nothing away.

use super::recipe::{Proof, Recipe};
use super::{Received, Rejection, Trust, verify};
use crate::signing::hint::changed_payload;
use crate::signing::{Check, Verification};

/// The parts in the order they are looked at.
const PARTS: [&str; 5] = ["secret", "signature_header", "timestamp", "signature", "tolerance"];

/// Verifies, and says of each part whether it is right.
#[must_use]
pub fn report(recipe: &Recipe, received: &Received<'_>, trust: &Trust<'_>) -> Verification {
    let verdict = verify(recipe, received, trust);
    let signed_at = verdict.as_ref().ok().map(|it| it.signed_at.is_some());
    let failed = verdict.as_ref().err().map(part);
    let has_time = signed_at.unwrap_or_else(|| recipe.proofs.iter().any(has_time));
    let mut checks = Vec::with_capacity(PARTS.len());
    for (at, what) in PARTS.into_iter().enumerate() {
        if failed == Some(at) {
            break;
        }
        if has_time || !matches!(what, "timestamp" | "tolerance") {
            checks.push(Check { what, ok: true, expected: None, got: None });
        }
    }
    let reason = match &verdict {
        Ok(_) => "the signature is valid".to_owned(),
        Err(rejection) => {
            let what = PARTS[part(rejection)];
            let expected = Some(expected(rejection).to_owned());
            checks.push(Check { what, ok: false, expected, got: None });
            reason(rejection, recipe, received, trust)
        }
    };
    Verification { valid: verdict.is_ok(), reason, checks }
}

fn has_time(proof: &Proof) -> bool {
    match proof {
        Proof::Signature(signature) => signature.stamp.is_some(),
        Proof::Token(_) | Proof::Twilio | Proof::Adyen => false,
    }
}

/// The place of the part that is wrong among [`PARTS`].
const fn part(rejection: &Rejection) -> usize {
    match rejection {
        Rejection::NoSecret | Rejection::EmptySecret | Rejection::BadSecret(_) => 0,
        Rejection::MissingSignature(_)
        | Rejection::MalformedSignature { .. }
        | Rejection::UnknownAlgorithm(_) => 1,
        Rejection::MissingTimestamp(_) | Rejection::MalformedTimestamp { .. } => 2,
        Rejection::MissingPart(_)
        | Rejection::WrongSignature
        | Rejection::WrongToken
        | Rejection::WrongBodyHash
        | Rejection::BadHandshake(_) => 3,
        Rejection::Stale { .. } | Rejection::Early { .. } => 4,
    }
}

const fn expected(rejection: &Rejection) -> &'static str {
    match rejection {
        Rejection::NoSecret | Rejection::EmptySecret | Rejection::BadSecret(_) => {
            "a secret of the provider's form"
        }
        Rejection::MissingSignature(_)
        | Rejection::MalformedSignature { .. }
        | Rejection::UnknownAlgorithm(_) => "a signature in the provider's form",
        Rejection::MissingTimestamp(_) | Rejection::MalformedTimestamp { .. } => {
            "a time in the provider's form"
        }
        Rejection::MissingPart(_) => "everything that is signed along",
        Rejection::WrongSignature | Rejection::BadHandshake(_) => {
            "a signature by this secret over what was received"
        }
        Rejection::WrongToken => "the secret itself",
        Rejection::WrongBodyHash => "the hash of the body in the URL",
        Rejection::Stale { .. } | Rejection::Early { .. } => "a time near to now",
    }
}

fn reason(
    rejection: &Rejection,
    recipe: &Recipe,
    received: &Received<'_>,
    trust: &Trust<'_>,
) -> String {
    if !matches!(rejection, Rejection::WrongSignature | Rejection::WrongToken) {
        return rejection.to_string();
    }
    let fits = |received: &Received<'_>, secrets: &[&str]| {
        let got = verify(recipe, received, &Trust { secrets, ..*trust });
        matches!(got, Ok(_) | Err(Rejection::Stale { .. } | Rejection::Early { .. }))
    };
    let hint =
        changed_payload(received.body, |body| fits(&Received { body, ..*received }, trust.secrets))
            .or_else(|| other_secret(trust.secrets, |it| fits(received, it)))
            .or_else(|| other_url(received, recipe, |it| fits(it, trust.secrets)));
    let guess = hint.unwrap_or(
        "the secret is another one, or what was signed is not byte for byte what was received",
    );
    format!("{rejection}: {guess}")
}

fn other_secret(secrets: &[&str], fits: impl Fn(&[&str]) -> bool) -> Option<&'static str> {
    const PREFIX: &str = "whsec_";
    for secret in secrets {
        let trimmed = secret.trim();
        if trimmed != *secret && fits(&[trimmed]) {
            return Some("the secret given has blanks or a newline around it");
        }
        match secret.strip_prefix(PREFIX) {
            Some(bare) if fits(&[bare]) => {
                return Some("it was made with the secret without its `whsec_`");
            }
            None if fits(&[&format!("{PREFIX}{secret}")]) => {
                return Some("the secret given lacks its `whsec_`, which belongs to it");
            }
            Some(_) | None => {}
        }
    }
    None
}

/// The provider signs the URL it was given; proxies and people change it on the way.
fn other_url(
    received: &Received<'_>,
    recipe: &Recipe,
    fits: impl Fn(&Received<'_>) -> bool,
) -> Option<&'static str> {
    let url = received.url;
    if !recipe.signs_url() || url.is_empty() {
        return None;
    }
    let fits = |url: &str| fits(&Received { url, ..*received });
    let (path, query) =
        url.split_once('?').map_or((url, ""), |(path, _)| (path, &url[path.len()..]));
    let slash = path
        .strip_suffix('/')
        .map_or_else(|| format!("{path}/{query}"), |it| format!("{it}{query}"));
    if fits(&slash) {
        return Some("it was made over the URL with or without a slash at its end");
    }
    let other_scheme = match url.split_once("://")? {
        ("http", rest) => format!("https://{rest}"),
        (_, rest) => format!("http://{rest}"),
    };
    if fits(&other_scheme) {
        return Some("it was made over the URL with `https` for `http`, or the other way round");
    }
    (!query.is_empty() && fits(path)).then_some("it was made over the URL without its query")
}

#[cfg(test)]
mod tests;
