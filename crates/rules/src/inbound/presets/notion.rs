//! Notion. The verification token of the handshake is the key of the signatures.

use super::super::challenge::Challenge;
use super::super::recipe::{Dedupe, Format, Place, Proof, Recipe, Signature};
use super::{Preset, SecretFrom};

pub(super) const PRESET: Preset = Preset {
    name: "notion",
    title: "Notion",
    docs: "https://developers.notion.com/reference/webhooks",
    setup: &[
        "Create this source, then open the integration → Webhooks → Create a subscription.",
        "Webhook URL: {url}",
        "Notion sends a verification token: this source shows it. Paste it back at Notion under Verify.",
    ],
    secret_from: SecretFrom::Handshake,
    challenge: Some(Challenge::Notion),
    receipt: None,
    recipe: Recipe {
        proofs: &[Proof::Signature(Signature {
            format: Format::Prefixed("sha256="),
            ..Signature::over_body("X-Notion-Signature")
        })],
        event_type: &[&[Place::Json("/type")]],
        dedupe: Dedupe::by(&[&[Place::Json("/id")]]),
    },
};

#[cfg(test)]
mod tests {
    use super::super::testing::{Vector, check};
    use super::PRESET;

    fn vector() -> Vector<'static> {
        Vector {
            secret: "secret_tMrlL1qK",
            headers: &[(
                "X-Notion-Signature",
                "sha256=15fcced7c46ade8396bbb4fb2b668f54b2cfbedf95d8f473873ea465f427edba",
            )],
            body: r#"{"id":"367cba44","type":"page.created"}"#,
            event_type: Some("page.created"),
            dedupe: Some("367cba44"),
            ..Vector::default()
        }
    }

    #[test]
    fn a_signed_request_verifies_and_is_read() {
        check(&PRESET, vector());
    }
}
