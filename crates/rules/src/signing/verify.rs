//! The receiver's side, for the signature checker: does this verify, and if not, which part is wrong.
//!
//! What is right is never shown, only what was wrong with what came: an expected signature must not be had from here.

use std::time::Duration;

use hookyard_domain::headers::Headers;
use hookyard_domain::id::{EventId, EventKey};
use hookyard_domain::profile::Profile;
use hookyard_domain::scheme::Scheme;
use hookyard_domain::secret::{Secret, Secrets};
use hookyard_domain::time::Timestamp;

use super::base::{self, Layout};
use super::standard::VerifyKey;
use super::{BadSecret, SignedHeaders, Signer, alvys, aly, aryeo, hint, standard};
use crate::profiles;

/// What came of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// Everything is right.
    pub valid: bool,
    /// For people: the first thing that is wrong, or that nothing is.
    pub reason: String,
    /// Each part that was looked at, in order.
    pub checks: Vec<Check>,
}

/// One part of a signature that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The part: `secret`, `id`, `timestamp`, `tolerance`, `signature_header` or `signature`.
    pub what: &'static str,
    /// It is right.
    pub ok: bool,
    /// What should be there; never a signature.
    pub expected: Option<String>,
    /// What is there.
    pub got: Option<String>,
}

/// The scheme behind the name of a profile.
#[must_use]
pub fn scheme_named(name: &str) -> Option<Scheme> {
    name.parse::<Profile>().ok().map(|it| profiles::of(it).scheme)
}

/// Signs outside of any delivery: every header a verifier needs. Without an `id` one is made of the time.
///
/// # Errors
/// The secret is unusable.
pub fn sign_offline(
    scheme: Scheme,
    secret: &str,
    id: Option<&str>,
    now: Timestamp,
    payload: &[u8],
) -> Result<SignedHeaders, BadSecret> {
    let current = Some(Secret::new(secret.to_owned()));
    let signer = Signer::prepare(scheme, &Secrets { current, previous: None })?;
    let id = id.map_or_else(|| EventId::of(EventKey::at(now), 0).to_string(), str::to_owned);
    let mut headers = Vec::with_capacity(3);
    match scheme {
        Scheme::Alvys => headers.push((alvys::ID, id.clone())),
        Scheme::Standard | Scheme::Aly | Scheme::Aryeo => {}
    }
    signer.sign_into(&id, now, payload, &mut headers);
    Ok(headers)
}

/// Verifies as a receiver would. For `standard` the secret may be a public key (`whpk_…`), and the headers may be
/// called `svix-…`. `tolerance` is how far the signed time may be from `now`, either way.
#[must_use]
pub fn verify(
    scheme: Scheme,
    secret: &str,
    headers: &Headers,
    payload: &[u8],
    tolerance: Duration,
    now: Timestamp,
) -> Verification {
    let mut report = Report::default();
    let key = report.take("secret", key_of(scheme, secret).map_err(Wrong::secret), |_| None);
    let version = key.as_ref().map(VerifyKey::version);
    let claim = match scheme {
        Scheme::Standard => standard_claim(headers, version, &mut report),
        Scheme::Aly => stamped_claim(&ALY, headers, &mut report),
        Scheme::Alvys => stamped_claim(&ALVYS, headers, &mut report),
        Scheme::Aryeo => aryeo_claim(headers, &mut report),
    };
    if let Some(seconds) = claim.as_ref().map(|it| it.seconds).filter(|it| !it.is_empty()) {
        report.tolerance(seconds, tolerance, now);
    }
    if let (Some(key), Some(claim)) = (key, claim) {
        report.signature(&Case { scheme, secret, key, claim, payload });
    }
    report.done()
}

fn key_of(scheme: Scheme, secret: &str) -> Result<VerifyKey, BadSecret> {
    if secret.is_empty() {
        return Err(BadSecret::Missing);
    }
    match scheme {
        Scheme::Standard => VerifyKey::from_text(secret),
        Scheme::Aly | Scheme::Alvys | Scheme::Aryeo => Ok(VerifyKey::plain(secret.as_bytes())),
    }
}

/// What the headers claim, readable in every part.
pub(super) struct Claim<'a> {
    /// Empty where the scheme signs none.
    pub(super) id: &'a str,
    /// Empty where the scheme signs none.
    pub(super) seconds: &'a str,
    /// The signatures to be tried.
    pub(super) given: Vec<Vec<u8>>,
    header: &'a str,
}

/// Everything needed to compare signatures, and to guess why they differ.
pub(super) struct Case<'a> {
    pub(super) scheme: Scheme,
    pub(super) secret: &'a str,
    pub(super) key: VerifyKey,
    pub(super) claim: Claim<'a>,
    pub(super) payload: &'a [u8],
}

impl Case<'_> {
    pub(super) fn layout(&self) -> Layout {
        match self.scheme {
            Scheme::Standard => standard::LAYOUT,
            Scheme::Aly => aly::LAYOUT,
            Scheme::Alvys => alvys::LAYOUT,
            Scheme::Aryeo => aryeo::LAYOUT,
        }
    }

    pub(super) fn fits(&self, key: &VerifyKey, layout: Layout, payload: &[u8]) -> bool {
        key.matches(&layout.pieces(self.claim.id, self.claim.seconds, payload), &self.claim.given)
    }
}

/// Why a part is wrong.
struct Wrong {
    reason: String,
    expected: String,
    got: Option<String>,
}

impl Wrong {
    fn new(reason: String, expected: impl Into<String>, got: Option<&str>) -> Self {
        Self { reason, expected: expected.into(), got: got.map(shortened) }
    }

    fn secret(bad: BadSecret) -> Self {
        let expected = "a secret of the scheme's form".to_owned();
        Self { reason: format!("the secret is unusable: {bad}"), expected, got: None }
    }

    fn missing(header: &str) -> Self {
        Self::new(format!("the header `{header}` is missing"), format!("header `{header}`"), None)
    }
}

/// Characters of a header that are repeated in a report.
const SHOWN_CHARS: usize = 200;

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[derive(Default)]
struct Report {
    reason: Option<String>,
    checks: Vec<Check>,
}

impl Report {
    fn right(&mut self, what: &'static str, got: Option<&str>) {
        self.checks.push(Check { what, ok: true, expected: None, got: got.map(shortened) });
    }

    fn wrong(&mut self, what: &'static str, wrong: Wrong) {
        let Wrong { reason, expected, got } = wrong;
        self.reason.get_or_insert(reason);
        self.checks.push(Check { what, ok: false, expected: Some(expected), got });
    }

    /// Takes down how a part was found; `show` says what of it.
    fn take<T>(
        &mut self,
        what: &'static str,
        found: Result<T, Wrong>,
        show: impl FnOnce(&T) -> Option<&str>,
    ) -> Option<T> {
        match found {
            Ok(found) => {
                self.right(what, show(&found));
                Some(found)
            }
            Err(wrong) => {
                self.wrong(what, wrong);
                None
            }
        }
    }

    fn take_text<'a>(
        &mut self,
        what: &'static str,
        found: Result<&'a str, Wrong>,
    ) -> Option<&'a str> {
        self.take(what, found, |it| Some(it))
    }

    fn tolerance(&mut self, seconds: &str, tolerance: Duration, now: Timestamp) {
        let Ok(signed) = seconds.parse::<i64>() else { return };
        let (off, way) = match now.as_secs().saturating_sub(signed) {
            age @ 0.. => (age.unsigned_abs(), "past"),
            ahead => (ahead.unsigned_abs(), "future"),
        };
        let allowed = tolerance.as_secs();
        if off <= allowed {
            return self.right("tolerance", Some(&format!("{off} s in the {way}")));
        }
        // From 1e11 on, seconds would be in the year 5138: it is milliseconds.
        let hint = if signed >= 100_000_000_000 {
            "; it seems to be in milliseconds, seconds are needed"
        } else {
            ""
        };
        let reason =
            format!("the timestamp lies {off} s in the {way}, {allowed} s are allowed{hint}");
        let expected = format!("at most {allowed} s from {} (now)", now.as_secs());
        self.wrong("tolerance", Wrong::new(reason, expected, Some(seconds)));
    }

    fn signature(&mut self, case: &Case<'_>) {
        if case.fits(&case.key, case.layout(), case.payload) {
            return self.right("signature", Some(case.claim.header));
        }
        let guess = hint::why(case).unwrap_or_else(|| {
            "the secret is another one, or the payload is not byte for byte what was sent".into()
        });
        let expected =
            format!("{} by this secret over `{}`", case.key.algorithm(), case.layout().as_str());
        let reason = format!("the signature differs: {guess}");
        self.wrong("signature", Wrong::new(reason, expected, Some(case.claim.header)));
    }

    fn done(self) -> Verification {
        Verification {
            valid: self.reason.is_none(),
            reason: self.reason.unwrap_or_else(|| "the signature is valid".into()),
            checks: self.checks,
        }
    }
}

/// A header that must be there and not be empty, under its name or an older one.
fn required<'a>(headers: &'a Headers, name: &str, alias: &str) -> Result<&'a str, Wrong> {
    let value = headers.get(name).or_else(|| headers.get(alias)).map(str::trim);
    value.filter(|it| !it.is_empty()).ok_or_else(|| Wrong::missing(name))
}

fn whole_seconds(text: &str) -> Result<&str, Wrong> {
    if text.bytes().all(|it| it.is_ascii_digit()) && text.parse::<i64>().is_ok() {
        return Ok(text);
    }
    let reason = format!("the timestamp `{}` is not a number of seconds", shortened(text));
    Err(Wrong::new(reason, "whole seconds since 1970-01-01T00:00:00Z", Some(text)))
}

fn standard_claim<'a>(
    headers: &'a Headers,
    version: Option<&str>,
    report: &mut Report,
) -> Option<Claim<'a>> {
    let id = report.take_text("id", required(headers, standard::ID, "svix-id"));
    let time = required(headers, standard::TIMESTAMP, "svix-timestamp").and_then(whole_seconds);
    let seconds = report.take_text("timestamp", time);
    let read = required(headers, standard::SIGNATURE, "svix-signature").and_then(|header| {
        // Without a usable key it is not known which entries count.
        Ok((header, version.map_or(Ok(Vec::new()), |version| entries(header, version))?))
    });
    let (header, given) = report.take("signature_header", read, |it| Some(it.0))?;
    Some(Claim { id: id?, seconds: seconds?, given, header })
}

/// The entries of a `webhook-signature` of the version that the key can verify.
fn entries(header: &str, version: &str) -> Result<Vec<Vec<u8>>, Wrong> {
    let expected = format!("an entry `{version},` followed by base64, entries parted by spaces");
    let wrong = |reason: String| Wrong::new(reason, expected.clone(), Some(header));
    let mut given = Vec::new();
    let mut others = Vec::new();
    for entry in header.split_ascii_whitespace() {
        let Some((name, text)) = entry.split_once(',') else {
            return Err(wrong(format!(
                "the entry `{}` of the signature header has no `version,` before it",
                shortened(entry)
            )));
        };
        if name != version {
            others.push(name);
            continue;
        }
        given.push(base::from_base64(text).ok_or_else(|| {
            wrong(format!("the `{version}` entry of the signature header is not base64"))
        })?);
    }
    if given.is_empty() {
        let others = shortened(&others.join("`, `"));
        let needs = if version == "v1" { "a `whsec_` secret" } else { "a `whsk_` or `whpk_` key" };
        return Err(wrong(format!(
            "the signature header has no `{version}` entry, as {needs} needs, only `{others}`"
        )));
    }
    Ok(given)
}

/// A header of the form `t=…,v1=…`.
struct Stamped {
    header: &'static str,
    /// Where the id that is signed too stands.
    id: Option<&'static str>,
    /// The versions that count.
    versions: &'static [&'static str],
    /// There is one signature, and no more.
    single: bool,
}

/// Exactly one `v1` (vendors.md ALY-SIG-8).
const ALY: Stamped = Stamped { header: aly::SIGNATURE, id: None, versions: &["v1"], single: true };
/// While a secret is changed there are two (vendors.md ALV-SIG-2, -7).
const ALVYS: Stamped = Stamped {
    header: alvys::SIGNATURE,
    id: Some(alvys::ID),
    versions: &["v1", "v0"],
    single: false,
};

/// What stands in such a header: the time, and the signatures.
type Stamp<'a> = (&'a str, Vec<Vec<u8>>);

fn stamped_claim<'a>(
    form: &Stamped,
    headers: &'a Headers,
    report: &mut Report,
) -> Option<Claim<'a>> {
    let id = match form.id {
        Some(name) => report.take_text("id", required(headers, name, name)),
        None => Some(""),
    };
    let read = required(headers, form.header, form.header)
        .and_then(|header| Ok((header, stamp(form, header)?)));
    let (header, (seconds, given)) = report.take("signature_header", read, |it| Some(it.0))?;
    let seconds = report.take_text("timestamp", whole_seconds(seconds));
    Some(Claim { id: id?, seconds: seconds?, given, header })
}

fn stamp<'a>(form: &Stamped, header: &'a str) -> Result<Stamp<'a>, Wrong> {
    let malformed = |what: &str| {
        let reason = format!("the header `{}` is malformed: {what}", form.header);
        Wrong::new(reason, "`t=` seconds, `,v1=` 64 hex digits", Some(header))
    };
    let mut seconds = None;
    let mut given = Vec::new();
    for part in header.split(',') {
        let (name, value) =
            part.trim().split_once('=').ok_or_else(|| malformed("a part has no `=`"))?;
        if name == "t" {
            seconds = Some(value);
        } else if form.versions.contains(&name) {
            let bytes = signature_from_hex(value)
                .ok_or_else(|| malformed(&format!("`{name}` is not 64 hex digits")))?;
            given.push(bytes);
        }
        // Versions to come are none of a verifier's business.
    }
    if given.is_empty() {
        return Err(malformed("it has no `v1=`"));
    }
    if form.single && given.len() > 1 {
        return Err(malformed("it has more than one `v1=`, and there is exactly one"));
    }
    Ok((seconds.ok_or_else(|| malformed("it has no `t=`"))?, given))
}

fn signature_from_hex(text: &str) -> Option<Vec<u8>> {
    base::from_hex(text).filter(|it| it.len() == 32)
}

fn aryeo_claim<'a>(headers: &'a Headers, report: &mut Report) -> Option<Claim<'a>> {
    let name = aryeo::SIGNATURE;
    let read = required(headers, name, name).and_then(|header| {
        let bytes = signature_from_hex(header).ok_or_else(|| {
            let reason = format!("the header `{name}` is malformed: it is not 64 hex digits");
            Wrong::new(reason, "64 hex digits", Some(header))
        })?;
        Ok((header, vec![bytes]))
    });
    let (header, given) = report.take("signature_header", read, |it| Some(it.0))?;
    Some(Claim { id: "", seconds: "", given, header })
}

#[cfg(test)]
mod tests;
