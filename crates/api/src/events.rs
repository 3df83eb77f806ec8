//! Events: published, and as they are shown.

use hookyard_domain::event as domain;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use crate::deliveries::Delivery;
use crate::json::{Headers, Json, Text};
use crate::problem::Problem;
use crate::stream::Exact;

// Read in one pass; `data`, `previous` and `changes` are slices of the request's own bytes.
/// An event to publish.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewEvent)]
pub struct NewEvent<'a> {
    /// Its type: segments of `A-Z a-z 0-9 _ -` joined by dots.
    #[serde(borrow, rename = "type")]
    #[schema(
        value_type = String,
        max_length = 128,
        pattern = r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$",
        example = "order.created"
    )]
    pub event_type: Text<'a>,
    /// What happened, any JSON; its exact bytes are delivered.
    #[serde(borrow)]
    #[schema(value_type = serde_json::Value, example = json!({"id": "ord_1", "total": 1999}))]
    pub data: &'a RawValue,
    /// The subdivision of the tenant it belongs to.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 128)]
    pub scope: Option<Text<'a>>,
    /// Your own id for it; the same id again answers the first event and publishes nothing.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255, example = "order-1-created")]
    pub id: Option<Text<'a>>,
    /// When it happened; left out is now.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, format = "date-time", example = "2026-05-19T08:35:14.000Z")]
    pub occurred_at: Option<Text<'a>>,
    /// The object before the change; endpoints that asked get `data.diff.previousAttributes` computed from it.
    #[serde(borrow, default)]
    #[schema(value_type = Option<Object>)]
    pub previous: Option<&'a RawValue>,
    /// What changed, in the words that the profile's receivers expect: objects, each with a text `kind`. Not beside a `diff`
    /// in `data`.
    #[serde(borrow, default)]
    #[schema(value_type = Option<Vec<serde_json::Value>>)]
    pub changes: Option<&'a RawValue>,
    /// Headers that go out with every delivery of it. Names that look like credentials are refused: events are kept
    /// readable, the headers of an endpoint are sealed.
    #[serde(default)]
    #[schema(value_type = Option<std::collections::BTreeMap<String, String>>)]
    pub headers: Option<Headers>,
}

/// An event that was accepted, or was before.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Published {
    /// The event's id.
    #[schema(example = "evt_01jv0g6xwre3zb0g8v4q5n6m7k")]
    pub id: String,
    /// How many endpoints it goes to.
    #[schema(example = 2)]
    pub deliveries: u32,
}

/// What became of one event of a batch: either `id` and `deliveries`, or `error`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct BatchResult {
    /// Its place in the batch, from 0.
    pub index: usize,
    /// The status it would have got alone: 202, 200 for a duplicate, 422 …
    #[schema(example = 202)]
    pub status: u16,
    /// The event's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "evt_01jv0g6xwre3zb0g8v4q5n6m7k")]
    pub id: Option<String>,
    /// How many endpoints it goes to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deliveries: Option<u32>,
    /// Why it was not accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
}

/// What became of a batch.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct BatchResults {
    /// One for each event, in the order of the batch.
    pub results: Vec<BatchResult>,
}

/// An accepted event.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Event {
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
    pub created_at: String,
    /// How many deliveries it has, replays counted.
    pub deliveries: u32,
    /// What happened; a text when what was received is no JSON.
    #[schema(value_type = serde_json::Value)]
    pub data: Json,
    /// The body that was received, byte for byte, where `data` does not show it so: it is no JSON, or has spaces around it.
    /// Left out in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received: Option<Exact>,
    /// The `Content-Type` it was received with; left out is JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The object before the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = serde_json::Value)]
    pub previous: Option<Json>,
    /// What changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = serde_json::Value)]
    pub changes: Option<Json>,
    /// Headers that go out with every delivery of it; values that look like credentials are masked.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub headers: Headers,
}

/// A page of events.
pub type EventPage = crate::page::Page<Event>;

impl Event {
    /// The wire form of an event and the number of its deliveries, with its body byte for byte.
    #[must_use]
    pub fn whole(event: domain::Event, deliveries: u32) -> Self {
        let data = event.content.data.clone();
        let shown = Self::new(event, deliveries);
        let received = (shown.data.text().as_bytes() != data).then(|| Exact::of(&data));
        Self { received, ..shown }
    }

    /// The wire form of an event and the number of its deliveries, as lists show it.
    #[must_use]
    pub fn new(event: domain::Event, deliveries: u32) -> Self {
        let occurred_at = event.occurred_at().to_string();
        let content = event.content;
        Self {
            id: event.id.to_string(),
            event_type: content.event_type.to_string(),
            scope: content.scope.map(|it| it.as_str().to_owned()),
            source: content.source.map(|it| it.to_string()),
            publisher_id: content.publisher_id,
            occurred_at,
            created_at: event.accepted_at.to_string(),
            deliveries,
            data: Json::shown(&content.data),
            received: None,
            content_type: content.content_type,
            previous: content.previous.as_deref().map(Json::shown),
            changes: content.changes.as_deref().map(Json::shown),
            headers: content.headers.into(),
        }
    }
}

/// Which events are listed.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EventQuery {
    /// Of this type, or below a prefix such as `order.*`.
    #[serde(rename = "type")]
    pub event_type: Option<String>,
    /// Of this scope.
    pub scope: Option<String>,
    /// Received by this source.
    pub source: Option<String>,
    /// Accepted at or after this time.
    #[param(format = "date-time")]
    pub since: Option<String>,
    /// Accepted before this time.
    #[param(format = "date-time")]
    pub until: Option<String>,
    /// With this text in their data or as their publisher's id.
    pub q: Option<String>,
}

/// Whom to send an event to once more. An empty body: every endpoint that wants it by its settings of today and is not off.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// Only to these endpoints.
    #[schema(max_items = 500, example = json!(["wh_01jv0g6xwre3zb0g8v4q5n6m7k"]))]
    pub endpoints: Option<Vec<String>>,
}

/// The fresh deliveries of a replay.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Replayed {
    /// One for each endpoint.
    pub deliveries: Vec<Delivery>,
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use hookyard_domain::headers::Headers as DomainHeaders;
    use hookyard_domain::id::EventId;
    use hookyard_domain::tenant::TenantNo;
    use hookyard_domain::time::Timestamp;

    use super::*;

    #[test]
    fn an_event_is_read_without_copying_its_data() {
        let body = r#"{"type":"order.created","data": {"n": 1.10, "n2": [ ]} ,"id":"a\u0062"}"#;
        let event: NewEvent<'_> = serde_json::from_str(body).unwrap();
        assert_eq!(event.data.get(), r#"{"n": 1.10, "n2": [ ]}"#);
        let start = event.data.get().as_ptr() as usize - body.as_ptr() as usize;
        assert_eq!(&body[start..start + 5], r#"{"n":"#);
        assert_eq!(event.id.unwrap().0, "ab");
    }

    #[test]
    fn data_may_be_null_but_not_left_out_and_unknown_fields_are_refused() {
        let read = |text: &'static str| serde_json::from_str::<NewEvent<'_>>(text);
        assert_eq!(read(r#"{"type":"a","data":null}"#).unwrap().data.get(), "null");
        assert!(read(r#"{"type":"a"}"#).is_err());
        assert!(read(r#"{"type":"a","data":1,"x":1}"#).is_err());
    }

    fn event(data: &'static [u8]) -> domain::Event {
        let content = domain::EventContent {
            event_type: "a.b".parse().unwrap(),
            scope: None,
            occurred_at: None,
            data: Bytes::from_static(data),
            previous: None,
            changes: None,
            headers: DomainHeaders::default(),
            publisher_id: None,
            source: None,
            content_type: None,
        };
        let accepted_at = Timestamp::from_secs(0);
        let tenant = TenantNo(1);
        domain::Event { id: EventId::from_u128(5), tenant, accepted_at, content }
    }

    #[test]
    fn an_event_is_shown_with_its_exact_data() {
        let shown = serde_json::to_string(&Event::whole(event(br#"{"n": 1.10}"#), 2)).unwrap();
        assert!(shown.contains(r#""data":{"n": 1.10}"#), "{shown}");
        assert!(shown.contains(r#""occurred_at":"1970-01-01T00:00:00.000Z""#), "{shown}");
        assert!(!shown.contains("received"), "{shown}");
    }

    #[test]
    fn what_is_no_json_is_shown_as_a_text() {
        let shown = Event::new(event(b"a=1&b=\"2\""), 2);
        assert_eq!(shown.data.text(), r#""a=1&b=\"2\"""#);
        assert_eq!(shown.received, None);
    }

    #[test]
    fn what_is_not_shown_byte_for_byte_can_be_had_so() {
        for data in [&b"a=1&b=\"2\""[..], &[0xff, 0x00], b" {\"n\": 1}\n"] {
            let shown = Event::whole(event(data), 2);
            assert_eq!(shown.received.unwrap().bytes().as_deref(), Some(data));
        }
        assert_eq!(Event::whole(event(b"\"a text\""), 2).received, None);
    }
}
