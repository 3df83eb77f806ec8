//! Trello. The callback URL is signed too.

use super::super::challenge::Challenge;
use super::super::recipe::{
    Crypt, Dedupe, Digest, Encoding, KeyForm, Part, Place, Proof, Recipe, Signature,
};
use super::{Preset, SecretFrom};

pub(super) const PRESET: Preset = Preset {
    name: "trello",
    title: "Trello",
    docs: "https://developer.atlassian.com/cloud/trello/guides/rest-api/webhooks/",
    setup: &[
        "Copy the API secret of the Power-Up into this source.",
        "Create a webhook with the API (POST /1/webhooks).",
        "callbackURL: {url}",
    ],
    secret_from: SecretFrom::Provider,
    challenge: Some(Challenge::Head),
    receipt: None,
    recipe: Recipe {
        proofs: &[Proof::Signature(Signature {
            encoding: Encoding::Base64,
            crypt: Crypt::Hmac(Digest::Sha1, KeyForm::Text),
            message: &[Part::Body, Part::Url],
            ..Signature::over_body("X-Trello-Webhook")
        })],
        event_type: &[&[Place::Json("/action/type")]],
        dedupe: Dedupe::by(&[&[Place::Json("/action/id")]]),
    },
};

#[cfg(test)]
mod tests {
    use super::super::testing::{Vector, check};
    use super::PRESET;

    fn vector() -> Vector<'static> {
        Vector {
            secret: "secret",
            headers: &[("X-Trello-Webhook", "ROYDnTZF27gi+THIn9shuxH3Ibk=")],
            body: r#"{"action":{"id":"51f9","type":"voteOnCard"}}"#,
            event_type: Some("voteOnCard"),
            dedupe: Some("51f9"),
            ..Vector::default()
        }
    }

    #[test]
    fn a_signed_request_verifies_and_is_read() {
        check(&PRESET, vector());
    }
}
