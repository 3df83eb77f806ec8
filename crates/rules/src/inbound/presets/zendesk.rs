//! Zendesk.

use super::super::recipe::{
    Dedupe, Encoding, Part, Place, Proof, Recipe, Signature, Stamp, StampAt, Unit,
};
use super::{Preset, SecretFrom};

pub(super) const PRESET: Preset = Preset {
    name: "zendesk",
    title: "Zendesk",
    docs: "https://developer.zendesk.com/documentation/webhooks/verifying/",
    setup: &[
        "In the Admin Center, open Apps and integrations → Webhooks → Create webhook.",
        "Endpoint URL: {url}",
        "Reveal the signing secret and copy it into this source.",
    ],
    secret_from: SecretFrom::Provider,
    challenge: None,
    receipt: None,
    recipe: Recipe {
        proofs: &[Proof::Signature(Signature {
            encoding: Encoding::Base64,
            stamp: Some(Stamp {
                at: StampAt::Field(Place::Header("X-Zendesk-Webhook-Signature-Timestamp")),
                unit: Unit::Iso,
                tolerance_s: None,
            }),
            message: &[Part::Stamp, Part::Body],
            ..Signature::over_body("X-Zendesk-Webhook-Signature")
        })],
        event_type: &[&[Place::Json("/type")]],
        dedupe: Dedupe::by(&[&[Place::Header("X-Zendesk-Webhook-Invocation-Id")]]),
    },
};

#[cfg(test)]
mod tests {
    use super::super::testing::{Vector, check};
    use super::PRESET;

    fn vector() -> Vector<'static> {
        Vector {
            secret: "zd",
            headers: &[
                ("X-Zendesk-Webhook-Signature-Timestamp", "2023-11-14T22:13:20Z"),
                ("X-Zendesk-Webhook-Invocation-Id", "01GM"),
                ("X-Zendesk-Webhook-Signature", "kTAjgXcP1njATYqM9PQx6ly0xiiWf9f5akULHg8VBpw="),
            ],
            body: r#"{"type":"zen:event-type:ticket.created"}"#,
            event_type: Some("zen.event-type.ticket.created"),
            dedupe: Some("01GM"),
            ..Vector::default()
        }
    }

    #[test]
    fn a_signed_request_verifies_and_is_read() {
        check(&PRESET, vector());
    }
}
