//! Asana. The secret comes in the handshake; an empty list of events is a heartbeat.

use super::super::challenge::Challenge;
use super::super::dedupe::CONTENT_WITHIN;
use super::super::recipe::{Dedupe, Place, Proof, Recipe, Signature};
use super::{Preset, SecretFrom};

pub(super) const PRESET: Preset = Preset {
    name: "asana",
    title: "Asana",
    docs: "https://developers.asana.com/docs/webhooks-guide",
    setup: &[
        "Create this source first; it needs no secret.",
        "Create a webhook with the API (POST /webhooks).",
        "target: {url}",
        "Asana hands the secret over by itself.",
    ],
    secret_from: SecretFrom::Handshake,
    challenge: Some(Challenge::Asana),
    receipt: None,
    recipe: Recipe {
        proofs: &[Proof::Signature(Signature::over_body("X-Hook-Signature"))],
        event_type: &[
            &[Place::Each("/events", "/resource/resource_type"), Place::Each("/events", "/action")],
            &[Place::Fixed("batch")],
        ],
        dedupe: Dedupe::by_content(CONTENT_WITHIN),
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
                "X-Hook-Signature",
                "8607c73544bf7faf5f569e2cc732e8f2efce899c83f126abf4fc203e6a34ced2",
            )],
            body: r#"{"events":[{"action":"changed","resource":{"resource_type":"task"}}]}"#,
            event_type: Some("task.changed"),
            dedupe: Some("sha256:"),
            ..Vector::default()
        }
    }

    #[test]
    fn a_signed_request_verifies_and_is_read() {
        check(&PRESET, vector());
    }
}
