//! Discord's webhook events and interactions, signed with Ed25519.

use super::super::challenge::Challenge;
use super::super::dedupe::CONTENT_WITHIN;
use super::super::recipe::{
    Crypt, Dedupe, Part, Place, Proof, Recipe, Signature, Stamp, StampAt, Unit,
};
use super::{Preset, SecretFrom};

pub(super) const PRESET: Preset = Preset {
    name: "discord",
    title: "Discord",
    docs: "https://docs.discord.com/developers/events/webhook-events",
    setup: &[
        "Copy the application's public key (General Information) into this source.",
        "Webhooks → Endpoint URL, or General Information → Interactions Endpoint URL: {url}",
    ],
    secret_from: SecretFrom::Provider,
    challenge: Some(Challenge::Discord),
    receipt: None,
    recipe: Recipe {
        proofs: &[Proof::Signature(Signature {
            crypt: Crypt::Ed25519,
            stamp: Some(Stamp {
                at: StampAt::Field(Place::Header("X-Signature-Timestamp")),
                unit: Unit::Seconds,
                tolerance_s: None,
            }),
            message: &[Part::Stamp, Part::Body],
            ..Signature::over_body("X-Signature-Ed25519")
        })],
        event_type: &[&[Place::Json("/event/type")], &[Place::Fixed("interaction")]],
        dedupe: Dedupe {
            ids: &[&[Place::Json("/event/id")], &[Place::Json("/id")]],
            content_within: Some(CONTENT_WITHIN),
        },
    },
};

#[cfg(test)]
mod tests {
    use super::super::testing::{Vector, check};
    use super::PRESET;
    use crate::inbound::{Outgoing, Rejection, sign};

    fn vector() -> Vector<'static> {
        Vector {
            secret: "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8",
            headers: &[
                (
                    "X-Signature-Ed25519",
                    "c1e873c51322205d27fb691513effc4d32d5d9a4f4e5815b2777751764542475144f9aa37287cf34a06d8716bb3a365a9dd9ba2e5eedb6725a44832dd3effa0a",
                ),
                ("X-Signature-Timestamp", "1700000000"),
            ],
            body: r#"{"version":1,"application_id":"1234","type":1,"event":{"type":"APPLICATION_AUTHORIZED","timestamp":"2024-10-18T14:42:53.064834"}}"#,
            event_type: Some("APPLICATION_AUTHORIZED"),
            dedupe: Some("sha256:"),
            ..Vector::default()
        }
    }

    #[test]
    fn a_signed_request_verifies_and_is_read() {
        check(&PRESET, vector());
    }

    #[test]
    fn an_interaction_is_read_by_its_own_id_and_upper_case_digits_are_hex_too() {
        let interaction = Vector {
            headers: &[
                (
                    "x-signature-ed25519",
                    "AF31EA9A4E3355BED96C56F9D4715F43B2DDCC9CADC078B74B98179EF7B0B8D092D588CF779341C934FB9659A882B6DE193BC1B8E34A697229F2039881C5C607",
                ),
                ("x-signature-timestamp", "1700000000"),
            ],
            body: r#"{"id":"8461","type":2,"token":"t"}"#,
            event_type: Some("interaction"),
            dedupe: Some("8461"),
            ..vector()
        };
        check(&PRESET, interaction);
    }

    #[test]
    fn who_has_the_private_key_can_sign() {
        let body = vector().body.as_bytes();
        let outgoing = Outgoing { id: "", now: vector().now, method: "POST", url: "", body };
        let seed = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
        let headers = sign(&PRESET.recipe, seed, &outgoing).unwrap();
        assert_eq!(headers.get("x-signature-ed25519"), Some(vector().headers[0].1));
        assert!(sign(&PRESET.recipe, "00", &outgoing).is_err());
    }

    #[test]
    fn a_text_that_is_no_key_is_told() {
        let got = Vector { secret: "not hex", ..vector() }.run(&PRESET);
        assert!(matches!(got, Err(Rejection::BadSecret(_))), "{got:?}");
    }
}
