//! Meta: Facebook, Instagram, WhatsApp. One request holds many changes and stays one event here.

use super::super::challenge::Challenge;
use super::super::recipe::{Dedupe, Format, Place, Proof, Recipe, Signature};
use super::{Preset, SecretFrom};

pub(super) const PRESET: Preset = Preset {
    name: "meta",
    title: "Meta (Facebook, Instagram, WhatsApp)",
    docs: "https://developers.facebook.com/docs/graph-api/webhooks/getting-started",
    setup: &[
        "Copy the app secret (App settings → Basic) into this source, and choose a verify token.",
        "Open Webhooks in the app.",
        "Callback URL: {url}",
        "Verify token: the one of this source",
    ],
    secret_from: SecretFrom::Provider,
    challenge: Some(Challenge::Meta),
    receipt: None,
    recipe: Recipe {
        proofs: &[Proof::Signature(Signature {
            format: Format::Prefixed("sha256="),
            ..Signature::over_body("X-Hub-Signature-256")
        })],
        event_type: &[&[Place::Json("/object"), Place::Each("/entry", "/changes/0/field")]],
        dedupe: Dedupe::by(&[
            &[Place::Each("/entry", "/id"), Place::Each("/entry", "/time")],
            &[Place::Each("/entry", "/changes/0/value/messages/0/id")],
        ]),
    },
};

#[cfg(test)]
mod tests {
    use super::super::testing::{Vector, check};
    use super::PRESET;

    fn vector() -> Vector<'static> {
        Vector {
            secret: "secret",
            headers: &[(
                "X-Hub-Signature-256",
                "sha256=73421a56dcb55aa124151c6c251c8a07eba94f3818949bd727033c3500b53397",
            )],
            body: r#"{"object":"page","entry":[{"id":"10","time":1520383571,"changes":[{"field":"feed"}]}]}"#,
            event_type: Some("page.feed"),
            dedupe: Some("10:1520383571"),
            ..Vector::default()
        }
    }

    #[test]
    fn a_signed_request_verifies_and_is_read() {
        check(&PRESET, vector());
    }
}
