//! Microsoft Graph change notifications. Nothing is signed; each item repeats the `clientState` of the subscription.

use super::super::challenge::Challenge;
use super::super::dedupe::CONTENT_WITHIN;
use super::super::recipe::{Dedupe, Place, Proof, Recipe};
use super::{Preset, SecretFrom};

pub(super) const PRESET: Preset = Preset {
    name: "microsoft-graph",
    title: "Microsoft Graph",
    docs: "https://learn.microsoft.com/en-us/graph/change-notifications-delivery-webhooks",
    setup: &[
        "Create a subscription with the API (POST /subscriptions).",
        "notificationUrl: {url}",
        "clientState: {secret}",
    ],
    secret_from: SecretFrom::Gateway,
    challenge: Some(Challenge::Graph),
    receipt: None,
    recipe: Recipe {
        proofs: &[Proof::Token(Place::Each("/value", "/clientState"))],
        event_type: &[
            &[Place::Each("/value", "/changeType")],
            &[Place::Each("/value", "/lifecycleEvent")],
            &[Place::Fixed("batch")],
        ],
        dedupe: Dedupe {
            ids: &[&[Place::Each("/value", "/id")]],
            content_within: Some(CONTENT_WITHIN),
        },
    },
};

#[cfg(test)]
mod tests {
    use super::super::testing::{Vector, check_secrets};
    use super::PRESET;
    use crate::inbound::Rejection;

    const BODY: &str = concat!(
        r#"{"value":[{"id":"n1","subscriptionId":"s1","clientState":"st4te","changeType":"created","resource":"me/messages/1"},"#,
        r#"{"id":"n2","subscriptionId":"s1","clientState":"st4te","changeType":"created","resource":"me/messages/2"}]}"#,
    );

    #[test]
    fn every_item_must_hold_the_client_state() {
        let vector = Vector { secret: "st4te", body: BODY, ..Vector::default() };
        check_secrets(&PRESET, vector);
        let got = vector.run(&PRESET).unwrap();
        assert_eq!(got.event_type.as_deref(), Some("created"));
        assert_eq!(got.dedupe_id.as_deref(), Some("n1,n2"));
        let body = BODY.replacen("st4te", "other", 1);
        assert_eq!(Vector { body: &body, ..vector }.run(&PRESET), Err(Rejection::WrongToken));
        let lacking = BODY.replacen(r#""clientState":"st4te","#, "", 1);
        for body in [lacking.as_str(), r#"{"value":[]}"#, "no JSON"] {
            let got = Vector { body, ..vector }.run(&PRESET);
            assert!(matches!(got, Err(Rejection::MissingSignature(_))), "{got:?}");
        }
    }
}
