//! Square. The URL is signed too, exactly as it stands in the subscription.

use super::super::recipe::{Dedupe, Encoding, Part, Place, Proof, Recipe, Signature};
use super::{Preset, SecretFrom};

pub(super) const PRESET: Preset = Preset {
    name: "square",
    title: "Square",
    docs: "https://developer.squareup.com/docs/webhooks/step3validate",
    setup: &[
        "In the developer console, open the application → Webhooks → Subscriptions → Add subscription.",
        "URL: {url}",
        "Copy the signature key into this source.",
    ],
    secret_from: SecretFrom::Provider,
    challenge: None,
    receipt: None,
    recipe: Recipe {
        proofs: &[Proof::Signature(Signature {
            encoding: Encoding::Base64,
            message: &[Part::Url, Part::Body],
            ..Signature::over_body("x-square-hmacsha256-signature")
        })],
        event_type: &[&[Place::Json("/type")]],
        dedupe: Dedupe::by(&[&[Place::Json("/event_id")]]),
    },
};

#[cfg(test)]
mod tests {
    use super::super::testing::{Vector, check};
    use super::PRESET;
    use crate::inbound::Rejection;

    fn vector() -> Vector<'static> {
        Vector {
            secret: "sig-key",
            headers: &[(
                "x-square-hmacsha256-signature",
                "ugFatVNwA9Aj9AqUHfSsaHFeinkUesMKyQo+f0Oy3+k=",
            )],
            body: r#"{"event_id":"6a8f5f28","type":"payment.updated"}"#,
            event_type: Some("payment.updated"),
            dedupe: Some("6a8f5f28"),
            ..Vector::default()
        }
    }

    #[test]
    fn a_signed_request_verifies_and_is_read() {
        check(&PRESET, vector());
    }

    #[test]
    fn another_url_does_not_verify_and_none_is_told() {
        let slash = Vector { url: "https://hooks.example.com/in/src_1/", ..vector() };
        assert_eq!(slash.run(&PRESET), Err(Rejection::WrongSignature));
        let none = Vector { url: "", ..vector() }.run(&PRESET);
        assert_eq!(none, Err(Rejection::MissingPart("public URL".into())));
    }
}
