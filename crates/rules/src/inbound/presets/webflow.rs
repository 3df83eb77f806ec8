//! Webflow.

use super::super::dedupe::CONTENT_WITHIN;
use super::super::recipe::{Dedupe, Part, Place, Proof, Recipe, Signature, Stamp, StampAt, Unit};
use super::{Preset, SecretFrom};

pub(super) const PRESET: Preset = Preset {
    name: "webflow",
    title: "Webflow",
    docs: "https://developers.webflow.com/data/docs/working-with-webhooks",
    setup: &[
        "Create a webhook with the API or in the site settings → Apps and integrations → Webhooks.",
        "URL: {url}",
        "Copy the secret (of the webhook, or the client secret of the app) into this source.",
    ],
    secret_from: SecretFrom::Provider,
    challenge: None,
    receipt: None,
    recipe: Recipe {
        proofs: &[Proof::Signature(Signature {
            stamp: Some(Stamp {
                at: StampAt::Field(Place::Header("x-webflow-timestamp")),
                unit: Unit::Millis,
                tolerance_s: Some(300),
            }),
            message: &[Part::Stamp, Part::Text(":"), Part::Body],
            ..Signature::over_body("x-webflow-signature")
        })],
        event_type: &[&[Place::Json("/triggerType")]],
        dedupe: Dedupe::by_content(CONTENT_WITHIN),
    },
};

#[cfg(test)]
mod tests {
    use super::super::testing::{Vector, check, check_tolerance};
    use super::PRESET;

    fn vector() -> Vector<'static> {
        Vector {
            secret: "wf",
            headers: &[
                ("x-webflow-timestamp", "1700000000000"),
                (
                    "x-webflow-signature",
                    "07bf4eae77ffa868aa1a7f616dadc7aa6e49228690cd6ce8a07b408fe8154b9f",
                ),
            ],
            body: r#"{"triggerType":"form_submission","payload":{}}"#,
            event_type: Some("form_submission"),
            dedupe: Some("sha256:"),
            ..Vector::default()
        }
    }

    #[test]
    fn a_signed_request_verifies_and_is_read() {
        check(&PRESET, vector());
    }

    #[test]
    fn an_old_or_early_one_does_not() {
        check_tolerance(&PRESET, vector(), 300);
    }
}
