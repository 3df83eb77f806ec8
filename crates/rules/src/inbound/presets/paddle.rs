//! Paddle.

use super::super::recipe::{
    Dedupe, Format, Part, Place, Proof, Recipe, Signature, Stamp, StampAt, Unit,
};
use super::{Preset, SecretFrom};

pub(super) const PRESET: Preset = Preset {
    name: "paddle",
    title: "Paddle",
    docs: "https://developer.paddle.com/webhooks/signature-verification",
    setup: &[
        "Open Developer tools → Notifications → New destination.",
        "URL: {url}",
        "Copy the secret key (pdl_ntfset_…) into this source.",
    ],
    secret_from: SecretFrom::Provider,
    challenge: None,
    receipt: None,
    recipe: Recipe {
        proofs: &[Proof::Signature(Signature {
            format: Format::Pairs { separator: ';', name: "h1" },
            stamp: Some(Stamp {
                at: StampAt::Beside("ts"),
                unit: Unit::Seconds,
                tolerance_s: Some(5),
            }),
            message: &[Part::Stamp, Part::Text(":"), Part::Body],
            ..Signature::over_body("Paddle-Signature")
        })],
        event_type: &[&[Place::Json("/event_type")]],
        dedupe: Dedupe::by(&[&[Place::Json("/event_id")]]),
    },
};

#[cfg(test)]
mod tests {
    use super::super::testing::{Vector, check, check_tolerance};
    use super::PRESET;

    fn vector() -> Vector<'static> {
        Vector {
            secret: "pdl_ntfset_1",
            headers: &[(
                "Paddle-Signature",
                "ts=1700000000;h1=cf7a0466cb0c4320f2b8e4562989e4dbf58ac00e8369cba5f918f232e088b4d0",
            )],
            body: r#"{"event_id":"evt_01","event_type":"transaction.completed"}"#,
            event_type: Some("transaction.completed"),
            dedupe: Some("evt_01"),
            ..Vector::default()
        }
    }

    #[test]
    fn a_signed_request_verifies_and_is_read() {
        check(&PRESET, vector());
    }

    #[test]
    fn an_old_or_early_one_does_not() {
        check_tolerance(&PRESET, vector(), 5);
    }
}
