//! Adyen: payment notifications are signed item by item in the body, all others in a header. The key is hex.

use super::super::dedupe::CONTENT_WITHIN;
use super::super::recipe::{
    Crypt, Dedupe, Digest, Encoding, KeyForm, Place, Proof, Recipe, Signature,
};
use super::{Preset, SecretFrom};

pub(super) const PRESET: Preset = Preset {
    name: "adyen",
    title: "Adyen",
    docs: "https://docs.adyen.com/development-resources/webhooks/secure-webhooks/verify-hmac-signatures/",
    setup: &[
        "In the Customer Area, open Developers → Webhooks → Create new webhook.",
        "URL: {url}",
        "Security → HMAC key: generate it and copy it into this source.",
    ],
    secret_from: SecretFrom::Provider,
    challenge: None,
    receipt: Some("[accepted]"),
    recipe: Recipe {
        proofs: &[
            Proof::Adyen,
            Proof::Signature(Signature {
                encoding: Encoding::Base64,
                crypt: Crypt::Hmac(Digest::Sha256, KeyForm::Hex),
                ..Signature::over_body("HmacSignature")
            }),
        ],
        event_type: &[
            &[Place::Each("/notificationItems", "/NotificationRequestItem/eventCode")],
            &[Place::Json("/type")],
            &[Place::Fixed("batch")],
        ],
        dedupe: Dedupe {
            ids: &[&[
                Place::Each("/notificationItems", "/NotificationRequestItem/pspReference"),
                Place::Each("/notificationItems", "/NotificationRequestItem/eventCode"),
            ]],
            content_within: Some(CONTENT_WITHIN),
        },
    },
};

#[cfg(test)]
mod tests {
    use super::super::testing::{Vector, check, check_secrets};
    use super::PRESET;
    use crate::inbound::Rejection;

    const ITEM: &str = concat!(
        r#"{"NotificationRequestItem":{"pspReference":"7914073381342284","merchantAccountCode":"TestMerchant","merchantReference":"TestPayment-1407325143704","#,
        r#""amount":{"value":1130,"currency":"EUR"},"eventCode":"AUTHORISATION","#,
        r#""success":"true","additionalData":{"hmacSignature":"coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0="}}}"#,
    );

    fn vector() -> Vector<'static> {
        Vector {
            secret: "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056",
            headers: &[("HmacSignature", "dHUnFCWH926aP0TyUjn01+mlkLvdPbn5rgnz80rwTM4=")],
            body: r#"{"type":"balancePlatform.transfer.created"}"#,
            event_type: Some("balancePlatform.transfer.created"),
            dedupe: Some("sha256:"),
            ..Vector::default()
        }
    }

    fn payment(items: &[&str]) -> String {
        format!(r#"{{"live":"false","notificationItems":[{}]}}"#, items.join(","))
    }

    #[test]
    fn a_platform_request_is_signed_in_its_header() {
        check(&PRESET, vector());
    }

    #[test]
    fn every_item_of_a_payment_request_must_be_signed() {
        let body = payment(&[ITEM, ITEM]);
        let good = Vector { headers: &[], body: &body, ..vector() };
        check_secrets(&PRESET, good);
        let got = good.run(&PRESET).unwrap();
        assert_eq!(got.event_type.as_deref(), Some("AUTHORISATION"));
        let id = "7914073381342284,7914073381342284:AUTHORISATION,AUTHORISATION";
        assert_eq!(got.dedupe_id.as_deref(), Some(id));
        let changed = ITEM.replace("1130", "1131");
        let run = |body: &str| Vector { body, ..good }.run(&PRESET);
        assert_eq!(run(&payment(&[ITEM, &changed])), Err(Rejection::WrongSignature));
        let unsigned = ITEM.replace("hmacSignature", "other");
        let got = run(&payment(&[ITEM, &unsigned]));
        assert!(matches!(got, Err(Rejection::MissingSignature(_))), "{got:?}");
        assert!(matches!(run("{}"), Err(Rejection::MissingSignature(_))));
        let got = Vector { secret: "not hex", ..good }.run(&PRESET);
        assert!(matches!(got, Err(Rejection::BadSecret(_))), "{got:?}");
    }
}
