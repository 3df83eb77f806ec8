//! What an endpoint wants to hear of: type patterns, and a scope.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::event_type::{BadEventType, EventType};
use crate::limit;

/// One entry of an endpoint's `events`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pattern {
    /// Everything: `*`.
    Any,
    /// Every type below a prefix: `order.*` is kept as `order.`.
    Below(String),
    /// One exact type.
    Exact(EventType),
}

/// The text is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPattern {
    /// A star anywhere but alone or as the last segment.
    #[error("`*` may stand alone or as the last segment, as in `order.*`")]
    Star,
    /// What stands around the star is no event type.
    #[error(transparent)]
    Type(#[from] BadEventType),
}

impl FromStr for Pattern {
    type Err = BadPattern;

    fn from_str(text: &str) -> Result<Self, BadPattern> {
        if text == "*" {
            return Ok(Self::Any);
        }
        if let Some(prefix) = text.strip_suffix(".*") {
            if prefix.contains('*') {
                return Err(BadPattern::Star);
            }
            let prefix: EventType = prefix.parse()?;
            return Ok(Self::Below(format!("{prefix}.")));
        }
        if text.contains('*') {
            return Err(BadPattern::Star);
        }
        Ok(Self::Exact(text.parse()?))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Below(prefix) => write!(f, "{prefix}*"),
            Self::Exact(exact) => fmt::Display::fmt(exact, f),
        }
    }
}

impl Serialize for Pattern {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A subdivision of a tenant (`site_slug`, `SubsidiaryId`): 1 to 128 printable characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scope(String);

impl Scope {
    /// The scope as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text is no scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("use 1 to 128 printable characters")]
pub struct BadScope;

impl FromStr for Scope {
    type Err = BadScope;

    fn from_str(text: &str) -> Result<Self, BadScope> {
        let long = text.chars().count();
        let good =
            (1..=limit::SCOPE_CHARS_MAX).contains(&long) && !text.chars().any(char::is_control);
        if good { Ok(Self(text.to_owned())) } else { Err(BadScope) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_read_and_print() {
        for text in ["*", "order.*", "order.created", "a.b.*", "LISTING_DELIVERED"] {
            assert_eq!(text.parse::<Pattern>().unwrap().to_string(), text);
        }
        for bad in ["", "order*", "*.created", "or*er.x", "order.*.x", "**", ".*", "order..*"] {
            assert!(bad.parse::<Pattern>().is_err(), "{bad}");
        }
    }
}
