//! Typed ids: a UUIDv7 inside, a prefix and 26 Crockford base-32 characters outside.
//!
//! An event's id carries the time and sequence number it was accepted under; a delivery's id is its event's id plus the
//! target's number, an attempt's adds the attempt's number. So ids exist, sort and can be looked up before any row does.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use crate::time::Timestamp;

/// What an id names; gives it its prefix.
pub trait Kind {
    /// The text before the underscore.
    const PREFIX: &'static str;
}

/// A 16-byte id (UUIDv7) of one kind of thing.
pub struct Id<K>(u128, PhantomData<fn() -> K>);

macro_rules! kinds {
    ($($kind:ident, $id:ident, $prefix:literal, $doc:literal;)*) => {$(
        #[doc = concat!("Kind of ", $doc)]
        pub enum $kind {}
        impl Kind for $kind { const PREFIX: &'static str = $prefix; }
        #[doc = concat!("Id of ", $doc)]
        pub type $id = Id<$kind>;
    )*};
}

kinds! {
    EndpointKind, EndpointId, "wh", "an endpoint.";
    SourceKind, SourceId, "src", "a source.";
    EventKind, EventId, "evt", "an event.";
    DeliveryKind, DeliveryId, "dlv", "a delivery.";
    AttemptKind, AttemptId, "att", "an attempt.";
    KeyKind, KeyId, "key", "an API key.";
    JobKind, JobId, "job", "a job.";
    AuditKind, AuditId, "aud", "an audit entry.";
}

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const TEXT_LEN: usize = 26;
const VERSION_AND_VARIANT: u128 = (0x7 << 76) | (0b10 << 62);

// Layout of the last 62 bits of an event's, delivery's and attempt's id.
const NODE_SHIFT: u32 = 46;
const TARGET_SHIFT: u32 = 22;
const TARGET_MASK: u128 = (1 << 24) - 1;
const ATTEMPT_MASK: u128 = (1 << 22) - 1;

/// Time and sequence an event was accepted under: milliseconds since 1970 times 4096, plus a sequence number.
/// Strictly increasing per node in order of commit; always fits an `i64`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventKey(pub u64);

impl EventKey {
    /// The first key of a millisecond.
    #[must_use]
    pub fn at(time: Timestamp) -> Self {
        Self(u64::try_from(time.as_millis().max(0)).unwrap_or(0) << 12)
    }

    /// The millisecond this key belongs to.
    #[must_use]
    pub fn time(self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(self.0 >> 12).unwrap_or(i64::MAX))
    }

    /// The key right after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// Which of an event's targets a delivery is for, from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TargetNo(pub u32);

impl<K> Id<K> {
    /// An id from its 16 bytes.
    #[must_use]
    pub const fn from_u128(value: u128) -> Self {
        Self(value, PhantomData)
    }

    /// Its 16 bytes as a number.
    #[must_use]
    pub const fn as_u128(self) -> u128 {
        self.0
    }

    /// A fresh UUIDv7 from a time and 10 random bytes.
    #[must_use]
    pub fn new(at: Timestamp, random: [u8; 10]) -> Self {
        let ms = u128::try_from(at.as_millis().max(0)).unwrap_or(0) & ((1 << 48) - 1);
        let mut tail = [0_u8; 16];
        tail[6..].copy_from_slice(&random);
        let tail = u128::from_be_bytes(tail);
        let rand_a = (tail >> 64) & 0xfff;
        let rand_b = tail & ((1 << 62) - 1);
        Self::from_u128((ms << 80) | VERSION_AND_VARIANT | (rand_a << 64) | rand_b)
    }

    /// An id from the usual UUID notation, with or without hyphens.
    #[must_use]
    pub fn from_uuid(text: &str) -> Option<Self> {
        let hyphens = |at: usize| matches!(at, 8 | 13 | 18 | 23);
        let digits: String = match text.len() {
            32 => text.to_owned(),
            36 if text.bytes().enumerate().all(|(at, it)| hyphens(at) == (it == b'-')) => {
                text.replace('-', "")
            }
            _ => return None,
        };
        let is_hex = digits.bytes().all(|it| it.is_ascii_hexdigit());
        is_hex.then(|| u128::from_str_radix(&digits, 16).ok()).flatten().map(Self::from_u128)
    }

    /// The same 16 bytes in the usual UUID notation, as the `alumia` surface shows them.
    #[must_use]
    pub fn to_uuid(self) -> String {
        let hex = format!("{:032x}", self.0);
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }
}

impl EventId {
    /// The id of the event accepted under `key` by node `node`.
    #[must_use]
    pub fn of(key: EventKey, node: u16) -> Self {
        let key = u128::from(key.0);
        Self::from_u128(
            ((key >> 12) << 80)
                | VERSION_AND_VARIANT
                | ((key & 0xfff) << 64)
                | (u128::from(node) << NODE_SHIFT),
        )
    }

    /// Time and sequence it was accepted under.
    #[must_use]
    pub fn key(self) -> EventKey {
        key_of(self.0)
    }

    /// The node that accepted it.
    #[must_use]
    pub fn node(self) -> u16 {
        ((self.0 >> NODE_SHIFT) & 0xffff) as u16
    }

    /// The delivery of this event to its target number `target`.
    #[must_use]
    pub fn delivery(self, target: TargetNo) -> DeliveryId {
        let number = (u128::from(target.0) + 1) & TARGET_MASK;
        DeliveryId::from_u128(self.0 | (number << TARGET_SHIFT))
    }
}

impl DeliveryId {
    /// The event that is delivered.
    #[must_use]
    pub fn event(self) -> EventId {
        EventId::from_u128(self.0 & !((TARGET_MASK << TARGET_SHIFT) | ATTEMPT_MASK))
    }

    /// Which target; `None` when the text was an id of no delivery at all.
    #[must_use]
    pub fn target(self) -> Option<TargetNo> {
        let number = ((self.0 >> TARGET_SHIFT) & TARGET_MASK) as u32;
        number.checked_sub(1).map(TargetNo)
    }

    /// The id of its attempt number `number` (from 1).
    #[must_use]
    pub fn attempt(self, number: u32) -> AttemptId {
        AttemptId::from_u128(self.0 | (u128::from(number) & ATTEMPT_MASK))
    }
}

impl AttemptId {
    /// The delivery tried and the attempt's number.
    #[must_use]
    pub fn delivery(self) -> (DeliveryId, u32) {
        (DeliveryId::from_u128(self.0 & !ATTEMPT_MASK), (self.0 & ATTEMPT_MASK) as u32)
    }
}

fn key_of(value: u128) -> EventKey {
    EventKey((((value >> 80) << 12) | ((value >> 64) & 0xfff)) as u64)
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0_u8; TEXT_LEN];
        for (at, slot) in text.iter_mut().enumerate() {
            *slot = ALPHABET[((self.0 >> (5 * (TEXT_LEN - 1 - at))) & 31) as usize];
        }
        f.write_str(K::PREFIX)?;
        f.write_str("_")?;
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

/// The text is not an id of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id of the form `{0}_…` with 26 characters")]
pub struct BadId(pub &'static str);

impl<K: Kind> FromStr for Id<K> {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let bad = BadId(K::PREFIX);
        let digits = text
            .strip_prefix(K::PREFIX)
            .and_then(|rest| rest.strip_prefix('_'))
            .filter(|digits| digits.len() == TEXT_LEN)
            .ok_or(bad)?;
        let mut value = 0_u128;
        for (at, byte) in digits.bytes().enumerate() {
            let digit = ALPHABET.iter().position(|it| *it == byte).ok_or(bad)? as u128;
            if at == 0 && digit > 7 {
                return Err(bad);
            }
            value = (value << 5) | digit;
        }
        Ok(Self::from_u128(value))
    }
}

impl<K: Kind> serde::Serialize for Id<K> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de, K: Kind> serde::Deserialize<'de> for Id<K> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}
impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back_is_the_same_id_of_fixed_length() {
        for value in [0, 1, u128::MAX, VERSION_AND_VARIANT | 77] {
            let id = EndpointId::from_u128(value);
            let text = id.to_string();
            assert_eq!(text.len(), 29);
            assert!(!text.contains('.'));
            assert_eq!(text.parse::<EndpointId>(), Ok(id));
        }
    }

    #[test]
    fn another_kind_a_wrong_length_and_a_foreign_letter_are_refused() {
        let text = EventId::from_u128(5).to_string();
        assert!(text.parse::<EndpointId>().is_err());
        assert!(text[..28].parse::<EventId>().is_err());
        assert!(text.replace('5', "u").parse::<EventId>().is_err());
        assert!("evt_8zzzzzzzzzzzzzzzzzzzzzzzzz".parse::<EventId>().is_err());
        assert!("".parse::<EventId>().is_err());
    }

    #[test]
    fn a_delivery_and_an_attempt_lead_back_to_their_event() {
        let key = EventKey((1_748_112_900_000 << 12) | 4095);
        let event = EventId::of(key, 513);
        assert_eq!((event.key(), event.node()), (key, 513));
        let delivery = event.delivery(TargetNo(41));
        assert_eq!((delivery.event(), delivery.target()), (event, Some(TargetNo(41))));
        let attempt = delivery.attempt(24);
        assert_eq!(attempt.delivery(), (delivery, 24));
        assert_eq!(DeliveryId::from_u128(event.as_u128()).target(), None);
    }

    #[test]
    fn ids_are_version_7_variant_10_and_sort_by_time() {
        let one = EventId::of(EventKey(5 << 12), 0);
        let two = EventId::of(EventKey((5 << 12) + 1), 0);
        assert!(one < two && one.to_string() < two.to_string());
        let uuid = KeyId::new(Timestamp::from_millis(1_700_000_000_000), [255; 10]).to_uuid();
        assert_eq!(uuid.as_bytes()[14], b'7');
        assert!(matches!(uuid.as_bytes()[19], b'8'..=b'b'));
        let back = KeyId::from_uuid(&uuid.to_ascii_uppercase());
        assert_eq!(back.map(|it| it.to_uuid()), Some(uuid.clone()));
        assert_eq!(KeyId::from_uuid(&uuid.replace('-', "")), back);
        for bad in ["", &uuid[1..], &uuid.replace('7', "g"), &uuid.replacen('-', "0", 1)] {
            assert_eq!(KeyId::from_uuid(bad), None, "{bad}");
        }
    }
}
