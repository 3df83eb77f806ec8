//! Intercom.

use super::super::challenge::Challenge;
use super::super::recipe::{
    Crypt, Dedupe, Digest, Format, KeyForm, Place, Proof, Recipe, Signature,
};
use super::{Preset, SecretFrom};

pub(super) const PRESET: Preset = Preset {
    name: "intercom",
    title: "Intercom",
    docs: "https://developers.intercom.com/docs/webhooks",
    setup: &[
        "Copy the app's client secret (Basic information) into this source.",
        "Open Webhooks in the Developer Hub.",
        "Endpoint URL: {url}",
    ],
    secret_from: SecretFrom::Provider,
    challenge: Some(Challenge::Head),
    receipt: None,
    recipe: Recipe {
        proofs: &[Proof::Signature(Signature {
            format: Format::Prefixed("sha1="),
            crypt: Crypt::Hmac(Digest::Sha1, KeyForm::Text),
            ..Signature::over_body("X-Hub-Signature")
        })],
        event_type: &[&[Place::Json("/topic")]],
        dedupe: Dedupe::by(&[&[Place::Json("/id")]]),
    },
};

#[cfg(test)]
mod tests {
    use super::super::testing::{Vector, check};
    use super::PRESET;

    fn vector() -> Vector<'static> {
        Vector {
            secret: "secret",
            headers: &[("X-Hub-Signature", "sha1=83e1e5a390cfe39978050f585373b804d8b35374")],
            body: r#"{"id":"notif_1","topic":"contact.created"}"#,
            event_type: Some("contact.created"),
            dedupe: Some("notif_1"),
            ..Vector::default()
        }
    }

    #[test]
    fn a_signed_request_verifies_and_is_read() {
        check(&PRESET, vector());
    }
}
