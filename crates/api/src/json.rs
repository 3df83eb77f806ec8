//! Pieces of JSON that are kept as they came: any value, names with values, numbers of seconds, moments.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use hookyard_domain::headers::Headers as DomainHeaders;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// Any JSON value, its exact text kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Json(pub Box<RawValue>);

impl Json {
    /// The value of a JSON text that was kept; `None` when it is no JSON.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    /// Kept bytes as a JSON value: themselves if they are one, else a text of them.
    #[must_use]
    pub fn shown(bytes: &[u8]) -> Self {
        let whole = std::str::from_utf8(bytes).ok().and_then(Self::read);
        whole.unwrap_or_else(|| {
            let text = serde_json::value::to_raw_value(&String::from_utf8_lossy(bytes));
            Self(text.unwrap_or_else(|_| RawValue::NULL.to_owned()))
        })
    }

    /// The exact text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.0.get()
    }

    /// Whether it is an object.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.text().starts_with('{')
    }
}

/// A text that is borrowed from the request's body where it can be.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// Header names and values, written as a JSON object; several values of one name are joined with a comma.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(pub Vec<(String, String)>);

impl From<DomainHeaders> for Headers {
    fn from(it: DomainHeaders) -> Self {
        Self(it.0)
    }
}

impl From<Headers> for DomainHeaders {
    fn from(it: Headers) -> Self {
        Self(it.0)
    }
}

impl Serialize for Headers {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut merged: Vec<(&str, Cow<'_, str>)> = Vec::with_capacity(self.0.len());
        for (name, value) in &self.0 {
            match merged.iter_mut().find(|(it, _)| it.eq_ignore_ascii_case(name)) {
                Some((_, values)) => values.to_mut().push_str(&format!(", {value}")),
                None => merged.push((name, Cow::Borrowed(value))),
            }
        }
        let mut map = to.serialize_map(Some(merged.len()))?;
        for (name, value) in merged {
            map.serialize_entry(name, value.as_ref())?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Headers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of header names and values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Headers, A::Error> {
                let mut headers = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    headers.push(entry);
                }
                Ok(Headers(headers))
            }
        }
        from.deserialize_map(Object)
    }
}

/// Something that is written as an object, and only so: left to itself serde takes a list of its fields' values too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }
        from.deserialize_map(Members(PhantomData))
    }
}

/// A number of seconds; whole ones are written without a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Seconds(pub f64);

impl Seconds {
    /// From milliseconds.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "delays are far below 2^53 ms")]
    pub fn from_millis(ms: u64) -> Self {
        Self(ms as f64 / 1000.0)
    }

    /// In milliseconds, when it is not negative and not beyond a thousand years.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range is checked on the line before"
    )]
    pub fn as_millis(self) -> Option<u64> {
        (0.0..=3.2e10).contains(&self.0).then(|| (self.0 * 1000.0).round() as u64)
    }
}

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.as_millis() {
            Some(ms) if ms % 1000 == 0 => to.serialize_u64(ms / 1000),
            Some(_) | None => to.serialize_f64(self.0),
        }
    }
}

/// A number as it was given; a whole one is written without a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Number(pub f64);

impl Serialize for Number {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole and far below 2^53, as the line before says"
    )]
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if self.0.fract() == 0.0 && self.0.abs() < 1e15 {
            return to.serialize_i64(self.0 as i64);
        }
        to.serialize_f64(self.0)
    }
}

/// A number or a text, kept as a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar(pub String);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number or a text")
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }

            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar(text.to_owned()))
            }
        }
        from.deserialize_any(Either)
    }
}

/// A list of texts; a single text is a list of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts(pub Vec<String>);

/// The two forms of a list of texts.
#[derive(utoipa::ToSchema)]
#[schema(as = EventPatterns)]
#[serde(untagged)]
pub enum TextsSchema {
    /// Several.
    #[schema(example = json!(["order.*"]))]
    Several(Vec<String>),
    /// One, such as `*`.
    One(String),
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct OneOrMore;
        impl<'de> Visitor<'de> for OneOrMore {
            type Value = Texts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of texts, or one text")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Texts, E> {
                Ok(Texts(vec![text.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Texts, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = list.next_element()? {
                    texts.push(text);
                }
                Ok(Texts(texts))
            }
        }
        from.deserialize_any(OneOrMore)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_seconds_are_written_without_a_fraction() {
        let write = |s: f64| serde_json::to_string(&Seconds(s)).unwrap();
        assert_eq!(write(10.0), "10");
        assert_eq!(write(1.5), "1.5");
        assert_eq!(Seconds(-1.0).as_millis(), None);
        assert_eq!(Seconds(f64::NAN).as_millis(), None);
    }

    #[test]
    fn a_number_is_written_as_it_was_given() {
        for (number, text) in [(20.0, "20"), (0.5, "0.5"), (0.0015, "0.0015"), (10_000.0, "10000")]
        {
            assert_eq!(serde_json::to_string(&Number(number)).unwrap(), text);
        }
    }

    #[test]
    fn headers_keep_their_order_and_join_repeated_names() {
        let headers: Headers = serde_json::from_str(r#"{"B":"1","A":"2","b":"3"}"#).unwrap();
        assert_eq!(headers.0[0], ("B".into(), "1".into()));
        assert_eq!(serde_json::to_string(&headers).unwrap(), r#"{"B":"1, 3","A":"2"}"#);
        assert!(serde_json::from_str::<Headers>(r#"{"A":1}"#).is_err());
    }

    #[test]
    fn an_object_is_not_a_list_of_its_fields() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Pair<'a> {
            a: u8,
            #[serde(borrow)]
            b: &'a RawValue,
        }
        let read = serde_json::from_str::<Object<Pair<'_>>>;
        let pair = read(r#"{"a":1,"b":[ 2 ]}"#).unwrap().0;
        assert_eq!((pair.a, pair.b.get()), (1, "[ 2 ]"));
        for bad in ["[1,2]", "7", r#"{"a":1}"#, r#"{"a":1,"b":2,"c":3}"#] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_scalar_is_a_number_or_a_text() {
        let read = |text: &str| serde_json::from_str::<Scalar>(text).map(|it| it.0).ok();
        assert_eq!(read("1614265330").as_deref(), Some("1614265330"));
        assert_eq!(read(r#""2021-02-25T15:02:10Z""#).as_deref(), Some("2021-02-25T15:02:10Z"));
        assert_eq!(read("[]"), None);
    }

    #[test]
    fn one_text_is_a_list_of_one() {
        let read = |text: &str| serde_json::from_str::<Texts>(text).map(|it| it.0).ok();
        assert_eq!(read(r#""*""#), Some(vec!["*".to_owned()]));
        assert_eq!(read(r#"["a","b"]"#), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(read("[1]"), None);
    }

    #[test]
    fn any_value_keeps_its_exact_text() {
        let json = Json::read(r#"{"a": 1.10,  "b":[]}"#).unwrap();
        assert_eq!(json.text(), r#"{"a": 1.10,  "b":[]}"#);
        assert!(json.is_object());
        assert!(Json::read("{").is_none());
    }
}
