//! SendGrid's event webhook, signed with ECDSA. One request holds many events and stays one event here.

use super::super::recipe::{
    Crypt, Dedupe, Encoding, Part, Place, Proof, Recipe, Signature, Stamp, StampAt, Unit,
};
use super::{Preset, SecretFrom};

pub(super) const PRESET: Preset = Preset {
    name: "sendgrid",
    title: "SendGrid",
    docs: "https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features",
    setup: &[
        "Open Settings → Mail Settings → Event Webhooks → Create new webhook.",
        "Post URL: {url}",
        "Enable signature verification and copy the public key into this source.",
    ],
    secret_from: SecretFrom::Provider,
    challenge: None,
    receipt: None,
    recipe: Recipe {
        proofs: &[Proof::Signature(Signature {
            encoding: Encoding::Base64,
            crypt: Crypt::EcdsaP256,
            stamp: Some(Stamp {
                at: StampAt::Field(Place::Header("X-Twilio-Email-Event-Webhook-Timestamp")),
                unit: Unit::Seconds,
                tolerance_s: None,
            }),
            message: &[Part::Stamp, Part::Body],
            ..Signature::over_body("X-Twilio-Email-Event-Webhook-Signature")
        })],
        event_type: &[&[Place::Each("", "/event")], &[Place::Fixed("batch")]],
        dedupe: Dedupe::by(&[&[Place::Each("", "/sg_event_id")]]),
    },
};

#[cfg(test)]
mod tests {
    use super::super::testing::{Vector, check};
    use super::PRESET;
    use crate::inbound::{Outgoing, Rejection, sign};

    fn vector() -> Vector<'static> {
        Vector {
            secret: "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEF05XDz5hpUvSsN6QNXyqiZdY1aLIJz3B+HBbz2fS67RbpggnzIEhBxCuyCJP/tAev7vJ7lElhB+sYtw0jb5y8Q==",
            headers: &[
                (
                    "X-Twilio-Email-Event-Webhook-Signature",
                    "MEQCIHGFRfb7Vkc//WdLJiEnoSMO2Rrb8c8D8LkJqxpmkFqVAiBtwkftQOkzgRsbmL+OPM0bSUVacop/NUd5zwIhS8Wftg==",
                ),
                ("X-Twilio-Email-Event-Webhook-Timestamp", "1700000000"),
            ],
            body: concat!(
                r#"[{"event":"delivered","sg_event_id":"a1"},"#,
                r#"{"event":"delivered","sg_event_id":"b2"}]"#,
                "\r\n",
            ),
            event_type: Some("delivered"),
            dedupe: Some("a1,b2"),
            ..Vector::default()
        }
    }

    #[test]
    fn a_signed_request_verifies_and_is_read() {
        check(&PRESET, vector());
    }

    #[test]
    fn events_of_several_types_are_one_batch() {
        let mixed = Vector {
            headers: &[
                (
                    "X-Twilio-Email-Event-Webhook-Signature",
                    "MEUCIQC3rM9nObhbtLns8bUZWFvrWhEMm2JUwXCi4r9j3vwRpQIgaCxonhIpEveW9Lz9q95lEtcEFDr9pSQrcuVkT/1wJgM=",
                ),
                ("X-Twilio-Email-Event-Webhook-Timestamp", "1700000000"),
            ],
            body: r#"[{"event":"open","sg_event_id":"a1"},{"event":"click","sg_event_id":"b2"}]"#,
            event_type: Some("batch"),
            ..vector()
        };
        check(&PRESET, mixed);
    }

    #[test]
    fn the_line_end_of_the_body_is_signed_too() {
        let body = vector().body.trim_ascii_end();
        let got = Vector { body, ..vector() }.run(&PRESET);
        assert_eq!(got, Err(Rejection::WrongSignature));
    }

    #[test]
    fn who_has_the_private_key_can_sign() {
        let private = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgygJafWRoc+P+QmQ9933PQPV233F+nh6ZftGzXKzlTp6hRANCAAQXTlcPPmGlS9Kw3pA1fKqJl1jVosgnPcH4cFvPZ9LrtFumCCfMgSEHEK7IIk/+0B6/u8nuUSWEH6xi3DSNvnLx";
        let body = vector().body.as_bytes();
        let outgoing = Outgoing { id: "", now: vector().now, method: "POST", url: "", body };
        let signed = sign(&PRESET.recipe, private, &outgoing).unwrap();
        let headers: Vec<_> = signed.0.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert!(Vector { headers: &headers, ..vector() }.run(&PRESET).is_ok(), "{headers:?}");
    }
}
