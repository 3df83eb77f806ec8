//! The stream: what happens in a tenant, as Server-Sent Events. Each message's `event` is its kind, its `data` one of these
//! objects, its `id` where its reader stands.

use hookyard_domain::attempt as domain_attempt;
use hookyard_domain::delivery as domain_delivery;
use hookyard_domain::event as domain_event;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::attempts::{Outcome, Trigger};
use crate::deliveries::{DeliveryStatus, EndReason};
use crate::endpoints::EndpointStatus;
use crate::json::Headers;

/// What of the stream is wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StreamQuery {
    /// Kinds with commas between: `event.accepted`, `attempt.finished`, `endpoint.changed`; all when left out.
    #[param(example = "event.accepted,attempt.finished")]
    pub kinds: Option<String>,
    /// Only events and attempts of these types, or below prefixes such as `order.*`, with commas between.
    #[serde(rename = "type")]
    #[param(example = "order.*")]
    pub event_type: Option<String>,
    /// Only events and attempts of this scope.
    pub scope: Option<String>,
    /// Only events that this source received, and their attempts.
    pub source: Option<String>,
    /// Only events that go to this endpoint, attempts to it, and changes of it.
    pub endpoint: Option<String>,
    /// `true`: events come with what they carry, exactly.
    #[param(value_type = Option<bool>)]
    pub payload: Option<String>,
    /// The `id` of the last message that was read, where the header `Last-Event-ID` cannot be sent; the header wins.
    pub last_event_id: Option<String>,
}

/// `event.accepted`: an event was accepted.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AcceptedEvent {
    /// Its id.
    #[schema(example = "evt_01jv0g6xwre3zb0g8v4q5n6m7k")]
    pub id: String,
    /// Its type.
    #[serde(rename = "type")]
    #[schema(example = "order.created")]
    pub event_type: String,
    /// The subdivision of the tenant it belongs to.
    pub scope: Option<String>,
    /// The source that received it, when it came in through one.
    pub source: Option<String>,
    /// The publisher's own id for it.
    pub publisher_id: Option<String>,
    /// When it happened.
    #[schema(format = "date-time", example = "2026-05-19T08:35:14.000Z")]
    pub occurred_at: String,
    /// When it was accepted.
    #[schema(format = "date-time", example = "2026-05-19T08:35:14.000Z")]
    pub accepted_at: String,
    /// How many endpoints it goes to.
    pub deliveries: u32,
    /// Bytes of what it carries, about.
    pub payload_bytes: u64,
    /// What it carries; left out when it was not asked for, and when it is larger than 1 MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<EventPayload>,
}

/// What an event carries, exactly.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EventPayload {
    /// `data`, or the body that was received.
    pub data: Exact,
    /// The object before the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Exact>,
    /// What changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Exact>,
    /// The `Content-Type` it was received with; left out is JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Headers that go out with every delivery of it; values that look like credentials are masked.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub headers: Headers,
}

/// Bytes, as a text where they are one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Exact {
    /// Themselves.
    Text(String),
    /// In base64.
    Base64(String),
}

impl Exact {
    /// The form of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Base64(base64::Engine::encode(&BASE64, bytes)),
        }
    }

    /// The bytes again; `None` when they are not base64.
    #[must_use]
    pub fn bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::Text(text) => Some(text.as_bytes().to_owned()),
            Self::Base64(text) => base64::Engine::decode(&BASE64, text).ok(),
        }
    }
}

const BASE64: base64::engine::GeneralPurpose = base64::engine::general_purpose::STANDARD;

impl AcceptedEvent {
    /// The wire form of an event; `is_whole` is whether what it carries is shown.
    #[must_use]
    pub fn new(event: domain_event::Event, deliveries: u32, bytes: u64, is_whole: bool) -> Self {
        let occurred_at = event.occurred_at().to_string();
        let content = event.content;
        let payload = is_whole.then(|| EventPayload {
            data: Exact::of(&content.data),
            previous: content.previous.as_deref().map(Exact::of),
            changes: content.changes.as_deref().map(Exact::of),
            content_type: content.content_type,
            headers: content.headers.into(),
        });
        Self {
            id: event.id.to_string(),
            event_type: content.event_type.to_string(),
            scope: content.scope.map(|it| it.as_str().to_owned()),
            source: content.source.map(|it| it.to_string()),
            publisher_id: content.publisher_id,
            occurred_at,
            accepted_at: event.accepted_at.to_string(),
            deliveries,
            payload_bytes: bytes,
            payload,
        }
    }
}

/// `attempt.finished`: an attempt ended.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct FinishedAttempt {
    /// The attempt's id.
    #[schema(example = "att_01jv0g6xwre3zb0g8v4q5n6m7k")]
    pub id: String,
    /// The delivery that was tried.
    #[schema(example = "dlv_01jv0g6xwre3zb0g8v4q5n6m7k")]
    pub delivery_id: String,
    /// The event that is delivered.
    #[schema(example = "evt_01jv0g6xwre3zb0g8v4q5n6m7k")]
    pub event_id: String,
    /// The type of the event.
    #[schema(example = "order.created")]
    pub event_type: String,
    /// The endpoint it went to.
    #[schema(example = "wh_01jv0g6xwre3zb0g8v4q5n6m7k")]
    pub endpoint_id: String,
    /// From 1.
    #[schema(minimum = 1)]
    pub number: u32,
    /// When it began.
    #[schema(format = "date-time", example = "2026-05-19T08:35:14.000Z")]
    pub started_at: String,
    /// How long it took.
    pub duration_ms: u32,
    /// What came of it.
    pub outcome: Outcome,
    /// The answer's status code.
    pub status_code: Option<u16>,
    /// Why it failed.
    pub error: Option<String>,
    /// What set it off.
    pub trigger: Trigger,
    /// The state of the delivery when this is sent, which may be later.
    pub delivery_status: DeliveryStatus,
    /// Why the delivery ended, when it did without success.
    pub reason: Option<EndReason>,
    /// When the next attempt is due.
    #[schema(format = "date-time")]
    pub next_attempt_at: Option<String>,
}

impl FinishedAttempt {
    /// The wire form of an attempt of a delivery.
    #[must_use]
    pub fn new(delivery: domain_delivery::Delivery, attempt: domain_attempt::Attempt) -> Self {
        Self {
            id: delivery.id.attempt(attempt.number).to_string(),
            delivery_id: delivery.id.to_string(),
            event_id: delivery.id.event().to_string(),
            event_type: delivery.event_type.to_string(),
            endpoint_id: delivery.endpoint.to_string(),
            number: attempt.number,
            started_at: attempt.started_at.to_string(),
            duration_ms: attempt.took_ms,
            outcome: attempt.outcome.into(),
            status_code: attempt.status_code,
            error: attempt.error,
            trigger: attempt.trigger.into(),
            delivery_status: delivery.status.into(),
            reason: delivery.reason.map(Into::into),
            next_attempt_at: delivery.next_attempt_at.map(|it| it.to_string()),
        }
    }
}

/// `endpoint.changed`: an endpoint was made, changed or taken away.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ChangedEndpoint {
    /// The endpoint.
    #[schema(example = "wh_01jv0g6xwre3zb0g8v4q5n6m7k")]
    pub id: String,
    /// What was done, in the words of the audit log; `source.updated` and the like where it forwards for a source that was
    /// changed.
    #[schema(example = "endpoint.paused")]
    pub action: String,
    /// When.
    #[schema(format = "date-time", example = "2026-05-19T08:35:14.000Z")]
    pub at: String,
    /// Its state after the change; `null` when the change says nothing of it.
    pub status: Option<EndpointStatus>,
}

/// `lagged`: the reader was so slow, or away for so long, that what happened before this time is not kept any more.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Lagged {
    /// What happened before and was not read is lost to the stream; the lists still have it.
    #[schema(format = "date-time", example = "2026-05-19T08:35:14.000Z")]
    pub lost_before: String,
}

/// One message of a stream, in the fields of Server-Sent Events. One without `data` tells a new place alone.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StreamMessage {
    /// Its place: give the last one as `Last-Event-ID` to go on behind it.
    pub id: Option<String>,
    /// What it tells: `event.accepted`, `attempt.finished`, `endpoint.changed` or `lagged`.
    #[schema(example = "event.accepted")]
    pub event: Option<String>,
    /// `StreamData` as JSON on one line.
    pub data: Option<String>,
    /// After how many milliseconds to connect again when it breaks.
    pub retry: Option<u32>,
}

/// The `data` of one message; the message's `event` says which.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum StreamData {
    /// `event.accepted`
    Accepted(Box<AcceptedEvent>),
    /// `attempt.finished`
    Finished(Box<FinishedAttempt>),
    /// `endpoint.changed`
    Changed(ChangedEndpoint),
    /// `lagged`
    Lagged(Lagged),
}

impl StreamData {
    /// The message's `event`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Accepted(_) => "event.accepted",
            Self::Finished(_) => "attempt.finished",
            Self::Changed(_) => "endpoint.changed",
            Self::Lagged(_) => "lagged",
        }
    }

    /// Reads a message; `None` for a kind that a later server knows.
    ///
    /// # Errors
    /// The data is not what its kind says.
    pub fn read(kind: &str, data: &str) -> Result<Option<Self>, serde_json::Error> {
        Ok(Some(match kind {
            "event.accepted" => Self::Accepted(serde_json::from_str(data)?),
            "attempt.finished" => Self::Finished(serde_json::from_str(data)?),
            "endpoint.changed" => Self::Changed(serde_json::from_str(data)?),
            "lagged" => Self::Lagged(serde_json::from_str(data)?),
            _ => return Ok(None),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_a_text_where_they_are_one_and_come_back_exactly() {
        for (bytes, form) in [
            (&b"{\"n\": 1.10}"[..], r#"{"text":"{\"n\": 1.10}"}"#),
            (&[0xff, 0x00, 0x0a], r#"{"base64":"/wAK"}"#),
        ] {
            let exact = Exact::of(bytes);
            assert_eq!(serde_json::to_string(&exact).unwrap(), form);
            assert_eq!(exact.bytes().as_deref(), Some(bytes));
        }
        assert_eq!(Exact::Base64("?".into()).bytes(), None);
    }

    #[test]
    fn a_message_is_read_by_its_kind() {
        let data =
            r#"{"id":"wh_1","action":"endpoint.paused","at":"x","status":"paused","more":1}"#;
        let read = StreamData::read("endpoint.changed", data).unwrap().unwrap();
        assert_eq!(read.kind(), "endpoint.changed");
        assert!(StreamData::read("of.tomorrow", "{}").unwrap().is_none());
        assert!(StreamData::read("event.accepted", data).is_err());
    }
}
