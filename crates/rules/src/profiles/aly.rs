//! Aly (vendors.md §1.2, §1.3, §1.6).

use bytes::Bytes;
use hookyard_domain::event::Event;
use hookyard_domain::profile::Profile;
use hookyard_domain::retry::{AutoDisable, Verify};
use hookyard_domain::scheme::Scheme;
use hookyard_domain::subscription::Scope;

use super::envelope::Envelope;
use super::{Dress, ProfileRules, Terminal};
use crate::signing::SignedHeaders;

pub(super) const RULES: ProfileRules = ProfileRules {
    profile: Profile::Aly,
    scheme: Scheme::Aly,
    // vendors.md ALY-DEL-6: 30 s, 2 min, 10 min, 30 min, 1 h, 2 h, then 17 times 4 h.
    retry_delays_ms: &[
        30_000, 120_000, 600_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000, 14_400_000,
        14_400_000, 14_400_000, 14_400_000, 14_400_000, 14_400_000, 14_400_000, 14_400_000,
        14_400_000, 14_400_000, 14_400_000, 14_400_000, 14_400_000, 14_400_000, 14_400_000,
        14_400_000,
    ],
    retry_jitter: 0.1,
    timeout_s: 5,
    overlap: None,
    terminal: Terminal::Never,
    auto_disable: AutoDisable::Never,
    verify: Verify::None,
    endpoints_max: None,
    events_max: None,
    secret_required: true,
};

/// `{id, type, created_at, site_slug, data}`.
pub(super) fn body(event: &Event, data: &Bytes) -> Bytes {
    Envelope::around(data)
        .id_and_type(event)
        .time("created_at", event.occurred_at())
        .text_or_null("site_slug", event.content.scope.as_ref().map(Scope::as_str))
        .data(event, data)
}

/// All but the timestamp and the signature.
pub(super) fn headers(id: &str, dress: &Dress<'_>, headers: &mut SignedHeaders) {
    // New for every attempt and every replay (vendors.md §1.2), so it is the attempt's id that goes out, as `del_…`.
    let mut delivery = dress.delivery.attempt(dress.attempt).to_string();
    delivery.replace_range(..3, "del");
    headers.push(("X-Aly-Delivery-Id", delivery));
    headers.push(("X-Aly-Event-Id", id.to_owned()));
    headers.push(("X-Aly-Event-Type", dress.event.content.event_type.as_str().to_owned()));
    headers.push(("X-Aly-Attempt", dress.attempt.to_string()));
}
