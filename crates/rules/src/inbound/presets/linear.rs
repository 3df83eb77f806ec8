//! Linear. `Linear-Timestamp` is not signed, so the time in the body is what counts.

use super::super::recipe::{Dedupe, Place, Proof, Recipe, Signature, Stamp, StampAt, Unit};
use super::{Preset, SecretFrom};

pub(super) const PRESET: Preset = Preset {
    name: "linear",
    title: "Linear",
    docs: "https://linear.app/developers/webhooks",
    setup: &[
        "Open Settings → API → Webhooks → New webhook.",
        "URL: {url}",
        "Copy the signing secret into this source.",
    ],
    secret_from: SecretFrom::Provider,
    challenge: None,
    receipt: None,
    recipe: Recipe {
        proofs: &[Proof::Signature(Signature {
            stamp: Some(Stamp {
                at: StampAt::Field(Place::Json("/webhookTimestamp")),
                unit: Unit::Millis,
                tolerance_s: Some(60),
            }),
            ..Signature::over_body("Linear-Signature")
        })],
        event_type: &[
            &[Place::Json("/type"), Place::Json("/action")],
            &[Place::Header("Linear-Event")],
        ],
        dedupe: Dedupe::by(&[&[Place::Header("Linear-Delivery")]]),
    },
};

#[cfg(test)]
mod tests {
    use super::super::testing::{Vector, check, check_tolerance};
    use super::PRESET;
    use hookyard_domain::time::Timestamp;

    use crate::inbound::Rejection;

    fn vector() -> Vector<'static> {
        Vector {
            secret: "lin_secret",
            headers: &[
                ("Linear-Event", "Issue"),
                ("Linear-Delivery", "234d1a4e-b617-4388-90fe-adc3633d6b72"),
                (
                    "Linear-Signature",
                    "1cd7985f27f115ee39d45bd8663f8ff92570675c202a045ec224c01d8cbdd268",
                ),
            ],
            body: r#"{"action":"create","type":"Issue","webhookTimestamp":1700000000000}"#,
            event_type: Some("Issue.create"),
            dedupe: Some("234d1a4e-b617-4388-90fe-adc3633d6b72"),
            ..Vector::default()
        }
    }

    #[test]
    fn a_signed_request_verifies_and_is_read() {
        check(&PRESET, vector());
    }

    #[test]
    fn an_old_or_early_one_does_not() {
        check_tolerance(&PRESET, vector(), 60);
    }

    #[test]
    fn the_header_with_the_time_is_not_signed_and_proves_nothing() {
        let vector = vector();
        let mut headers = vector.headers.to_vec();
        headers.push(("Linear-Timestamp", "1800000000000"));
        let later = Timestamp::from_secs(1_800_000_000);
        let replayed = Vector { headers: &headers, now: later, ..vector }.run(&PRESET);
        assert!(matches!(replayed, Err(Rejection::Stale { .. })), "{replayed:?}");
        assert!(Vector { headers: &headers, ..vector }.run(&PRESET).is_ok());
    }

    #[test]
    fn a_body_that_tells_no_time_could_be_sent_again_for_ever_and_is_refused() {
        let headers = &[(
            "Linear-Signature",
            "2859eb19456156e2e76d4c4c503d3dd4a42513098ac2830179f1ead587acc687",
        )];
        let body = r#"{"action":"create","type":"Issue"}"#;
        let got = Vector { headers, body, ..vector() }.run(&PRESET);
        assert!(matches!(got, Err(Rejection::MissingTimestamp(_))), "{got:?}");
    }
}
