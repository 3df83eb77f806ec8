//! Twilio. The public URL is signed too.

use super::super::recipe::{Dedupe, Place, Proof, Recipe};
use super::{Preset, SecretFrom};

pub(super) const PRESET: Preset = Preset {
    name: "twilio",
    title: "Twilio",
    docs: "https://www.twilio.com/docs/usage/security#validating-requests",
    setup: &[
        "Copy the auth token of the account into this source.",
        "Set the URL of the number, service or callback to {url}",
    ],
    secret_from: SecretFrom::Provider,
    challenge: None,
    receipt: None,
    recipe: Recipe {
        proofs: &[Proof::Twilio],
        event_type: &[
            &[Place::Form("MessageStatus")],
            &[Place::Form("SmsStatus")],
            &[Place::Form("CallStatus")],
        ],
        dedupe: Dedupe::by(&[&[Place::Header("I-Twilio-Idempotency-Token")]]),
    },
};

#[cfg(test)]
mod tests {
    use super::super::testing::{Vector, check};
    use super::PRESET;
    use crate::inbound::Rejection;

    fn vector() -> Vector<'static> {
        Vector {
            secret: "12345",
            url: "https://mycompany.com/myapp.php?foo=1&bar=2",
            headers: &[
                ("Content-Type", "application/x-www-form-urlencoded"),
                ("I-Twilio-Idempotency-Token", "idem-1"),
                ("X-Twilio-Signature", "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
            ],
            body: "Digits=1234&To=%2B18005551212&From=%2B14158675309&Caller=%2B14158675309&CallSid=CA1234567890ABCDE",
            event_type: None,
            dedupe: Some("idem-1"),
            ..Vector::default()
        }
    }

    #[test]
    fn a_signed_request_verifies_and_is_read() {
        check(&PRESET, vector());
    }

    #[test]
    fn the_settings_name_another_algorithm_and_an_unknown_one_is_refused() {
        let run = |settings, signature| {
            let settings = ("X-Twilio-Webhooks-Signature-Settings", settings);
            let headers = [settings, ("X-Twilio-Signature", signature)];
            Vector { headers: &headers, ..vector() }.run(&PRESET).map(|_| ())
        };
        let sha256 = "033hgUJA9M/hXIZsYjwkerEP/DBm35nEri5FhCYjA5s=";
        for named in ["key=KR1,algorithm=HMAC_SHA256", "algorithm = hmac_sha256 , key = KR1"] {
            assert_eq!(run(named, sha256), Ok(()));
        }
        let (_, sha1) = vector().headers[2];
        for named in ["key=KR1", "key=KR1,algorithm=", "key=KR1,algorithm=HMAC_SHA1"] {
            assert_eq!(run(named, sha1), Ok(()));
            let got = run(named, sha256);
            assert!(matches!(got, Err(Rejection::MalformedSignature { .. })), "{got:?}");
        }
        for signature in [sha1, sha256] {
            let got = run("key=KR1,algorithm=HMAC_MD5", signature);
            assert!(matches!(got, Err(Rejection::UnknownAlgorithm(_))), "{got:?}");
        }
    }

    #[test]
    fn the_url_may_be_signed_with_or_without_its_port() {
        let with_port = Vector {
            headers: &[("X-Twilio-Signature", "kvajT1Ptam85bY51eRf/AJRuM3w=")],
            dedupe: None,
            ..vector()
        };
        check(&PRESET, with_port);
        check(
            &PRESET,
            Vector { url: "https://mycompany.com:443/myapp.php?foo=1&bar=2", ..vector() },
        );
        let slash = Vector { url: "https://mycompany.com/myapp.php/?foo=1&bar=2", ..vector() };
        assert_eq!(slash.run(&PRESET), Err(Rejection::WrongSignature));
        let none = Vector { url: "", ..vector() }.run(&PRESET);
        assert_eq!(none, Err(Rejection::MissingPart("public URL".into())));
    }

    #[test]
    fn a_body_that_is_no_form_is_covered_by_its_hash_in_the_url() {
        let json = Vector {
            url: "https://mycompany.com/json?bodySHA256=015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862",
            headers: &[
                ("Content-Type", "application/json"),
                ("X-Twilio-Signature", "7s/v7FKBrC/+hMiBxdCErK4Nc7U="),
            ],
            body: r#"{"a":1}"#,
            dedupe: None,
            ..vector()
        };
        check(&PRESET, json);
        // Without a hash the body would be covered by nothing.
        let url = "https://mycompany.com/json";
        let headers = &[
            ("Content-Type", "application/json"),
            ("X-Twilio-Signature", "I3xhyOJ8eW4VhZ9jTWKKROYvQEQ="),
        ];
        let got = Vector { url, headers, ..json }.run(&PRESET);
        assert_eq!(got, Err(Rejection::MissingPart("query parameter `bodySHA256`".into())));
    }

    #[test]
    fn a_field_that_comes_twice_is_signed_sorted_and_once_per_value() {
        let repeated = Vector {
            headers: &[("X-Twilio-Signature", "TQyznOS6Od0cpzxzGU0qRoz1ErM=")],
            body: "MediaUrl=b&MediaUrl=a&MediaUrl=b",
            dedupe: None,
            ..vector()
        };
        check(&PRESET, repeated);
    }
}
