//! Standard Webhooks, also under the header names of Svix: Clerk, Resend, OpenAI, Replicate, Render, Supabase and others.

use super::super::recipe::{
    At, Crypt, Dedupe, Encoding, Format, Part, Place, Proof, Recipe, Signature, Stamp, StampAt,
    Unit,
};
use super::{Preset, SecretFrom};

/// `webhook-id`, `webhook-timestamp`, `webhook-signature`.
pub(super) const WEBHOOK: Signature = Signature {
    at: At::Header("webhook-signature"),
    format: Format::Entries,
    encoding: Encoding::Base64,
    crypt: Crypt::Standard,
    stamp: Some(Stamp {
        at: StampAt::Field(Place::Header("webhook-timestamp")),
        unit: Unit::Seconds,
        tolerance_s: Some(300),
    }),
    message: &[
        Part::Field(Place::Header("webhook-id")),
        Part::Text("."),
        Part::Stamp,
        Part::Text("."),
        Part::Body,
    ],
};

/// The same under older names.
pub(super) const SVIX: Signature = Signature {
    at: At::Header("svix-signature"),
    stamp: Some(Stamp {
        at: StampAt::Field(Place::Header("svix-timestamp")),
        unit: Unit::Seconds,
        tolerance_s: Some(300),
    }),
    message: &[
        Part::Field(Place::Header("svix-id")),
        Part::Text("."),
        Part::Stamp,
        Part::Text("."),
        Part::Body,
    ],
    ..WEBHOOK
};

pub(super) const PRESET: Preset = Preset {
    name: "standard",
    title: "Standard Webhooks",
    docs: "https://www.standardwebhooks.com",
    setup: &[
        "At the sender, add a webhook endpoint.",
        "URL: {url}",
        "Secret: {secret}; or, where the sender shows one (whsec_… or whpk_…), copy it into this source.",
    ],
    secret_from: SecretFrom::Gateway,
    challenge: None,
    receipt: None,
    recipe: Recipe {
        proofs: &[Proof::Signature(WEBHOOK), Proof::Signature(SVIX)],
        event_type: &[&[Place::Json("/type")]],
        dedupe: Dedupe::by(&[&[Place::Header("webhook-id")], &[Place::Header("svix-id")]]),
    },
};

#[cfg(test)]
mod tests {
    use hookyard_domain::time::Timestamp;

    use super::super::testing::{Vector, check, check_tolerance};
    use super::PRESET;
    use crate::inbound::Rejection;

    const WHSK: &str = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
    const WHPK: &str = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
    const V1A: &str = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==";

    fn vector() -> Vector<'static> {
        Vector {
            secret: "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            headers: &[
                ("Webhook-Id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
                ("Webhook-Timestamp", "1614265330"),
                ("Webhook-Signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
            ],
            body: r#"{"test": 2432232314}"#,
            now: Timestamp::from_secs(1_614_265_330),
            dedupe: Some("msg_p5jXN8AQM9LWM0D4loKWxJek"),
            ..Vector::default()
        }
    }

    #[test]
    fn the_vectors_of_the_specification_verify() {
        check(&PRESET, vector());
        let email = Vector {
            secret: "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            headers: &[
                ("svix-id", "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk"),
                ("svix-timestamp", "1649367553"),
                ("svix-signature", "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="),
            ],
            body: r#"{"email":"test@example.com","username":"test_user"}"#,
            now: Timestamp::from_secs(1_649_367_553),
            dedupe: Some("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk"),
            ..vector()
        };
        check(&PRESET, email);
        let ping = Vector {
            secret: "whsec_plJ3nmyCDGBKInavdOK15jsl",
            headers: &[
                ("webhook-id", "msg_loFOjxBNrRLzqYUf"),
                ("webhook-timestamp", "1731705121"),
                ("webhook-signature", "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="),
            ],
            body: r#"{"event_type":"ping","data":{"success":true}}"#,
            now: Timestamp::from_secs(1_731_705_121),
            dedupe: Some("msg_loFOjxBNrRLzqYUf"),
            ..vector()
        };
        check(&PRESET, ping);
    }

    #[test]
    fn a_public_key_verifies_v1a_and_so_does_its_private_one() {
        let mut headers = vector().headers.to_vec();
        headers[2].1 = V1A;
        let asymmetric = Vector { secret: WHPK, headers: &headers, ..vector() };
        check(&PRESET, asymmetric);
        check(&PRESET, Vector { secret: WHSK, ..asymmetric });
        let bad = Vector { secret: WHSK.trim_end_matches("g=="), ..asymmetric }.run(&PRESET);
        assert!(matches!(bad, Err(Rejection::BadSecret(_))), "{bad:?}");
    }

    #[test]
    fn one_entry_that_fits_is_enough_and_unknown_versions_are_skipped() {
        let list = format!("v9,?? v1,AAAA v1,{} {V1A} {}", "A".repeat(43), vector().headers[2].1);
        let mut headers = vector().headers.to_vec();
        headers[2].1 = &list;
        check(&PRESET, Vector { headers: &headers, ..vector() });
        headers[2].1 = V1A;
        let got = Vector { headers: &headers, ..vector() }.run(&PRESET);
        assert!(matches!(got, Err(Rejection::MalformedSignature { .. })), "{got:?}");
    }

    #[test]
    fn an_old_or_early_one_does_not() {
        check_tolerance(&PRESET, vector(), 300);
    }

    #[test]
    fn every_header_is_needed_and_named() {
        for (at, name) in [(0, "webhook-id"), (1, "webhook-timestamp"), (2, "webhook-signature")] {
            let mut headers = vector().headers.to_vec();
            headers.remove(at);
            let got = Vector { headers: &headers, ..vector() }.run(&PRESET);
            assert!(got.unwrap_err().to_string().contains(name));
        }
    }
}
