//! Typeform. After `sha256=` comes base64, not hex.

use super::super::recipe::{Dedupe, Encoding, Format, Place, Proof, Recipe, Signature};
use super::{Preset, SecretFrom};

pub(super) const PRESET: Preset = Preset {
    name: "typeform",
    title: "Typeform",
    docs: "https://www.typeform.com/developers/webhooks/secure-your-webhooks/",
    setup: &[
        "In the form, open Connect → Webhooks → Add a webhook.",
        "Endpoint: {url}",
        "Edit → Secret: {secret}",
    ],
    secret_from: SecretFrom::Gateway,
    challenge: None,
    receipt: None,
    recipe: Recipe {
        proofs: &[Proof::Signature(Signature {
            format: Format::Prefixed("sha256="),
            encoding: Encoding::Base64,
            ..Signature::over_body("Typeform-Signature")
        })],
        event_type: &[&[Place::Json("/event_type")]],
        dedupe: Dedupe::by(&[&[Place::Json("/event_id")]]),
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
                "Typeform-Signature",
                "sha256=lChUyzUhCC/1JQVuWAAhFPXRMH6CgwyGSI1WaOjHjv8=",
            )],
            body: r#"{"event_id":"LtWXD3crgy","event_type":"form_response"}"#,
            event_type: Some("form_response"),
            dedupe: Some("LtWXD3crgy"),
            ..Vector::default()
        }
    }

    #[test]
    fn a_signed_request_verifies_and_is_read() {
        check(&PRESET, vector());
    }
}
