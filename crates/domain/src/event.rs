//! Events: what happened, accepted once, kept with its exact bytes.

use bytes::Bytes;

use crate::event_type::EventType;
use crate::headers::Headers;
use crate::id::{EventId, SourceId};
use crate::subscription::Scope;
use crate::tenant::TenantNo;
use crate::time::Timestamp;

/// What a publisher or a third party gave us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventContent {
    /// Its type.
    pub event_type: EventType,
    /// The part of the tenant it belongs to.
    pub scope: Option<Scope>,
    /// When it happened; `None` is when it was accepted.
    pub occurred_at: Option<Timestamp>,
    /// The exact bytes of `data` (JSON) or of the received body.
    pub data: Bytes,
    /// The exact bytes of `previous`, the object before the change.
    pub previous: Option<Bytes>,
    /// The exact bytes of `changes`.
    pub changes: Option<Bytes>,
    /// Headers that go out with every delivery.
    pub headers: Headers,
    /// The publisher's own id, when it gave one.
    pub publisher_id: Option<String>,
    /// The source that received it, when it came in through one.
    pub source: Option<SourceId>,
    /// The `Content-Type` it was received with; `None` is JSON.
    pub content_type: Option<String>,
}

impl EventContent {
    /// Bytes of what it carries.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let more = [&self.previous, &self.changes];
        let more: usize = more.into_iter().flatten().map(Bytes::len).sum();
        let headers = self.headers.0.iter().map(|(name, value)| name.len() + value.len());
        (self.data.len() + more + headers.sum::<usize>()) as u64
    }
}

/// An accepted event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// Whose it is.
    pub tenant: TenantNo,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// What it says.
    pub content: EventContent,
}

impl Event {
    /// When it happened.
    #[must_use]
    pub fn occurred_at(&self) -> Timestamp {
        self.content.occurred_at.unwrap_or(self.accepted_at)
    }
}
