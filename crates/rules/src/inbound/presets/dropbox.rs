//! Dropbox.

use super::super::challenge::Challenge;
use super::super::dedupe::CONTENT_WITHIN;
use super::super::recipe::{Dedupe, Place, Proof, Recipe, Signature};
use super::{Preset, SecretFrom};

pub(super) const PRESET: Preset = Preset {
    name: "dropbox",
    title: "Dropbox",
    docs: "https://www.dropbox.com/developers/reference/webhooks",
    setup: &[
        "Copy the app secret (App Console → the app) into this source.",
        "Webhooks → Webhook URIs → Add: {url}",
    ],
    secret_from: SecretFrom::Provider,
    challenge: Some(Challenge::Dropbox),
    receipt: None,
    recipe: Recipe {
        proofs: &[Proof::Signature(Signature::over_body("X-Dropbox-Signature"))],
        event_type: &[&[Place::Fixed("list_folder")]],
        dedupe: Dedupe::by_content(CONTENT_WITHIN),
    },
};

#[cfg(test)]
mod tests {
    use super::super::testing::{Vector, check};
    use super::PRESET;

    fn vector() -> Vector<'static> {
        Vector {
            secret: "secret",
            headers: &[(
                "X-Dropbox-Signature",
                "6c91bd0f879da783209d0063ceafb992a4b0a8e728dff2f53fba7892595e5f6a",
            )],
            body: r#"{"list_folder":{"accounts":["dbid:1"]}}"#,
            event_type: Some("list_folder"),
            dedupe: Some("sha256:"),
            ..Vector::default()
        }
    }

    #[test]
    fn a_signed_request_verifies_and_is_read() {
        check(&PRESET, vector());
    }
}
