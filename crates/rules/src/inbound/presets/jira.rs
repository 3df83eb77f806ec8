//! Jira.

use super::super::recipe::{Dedupe, Format, Place, Proof, Recipe, Signature};
use super::{Preset, SecretFrom};

pub(super) const PRESET: Preset = Preset {
    name: "jira",
    title: "Jira",
    docs: "https://developer.atlassian.com/cloud/jira/platform/webhooks/",
    setup: &[
        "Open Settings → System → Webhooks → Create a webhook.",
        "URL: {url}",
        "Secret: {secret}",
    ],
    secret_from: SecretFrom::Gateway,
    challenge: None,
    receipt: None,
    recipe: Recipe {
        proofs: &[Proof::Signature(Signature {
            format: Format::Prefixed("sha256="),
            ..Signature::over_body("X-Hub-Signature")
        })],
        event_type: &[&[Place::Json("/webhookEvent")]],
        dedupe: Dedupe::by(&[&[Place::Header("X-Atlassian-Webhook-Identifier")]]),
    },
};

#[cfg(test)]
mod tests {
    use super::super::testing::{Vector, check};
    use super::PRESET;

    fn vector() -> Vector<'static> {
        Vector {
            secret: "secret",
            headers: &[
                ("X-Atlassian-Webhook-Identifier", "w-1"),
                (
                    "X-Hub-Signature",
                    "sha256=485f67f073e321374184d9f9d02ca6ca803d74e8089d6e0a2910be28d1abe821",
                ),
            ],
            body: r#"{"webhookEvent":"jira:issue_updated"}"#,
            event_type: Some("jira.issue_updated"),
            dedupe: Some("w-1"),
            ..Vector::default()
        }
    }

    #[test]
    fn a_signed_request_verifies_and_is_read() {
        check(&PRESET, vector());
    }
}
