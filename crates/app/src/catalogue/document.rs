//! Event types out of a document: the `webhooks` of an OpenAPI description, or a JSON Schema's definitions.

use hookyard_domain::event_type::{CatalogueEntry, EventType};
use hookyard_domain::limit;
use hookyard_domain::time::Timestamp;
use serde_json::{Map, Value};

use crate::checks::{Checks, member};

/// Types out of one document: a catalogue that people choose from is not longer.
const TYPES_MAX: usize = 1000;
/// References followed inside each other.
const REFERENCES_MAX: usize = 12;
/// Values written out for all types of one document: references can make much out of little.
const VALUES_MAX: usize = 200_000;

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
            "/document",
            "no_event_types",
            "use an OpenAPI document with `webhooks`, or a JSON Schema with `$defs` or a `title`",
        );
    }
    if found.len() > TYPES_MAX {
        checks.wrong("/document", "too_many", format!("use {TYPES_MAX} event types at most"));
        return Vec::new();
    }
    let mut writer = Writer { document, within: Vec::new(), left: VALUES_MAX };
    let entries = found.iter().filter_map(|it| entry(checks, &mut writer, it, now)).collect();
    if writer.left == 0 {
        checks.wrong("/document", "too_long", "its schemas are too large with what they refer to");
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
                pointer: member(&format!("/document/{key}"), name),
                name,
                about: schema,
                body: Some(schema),
            });
            return found.collect();
        }
    }
    let title = document.get("title").and_then(Value::as_str);
    let found = title.map(|name| Found {
        pointer: "/document/title".into(),
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
        pointer: member(&format!("/document/{key}"), name),
        name,
        about: operation,
        body: body.and_then(|it| it.get("schema")),
    }
}

fn entry<'a>(
    checks: &mut Checks,
    writer: &mut Writer<'a>,
    found: &Found<'a>,
    now: Timestamp,
) -> Option<CatalogueEntry> {
    let name: Option<EventType> = checks.parse(&found.pointer, "bad_event_type", Some(found.name));
    let text = |key: &str| found.about.get(key).and_then(Value::as_str);
    let description = text("description").or_else(|| text("summary"));
    let group = found.about.get("tags").and_then(|it| it.get(0)).and_then(Value::as_str);
    let schema = found.body.map(|it| writer.whole(it));
    let sample = schema.as_ref().and_then(|it| {
        it.get("example").or_else(|| it.get("examples").and_then(|it| it.get(0))).cloned()
    });
    let schema = schema.map(|it| it.to_string());
    if schema.as_ref().is_some_and(|it| it.len() > limit::SCHEMA_BYTES_MAX) {
        let most = limit::SCHEMA_BYTES_MAX;
        checks.wrong(&found.pointer, "too_long", format!("its schema is over {most} bytes"));
    }
    Some(CatalogueEntry {
        name: name?,
        description: description.map(|it| it.chars().take(limit::DESCRIPTION_CHARS_MAX).collect()),
        group: group.map(str::to_owned),
        schema,
        sample: sample.map(|it| it.to_string()),
        deprecated: found.about.get("deprecated") == Some(&Value::Bool(true)),
        created_at: now,
        updated_at: now,
    })
}

/// What a value's `$ref` names inside the document, else the value.
fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    target(document, value).map_or(value, |(_, it)| it)
}

fn target<'a>(document: &'a Value, value: &'a Value) -> Option<(&'a str, &'a Value)> {
    let reference = value.get("$ref")?.as_str()?;
    Some((reference, document.pointer(reference.strip_prefix('#')?)?))
}

/// Writes schemas out with what they refer to put in its place, so that they mean the same without their document.
struct Writer<'a> {
    document: &'a Value,
    within: Vec<&'a str>,
    left: usize,
}

impl<'a> Writer<'a> {
    /// A schema that contains itself allows anything from there on.
    fn whole(&mut self, schema: &'a Value) -> Value {
        let anything = || Value::Object(Map::new());
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            return anything();
        }
        if let Some((reference, found)) = target(self.document, schema) {
            if self.within.contains(&reference) || self.within.len() >= REFERENCES_MAX {
                return anything();
            }
            self.within.push(reference);
            let value = self.whole(found);
            self.within.pop();
            return value;
        }
        match schema {
            Value::Object(members) => Value::Object(
                members.iter().map(|(key, it)| (key.clone(), self.whole(it))).collect(),
            ),
            Value::Array(items) => Value::Array(items.iter().map(|it| self.whole(it)).collect()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => schema.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
        assert_eq!(wrong[0].pointer, "/document/webhooks/new~1order now");
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
        assert_eq!(wrong.last().unwrap().pointer, "/document");
    }
}
