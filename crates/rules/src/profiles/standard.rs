//! Standard Webhooks (standards.md §1), the profile of an endpoint that names none.

use std::time::Duration;

use bytes::Bytes;
use hookyard_domain::event::Event;
use hookyard_domain::profile::Profile;
use hookyard_domain::retry::{AutoDisable, Verify};
use hookyard_domain::scheme::Scheme;

use super::envelope::Envelope;
use super::{ProfileRules, Terminal};

pub(super) const RULES: ProfileRules = ProfileRules {
    profile: Profile::Standard,
    scheme: Scheme::Standard,
    // standards.md §1.3: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h.
    retry_delays_ms: &[
        5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 50_400_000, 72_000_000,
        86_400_000,
    ],
    retry_jitter: 0.2,
    timeout_s: 15,
    overlap: Some(Duration::from_secs(24 * 3600)),
    terminal: Terminal::Gone,
    auto_disable: AutoDisable::AfterSeconds(5 * 24 * 3600),
    verify: Verify::None,
    endpoints_max: None,
    events_max: None,
    secret_required: true,
};

/// `{type, timestamp, data}`; the id is in `webhook-id`.
pub(super) fn body(event: &Event, data: &Bytes) -> Bytes {
    Envelope::around(data)
        .text("type", event.content.event_type.as_str())
        .time("timestamp", event.occurred_at())
        .data(event, data)
}
