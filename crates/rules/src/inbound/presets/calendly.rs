//! Calendly.

use super::super::recipe::{
    Dedupe, Format, Part, Place, Proof, Recipe, Signature, Stamp, StampAt, Unit,
};
use super::{Preset, SecretFrom};

pub(super) const PRESET: Preset = Preset {
    name: "calendly",
    title: "Calendly",
    docs: "https://developer.calendly.com/api-docs/4c305798a61d3-webhook-signatures",
    setup: &[
        "Create a webhook subscription with the API (POST /webhook_subscriptions).",
        "url: {url}",
        "signing_key: {secret}",
    ],
    secret_from: SecretFrom::Gateway,
    challenge: None,
    receipt: None,
    recipe: Recipe {
        proofs: &[Proof::Signature(Signature {
            format: Format::Pairs { separator: ',', name: "v1" },
            stamp: Some(Stamp {
                at: StampAt::Beside("t"),
                unit: Unit::Seconds,
                tolerance_s: Some(180),
            }),
            message: &[Part::Stamp, Part::Text("."), Part::Body],
            ..Signature::over_body("Calendly-Webhook-Signature")
        })],
        event_type: &[&[Place::Json("/event")]],
        dedupe: Dedupe::by(&[&[Place::Json("/payload/uri"), Place::Json("/event")]]),
    },
};

#[cfg(test)]
mod tests {
    use super::super::testing::{Vector, check, check_tolerance};
    use super::PRESET;

    fn vector() -> Vector<'static> {
        Vector {
            headers: &[(
                "Calendly-Webhook-Signature",
                "t=1700000000,v1=975df692a7639a232c79cfc0ce51ae001cb70e24a22f09957e6bd31fbbb206b9",
            )],
            body: r#"{"event":"invitee.created","payload":{"uri":"https://api.calendly.com/scheduled_events/A/invitees/B"}}"#,
            event_type: Some("invitee.created"),
            dedupe: Some("https://api.calendly.com/scheduled_events/A/invitees/B:invitee.created"),
            ..Vector::default()
        }
    }

    #[test]
    fn a_signed_request_verifies_and_is_read() {
        check(&PRESET, vector());
    }

    #[test]
    fn an_old_or_early_one_does_not() {
        check_tolerance(&PRESET, vector(), 180);
    }
}
