//! Sentry. `Sentry-Hook-Timestamp` is not signed and proves nothing, so it is not looked at.

use super::super::recipe::{Dedupe, Place, Proof, Recipe, Signature};
use super::{Preset, SecretFrom};

pub(super) const PRESET: Preset = Preset {
    name: "sentry",
    title: "Sentry",
    docs: "https://docs.sentry.io/organization/integrations/integration-platform/webhooks/",
    setup: &[
        "Open Settings → Developer Settings → the integration.",
        "Webhook URL: {url}",
        "Copy the client secret into this source.",
    ],
    secret_from: SecretFrom::Provider,
    challenge: None,
    receipt: None,
    recipe: Recipe {
        proofs: &[Proof::Signature(Signature::over_body("Sentry-Hook-Signature"))],
        event_type: &[&[Place::Header("Sentry-Hook-Resource"), Place::Json("/action")]],
        dedupe: Dedupe::by(&[&[Place::Header("Request-ID")]]),
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
                ("Sentry-Hook-Resource", "issue"),
                ("Request-ID", "4a8f"),
                ("Sentry-Hook-Timestamp", "1"),
                (
                    "Sentry-Hook-Signature",
                    "0031e94255b70a79704e0356204543768c078ca4f48b3ccc547edef03f4f338a",
                ),
            ],
            body: r#"{"action":"created"}"#,
            event_type: Some("issue.created"),
            dedupe: Some("4a8f"),
            ..Vector::default()
        }
    }

    #[test]
    fn a_signed_request_verifies_and_is_read() {
        check(&PRESET, vector());
    }
}
