//! The feed: what happens in a tenant, in an order that can be read on from; and a place in it.
//!
//! Each node's part has an order of its own, by keys that only grow; there is none across nodes. So a place in the feed is
//! one in each node's part, and one in the changes of configuration.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::id::EventKey;
use crate::limit;
use crate::time::Timestamp;

/// Where a reader stands in one node's part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeedPlace {
    /// Everything below this key has been read.
    pub key: EventKey,
    /// Of what stands at the key, so many have been read.
    pub done: u32,
}

impl FeedPlace {
    /// Right behind everything that stands at a key.
    #[must_use]
    pub fn behind(key: EventKey) -> Self {
        Self { key: key.next(), done: 0 }
    }
}

/// Where a reader stands. Its text is opaque to callers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedPosition {
    /// Changes of configuration up to this number have been read.
    pub changes: u64,
    /// At this time nothing was behind the position: whatever is, has happened since.
    pub seen_at: Timestamp,
    /// By node. A node that is not named is newer than the position: nothing of it has been read.
    pub nodes: BTreeMap<u16, FeedPlace>,
}

impl fmt::Display for FeedPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}.{:x}", self.changes, self.seen_at.as_millis().max(0))?;
        for (node, place) in &self.nodes {
            write!(f, "-{node:x}.{:x}", place.key.0)?;
            if place.done > 0 {
                write!(f, ".{:x}", place.done)?;
            }
        }
        Ok(())
    }
}

/// The text is no position of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the `id` of an event that a stream of ours sent")]
pub struct BadPosition;

impl FromStr for FeedPosition {
    type Err = BadPosition;

    fn from_str(text: &str) -> Result<Self, BadPosition> {
        if text.len() > limit::STREAM_ID_BYTES_MAX {
            return Err(BadPosition);
        }
        let mut parts = text.split('-');
        let (changes, seen_at) =
            parts.next().unwrap_or_default().split_once('.').ok_or(BadPosition)?;
        let changes = number(changes)?;
        let seen_at = i64::try_from(number(seen_at)?).map_err(|_| BadPosition)?;
        let mut nodes = BTreeMap::new();
        for part in parts {
            let mut numbers = part.splitn(3, '.');
            let mut next = || numbers.next().map(number).transpose();
            let node = next()?.and_then(|it| u16::try_from(it).ok()).ok_or(BadPosition)?;
            let key = next()?.filter(|it| *it < 1 << 63).ok_or(BadPosition)?;
            let done = u32::try_from(next()?.unwrap_or(0)).map_err(|_| BadPosition)?;
            nodes.insert(node, FeedPlace { key: EventKey(key), done });
        }
        Ok(Self { changes, seen_at: Timestamp::from_millis(seen_at), nodes })
    }
}

fn number(digits: &str) -> Result<u64, BadPosition> {
    let is_hex = !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_hexdigit());
    is_hex.then(|| u64::from_str_radix(digits, 16).ok()).flatten().ok_or(BadPosition)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_reads_back_and_garbage_does_not() {
        let place = |key, done| FeedPlace { key: EventKey(key), done };
        let nodes = BTreeMap::from([(0, place(0x1_2345, 0)), (513, place((1 << 63) - 1, 7))]);
        let seen_at = Timestamp::from_millis(255);
        let position = FeedPosition { changes: 9, seen_at, nodes };
        assert_eq!(position.to_string(), "9.ff-0.12345-201.7fffffffffffffff.7");
        assert_eq!(position.to_string().parse(), Ok(position));
        let empty = FeedPosition::default();
        assert_eq!(empty.to_string().parse(), Ok(empty));
        for bad in [
            "",
            "x",
            "-",
            "1",
            "1.",
            "1.0-",
            "1.0-2",
            "1.0-2.",
            "1.0-2.3.",
            "1.0-2.3.4.5",
            "1.0-10000.3",
            "+1.0",
            "1.0 ",
            "1.0-2.8000000000000000",
            "1.8000000000000000-2.3",
            "1.0-2.3.100000000",
        ] {
            assert_eq!(bad.parse::<FeedPosition>(), Err(BadPosition), "{bad}");
        }
        assert_eq!(
            "0".repeat(limit::STREAM_ID_BYTES_MAX + 1).parse::<FeedPosition>(),
            Err(BadPosition)
        );
    }
}
