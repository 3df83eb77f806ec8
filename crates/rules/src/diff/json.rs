//! JSON as it stands in its text: read one level at a time, only where something differs.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A value's text.
pub(super) type Raw<'a> = &'a RawValue;

/// An object's members in the order of their first mention; of a name that is there twice, the last value counts.
pub(super) struct Object<'a> {
    members: Vec<(Cow<'a, str>, Raw<'a>)>,
    places: HashMap<Cow<'a, str>, usize>,
    repeats: bool,
}

impl<'a> Object<'a> {
    /// `None` when the text is no JSON object.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    /// Whether a name is there twice, so that the text holds a value that does not count.
    pub(super) fn repeats(&self) -> bool {
        self.repeats
    }

    /// Each name with the value that counts.
    pub(super) fn members(&self) -> impl Iterator<Item = (&str, Raw<'a>)> {
        self.members.iter().map(|(name, value)| (name.as_ref(), *value))
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|it| it.0.as_ref())
    }

    /// A member's value. A member that is `null` is as good as none: there are serializers that leave it out.
    pub(super) fn get(&self, name: &str) -> Option<Raw<'a>> {
        let (_, value) = self.members.get(*self.places.get(name)?)?;
        Some(*value).filter(|it| it.get() != "null")
    }

    /// A member that is an object itself.
    pub(super) fn object(&self, name: &str) -> Option<Self> {
        Self::read(self.get(name)?.get())
    }

    /// How many of its names another has too.
    pub(super) fn shared_with(&self, other: &Self) -> usize {
        self.names().filter(|it| other.has(it)).count()
    }

    fn same(&self, other: &Self, depth: usize) -> bool {
        let there = |it: &Self| it.names().filter(|name| it.get(name).is_some()).count();
        let in_other = |name: &str| match (self.get(name), other.get(name)) {
            (Some(one), Some(two)) => same(one, two, depth),
            (one, _) => one.is_none(),
        };
        there(self) == there(other) && self.names().all(in_other)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut members: Vec<(Cow<'de, str>, Raw<'de>)> = Vec::new();
                let mut places = HashMap::new();
                let mut repeats = false;
                while let Some((Name(name), value)) = map.next_entry::<Name<'de>, Raw<'de>>()? {
                    match places.entry(name.clone()) {
                        Entry::Vacant(place) => {
                            place.insert(members.len());
                            members.push((name, value));
                        }
                        Entry::Occupied(place) => {
                            repeats = true;
                            if let Some(member) = members.get_mut(*place.get()) {
                                member.1 = value;
                            }
                        }
                    }
                }
                Ok(Object { members, places, repeats })
            }
        }
        from.deserialize_map(Members)
    }
}

/// The elements of a list; `None` when the value is none.
pub(super) fn elements<'a>(value: Raw<'a>) -> Option<Vec<Raw<'a>>> {
    // The first byte says enough to spare the rest.
    Some(value.get()).filter(|it| it.starts_with('[')).and_then(|it| serde_json::from_str(it).ok())
}

/// A string's text, escapes read.
pub(super) fn string<'a>(value: Raw<'a>) -> Option<Cow<'a, str>> {
    let inside = value.get().strip_prefix('"')?.strip_suffix('"')?;
    if inside.contains('\\') {
        serde_json::from_str(value.get()).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inside))
    }
}

/// Whether two texts are one value: blanks, the order of members, escapes and the spelling of numbers do not count.
pub(super) fn same(one: Raw<'_>, two: Raw<'_>, depth: usize) -> bool {
    if one.get() == two.get() {
        return true;
    }
    let Some(depth) = depth.checked_sub(1) else { return false };
    if let (Some(one), Some(two)) = (elements(one), elements(two)) {
        let mut pairs = one.iter().zip(&two);
        return one.len() == two.len() && pairs.all(|(one, two)| same(one, two, depth));
    }
    let (text, other) = (one.get(), two.get());
    if text.starts_with('{') && other.starts_with('{') {
        let objects = Object::read(text).zip(Object::read(other));
        return objects.is_some_and(|(one, two)| one.same(&two, depth));
    }
    if let (Some(one), Some(two)) = (string(one), string(two)) {
        return one == two;
    }
    matches!((decimal(text), decimal(other)), (Some(one), Some(two)) if one == two)
}

/// A number as sign, digits without zeros at either end, and power of ten: exact, unlike a float.
fn decimal(text: &str) -> Option<(bool, String, i64)> {
    let digits = text.strip_prefix('-');
    let (negative, text) = (digits.is_some(), digits.unwrap_or(text));
    let (mantissa, power) = match text.split_once(['e', 'E']) {
        Some((mantissa, power)) => (mantissa, power.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|it| it.is_ascii_digit()) {
        return None;
    }
    let short = digits.trim_end_matches('0');
    let zeros = i64::try_from(digits.len() - short.len()).ok()?;
    let power = power.checked_sub(i64::try_from(fraction.len()).ok()?)?.checked_add(zeros)?;
    let short = short.trim_start_matches('0');
    if short.is_empty() {
        return Some((false, String::new(), 0));
    }
    Some((negative, short.to_owned(), power))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(one: &str, two: &str, want: bool) {
        let read = |it| serde_json::from_str::<Raw<'_>>(it).unwrap();
        assert_eq!(same(read(one), read(two), 16), want, "{one} {two}");
        assert_eq!(same(read(two), read(one), 16), want, "{two} {one}");
    }

    #[test]
    fn the_way_a_value_is_written_does_not_count() {
        check(r#"{"a":1,"b":[1, 2]}"#, r#"{ "b" : [1,2], "a":1 }"#, true);
        check(r#""\u00fc\/""#, r#""ü/""#, true);
        for (one, two) in [("1", "1.0"), ("10", "1e1"), ("-0.0", "0"), ("1200E-2", "12.000")] {
            check(one, two, true);
        }
        check(r#"{"a":1,"b":null}"#, r#"{"a":1}"#, true);
        check(r#"{"a":1,"a":2}"#, r#"{"a":2}"#, true);
    }

    #[test]
    fn what_is_another_value_is_never_taken_for_the_same() {
        for (one, two) in [
            ("12345678901234567890123", "12345678901234567890124"),
            ("1", "-1"),
            ("1", "10"),
            ("1e99999999999999999999", "2e99999999999999999999"),
            ("0", "false"),
            ("1", r#""1""#),
            ("null", "false"),
            ("true", "false"),
            ("[]", "{}"),
            ("[]", "[null]"),
            ("[1,2]", "[2,1]"),
            ("[1,2]", "[1]"),
            (r#"{"a":1}"#, r#"{"b":1}"#),
            (r#"{"a":1}"#, r#"{"a":1,"b":1}"#),
            (r#""a""#, r#""\u0062""#),
            (r#"{"a":{"b":[{"c":1}]}}"#, r#"{"a":{"b":[{"c":2}]}}"#),
        ] {
            check(one, two, false);
        }
    }
}
