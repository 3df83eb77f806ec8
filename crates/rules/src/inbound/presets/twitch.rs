//! Twitch EventSub.

use super::super::challenge::Challenge;
use super::super::recipe::{
    Dedupe, Format, Part, Place, Proof, Recipe, Signature, Stamp, StampAt, Unit,
};
use super::{Preset, SecretFrom};

pub(super) const PRESET: Preset = Preset {
    name: "twitch",
    title: "Twitch",
    docs: "https://dev.twitch.tv/docs/eventsub/handling-webhook-events/",
    setup: &[
        "Create an EventSub subscription with the API (POST /eventsub/subscriptions).",
        "transport.callback: {url}",
        "transport.secret: {secret}",
    ],
    secret_from: SecretFrom::Gateway,
    challenge: Some(Challenge::Twitch),
    receipt: None,
    recipe: Recipe {
        proofs: &[Proof::Signature(Signature {
            format: Format::Prefixed("sha256="),
            stamp: Some(Stamp {
                at: StampAt::Field(Place::Header("Twitch-Eventsub-Message-Timestamp")),
                unit: Unit::Iso,
                tolerance_s: Some(600),
            }),
            message: &[
                Part::Field(Place::Header("Twitch-Eventsub-Message-Id")),
                Part::Stamp,
                Part::Body,
            ],
            ..Signature::over_body("Twitch-Eventsub-Message-Signature")
        })],
        event_type: &[&[Place::Header("Twitch-Eventsub-Subscription-Type")]],
        dedupe: Dedupe::by(&[&[Place::Header("Twitch-Eventsub-Message-Id")]]),
    },
};

#[cfg(test)]
mod tests {
    use super::super::testing::{Vector, check, check_tolerance};
    use super::PRESET;

    fn vector() -> Vector<'static> {
        Vector {
            secret: "s3cRe7s3cRe7",
            headers: &[
                ("Twitch-Eventsub-Message-Id", "e76c6bd4"),
                ("Twitch-Eventsub-Message-Timestamp", "2023-11-14T22:13:20.000000000Z"),
                ("Twitch-Eventsub-Subscription-Type", "channel.follow"),
                (
                    "Twitch-Eventsub-Message-Signature",
                    "sha256=313659fe1e85fc7f5ab5544d07ab2256299055d6a8f5bf82126f7d0b5853a31a",
                ),
            ],
            body: r#"{"subscription":{"type":"channel.follow"},"event":{}}"#,
            event_type: Some("channel.follow"),
            dedupe: Some("e76c6bd4"),
            ..Vector::default()
        }
    }

    #[test]
    fn a_signed_request_verifies_and_is_read() {
        check(&PRESET, vector());
    }

    #[test]
    fn an_old_or_early_one_does_not() {
        check_tolerance(&PRESET, vector(), 600);
    }
}
