//! Zoom.

use super::super::challenge::Challenge;
use super::super::dedupe::CONTENT_WITHIN;
use super::super::recipe::{
    Dedupe, Format, Part, Place, Proof, Recipe, Signature, Stamp, StampAt, Unit,
};
use super::{Preset, SecretFrom};

pub(super) const PRESET: Preset = Preset {
    name: "zoom",
    title: "Zoom",
    docs: "https://developers.zoom.us/docs/api/webhooks/#verify-webhook-events",
    setup: &[
        "Copy the app's secret token (Feature → Access) into this source.",
        "Add an event subscription.",
        "Event notification endpoint URL: {url}",
        "Press Validate.",
    ],
    secret_from: SecretFrom::Provider,
    challenge: Some(Challenge::Zoom),
    receipt: None,
    recipe: Recipe {
        proofs: &[Proof::Signature(Signature {
            format: Format::Prefixed("v0="),
            stamp: Some(Stamp {
                at: StampAt::Field(Place::Header("x-zm-request-timestamp")),
                unit: Unit::Seconds,
                tolerance_s: None,
            }),
            message: &[Part::Text("v0:"), Part::Stamp, Part::Text(":"), Part::Body],
            ..Signature::over_body("x-zm-signature")
        })],
        event_type: &[&[Place::Json("/event")]],
        dedupe: Dedupe::by_content(CONTENT_WITHIN),
    },
};

#[cfg(test)]
mod tests {
    use super::super::testing::{Vector, check};
    use super::PRESET;

    fn vector() -> Vector<'static> {
        Vector {
            secret: "zm",
            headers: &[
                ("x-zm-request-timestamp", "1700000000"),
                (
                    "x-zm-signature",
                    "v0=c9c1879f2cf88d8b7b493de66a32843b0c4a4aa6354e7fcb32df14498102c4fe",
                ),
            ],
            body: r#"{"event":"meeting.started","event_ts":1700000000000}"#,
            event_type: Some("meeting.started"),
            dedupe: Some("sha256:"),
            ..Vector::default()
        }
    }

    #[test]
    fn a_signed_request_verifies_and_is_read() {
        check(&PRESET, vector());
    }
}
