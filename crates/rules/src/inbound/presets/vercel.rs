//! Vercel.

use super::super::recipe::{Crypt, Dedupe, Digest, KeyForm, Place, Proof, Recipe, Signature};
use super::{Preset, SecretFrom};

pub(super) const PRESET: Preset = Preset {
    name: "vercel",
    title: "Vercel",
    docs: "https://vercel.com/docs/webhooks/webhooks-api",
    setup: &[
        "Open the team → Settings → Webhooks → Create webhook.",
        "Endpoint URL: {url}",
        "Copy the secret that is shown once into this source.",
    ],
    secret_from: SecretFrom::Provider,
    challenge: None,
    receipt: None,
    recipe: Recipe {
        proofs: &[Proof::Signature(Signature {
            crypt: Crypt::Hmac(Digest::Sha1, KeyForm::Text),
            ..Signature::over_body("x-vercel-signature")
        })],
        event_type: &[&[Place::Json("/type")]],
        dedupe: Dedupe::by(&[&[Place::Json("/id")]]),
    },
};

#[cfg(test)]
mod tests {
    use super::super::testing::{Vector, check};
    use super::PRESET;

    fn vector() -> Vector<'static> {
        Vector {
            secret: "secret",
            headers: &[("x-vercel-signature", "2eb4838e80258211f8c71ad4603ad2ebe54525af")],
            body: r#"{"id":"evt_v1","type":"deployment.created"}"#,
            event_type: Some("deployment.created"),
            dedupe: Some("evt_v1"),
            ..Vector::default()
        }
    }

    #[test]
    fn a_signed_request_verifies_and_is_read() {
        check(&PRESET, vector());
    }
}
