//! WooCommerce.

use super::super::challenge::Challenge;
use super::super::recipe::{Dedupe, Encoding, Place, Proof, Recipe, Signature};
use super::{Preset, SecretFrom};

pub(super) const PRESET: Preset = Preset {
    name: "woocommerce",
    title: "WooCommerce",
    docs: "https://woocommerce.com/document/webhooks/",
    setup: &[
        "Open WooCommerce → Settings → Advanced → Webhooks → Add webhook.",
        "Delivery URL: {url}",
        "Secret: {secret}",
    ],
    secret_from: SecretFrom::Gateway,
    challenge: Some(Challenge::WooCommerce),
    receipt: None,
    recipe: Recipe {
        proofs: &[Proof::Signature(Signature {
            encoding: Encoding::Base64,
            ..Signature::over_body("X-WC-Webhook-Signature")
        })],
        event_type: &[&[Place::Header("X-WC-Webhook-Topic")]],
        dedupe: Dedupe::by(&[&[Place::Header("X-WC-Webhook-Delivery-ID")]]),
    },
};

#[cfg(test)]
mod tests {
    use super::super::testing::{Vector, check};
    use super::PRESET;

    fn vector() -> Vector<'static> {
        Vector {
            secret: "secret",
            headers: &[
                ("X-WC-Webhook-Topic", "order.created"),
                ("X-WC-Webhook-Delivery-ID", "9a1b"),
                ("X-WC-Webhook-Signature", "UtiK1DTZewPTdDmUeS7YHg+QGcWcgW08Tnjy5YKijZ0="),
            ],
            body: r#"{"id":727}"#,
            event_type: Some("order.created"),
            dedupe: Some("9a1b"),
            ..Vector::default()
        }
    }

    #[test]
    fn a_signed_request_verifies_and_is_read() {
        check(&PRESET, vector());
    }
}
