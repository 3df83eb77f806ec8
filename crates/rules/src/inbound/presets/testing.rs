//! One check for the vectors of all presets.

use std::time::Duration;

use hookyard_domain::headers::Headers;
use hookyard_domain::time::Timestamp;

use super::Preset;
use crate::inbound::{Outgoing, Received, Rejection, Trust, Verified, sign, verify};

/// The moment of the vectors.
pub(super) const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

/// A request that verifies. Its signature was not computed by the code that is tested.
#[derive(Clone, Copy)]
pub(in crate::inbound) struct Vector<'a> {
    pub(in crate::inbound) secret: &'a str,
    pub(in crate::inbound) method: &'a str,
    pub(in crate::inbound) url: &'a str,
    pub(in crate::inbound) headers: &'a [(&'a str, &'a str)],
    pub(in crate::inbound) body: &'a str,
    pub(in crate::inbound) now: Timestamp,
    /// The type that is read.
    pub(in crate::inbound) event_type: Option<&'a str>,
    /// The dedupe id that is read; for ids made of the content, how they begin.
    pub(in crate::inbound) dedupe: Option<&'a str>,
}

impl Default for Vector<'_> {
    fn default() -> Self {
        Self {
            secret: "secret",
            method: "POST",
            url: "https://hooks.example.com/in/src_1",
            headers: &[],
            body: "{}",
            now: NOW,
            event_type: None,
            dedupe: None,
        }
    }
}

impl Vector<'_> {
    fn headers(&self) -> Headers {
        Headers(self.headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect())
    }

    pub(in crate::inbound) fn run(&self, preset: &Preset) -> Result<Verified, Rejection> {
        let headers = self.headers();
        let received = Received {
            method: self.method,
            url: self.url,
            headers: &headers,
            body: self.body.as_bytes(),
        };
        let secrets = [self.secret];
        verify(
            &preset.recipe,
            &received,
            &Trust { secrets: &secrets, tolerance: None, now: self.now },
        )
    }
}

/// The vector verifies and tells what it should. Another secret, no signature, and (where `body_is_signed`) another body do
/// not verify; with a tolerance neither an old nor an early one does.
#[track_caller]
pub(in crate::inbound) fn check(preset: &Preset, vector: Vector<'_>) {
    let got = vector.run(preset).unwrap();
    assert_eq!(got.event_type.as_deref(), vector.event_type);
    match vector.dedupe {
        Some("sha256:") => assert!(got.dedupe_id.unwrap().starts_with("sha256:")),
        dedupe => assert_eq!(got.dedupe_id.as_deref(), dedupe),
    }
    assert_eq!((got.secret, got.dedupe_within.is_some()), (0, vector.dedupe == Some("sha256:")));
    let body = format!("{} ", vector.body);
    let tampered = Vector { body: &body, ..vector }.run(preset);
    assert!(
        matches!(tampered, Err(Rejection::WrongSignature | Rejection::WrongBodyHash)),
        "{tampered:?}"
    );
    check_secrets(preset, vector);
    let unsigned = Vector { headers: &[], ..vector }.run(preset);
    assert!(matches!(unsigned, Err(Rejection::MissingSignature(_))), "{unsigned:?}");
    check_signed_again(preset, vector);
}

/// As [`check`], where the body is not covered by the proof, or holds it.
#[track_caller]
pub(in crate::inbound) fn check_secrets(preset: &Preset, vector: Vector<'_>) {
    vector.run(preset).unwrap();
    assert_eq!(Vector { secret: "", ..vector }.run(preset), Err(Rejection::EmptySecret));
    let other = other_secret(vector.secret);
    let wrong = Vector { secret: &other, ..vector }.run(preset);
    assert!(matches!(wrong, Err(Rejection::WrongSignature | Rejection::WrongToken)), "{wrong:?}");
}

/// It stops verifying `allowed_s` seconds after and before.
#[track_caller]
pub(in crate::inbound) fn check_tolerance(preset: &Preset, vector: Vector<'_>, allowed_s: u64) {
    let after = |s| Vector { now: vector.now.plus(Duration::from_secs(s)), ..vector }.run(preset);
    let before = |s| Vector { now: vector.now.minus(Duration::from_secs(s)), ..vector }.run(preset);
    let off_s = allowed_s + 1;
    assert!(after(allowed_s).is_ok() && before(allowed_s).is_ok());
    assert_eq!(after(off_s), Err(Rejection::Stale { off_s, allowed_s }));
    assert_eq!(before(off_s), Err(Rejection::Early { off_s, allowed_s }));
}

/// A secret of the same form.
fn other_secret(secret: &str) -> String {
    // Public keys must stay keys: the one of RFC 8032's first test, and P-256's base point.
    match secret {
        _ if secret.starts_with("MFkw") => "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEBa0AVRkcD594lDPKleWfnc/De1B5ndtrVru7M4yXJ+LC6l7ilvS51GFHP3lOsx77OE4dmZcf1lZJIBL24z7LHw==".into(),
        _ if secret.starts_with("whsk_") => format!("whsk_{}=", "A".repeat(43)),
        _ if secret.starts_with("whpk_") => "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=".into(),
        // The digits after `whsec_`, hex keys and texts all allow another first or last digit.
        _ => {
            let (head, tail) = secret.split_at(secret.find('_').map_or(0, |it| it + 1));
            let swapped = if tail.starts_with('1') { "2" } else { "1" };
            format!("{head}{swapped}{}", &tail[1..])
        }
    }
}

/// What the provider sent is what we would send in its place, where its key signs.
#[track_caller]
fn check_signed_again(preset: &Preset, vector: Vector<'_>) {
    let is_public = vector.secret.starts_with("MFkw") || vector.secret.starts_with("whpk_");
    if is_public || preset.name == "discord" {
        return;
    }
    let id = super::testing::id_of(vector);
    let outgoing = Outgoing {
        id: &id,
        now: vector.now,
        method: vector.method,
        url: vector.url,
        body: vector.body.as_bytes(),
    };
    let signed = sign(&preset.recipe, vector.secret, &outgoing).unwrap();
    let headers: Vec<_> = signed.0.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let again = Vector { headers: &headers, ..vector }.run(preset);
    assert!(again.is_ok(), "{again:?} {headers:?}");
}

fn id_of(vector: Vector<'_>) -> String {
    let is_id = |name: &str| name.ends_with("-id") || name.ends_with("-Id");
    let found = vector.headers.iter().find(|(name, _)| is_id(name));
    found.map_or_else(String::new, |(_, id)| (*id).to_owned())
}
