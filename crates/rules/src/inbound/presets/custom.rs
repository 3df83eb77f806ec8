//! Anybody's own sender: Standard Webhooks, or hex of HMAC-SHA256 over the body in `X-Webhook-Signature`.

use super::super::recipe::{Dedupe, Format, Place, Proof, Recipe, Signature};
use super::{Preset, SecretFrom, standard};

pub(super) const PRESET: Preset = Preset {
    name: "custom",
    title: "Your own sender",
    docs: "https://www.standardwebhooks.com",
    setup: &[
        "Send requests to {url}",
        "Sign them by Standard Webhooks with {secret}.",
        "Or send X-Webhook-Signature: hex of HMAC-SHA256 over the body, the key is the whole text of the secret; sha256= may stand before it.",
        "Send an Idempotency-Key or X-Webhook-Id to have repetitions recognised.",
    ],
    secret_from: SecretFrom::Gateway,
    challenge: None,
    receipt: None,
    recipe: Recipe {
        proofs: &[
            Proof::Signature(standard::WEBHOOK),
            Proof::Signature(standard::SVIX),
            Proof::Signature(Signature {
                format: Format::PrefixAllowed("sha256="),
                ..Signature::over_body("X-Webhook-Signature")
            }),
        ],
        event_type: &[
            &[Place::Json("/type")],
            &[Place::Json("/event_type")],
            &[Place::Json("/event")],
            &[Place::Header("X-Webhook-Event")],
        ],
        dedupe: Dedupe::by(&[
            &[Place::Header("webhook-id")],
            &[Place::Header("svix-id")],
            &[Place::Header("Idempotency-Key")],
            &[Place::Header("X-Webhook-Id")],
        ]),
    },
};

#[cfg(test)]
mod tests {
    use super::super::testing::{Vector, check};
    use super::PRESET;
    use crate::inbound::Rejection;

    const WHSEC: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const HEX: &str = "840be69afa7151c2f54609da0630e1b83852ec390a199456c241f37f61f18022";

    fn vector() -> Vector<'static> {
        Vector {
            secret: "top secret",
            headers: &[("X-Webhook-Signature", HEX), ("Idempotency-Key", "ik-1")],
            body: r#"{"type":"order.created"}"#,
            event_type: Some("order.created"),
            dedupe: Some("ik-1"),
            ..Vector::default()
        }
    }

    #[test]
    fn hex_over_the_body_verifies_with_and_without_its_prefix_in_either_case() {
        check(&PRESET, vector());
        let (upper, prefixed) = (HEX.to_ascii_uppercase(), format!("sha256={HEX}"));
        for value in [&upper, &prefixed] {
            let headers = &[("x-webhook-signature", value.as_str())];
            check(&PRESET, Vector { headers, dedupe: None, ..vector() });
        }
    }

    #[test]
    fn the_key_is_the_whole_text_of_the_secret() {
        let headers = &[(
            "X-Webhook-Signature",
            "e020006f996d6b313d68dab45340f118dd46c19a1c183d4b75882fba527618be",
        )];
        let run = |secret| Vector { secret, headers, ..vector() }.run(&PRESET);
        assert!(run(WHSEC).is_ok());
        assert_eq!(run(&WHSEC[6..]), Err(Rejection::WrongSignature));
    }

    #[test]
    fn standard_webhooks_verify() {
        let standard = Vector {
            secret: WHSEC,
            headers: &[
                ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
                ("webhook-timestamp", "1614265330"),
                ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
            ],
            body: r#"{"test": 2432232314}"#,
            now: hookyard_domain::time::Timestamp::from_secs(1_614_265_330),
            event_type: None,
            dedupe: Some("msg_p5jXN8AQM9LWM0D4loKWxJek"),
            ..vector()
        };
        check(&PRESET, standard);
    }

    #[test]
    fn what_is_no_signature_is_told_from_a_wrong_one() {
        let run = |value: &str| {
            Vector { headers: &[("X-Webhook-Signature", value)], ..vector() }.run(&PRESET)
        };
        for malformed in ["zz", "00", &HEX[1..], &format!("{HEX}00"), "sha256=", "sha1=00"] {
            let got = run(malformed);
            assert!(
                matches!(got, Err(Rejection::MalformedSignature { .. })),
                "{malformed}: {got:?}"
            );
        }
        assert_eq!(run(&"0".repeat(64)), Err(Rejection::WrongSignature));
    }
}
