//! Event types out of a document: the `webhooks` of an OpenAPI description, or a JSON Schema's definitions.

use hookyard_domain::event_type::{CatalogueEntry, EventType};
use hookyard_domain::limit;
use hookyard_domain::time::Timestamp;
use serde_json::Value;

use crate::checks::{Checks, member};
use crate::event_types::nameable;

/// Types out of one document: a catalogue that people choose from is not longer.
const TYPES_MAX: usize = 1000;
/// References followed inside each other.
const REFERENCES_MAX: usize = 12;
/// Bytes of a reference that is followed: each time it is, it is read anew.
const REFERENCE_BYTES_MAX: usize = 1024;
/// Bytes written out for all types of one document: references can make much out of little.
const BYTES_MAX: usize = 8 * 1024 * 1024;

/// A type that was found: where, under which name, and what is said of it.
struct Found<'a> {
    pointer: String,
    name: &'a str,
    about: &'a Value,
    body: Option<&'a Value>,
}

/// The entries a document holds.
pub(crate) fn entries(
    checks: &mut Checks,
    document: &Value,
    now: Timestamp,
) -> Vec<CatalogueEntry> {
    let found = find(document);
    if found.is_empty() {
        checks.wrong(
            "",
            "no_event_types",
            "use an OpenAPI document with `webhooks`, or a JSON Schema with `$defs` or a `title`",
        );
    }
    if found.len() > TYPES_MAX {
        checks.wrong("", "too_many", format!("use {TYPES_MAX} event types at most"));
        return Vec::new();
    }
    let mut left = BYTES_MAX;
    let mut entries = Vec::with_capacity(found.len());
    for found in &found {
        entries.extend(entry(checks, document, &mut left, found, now));
        if left == 0 {
            checks.wrong("", "too_long", "its schemas are too large with what they refer to");
            break;
        }
    }
    entries
}

fn find(document: &Value) -> Vec<Found<'_>> {
    for key in ["webhooks", "x-webhooks"] {
        if let Some(Value::Object(webhooks)) = document.get(key) {
            return webhooks.iter().map(|it| webhook(document, key, it)).collect();
        }
    }
    for key in ["$defs", "definitions"] {
        if let Some(Value::Object(definitions)) = document.get(key) {
            let found = definitions.iter().map(|(name, schema)| Found {
                pointer: member(&format!("/{key}"), name),
                name,
                about: schema,
                body: Some(schema),
            });
            return found.collect();
        }
    }
    let title = document.get("title").and_then(Value::as_str);
    let found = title.map(|name| Found {
        pointer: "/title".into(),
        name,
        about: document,
        body: Some(document),
    });
    found.into_iter().collect()
}

fn webhook<'a>(document: &'a Value, key: &str, (name, item): (&'a String, &'a Value)) -> Found<'a> {
    let item = resolve(document, item);
    // A webhook is a POST; some documents say PUT.
    let operation = item.get("post").or_else(|| item.get("put")).unwrap_or(item);
    let body = operation
        .get("requestBody")
        .map(|it| resolve(document, it))
        .and_then(|it| it.get("content"))
        .and_then(Value::as_object)
        .and_then(|content| content.get("application/json").or_else(|| content.values().next()));
    Found {
        pointer: member(&format!("/{key}"), name),
        name,
        about: operation,
        body: body.and_then(|it| it.get("schema")),
    }
}

fn entry(
    checks: &mut Checks,
    document: &Value,
    left: &mut usize,
    found: &Found<'_>,
    now: Timestamp,
) -> Option<CatalogueEntry> {
    let name: Option<EventType> = checks.parse(&found.pointer, "bad_event_type", Some(found.name));
    nameable(checks, &found.pointer, found.name);
    let text = |key: &str| found.about.get(key).and_then(Value::as_str);
    let description = text("description").or_else(|| text("summary"));
    let group = found.about.get("tags").and_then(|it| it.get(0)).and_then(Value::as_str);
    let example = found
        .body
        .map(|it| resolve(document, it))
        .and_then(|it| it.get("example").or_else(|| it.get("examples").and_then(|it| it.get(0))));
    let mut write = |what: &str, value: Option<&Value>| {
        let written = Writer::write(document, value?, left);
        if written.is_none() {
            let most = limit::SCHEMA_BYTES_MAX;
            checks.wrong(&found.pointer, "too_long", format!("its {what} is over {most} bytes"));
        }
        written
    };
    let schema = write("schema", found.body);
    let sample = write("example", example);
    Some(CatalogueEntry {
        name: name?,
        description: description.map(|it| it.chars().take(limit::DESCRIPTION_CHARS_MAX).collect()),
        group: group.map(str::to_owned),
        schema,
        sample,
        deprecated: found.about.get("deprecated") == Some(&Value::Bool(true)),
        created_at: now,
        updated_at: now,
    })
}

/// What a value's `$ref` names inside the document, else the value.
fn resolve<'a>(document: &'a Value, mut value: &'a Value) -> &'a Value {
    for _ in 0..REFERENCES_MAX {
        let Some((_, found)) = target(document, value) else { break };
        value = found;
    }
    value
}

fn target<'a>(document: &'a Value, value: &'a Value) -> Option<(&'a str, &'a Value)> {
    let reference = value.get("$ref")?.as_str().filter(|it| it.len() <= REFERENCE_BYTES_MAX)?;
    Some((reference, document.pointer(reference.strip_prefix('#')?)?))
}

/// Writes a value out with what it refers to put in its place, so that it means the same without its document. It stops
/// where its room ends, since references can make gigabytes out of a small document.
struct Writer<'a> {
    document: &'a Value,
    within: Vec<&'a str>,
    out: String,
    room: usize,
}

/// There is no more room.
struct Full;

impl<'a> Writer<'a> {
    /// The text of a value; `None` when it is too long. What was written is taken from `left`, kept or not.
    fn write(document: &'a Value, value: &'a Value, left: &mut usize) -> Option<String> {
        let room = limit::SCHEMA_BYTES_MAX.min(*left);
        let mut writer = Self { document, within: Vec::new(), out: String::new(), room };
        let written = writer.value(value);
        *left = left.saturating_sub(writer.out.len());
        if written.is_err() && room < limit::SCHEMA_BYTES_MAX {
            *left = 0;
        }
        written.ok().map(|()| writer.out)
    }

    fn push(&mut self, text: &str) -> Result<(), Full> {
        if text.len() > self.room - self.out.len() {
            return Err(Full);
        }
        self.out.push_str(text);
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Full> {
        // Written as JSON it is longer by its quotes at least.
        if text.len() + 2 > self.room - self.out.len() {
            return Err(Full);
        }
        self.push(&Value::from(text).to_string())
    }

    /// A schema that contains itself allows anything from there on.
    fn value(&mut self, value: &'a Value) -> Result<(), Full> {
        if let Some((reference, found)) = target(self.document, value) {
            if self.within.contains(&reference) || self.within.len() >= REFERENCES_MAX {
                return self.push("{}");
            }
            self.within.push(reference);
            let written = self.value(found);
            self.within.pop();
            return written;
        }
        match value {
            Value::Object(members) => {
                let mut before = "{";
                for (key, value) in members {
                    self.push(before)?;
                    self.text(key)?;
                    self.push(":")?;
                    self.value(value)?;
                    before = ",";
                }
                self.push(if members.is_empty() { "{}" } else { "}" })
            }
            Value::Array(items) => {
                let mut before = "[";
                for value in items {
                    self.push(before)?;
                    self.value(value)?;
                    before = ",";
                }
                self.push(if items.is_empty() { "[]" } else { "]" })
            }
            Value::String(text) => self.text(text),
            Value::Null | Value::Bool(_) | Value::Number(_) => self.push(&value.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    fn read(document: &Value) -> Result<Vec<CatalogueEntry>, crate::AppError> {
        let mut checks = Checks::default();
        let entries = entries(&mut checks, document, Timestamp::default());
        checks.done().map(|()| entries)
    }

    #[test]
    fn an_openapi_documents_webhooks_become_types_with_whole_schemas() {
        let entries = read(&json!({
            "openapi": "3.1.0",
            "webhooks": { "order.created": { "post": {
                "summary": "An order was placed", "tags": ["order"], "deprecated": true,
                "requestBody": { "content": { "application/json": {
                    "schema": { "$ref": "#/components/schemas/Order" } } } },
            } } },
            "components": { "schemas": {
                "Order": { "type": "object", "example": { "id": 1 },
                           "properties": { "parent": { "$ref": "#/components/schemas/Order" },
                                           "id": { "$ref": "#/components/schemas/Id" } } },
                "Id": { "type": "integer" },
            } },
        }))
        .unwrap();
        let [entry] = &entries[..] else { panic!("one type") };
        assert_eq!(entry.name.as_str(), "order.created");
        assert_eq!(entry.description.as_deref(), Some("An order was placed"));
        assert_eq!(entry.group.as_deref(), Some("order"));
        assert_eq!(entry.sample.as_deref(), Some(r#"{"id":1}"#));
        assert!(entry.deprecated);
        let schema: Value = serde_json::from_str(entry.schema.as_deref().unwrap()).unwrap();
        assert_eq!(schema["properties"]["id"]["type"], "integer");
        assert_eq!(schema["properties"]["parent"], json!({}));
    }

    #[test]
    fn a_json_schemas_definitions_or_title_become_types() {
        let names = |document: Value| -> Vec<String> {
            read(&document).unwrap().iter().map(|it| it.name.to_string()).collect()
        };
        assert_eq!(names(json!({ "$defs": { "a.b": { "type": "object" } } })), ["a.b"]);
        assert_eq!(names(json!({ "definitions": { "x": true } })), ["x"]);
        assert_eq!(names(json!({ "title": "order.created", "type": "object" })), ["order.created"]);
    }

    #[test]
    fn names_that_are_no_event_types_and_empty_documents_are_pointed_out() {
        let Err(crate::AppError::Invalid(wrong)) =
            read(&json!({ "webhooks": { "new/order now": {}, "ok.one": {} } }))
        else {
            panic!("refused")
        };
        assert_eq!(wrong.len(), 1);
        assert_eq!(wrong[0].pointer, "/webhooks/new~1order now");
        assert!(read(&json!({ "openapi": "3.1.0" })).is_err());
        assert!(read(&json!([])).is_err());
    }

    #[test]
    fn a_document_that_blows_itself_up_is_refused() {
        let mut schemas = Map::new();
        for level in 0..10 {
            let next = json!({ "$ref": format!("#/components/schemas/s{}", level + 1) });
            schemas.insert(format!("s{level}"), json!({ "allOf": vec![next; 20] }));
        }
        schemas.insert("s10".into(), json!({ "type": "string" }));
        let document = json!({
            "webhooks": { "a.b": { "post": { "requestBody": { "content": { "application/json": {
                "schema": { "$ref": "#/components/schemas/s0" } } } } } } },
            "components": { "schemas": schemas },
        });
        let Err(crate::AppError::Invalid(wrong)) = read(&document) else { panic!("refused") };
        assert_eq!((&*wrong[0].pointer, wrong[0].code), ("/webhooks/a.b", "too_long"));
    }

    #[test]
    fn many_types_that_refer_to_one_large_text_are_not_written_out() {
        let large = |bytes: usize| {
            let types = (0..600).map(|at| (format!("a.b{at}"), json!({ "$ref": "#/x" })));
            json!({ "$defs": types.collect::<Map<_, _>>(), "x": { "description": "x".repeat(bytes) } })
        };
        let Err(crate::AppError::Invalid(wrong)) = read(&large(950_000)) else { panic!("refused") };
        assert!(wrong.iter().all(|it| it.code == "too_long"), "{wrong:?}");
        // Each of them is small enough, all of them are not.
        let Err(crate::AppError::Invalid(wrong)) = read(&large(200_000)) else { panic!("refused") };
        let wrong: Vec<_> = wrong.iter().map(|it| (&*it.pointer, it.code)).collect();
        assert_eq!(wrong.last(), Some(&("", "too_long")), "{wrong:?}");
        assert!(wrong.len() <= 2, "it stops at once: {wrong:?}");
        assert_eq!(read(&large(1000)).unwrap().len(), 600);
    }

    #[test]
    fn what_is_written_out_is_the_same_json() {
        let schema = json!({ "a\"b": [1.5, null, true, "\u{1}ä", {}, []], "c": { "$ref": 7 } });
        let mut left = BYTES_MAX;
        let written = Writer::write(&schema, &schema, &mut left).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), schema);
        assert_eq!(left, BYTES_MAX - written.len());
    }
}
