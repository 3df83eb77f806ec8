//! Alumia (vendors.md §3): what a source received goes on as it came, what was published gets an envelope.

use bytes::Bytes;
use hookyard_domain::event::Event;
use hookyard_domain::profile::Profile;

use super::envelope::Envelope;
use super::{ProfileRules, standard};

pub(super) const RULES: ProfileRules =
    ProfileRules { profile: Profile::Alumia, overlap: None, ..standard::RULES };

/// The received bytes unchanged, or `{id, type, createdAt, data}`.
pub(super) fn body(event: &Event, data: &Bytes) -> Bytes {
    if event.content.source.is_some() {
        return data.clone();
    }
    Envelope::around(data)
        .id_and_type(event)
        .time("createdAt", event.occurred_at())
        .data(event, data)
}
