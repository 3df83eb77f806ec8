//! Alvys (vendors.md §2.2, §2.5, §2.11).

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use hookyard_domain::event::Event;
use hookyard_domain::event_type::EventType;
use hookyard_domain::profile::Profile;
use hookyard_domain::retry::{AutoDisable, Verify};
use hookyard_domain::scheme::Scheme;
use serde_json::Value;
use serde_json::value::RawValue;

use super::envelope::Envelope;
use super::{Dress, ProfileRules, Terminal};
use crate::signing::SignedHeaders;

pub(super) const RULES: ProfileRules = ProfileRules {
    profile: Profile::Alvys,
    scheme: Scheme::Alvys,
    // vendors.md ALV-DEL-4.
    retry_delays_ms: &[10_000, 30_000, 60_000],
    retry_jitter: 0.0,
    timeout_s: 30,
    overlap: Some(Duration::from_secs(24 * 3600)),
    terminal: Terminal::ClientErrors,
    auto_disable: AutoDisable::AfterEvents(10),
    verify: Verify::Challenge,
    endpoints_max: Some(50),
    events_max: Some(50),
    secret_required: true,
};

/// `{id, type, timestamp, version, data}`; the time with seven decimals and an offset (vendors.md §2.11).
pub(super) fn body(event: &Event, data: &Bytes) -> Bytes {
    Envelope::around(data)
        .id_and_type(event)
        .time_to_seven_decimals("timestamp", event.occurred_at())
        .text("version", "v1")
        .data(event, data)
}

/// Which events tell what changed (vendors.md ALV-DIFF-1).
pub(super) fn carries_diff(event_type: &EventType) -> bool {
    matches!(event_type.as_str(), "load.changed" | "trip.changed")
}

/// What the event is about, where events about the same thing are dispatched one after another: a tender, or a document
/// (vendors.md ALV-DEL-11).
pub(super) fn series(event: &Event) -> Option<String> {
    let name = event.content.event_type.as_str();
    let of_tender = name.starts_with("tender.");
    if !of_tender && !name.contains(".document.") {
        return None;
    }
    let data: Members<'_> = serde_json::from_slice(&event.content.data).ok()?;
    if of_tender {
        let id = data.get("tenderId").and_then(|it| id(it)).or_else(|| id_of(&data, "tender"));
        id.map(|it| format!("tender {it}"))
    } else {
        id_of(&data, "document").map(|it| format!("document {it}"))
    }
}

/// An object's members, each read for itself: one of another shape spoils no other.
type Members<'a> = BTreeMap<String, &'a RawValue>;

/// The id of the thing of that name.
fn id_of(data: &Members<'_>, name: &str) -> Option<String> {
    let thing: Members<'_> = serde_json::from_str(data.get(name)?.get()).ok()?;
    ["id", "Id"].into_iter().find_map(|it| thing.get(it).and_then(|it| id(it)))
}

/// An id's text: publishers write theirs as a text or as a number.
fn id(value: &RawValue) -> Option<String> {
    match serde_json::from_str(value.get()).ok()? {
        Value::String(text) => Some(text).filter(|it| !it.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// All but the timestamp and the signature.
pub(super) fn headers(id: &str, dress: &Dress<'_>, headers: &mut SignedHeaders) {
    headers.push(("X-Alvys-Event", dress.event.content.event_type.as_str().to_owned()));
    headers.push(("X-Alvys-Event-Id", id.to_owned()));
    headers.push(("X-Alvys-Attempt", dress.attempt.to_string()));
}
