//! PagerDuty, third version. While a secret is rotated the header holds several signatures.

use super::super::recipe::{Dedupe, Format, Place, Proof, Recipe, Signature};
use super::{Preset, SecretFrom};

pub(super) const PRESET: Preset = Preset {
    name: "pagerduty",
    title: "PagerDuty",
    docs: "https://developer.pagerduty.com/docs/verifying-webhook-signatures",
    setup: &[
        "Open Integrations → Generic Webhooks (v3) → New webhook.",
        "Webhook URL: {url}",
        "Copy the secret that is shown once into this source.",
    ],
    secret_from: SecretFrom::Provider,
    challenge: None,
    receipt: None,
    recipe: Recipe {
        proofs: &[Proof::Signature(Signature {
            format: Format::Pairs { separator: ',', name: "v1" },
            ..Signature::over_body("X-PagerDuty-Signature")
        })],
        event_type: &[&[Place::Json("/event/event_type")]],
        dedupe: Dedupe::by(&[&[Place::Json("/event/id")], &[Place::Header("X-Webhook-Id")]]),
    },
};

#[cfg(test)]
mod tests {
    use super::super::testing::{Vector, check};
    use super::PRESET;

    fn vector() -> Vector<'static> {
        Vector {
            secret: "pd",
            headers: &[(
                "X-PagerDuty-Signature",
                "v1=e9510b1d5754cfe593bcfb9dd09edd1b28420a23d4c96f570b52fe9fed9f9f3c,v1=a7c85345eb9ddb3fd96c37fd8e0d92edbf22ff92341264b6163a2a5cc7dfec71",
            )],
            body: r#"{"event":{"id":"5ac6","event_type":"incident.priority_updated"}}"#,
            event_type: Some("incident.priority_updated"),
            dedupe: Some("5ac6"),
            ..Vector::default()
        }
    }

    #[test]
    fn a_signed_request_verifies_and_is_read() {
        check(&PRESET, vector());
    }
}
