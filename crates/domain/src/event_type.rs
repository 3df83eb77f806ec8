//! Event types: their names, and a tenant's catalogue of them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::limit;
use crate::time::Timestamp;

/// The name of an event type: segments of `[A-Za-z0-9_-]` joined by dots (standards.md §1.2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventType(Box<str>);

impl EventType {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text names no event type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "use segments of `A-Z a-z 0-9 _ -` joined by dots, 128 characters at most, as in `order.created`"
)]
pub struct BadEventType;

impl FromStr for EventType {
    type Err = BadEventType;

    fn from_str(text: &str) -> Result<Self, BadEventType> {
        let plain = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-');
        let good = text.len() <= limit::EVENT_TYPE_CHARS_MAX
            && text.split('.').all(|segment| !segment.is_empty() && segment.bytes().all(plain));
        if good { Ok(Self(text.into())) } else { Err(BadEventType) }
    }
}

impl Serialize for EventType {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for EventType {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// An entry of a tenant's catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueEntry {
    /// The type's name.
    pub name: EventType,
    /// For people.
    pub description: Option<String>,
    /// The group it is shown in.
    pub group: Option<String>,
    /// JSON Schema of `data`, as JSON text.
    pub schema: Option<String>,
    /// A sample of `data`, as JSON text.
    pub sample: Option<String>,
    /// Still there for old endpoints, not to be chosen any more.
    pub deprecated: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_dotted_segments() {
        for good in ["a", "order.created", "LISTING_DELIVERED", "tender.stop.eta_updated", "a-b.c"]
        {
            assert!(good.parse::<EventType>().is_ok(), "{good}");
        }
        for bad in ["", ".", "a.", ".a", "a..b", "a b", "order.*", "ä", &"x".repeat(129)] {
            assert!(bad.parse::<EventType>().is_err(), "{bad}");
        }
    }
}
