//! Envelopes: a little JSON around bytes that are never touched.

use std::io::Write as _;

use bytes::Bytes;
use hookyard_domain::event::Event;
use hookyard_domain::time::Timestamp;
use serde::de::IgnoredAny;

/// Bytes of an envelope without its data: keys, an id, a time, the longest type and a usual scope.
const ROOM: usize = 320;

/// A JSON object that grows member by member.
pub(super) struct Envelope(Vec<u8>);

impl Envelope {
    pub(super) fn around(data: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(data.len() + ROOM);
        bytes.push(b'{');
        Self(bytes)
    }

    /// A member whose value is text.
    pub(super) fn text(mut self, key: &'static str, value: &str) -> Self {
        self.key(key);
        // Writing text into memory cannot fail.
        let _ = serde_json::to_writer(&mut self.0, value);
        self
    }

    /// A member whose value is text, or `null`.
    pub(super) fn text_or_null(mut self, key: &'static str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(key, value),
            None => {
                self.key(key);
                self.0.extend_from_slice(b"null");
                self
            }
        }
    }

    /// `id` and `type`.
    pub(super) fn id_and_type(mut self, event: &Event) -> Self {
        self.key("id");
        let _ = write!(self.0, "\"{}\"", event.id);
        self.text("type", event.content.event_type.as_str())
    }

    /// A member whose value is a time: ISO 8601, three decimals, `Z`.
    pub(super) fn time(mut self, key: &'static str, value: Timestamp) -> Self {
        self.key(key);
        let _ = write!(self.0, "\"{value}\"");
        self
    }

    /// A member whose value is a time: ISO 8601, seven decimals, offset.
    pub(super) fn time_to_seven_decimals(self, key: &'static str, value: Timestamp) -> Self {
        let mut envelope = self.time(key, value);
        let long = envelope.0.len();
        if envelope.0.ends_with(b"Z\"") {
            envelope.0.truncate(long - 2);
            envelope.0.extend_from_slice(b"0000+00:00\"");
        }
        envelope
    }

    /// `data`, the last member: these bytes as they are.
    pub(super) fn data(mut self, event: &Event, data: &[u8]) -> Bytes {
        self.key("data");
        // Published data is JSON by contract; what a third party sent to a source may be anything, and must not break
        // the envelope around it.
        // As text first: what is skipped of a JSON string is not looked at letter by letter.
        let is_json = || {
            let text = std::str::from_utf8(data).ok();
            text.is_some_and(|it| serde_json::from_str::<IgnoredAny>(it).is_ok())
        };
        let foreign = event.content.source.is_some() && !is_json();
        if foreign {
            let _ = serde_json::to_writer(&mut self.0, &String::from_utf8_lossy(data));
        } else {
            self.0.extend_from_slice(data);
        }
        self.0.push(b'}');
        self.0.into()
    }

    fn key(&mut self, key: &'static str) {
        if self.0.len() > 1 {
            self.0.push(b',');
        }
        self.0.push(b'"');
        self.0.extend_from_slice(key.as_bytes());
        self.0.extend_from_slice(b"\":");
    }
}
