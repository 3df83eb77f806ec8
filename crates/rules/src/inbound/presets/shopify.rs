//! Shopify.

use super::super::recipe::{Dedupe, Encoding, Place, Proof, Recipe, Signature};
use super::{Preset, SecretFrom};

pub(super) const PRESET: Preset = Preset {
    name: "shopify",
    title: "Shopify",
    docs: "https://shopify.dev/docs/apps/build/webhooks/verify-deliveries",
    setup: &[
        "In the app, subscribe to the topics (shopify.app.toml or the Admin API).",
        "URL: {url}",
        "Copy the app's client secret into this source.",
    ],
    secret_from: SecretFrom::Provider,
    challenge: None,
    receipt: None,
    recipe: Recipe {
        proofs: &[Proof::Signature(Signature {
            encoding: Encoding::Base64,
            ..Signature::over_body("X-Shopify-Hmac-Sha256")
        })],
        event_type: &[&[Place::Header("X-Shopify-Topic")]],
        dedupe: Dedupe::by(&[
            &[Place::Header("X-Shopify-Webhook-Id")],
            &[Place::Header("X-Shopify-Event-Id"), Place::Header("X-Shopify-Topic")],
        ]),
    },
};

#[cfg(test)]
mod tests {
    use super::super::testing::{Vector, check};
    use super::PRESET;

    fn vector() -> Vector<'static> {
        Vector {
            secret: "hush",
            headers: &[
                ("X-Shopify-Topic", "orders/create"),
                ("X-Shopify-Webhook-Id", "b54557e4"),
                ("X-Shopify-Hmac-Sha256", "qBvrsZF7RfB1iS6BX6IHqJTp5L911P7intnPeTPsH0I="),
            ],
            body: r#"{"id":820982911946154508}"#,
            event_type: Some("orders.create"),
            dedupe: Some("b54557e4"),
            ..Vector::default()
        }
    }

    #[test]
    fn a_signed_request_verifies_and_is_read() {
        check(&PRESET, vector());
    }
}
