//! The signature checker: signs like the gateway, and says precisely why a signature does not verify.

use std::time::Duration;

use bytes::Bytes;
use hookyard_domain::headers::Headers;
use hookyard_domain::limit;
use hookyard_domain::profile::Profile;
use hookyard_domain::scheme::Scheme;
use hookyard_domain::time::Timestamp;
use hookyard_rules::signing;

use crate::checks::Checks;
use crate::{App, AppError, Caller};

/// Seconds a timestamp may be off when the caller does not say (standards.md §1).
const TOLERANCE_DEFAULT: Duration = Duration::from_secs(300);
/// Seconds a timestamp may be off at most: ten years, which is as good as not looking.
const TOLERANCE_S_MAX: i64 = 3650 * 24 * 3600;

/// What to sign.
#[derive(Clone, Debug, Default)]
pub struct SignInput {
    /// A profile's name.
    pub scheme: String,
    /// The secret.
    pub secret: String,
    /// The event's id; made up when not given.
    pub id: Option<String>,
    /// Unix seconds or RFC 3339; now when not given.
    pub timestamp: Option<String>,
    /// The body.
    pub payload: Bytes,
}

/// What to verify.
#[derive(Clone, Debug, Default)]
pub struct VerifyInput {
    /// A profile's name.
    pub scheme: String,
    /// The secret.
    pub secret: String,
    /// The headers as they were received.
    pub headers: Headers,
    /// The body as it was received.
    pub payload: Bytes,
    /// Seconds the timestamp may be off.
    pub tolerance_s: Option<i64>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// It verifies.
    pub valid: bool,
    /// Why not.
    pub reason: Option<String>,
    /// What was looked at, in order.
    pub checks: Vec<Check>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What.
    pub what: String,
    /// It is as it should be.
    pub ok: bool,
    /// How it should be; never the signature itself.
    pub expected: Option<String>,
    /// How it is.
    pub got: Option<String>,
}

impl App {
    /// The headers that the gateway would send with a payload.
    pub fn sign(&self, _caller: &Caller, input: SignInput) -> Result<Headers, AppError> {
        let mut checks = Checks::default();
        let scheme = scheme(&mut checks, &input.scheme);
        if input.secret.is_empty() {
            checks.required("/secret");
        }
        let id = checks.text("/id", input.id, limit::PUBLISHER_ID_CHARS_MAX);
        if id.as_ref().is_some_and(|it| !it.bytes().all(|it| it.is_ascii_graphic())) {
            checks.wrong("/id", "bad_character", "use visible ASCII characters, without spaces");
        }
        let at = timestamp(&mut checks, input.timestamp.as_deref());
        let scheme = checks.done_with(scheme)?;
        let at = at.unwrap_or_else(|| self.now());
        let signed =
            signing::sign_offline(scheme, &input.secret, id.as_deref(), at, &input.payload)
                .map_err(|bad| AppError::invalid("/secret", "bad_secret", bad.to_string()))?;
        let signed = signed.into_iter().map(|(name, value)| (name.to_owned(), value));
        Ok(Headers(signed.collect()))
    }

    /// Whether a received signature is good, and if not, why.
    pub fn verify_signature(
        &self,
        _caller: &Caller,
        input: VerifyInput,
    ) -> Result<Verdict, AppError> {
        let mut checks = Checks::default();
        let scheme = scheme(&mut checks, &input.scheme);
        if input.secret.is_empty() {
            checks.required("/secret");
        }
        let tolerance = checks.whole("/tolerance_s", input.tolerance_s, 0, TOLERANCE_S_MAX);
        let scheme = checks.done_with(scheme)?;
        let found = signing::verify_signature(
            scheme,
            &input.secret,
            &input.headers,
            &input.payload,
            tolerance.map_or(TOLERANCE_DEFAULT, Duration::from_secs),
            self.now(),
        );
        Ok(Verdict {
            valid: found.valid,
            reason: Some(found.reason),
            checks: found.checks.into_iter().map(looked_at).collect(),
        })
    }
}

fn looked_at(check: signing::Check) -> Check {
    Check { what: check.what.to_owned(), ok: check.ok, expected: check.expected, got: check.got }
}

fn scheme(checks: &mut Checks, name: &str) -> Option<Scheme> {
    if name.is_empty() {
        checks.required("/scheme");
        return None;
    }
    let found = signing::scheme_named(name);
    if found.is_none() {
        let names: Vec<_> = Profile::ALL.iter().map(|it| format!("`{it}`")).collect();
        checks.wrong("/scheme", "unknown_scheme", format!("use one of {}", names.join(", ")));
    }
    found
}

fn timestamp(checks: &mut Checks, text: Option<&str>) -> Option<Timestamp> {
    match text?.parse::<i64>() {
        // Signatures of the year 10000 and later are not asked for.
        Ok(seconds) if (0..253_402_300_800).contains(&seconds) => {
            Some(Timestamp::from_secs(seconds))
        }
        Ok(_) => {
            checks.wrong("/timestamp", "out_of_range", "use seconds since 1970");
            None
        }
        Err(_) => checks.time("/timestamp", text),
    }
}
