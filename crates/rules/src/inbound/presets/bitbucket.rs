//! Bitbucket Cloud. `X-Hook-UUID` is the hook's own id, never an event's.

use super::super::recipe::{Dedupe, Format, Place, Proof, Recipe, Signature};
use super::{Preset, SecretFrom};

pub(super) const PRESET: Preset = Preset {
    name: "bitbucket",
    title: "Bitbucket",
    docs: "https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/",
    setup: &[
        "In the repository, open Repository settings → Webhooks → Add webhook.",
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
        event_type: &[&[Place::Header("X-Event-Key")]],
        dedupe: Dedupe::by(&[&[Place::Header("X-Request-UUID")]]),
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
                ("X-Event-Key", "repo:push"),
                ("X-Hook-UUID", "same-for-all"),
                ("X-Request-UUID", "c0a1"),
                (
                    "X-Hub-Signature",
                    "sha256=e8679b2262df301abe06fb4316aaa36c23738d3af13fc0d5cadfacaab0904eb1",
                ),
            ],
            body: r#"{"push":{}}"#,
            event_type: Some("repo.push"),
            dedupe: Some("c0a1"),
            ..Vector::default()
        }
    }

    #[test]
    fn a_signed_request_verifies_and_is_read() {
        check(&PRESET, vector());
    }
}
