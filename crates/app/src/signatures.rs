//! The signature checker: signs like the gateway or a provider, and says precisely why a signature does not verify.

use std::time::Duration;

use bytes::Bytes;
use hookyard_domain::headers::Headers;
use hookyard_domain::id::{EventId, EventKey};
use hookyard_domain::limit;
use hookyard_domain::profile::Profile;
use hookyard_domain::scheme::Scheme;
use hookyard_domain::time::Timestamp;
use hookyard_rules::inbound::{self, Outgoing, Preset, Received, SignError, Trust, presets};
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
    /// A profile's or a provider's name.
    pub scheme: String,
    /// The secret.
    pub secret: String,
    /// The event's id; made up when not given.
    pub id: Option<String>,
    /// Unix seconds or RFC 3339; now when not given.
    pub timestamp: Option<String>,
    /// The body.
    pub payload: Bytes,
    /// The URL the request goes to, for providers that sign it.
    pub url: Option<String>,
    /// The request's method, for providers that sign it; `POST` when not given.
    pub method: Option<String>,
}

/// What to verify.
#[derive(Clone, Debug, Default)]
pub struct VerifyInput {
    /// A profile's or a provider's name.
    pub scheme: String,
    /// The secret.
    pub secret: String,
    /// The headers as they were received.
    pub headers: Headers,
    /// The body as it was received.
    pub payload: Bytes,
    /// Seconds the timestamp may be off.
    pub tolerance_s: Option<i64>,
    /// The URL the request goes to, for providers that sign it.
    pub url: Option<String>,
    /// The request's method, for providers that sign it; `POST` when not given.
    pub method: Option<String>,
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

/// What a scheme's name stands for. A profile's comes first: `standard` is both, and the same.
enum Named {
    Profile(Scheme),
    Provider(&'static Preset),
}

impl App {
    /// The headers that the gateway, or a provider, would send with a payload.
    pub fn sign(&self, _caller: &Caller, input: SignInput) -> Result<Headers, AppError> {
        let mut checks = Checks::default();
        let named = named(&mut checks, &input.scheme);
        if input.secret.is_empty() {
            checks.required("/secret");
        }
        let id = checks.text("/id", input.id, limit::PUBLISHER_ID_CHARS_MAX);
        if id.as_ref().is_some_and(|it| !it.bytes().all(|it| it.is_ascii_graphic())) {
            checks.wrong("/id", "bad_character", "use visible ASCII characters, without spaces");
        }
        let at = timestamp(&mut checks, input.timestamp.as_deref());
        let line = line(&mut checks, input.url, input.method);
        let (named, line) = checks.done_with(named.zip(line))?;
        let now = at.unwrap_or_else(|| self.now());
        let (secret, body) = (&*input.secret, &*input.payload);
        match named {
            Named::Profile(scheme) => {
                let signed = signing::sign_offline(scheme, secret, id.as_deref(), now, body)
                    .map_err(|bad| AppError::invalid("/secret", "bad_secret", bad.to_string()))?;
                let signed = signed.into_iter().map(|(name, value)| (name.to_owned(), value));
                Ok(Headers(signed.collect()))
            }
            Named::Provider(preset) => {
                let id = id.unwrap_or_else(|| EventId::of(EventKey::at(now), 0).to_string());
                let (url, method) = (&*line.url, &*line.method);
                let outgoing = Outgoing { id: &id, now, method, url, body };
                inbound::sign(&preset.recipe, secret, &outgoing).map_err(not_signed)
            }
        }
    }

    /// Whether a received signature is good, and if not, why.
    pub fn verify_signature(
        &self,
        _caller: &Caller,
        input: VerifyInput,
    ) -> Result<Verdict, AppError> {
        let mut checks = Checks::default();
        let named = named(&mut checks, &input.scheme);
        if input.secret.is_empty() {
            checks.required("/secret");
        }
        let tolerance = checks.whole("/tolerance_s", input.tolerance_s, 0, TOLERANCE_S_MAX);
        let tolerance = tolerance.map(Duration::from_secs);
        let line = line(&mut checks, input.url, input.method);
        let (named, line) = checks.done_with(named.zip(line))?;
        let (headers, body, now) = (&input.headers, &*input.payload, self.now());
        let found = match named {
            Named::Profile(scheme) => {
                let tolerance = tolerance.unwrap_or(TOLERANCE_DEFAULT);
                signing::verify_signature(scheme, &input.secret, headers, body, tolerance, now)
            }
            Named::Provider(preset) => {
                let received = Received { method: &line.method, url: &line.url, headers, body };
                let trust = Trust { secrets: &[&input.secret], tolerance, now };
                inbound::report(&preset.recipe, &received, &trust)
            }
        };
        Ok(Verdict {
            valid: found.valid,
            reason: Some(found.reason),
            checks: found.checks.into_iter().map(looked_at).collect(),
        })
    }
}

fn not_signed(bad: SignError) -> AppError {
    let (pointer, code) = match bad {
        SignError::EmptySecret => ("/secret", "required"),
        SignError::BadSecret(_) => ("/secret", "bad_secret"),
        SignError::Missing(_) => ("/url", "required"),
        SignError::InBody => ("/scheme", "not_in_headers"),
    };
    AppError::invalid(pointer, code, bad.to_string())
}

fn looked_at(check: signing::Check) -> Check {
    Check { what: check.what.to_owned(), ok: check.ok, expected: check.expected, got: check.got }
}

fn named(checks: &mut Checks, name: &str) -> Option<Named> {
    if name.is_empty() {
        checks.required("/scheme");
        return None;
    }
    let profile = signing::scheme_named(name).map(Named::Profile);
    let found = profile.or_else(|| presets::named(name).map(Named::Provider));
    if found.is_none() {
        let names: Vec<_> = Profile::ALL.iter().map(|it| format!("`{it}`")).collect();
        let names = names.join(", ");
        let message = format!("use one of {names}, or a provider that `/v1/providers` lists");
        checks.wrong("/scheme", "unknown_scheme", message);
    }
    found
}

/// The first line of a request, as far as providers sign it.
struct Line {
    url: String,
    method: String,
}

fn line(checks: &mut Checks, url: Option<String>, method: Option<String>) -> Option<Line> {
    let url = checks.text("/url", url, limit::URL_CHARS_MAX).unwrap_or_default();
    let method = method.unwrap_or_else(|| "POST".to_owned());
    if method.is_empty() || method.len() > 20 || !method.bytes().all(|it| it.is_ascii_uppercase()) {
        checks.wrong("/method", "bad_method", "use a method in capitals, as in `POST`");
        return None;
    }
    Some(Line { url, method })
}

fn timestamp(checks: &mut Checks, text: Option<&str>) -> Option<Timestamp> {
    match text?.parse::<i64>() {
        Ok(seconds) if (0..=Timestamp::MAX.as_secs()).contains(&seconds) => {
            Some(Timestamp::from_secs(seconds))
        }
        Ok(_) => {
            checks.wrong("/timestamp", "out_of_range", "use seconds since 1970");
            None
        }
        Err(_) => checks.time("/timestamp", text),
    }
}
