//! Slack.

use super::super::challenge::Challenge;
use super::super::recipe::{
    Dedupe, Format, Part, Place, Proof, Recipe, Signature, Stamp, StampAt, Unit,
};
use super::{Preset, SecretFrom};

pub(super) const PRESET: Preset = Preset {
    name: "slack",
    title: "Slack",
    docs: "https://docs.slack.dev/authentication/verifying-requests-from-slack",
    setup: &[
        "Copy the app's signing secret (Basic Information → App Credentials) into this source.",
        "Open Event Subscriptions and turn them on.",
        "Request URL: {url}",
    ],
    secret_from: SecretFrom::Provider,
    challenge: Some(Challenge::Slack),
    receipt: None,
    recipe: Recipe {
        proofs: &[Proof::Signature(Signature {
            format: Format::Prefixed("v0="),
            stamp: Some(Stamp {
                at: StampAt::Field(Place::Header("X-Slack-Request-Timestamp")),
                unit: Unit::Seconds,
                tolerance_s: Some(300),
            }),
            message: &[Part::Text("v0:"), Part::Stamp, Part::Text(":"), Part::Body],
            ..Signature::over_body("X-Slack-Signature")
        })],
        event_type: &[
            &[Place::Json("/event/type")],
            &[Place::Json("/type")],
            &[Place::Form("command")],
        ],
        dedupe: Dedupe::by(&[
            &[Place::Json("/event_id")],
            &[Place::Json("/trigger_id")],
            &[Place::Form("trigger_id")],
        ]),
    },
};

#[cfg(test)]
mod tests {
    use super::super::testing::{Vector, check, check_tolerance};
    use super::PRESET;
    use hookyard_domain::time::Timestamp;

    const COMMAND: &str = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar\
        &user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect\
        &text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN\
        &trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";

    fn vector() -> Vector<'static> {
        Vector {
            secret: "8f742231b10e8888abcd99yyyzzz85a5",
            headers: &[
                ("X-Slack-Request-Timestamp", "1700000000"),
                (
                    "X-Slack-Signature",
                    "v0=633f75586b3cba22d94238752504687713a2709710d13dd2216ea2c1172f001c",
                ),
            ],
            body: r#"{"type":"event_callback","event_id":"Ev08","event":{"type":"app_mention"}}"#,
            event_type: Some("app_mention"),
            dedupe: Some("Ev08"),
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
    fn the_example_of_the_documentation_verifies() {
        let command = Vector {
            secret: "8f742231b10e8888abcd99yyyzzz85a5",
            headers: &[
                ("Content-Type", "application/x-www-form-urlencoded"),
                ("X-Slack-Request-Timestamp", "1531420618"),
                (
                    "X-Slack-Signature",
                    "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
                ),
            ],
            body: COMMAND,
            now: Timestamp::from_secs(1_531_420_618),
            event_type: Some("webhook-collect"),
            dedupe: Some("398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"),
            ..Vector::default()
        };
        check(&PRESET, command);
    }
}
