//! DocuSign Connect. Each of its keys has a header of its own; any that fits is enough.

use super::super::recipe::{At, Dedupe, Encoding, Place, Proof, Recipe, Signature};
use super::{Preset, SecretFrom};

pub(super) const PRESET: Preset = Preset {
    name: "docusign",
    title: "DocuSign Connect",
    docs: "https://developers.docusign.com/platform/webhooks/connect/hmac/",
    setup: &[
        "Open Settings → Connect → Connect Keys, add a key and copy it into this source.",
        "Open Configurations → Add configuration → Custom.",
        "URL to publish: {url}",
        r#"Turn on "Include HMAC signature"."#,
    ],
    secret_from: SecretFrom::Provider,
    challenge: None,
    receipt: None,
    recipe: Recipe {
        proofs: &[Proof::Signature(Signature {
            at: At::Numbered("X-DocuSign-Signature-"),
            encoding: Encoding::Base64,
            ..Signature::over_body("")
        })],
        event_type: &[&[Place::Json("/event")]],
        dedupe: Dedupe::by(&[&[
            Place::Json("/data/envelopeId"),
            Place::Json("/event"),
            Place::Json("/generatedDateTime"),
        ]]),
    },
};

#[cfg(test)]
mod tests {
    use super::super::testing::{Vector, check};
    use super::PRESET;

    fn vector() -> Vector<'static> {
        Vector {
            secret: "dk",
            headers: &[
                ("X-DocuSign-Signature-1", "gLff49ozO63VUA5HpqAHQF26dj3589NDaOt+Xh5wlqQ="),
                ("X-DocuSign-Signature-2", "T5B9kL+EJYaG6RztUdBHpmYNwlD3si6MN46v3sVqpAQ="),
            ],
            body: r#"{"event":"envelope-completed","generatedDateTime":"2023-11-14T22:13:20Z","data":{"envelopeId":"e1"}}"#,
            event_type: Some("envelope-completed"),
            dedupe: Some("e1:envelope-completed:2023-11-14T22:13:20Z"),
            ..Vector::default()
        }
    }

    #[test]
    fn a_signed_request_verifies_and_is_read() {
        check(&PRESET, vector());
    }
}
