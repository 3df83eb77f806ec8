//! The arguments of a call: their texts as they were written, taken one by one; what is left becomes the body.

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::told::Failure;

/// Names and values, in the order of the call.
#[derive(Debug, Default)]
pub struct Arguments(Vec<(String, Box<RawValue>)>);

impl Arguments {
    /// Reads them. Left out is none.
    pub fn read(raw: Option<&RawValue>) -> Result<Self, Failure> {
        let Some(raw) = raw.filter(|it| it.get() != "null") else { return Ok(Self::default()) };
        serde_json::from_str(raw.get()).map_err(|_| {
            Failure::field("arguments", "wrong_type", "give an object of names and values")
        })
    }

    /// Compares the names with those the tool knows: an unknown one, one that is there twice and a missing one are told
    /// together, so that one correction is enough.
    pub fn check(&self, schema: &Map<String, Value>, known_too: &[&str]) -> Result<(), Failure> {
        let known = schema.get("properties").and_then(Value::as_object);
        let known: Vec<&str> = known.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        let mut wrong = Vec::new();
        for (at, (name, _)) in self.0.iter().enumerate() {
            if !known.contains(&name.as_str()) && !known_too.contains(&name.as_str()) {
                let message = format!("there is no such argument; there are: {}", known.join(", "));
                wrong.push((name.clone(), "unknown_field", message));
            } else if self.0[..at].iter().any(|(it, _)| it == name) {
                wrong.push((name.clone(), "duplicate_field", "give it once".to_owned()));
            }
        }
        let required = schema.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            if !self.0.iter().any(|(it, _)| it == name) {
                wrong.push((name.to_owned(), "required", "this argument is required".to_owned()));
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(Failure::fields(wrong)) }
    }

    /// Takes a text; `null` is left out.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, Failure> {
        self.take_as(name, "give a text", |value| match value {
            Value::String(text) => Some(text),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_) => None,
        })
    }

    /// Takes a text that must be there and say something.
    pub fn id(&mut self, name: &str) -> Result<String, Failure> {
        let given = self.text(name)?.filter(|it| !it.trim().is_empty());
        given.ok_or_else(|| Failure::field(name, "required", "give an id as the lists show it"))
    }

    /// Takes a number or a text, as a text.
    pub fn scalar(&mut self, name: &str) -> Result<Option<String>, Failure> {
        self.take_as(name, "give a number or a text", |value| match value {
            Value::String(text) => Some(text),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        })
    }

    /// Takes a yes or no.
    pub fn flag(&mut self, name: &str) -> Result<bool, Failure> {
        let given = self.take_as(name, "give true or false", |value| value.as_bool())?;
        Ok(given.unwrap_or_default())
    }

    /// Takes a whole number between two bounds.
    pub fn number(&mut self, name: &str, usual: u32, most: u32) -> Result<u32, Failure> {
        let Some(given) = self.scalar(name)? else { return Ok(usual) };
        let number = given.parse().ok().filter(|it| (1..=most).contains(it));
        number.ok_or_else(|| Failure::field(name, "out_of_range", &format!("use 1 to {most}")))
    }

    /// Gives an argument the name that the API has for it.
    pub fn rename(&mut self, name: &str, to: &str) -> Result<(), Failure> {
        if self.has(name) && self.has(to) {
            let message = format!("`{name}` and `{to}` are the same: give one of them");
            return Err(Failure::field(name, "given_twice", &message));
        }
        for (it, _) in &mut self.0 {
            if it == name {
                to.clone_into(it);
            }
        }
        Ok(())
    }

    /// What is left, as an object.
    pub fn body(self) -> String {
        let members = self.0.iter().map(|(name, value)| {
            // A text can always be written.
            let name = serde_json::to_string(name).unwrap_or_default();
            format!("{name}:{}", value.get())
        });
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(it, _)| it == name)
    }

    fn take_as<T>(
        &mut self,
        name: &str,
        wanted: &str,
        read: impl FnOnce(Value) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        let Some(at) = self.0.iter().position(|(it, _)| it == name) else { return Ok(None) };
        let (_, raw) = self.0.remove(at);
        if raw.get() == "null" {
            return Ok(None);
        }
        let value = serde_json::from_str(raw.get()).ok().and_then(read);
        value.map(Some).ok_or_else(|| Failure::field(name, "wrong_type", wanted))
    }
}

impl<'de> serde::Deserialize<'de> for Arguments {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Arguments;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Arguments, A::Error> {
                let mut all = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    all.push(entry);
                }
                Ok(Arguments(all))
            }
        }
        from.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Arguments {
        let raw = RawValue::from_string(text.to_owned()).unwrap();
        Arguments::read(Some(&raw)).unwrap()
    }

    #[test]
    fn what_is_not_taken_is_the_body_as_it_was_written() {
        let mut arguments = read(r#"{"id":"wh_1","data":{"n": 1.10},"site_slug":"a\u0062"}"#);
        assert_eq!(arguments.id("id").unwrap(), "wh_1");
        arguments.rename("site_slug", "scope").unwrap();
        assert_eq!(arguments.body(), r#"{"data":{"n": 1.10},"scope":"a\u0062"}"#);
    }

    #[test]
    fn every_wrong_name_is_told_at_once() {
        let schema = json!({ "properties": { "id": {}, "url": {} }, "required": ["id", "url"] });
        let schema = schema.as_object().unwrap();
        let failure = read(r#"{"ulr":1,"id":"a","id":"b"}"#).check(schema, &[]).unwrap_err();
        let told = failure.text();
        for part in ["`ulr`", "there are: id, url", "`id`", "give it once", "`url`", "required"] {
            assert!(told.contains(part), "{part}: {told}");
        }
        assert!(read(r#"{"id":"a","url":"b","tenant":"c"}"#).check(schema, &["tenant"]).is_ok());
    }

    #[test]
    fn a_value_of_another_type_names_its_argument() {
        for (text, says) in [(r#"{"a":7}"#, "give a text"), (r#"{"a":{}}"#, "give a text")] {
            assert!(read(text).text("a").unwrap_err().text().contains(says));
        }
        assert_eq!(read(r#"{"a":null}"#).text("a").unwrap(), None);
        assert_eq!(read(r#"{"a":"5"}"#).number("a", 1, 10).unwrap(), 5);
        assert!(read(r#"{"a":11}"#).number("a", 1, 10).unwrap_err().text().contains("1 to 10"));
        assert!(read(r#"{"a":"yes"}"#).flag("a").is_err());
        let raw = RawValue::from_string("[]".to_owned()).unwrap();
        assert!(Arguments::read(Some(&raw)).unwrap_err().text().contains("`arguments`"));
    }
}
