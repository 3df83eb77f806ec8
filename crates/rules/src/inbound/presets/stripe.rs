//! Stripe. The key is the whole text of the secret, `whsec_` included.

use super::super::recipe::{
    Dedupe, Format, Part, Place, Proof, Recipe, Signature, Stamp, StampAt, Unit,
};
use super::{Preset, SecretFrom};

pub(super) const PRESET: Preset = Preset {
    name: "stripe",
    title: "Stripe",
    docs: "https://docs.stripe.com/webhooks/signature",
    setup: &[
        "In the dashboard, open Developers → Webhooks → Add destination.",
        "Endpoint URL: {url}",
        "Copy the signing secret (whsec_…) into this source.",
    ],
    secret_from: SecretFrom::Provider,
    challenge: None,
    receipt: None,
    recipe: Recipe {
        proofs: &[Proof::Signature(Signature {
            format: Format::Pairs { separator: ',', name: "v1" },
            stamp: Some(Stamp {
                at: StampAt::Beside("t"),
                unit: Unit::Seconds,
                tolerance_s: Some(300),
            }),
            message: &[Part::Stamp, Part::Text("."), Part::Body],
            ..Signature::over_body("Stripe-Signature")
        })],
        event_type: &[&[Place::Json("/type")]],
        dedupe: Dedupe::by(&[&[Place::Json("/id")]]),
    },
};

#[cfg(test)]
mod tests {
    use super::super::testing::{Vector, check, check_tolerance};
    use super::PRESET;
    use crate::inbound::Rejection;

    fn vector() -> Vector<'static> {
        Vector {
            secret: "whsec_test",
            headers: &[(
                "Stripe-Signature",
                "t=1700000000,v1=c89214b5b5da833daed6f0b8c5bb6bd58cea9022bd80ccc78230f3942d632925",
            )],
            body: r#"{"id":"evt_1"}"#,
            event_type: None,
            dedupe: Some("evt_1"),
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

    #[test]
    fn one_of_several_v1_is_enough_and_a_v0_is_none() {
        let good = "50dbd14508b5b60e3dd423864782fd8ce42e740c7acfe2e9a23f08f31afc02d2";
        let other = "0".repeat(64);
        let several = format!("t=1700000000,v1={other},v1={good},v0={other}");
        let vector = Vector {
            secret: "whsec_test",
            headers: &[("Stripe-Signature", &several)],
            body: r#"{"id":"evt_2","object":"event","type":"payment_intent.succeeded"}"#,
            event_type: Some("payment_intent.succeeded"),
            dedupe: Some("evt_2"),
            ..Vector::default()
        };
        check(&PRESET, vector);
        let only_v0 = format!("t=1700000000,v0={good}");
        let got = Vector { headers: &[("Stripe-Signature", &only_v0)], ..vector }.run(&PRESET);
        assert!(matches!(got, Err(Rejection::MalformedSignature { .. })), "{got:?}");
    }

    #[test]
    fn the_secret_is_a_text_and_not_decoded() {
        let decoded = "87154df859319c1490dfc0557e600a59a11e24fcfefbc7c7915d2820ebefd8fd";
        let header = format!("t=1700000000,v1={decoded}");
        let got = Vector { headers: &[("Stripe-Signature", &header)], ..vector() }.run(&PRESET);
        assert_eq!(got, Err(Rejection::WrongSignature));
    }
}
