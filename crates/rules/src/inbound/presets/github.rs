//! GitHub.

use super::super::recipe::{Dedupe, Format, Place, Proof, Recipe, Signature};
use super::{Preset, SecretFrom};

pub(super) const PRESET: Preset = Preset {
    name: "github",
    title: "GitHub",
    docs: "https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries",
    setup: &[
        "In the repository or organisation, open Settings → Webhooks → Add webhook.",
        "Payload URL: {url}",
        "Content type: application/json",
        "Secret: {secret}",
    ],
    secret_from: SecretFrom::Gateway,
    challenge: None,
    receipt: None,
    recipe: Recipe {
        proofs: &[Proof::Signature(Signature {
            format: Format::Prefixed("sha256="),
            ..Signature::over_body("X-Hub-Signature-256")
        })],
        event_type: &[&[Place::Header("X-GitHub-Event"), Place::Json("/action")]],
        dedupe: Dedupe::by(&[&[Place::Header("X-GitHub-Delivery")]]),
    },
};

#[cfg(test)]
mod tests {
    use super::super::testing::{Vector, check};
    use super::PRESET;

    fn vector() -> Vector<'static> {
        Vector {
            secret: "It's a Secret to Everybody",
            headers: &[
                ("X-GitHub-Event", "pull_request"),
                ("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
                (
                    "X-Hub-Signature-256",
                    "sha256=1a763b1f352d220a314db46b42b1cbc50b0032b00015fd3d038d42c3666b7217",
                ),
            ],
            body: r#"{"action":"opened","number":1}"#,
            event_type: Some("pull_request.opened"),
            dedupe: Some("72d3162e-cc78-11e3-81ab-4c9367dc0958"),
            ..Vector::default()
        }
    }

    #[test]
    fn a_signed_request_verifies_and_is_read() {
        check(&PRESET, vector());
    }

    #[test]
    fn the_example_of_the_documentation_verifies() {
        let hello = Vector {
            secret: "It's a Secret to Everybody",
            headers: &[(
                "x-hub-signature-256",
                "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
            )],
            body: "Hello, World!",
            ..Vector::default()
        };
        check(&PRESET, hello);
    }

    #[test]
    fn a_form_is_signed_as_it_came_and_read_by_its_payload() {
        let form = Vector {
            headers: &[
                ("Content-Type", "application/x-www-form-urlencoded"),
                ("X-GitHub-Event", "issues"),
                (
                    "X-Hub-Signature-256",
                    "sha256=caac5fd5e1b04b1d24f774acd98252638ee28597432e1fcbc6fec55b3ea1e708",
                ),
            ],
            body: "payload=%7B%22action%22%3A%22closed%22%7D",
            event_type: Some("issues.closed"),
            ..Vector::default()
        };
        check(&PRESET, form);
    }
}
