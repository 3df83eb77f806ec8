//! HubSpot, third version of its signature: method, URL, body and time. One request holds many events and stays one.

use super::super::recipe::{
    Dedupe, Encoding, Part, Place, Proof, Recipe, Signature, Stamp, StampAt, Unit,
};
use super::{Preset, SecretFrom};

pub(super) const PRESET: Preset = Preset {
    name: "hubspot",
    title: "HubSpot",
    docs: "https://developers.hubspot.com/docs/apps/legacy-apps/authentication/validating-requests",
    setup: &[
        "Copy the app's client secret (Auth) into this source.",
        "Open Webhooks in the app.",
        "Target URL: {url}",
    ],
    secret_from: SecretFrom::Provider,
    challenge: None,
    receipt: None,
    recipe: Recipe {
        proofs: &[Proof::Signature(Signature {
            encoding: Encoding::Base64,
            stamp: Some(Stamp {
                at: StampAt::Field(Place::Header("X-HubSpot-Request-Timestamp")),
                unit: Unit::Millis,
                tolerance_s: Some(300),
            }),
            message: &[Part::Method, Part::UrlUnescaped, Part::Body, Part::Stamp],
            ..Signature::over_body("X-HubSpot-Signature-v3")
        })],
        event_type: &[&[Place::Each("", "/subscriptionType")], &[Place::Fixed("batch")]],
        dedupe: Dedupe::by(&[&[Place::Each("", "/eventId")]]),
    },
};

#[cfg(test)]
mod tests {
    use super::super::testing::{Vector, check, check_tolerance};
    use super::PRESET;
    use crate::inbound::Rejection;

    fn vector() -> Vector<'static> {
        Vector {
            secret: "secret",
            url: "https://ex.com/h",
            headers: &[
                ("X-HubSpot-Signature-v3", "MZkOj31vWkgXVwrKgjpuTksVCJm/YcS7HAYS495vUxI="),
                ("X-HubSpot-Request-Timestamp", "1700000000000"),
            ],
            body: r#"{"a":1}"#,
            event_type: Some("batch"),
            dedupe: None,
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
    fn some_escapes_of_the_url_are_undone_before_it_is_signed() {
        let escaped = Vector {
            url: "https://ex.com/h?redirect=https%3A%2F%2Fex.com%2Fa%20b%40c",
            headers: &[
                ("X-HubSpot-Signature-v3", "oKdWPpD624qYniWRsYUuLwF8mRJuhxhONvQw/5+r3DU="),
                ("X-HubSpot-Request-Timestamp", "1700000000000"),
            ],
            body: r#"[{"eventId":1,"subscriptionType":"contact.creation"},{"eventId":2,"subscriptionType":"contact.creation"}]"#,
            event_type: Some("contact.creation"),
            dedupe: Some("1,2"),
            ..vector()
        };
        check(&PRESET, escaped);
    }

    #[test]
    fn the_method_is_signed_too() {
        let got = Vector { method: "PUT", ..vector() }.run(&PRESET);
        assert_eq!(got, Err(Rejection::WrongSignature));
    }
}
