//! Mailgun. The signature stands in the body and covers a time and a token, **not** what the body tells. So the token is what
//! tells repetitions apart: a captured one proves nothing a second time.

use super::super::recipe::{
    At, Dedupe, Part, Place, Proof, Recipe, Signature, Stamp, StampAt, Unit,
};
use super::{Preset, SecretFrom};

pub(super) const PRESET: Preset = Preset {
    name: "mailgun",
    title: "Mailgun",
    docs: "https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks",
    setup: &[
        "Open Send → Sending → Webhooks → Add webhook.",
        "URL: {url}",
        "Copy the HTTP webhook signing key (API security) into this source.",
    ],
    secret_from: SecretFrom::Provider,
    challenge: None,
    receipt: None,
    recipe: Recipe {
        proofs: &[
            Proof::Signature(Signature {
                at: At::Field(Place::Json("/signature/signature")),
                stamp: Some(Stamp {
                    at: StampAt::Field(Place::Json("/signature/timestamp")),
                    unit: Unit::Seconds,
                    tolerance_s: None,
                }),
                message: &[Part::Stamp, Part::Field(Place::Json("/signature/token"))],
                ..Signature::over_body("")
            }),
            Proof::Signature(Signature {
                at: At::Field(Place::Form("signature")),
                stamp: Some(Stamp {
                    at: StampAt::Field(Place::Form("timestamp")),
                    unit: Unit::Seconds,
                    tolerance_s: None,
                }),
                message: &[Part::Stamp, Part::Field(Place::Form("token"))],
                ..Signature::over_body("")
            }),
        ],
        event_type: &[&[Place::Json("/event-data/event")], &[Place::Form("event")]],
        dedupe: Dedupe::by(&[&[Place::Json("/signature/token")], &[Place::Form("token")]]),
    },
};

#[cfg(test)]
mod tests {
    use super::super::testing::{Vector, check_secrets};
    use super::PRESET;
    use crate::inbound::Rejection;

    #[test]
    fn a_signed_request_verifies_and_is_read_and_another_token_does_not() {
        let vector = Vector {
            secret: "mk",
            body: r#"{"signature":{"timestamp":"1700000000","token":"c8b5","signature":"d2938a818ef9b6faa85b511465be8db7c8a676a25de60a23227fcfec0ef6a7bf"},"event-data":{"event":"delivered","id":"G9Bn5sl1"}}"#,
            ..Vector::default()
        };
        check_secrets(&PRESET, vector);
        let got = vector.run(&PRESET).unwrap();
        assert_eq!(got.event_type.as_deref(), Some("delivered"));
        assert_eq!(got.dedupe_id.as_deref(), Some("c8b5"));
        let body = vector.body.replace("c8b5", "c8b6");
        let tampered = Vector { body: &body, ..vector }.run(&PRESET);
        assert_eq!(tampered, Err(Rejection::WrongSignature));
        let none = Vector { body: "{}", ..vector }.run(&PRESET);
        assert!(matches!(none, Err(Rejection::MissingSignature(_))), "{none:?}");
    }

    #[test]
    fn the_older_form_is_read_too() {
        let headers = &[("content-type", "application/x-www-form-urlencoded")];
        let body = "timestamp=1700000000&token=c8b5&signature=d2938a818ef9b6faa85b511465be8db7c8a676a25de60a23227fcfec0ef6a7bf&event=opened";
        let vector = Vector { secret: "mk", headers, body, ..Vector::default() };
        check_secrets(&PRESET, vector);
        assert_eq!(vector.run(&PRESET).unwrap().event_type.as_deref(), Some("opened"));
    }
}
