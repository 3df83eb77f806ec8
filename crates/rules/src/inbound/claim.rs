//! Requests that name nobody: read once, then held against the secrets of many.
//!
//! What is wrong without any secret (no signature, one that cannot be one, an old time) is found out before a secret is
//! asked for, so that a stranger's request costs next to nothing.

use std::borrow::Cow;

use hookyard_domain::time::Timestamp;

use super::key::Key;
use super::recipe::{Crypt, KeyForm, Proof, Recipe, Signature};
use super::verify::{
    Proven, Verified, check_time, given, missing, pieces, read, stamp, values, where_signed,
};
use super::view::View;
use super::{Received, Rejection};

/// A request whose signature is well formed and whose time is good, if it is somebody's.
#[derive(Debug)]
pub struct Claim {
    crypt: Crypt,
    message: Vec<u8>,
    given: Vec<Vec<u8>>,
    told: Verified,
}

/// Reads a request of a provider that signs with an HMAC whose key is the secret's text.
///
/// # Errors
/// What is wrong with it, whoever should have signed it.
pub fn claim(recipe: &Recipe, received: &Received<'_>, now: Timestamp) -> Result<Claim, Rejection> {
    let view = View::new(received);
    let signature = recipe.proofs.iter().find_map(by_text).ok_or_else(|| missing(recipe))?;
    let values = values(signature, &view);
    if values.is_empty() {
        return Err(missing(recipe));
    }
    // Signatures by all such keys have one form.
    let any = Key::from_secret(signature.crypt, "any").map_err(Rejection::BadSecret)?;
    let given = given(signature, &values, &any)
        .map_err(|why| Rejection::MalformedSignature { place: where_signed(signature), why })?;
    let stamp = signature.stamp.map(|it| stamp(signature, &it, &values, &view)).transpose()?;
    let signed_at = stamp.as_ref().map(|it| it.1).filter(|_| signature.signs_its_time());
    check_time(signature, signed_at, None, now)?;
    let text = stamp.as_ref().map(|it| it.0.as_str());
    let message = pieces(signature.message, &view, text).map_err(Rejection::MissingPart)?.concat();
    let told = read(recipe, &view, Proven { secret: 0, signed_at });
    Ok(Claim { crypt: signature.crypt, message, given, told })
}

fn by_text(proof: &Proof) -> Option<&Signature> {
    match proof {
        Proof::Signature(it) if matches!(it.crypt, Crypt::Hmac(_, KeyForm::Text)) => Some(it),
        Proof::Signature(_) | Proof::Token(_) | Proof::Twilio | Proof::Adyen => None,
    }
}

impl Claim {
    /// Whether it was made with this secret. Costs an HMAC over the body.
    #[must_use]
    pub fn is_by(&self, secret: &str) -> bool {
        let key = Some(secret).filter(|it| !it.is_empty());
        let key = key.and_then(|it| Key::from_secret(self.crypt, it).ok());
        key.is_some_and(|it| it.fits(&[Cow::Borrowed(self.message.as_slice())], &self.given))
    }

    /// What it tells. Not to be believed before somebody's secret fits.
    #[must_use]
    pub const fn told(&self) -> &Verified {
        &self.told
    }
}

#[cfg(test)]
mod tests {
    use hookyard_domain::headers::Headers;

    use super::*;
    use crate::inbound::presets::named;
    use crate::inbound::{Outgoing, sign};

    const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);
    const BODY: &str = r#"{"action":"create","type":"Issue","webhookTimestamp":1700000000000}"#;

    fn run(headers: &Headers, body: &str, now: Timestamp) -> Result<Claim, Rejection> {
        let received = Received { method: "POST", url: "", headers, body: body.as_bytes() };
        claim(&named("linear").unwrap().recipe, &received, now)
    }

    fn signed(secret: &str, body: &str) -> Headers {
        let outgoing =
            Outgoing { id: "", now: NOW, method: "POST", url: "", body: body.as_bytes() };
        sign(&named("linear").unwrap().recipe, secret, &outgoing).unwrap()
    }

    #[test]
    fn only_the_secret_it_was_made_with_fits_and_it_tells_what_verifying_tells() {
        let claim = run(&signed("one", BODY), BODY, NOW).unwrap();
        assert!(claim.is_by("one"));
        for other in ["two", "", "on", "one "] {
            assert!(!claim.is_by(other), "{other}");
        }
        assert_eq!(claim.told().event_type.as_deref(), Some("Issue.create"));
        assert_eq!(claim.told().signed_at, Some(NOW));
        let other_body = BODY.replace("create", "remove");
        assert!(!run(&signed("one", BODY), &other_body, NOW).unwrap().is_by("one"));
    }

    #[test]
    fn what_no_secret_could_mend_is_refused_without_one() {
        let check = |headers: &[(&str, &str)], body: &str, now, code| {
            let all = headers.iter().map(|(name, value)| ((*name).into(), (*value).into()));
            assert_eq!(run(&Headers(all.collect()), body, now).unwrap_err().code(), code);
        };
        let form = [("Linear-Signature", &*"0".repeat(64))];
        check(&[], BODY, NOW, "missing_signature");
        check(&[("Linear-Signature", "zz")], BODY, NOW, "malformed_signature");
        check(&[("Linear-Signature", "00")], BODY, NOW, "malformed_signature");
        check(&form, "{}", NOW, "missing_timestamp");
        check(&form, r#"{"webhookTimestamp":"soon"}"#, NOW, "malformed_timestamp");
        check(&form, BODY, Timestamp::from_secs(1_700_000_061), "stale");
        check(&form, BODY, Timestamp::from_secs(1_699_999_939), "early");
        assert!(
            !run(&Headers(vec![(form[0].0.into(), form[0].1.into())]), BODY, NOW)
                .unwrap()
                .is_by("one")
        );
    }
}
