//! GitLab: a token that is sent as it is, or Standard Webhooks.

use super::super::recipe::{Dedupe, Place, Proof, Recipe};
use super::{Preset, SecretFrom, standard};

pub(super) const PRESET: Preset = Preset {
    name: "gitlab",
    title: "GitLab",
    docs: "https://docs.gitlab.com/user/project/integrations/webhooks/",
    setup: &[
        "In the project or group, open Settings → Webhooks → Add new webhook.",
        "URL: {url}",
        "Signing token (or, where there is none, Secret token): {secret}",
    ],
    secret_from: SecretFrom::Gateway,
    challenge: None,
    receipt: None,
    recipe: Recipe {
        proofs: &[
            Proof::Token(Place::Header("X-Gitlab-Token")),
            Proof::Signature(standard::WEBHOOK),
        ],
        event_type: &[&[Place::Json("/object_kind")], &[Place::Header("X-Gitlab-Event")]],
        dedupe: Dedupe::by(&[
            &[Place::Header("webhook-id")],
            &[Place::Header("Idempotency-Key")],
            &[Place::Header("X-Gitlab-Event-UUID")],
        ]),
    },
};

#[cfg(test)]
mod tests {
    use super::super::testing::{Vector, check, check_secrets, check_tolerance};
    use super::PRESET;
    use hookyard_domain::headers::Headers;

    use crate::inbound::{Received, Rejection, Trust, verify};

    fn vector() -> Vector<'static> {
        Vector {
            secret: "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
            headers: &[
                ("webhook-id", "msg_1"),
                ("webhook-timestamp", "1700000000"),
                ("webhook-signature", "v1,l39TF5TAFgWCHkP7k1UvqkTv126uJKnzB6/yXT5SKJ8="),
            ],
            body: r#"{"object_kind":"push"}"#,
            event_type: Some("push"),
            dedupe: Some("msg_1"),
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

    fn token() -> Vector<'static> {
        Vector {
            secret: "a plain token",
            headers: &[
                ("X-Gitlab-Event", "Push Hook"),
                ("X-Gitlab-Token", "a plain token"),
                ("Idempotency-Key", "f5e5f430"),
            ],
            body: r#"{"object_kind":"push"}"#,
            event_type: Some("push"),
            dedupe: Some("f5e5f430"),
            ..Vector::default()
        }
    }

    #[test]
    fn the_token_alone_verifies_and_is_read() {
        check_secrets(&PRESET, token());
        let got = token().run(&PRESET).unwrap();
        assert_eq!(got.event_type.as_deref(), Some("push"));
        assert_eq!(got.dedupe_id.as_deref(), Some("f5e5f430"));
        let unsigned = Vector { headers: &[], ..token() }.run(&PRESET);
        assert!(matches!(unsigned, Err(Rejection::MissingSignature(_))), "{unsigned:?}");
    }

    #[test]
    fn a_source_that_moves_to_the_signing_token_may_hold_both() {
        let headers = Headers(vec![("X-Gitlab-Token".into(), "old".into())]);
        let received = Received { method: "POST", url: "", headers: &headers, body: b"{}" };
        let trust = Trust {
            secrets: &["whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "old"],
            tolerance: None,
            now: vector().now,
        };
        assert_eq!(verify(&PRESET.recipe, &received, &trust).map(|it| it.secret), Ok(1));
    }
}
