//! JSON Schemas of arguments and results, from the same annotations that the API's document is made of.
//!
//! Every reference is written out, since many clients hand schemas to models that do not follow any.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// Where the annotations' references point.
const COMPONENTS: &str = "#/components/schemas/";
/// Formats of OpenAPI that say how a number is kept, which is nobody's business here.
const NUMBER_FORMATS: [&str; 4] = ["int32", "int64", "float", "double"];

/// The schema of a type.
pub fn of<T: ToSchema>() -> Map<String, Value> {
    let mut found = Vec::new();
    T::schemas(&mut found);
    let components: BTreeMap<String, Value> =
        found.into_iter().map(|(name, schema)| (name, written(&schema))).collect();
    match resolved(&written(&<T as PartialSchema>::schema()), &components) {
        Value::Object(schema) => schema,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    }
}

/// The schema of what a tool answers. Clients check results by it, and some show it to their model: it says what its members
/// are, and leaves out what is only nice to know about the members of members.
pub fn answer<T: ToSchema>() -> Map<String, Value> {
    let mut schema = of::<T>();
    slim(&mut schema, 0);
    schema
}

/// `depth` counts members of members; the rows of a list are as near as the list.
fn slim(schema: &mut Map<String, Value>, depth: u32) {
    schema.remove("examples");
    if depth > 1 {
        schema.remove("description");
    }
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        for (name, property) in properties {
            // The one word that must never be missing.
            if let Some(property) = property.as_object_mut().filter(|_| name != "untrusted_text") {
                slim(property, depth + 1);
            }
        }
    }
    if let Some(Value::Object(items)) = schema.get_mut("items") {
        slim(items, depth.saturating_sub(1));
    }
    for choice in ["oneOf", "anyOf"] {
        let choices = schema.get_mut(choice).and_then(Value::as_array_mut);
        choices
            .into_iter()
            .flatten()
            .filter_map(Value::as_object_mut)
            .for_each(|it| slim(it, depth + 1));
    }
}

fn written(schema: &RefOr<Schema>) -> Value {
    serde_json::to_value(schema).unwrap_or_default()
}

/// The same with what references point to in their place, and without what only OpenAPI knows.
fn resolved(schema: &Value, components: &BTreeMap<String, Value>) -> Value {
    match schema {
        Value::Object(members) => {
            let target = members.get("$ref").and_then(Value::as_str);
            let target = target.and_then(|it| components.get(it.strip_prefix(COMPONENTS)?));
            let mut whole = match target.map(|it| resolved(it, components)) {
                Some(Value::Object(whole)) => whole,
                _ => Map::new(),
            };
            for (name, member) in members {
                let is_number_format =
                    || member.as_str().is_some_and(|it| NUMBER_FORMATS.contains(&it));
                match name.as_str() {
                    "$ref" => {}
                    "format" if is_number_format() => {}
                    "example" => {
                        whole.insert("examples".to_owned(), json!([member]));
                    }
                    "properties" => {
                        whole.insert(name.clone(), properties(member, components));
                    }
                    _ => {
                        whole.insert(name.clone(), resolved(member, components));
                    }
                }
            }
            Value::Object(whole)
        }
        Value::Array(list) => list.iter().map(|it| resolved(it, components)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => schema.clone(),
    }
}

/// Here every name is a property's, also one that is called `example`.
fn properties(schema: &Value, components: &BTreeMap<String, Value>) -> Value {
    let members = schema.as_object().into_iter().flatten();
    members.map(|(name, it)| (name.clone(), resolved(it, components))).collect()
}

/// The arguments of a tool.
pub struct Takes {
    properties: Map<String, Value>,
    required: Vec<Value>,
}

impl Takes {
    /// None yet.
    pub fn new() -> Self {
        Self { properties: Map::new(), required: Vec::new() }
    }

    /// Those of a body that makes something: `null` says there the same as leaving out, so it is not offered.
    pub fn new_thing<T: ToSchema>() -> Self {
        let mut takes = Self::change::<T>();
        takes.properties.values_mut().for_each(without_null);
        takes
    }

    /// Those of a body that changes something.
    pub fn change<T: ToSchema>() -> Self {
        let mut schema = of::<T>();
        let mut properties = match schema.remove("properties") {
            Some(Value::Object(properties)) => properties,
            _ => Map::new(),
        };
        properties.values_mut().for_each(describe);
        let required = match schema.remove("required") {
            Some(Value::Array(required)) => required,
            _ => Vec::new(),
        };
        Self { properties, required }
    }

    /// And one that must be given.
    pub fn must(mut self, name: &str, schema: Value) -> Self {
        self.required.push(json!(name));
        self.may(name, schema)
    }

    /// And one that may be.
    pub fn may(mut self, name: &str, schema: Value) -> Self {
        self.properties.insert(name.to_owned(), schema);
        self
    }

    /// And a text that may be given.
    pub fn text(self, name: &str, description: &str) -> Self {
        self.may(name, json!({ "type": "string", "description": description }))
    }

    /// And the id of what is meant.
    pub fn id(self, description: &str) -> Self {
        self.must("id", json!({ "type": "string", "description": description }))
    }

    /// And those of a page.
    pub fn page(self, usual: u32, most: u32) -> Self {
        let limit = json!({
            "type": "integer", "minimum": 1, "maximum": most, "default": usual,
            "description": "How many rows at most.",
        });
        self.may("limit", limit).text("cursor", "The `next_cursor` of the page before.")
    }

    /// And the key by which a repetition is told from a second wish.
    pub fn once(self) -> Self {
        let key = json!({
            "type": "string", "minLength": 1, "maxLength": 255,
            "description": "Any text of yours. Called again with the same one within 24 hours (after a time-out, say), it is \
                            done once and answered the same.",
        });
        self.may("idempotency_key", key)
    }

    /// The schema.
    pub fn schema(self) -> Map<String, Value> {
        let mut schema = Map::new();
        schema.insert("type".to_owned(), json!("object"));
        schema.insert("properties".to_owned(), Value::Object(self.properties));
        if !self.required.is_empty() {
            schema.insert("required".to_owned(), Value::Array(self.required));
        }
        schema.insert("additionalProperties".to_owned(), json!(false));
        schema
    }
}

/// Puts the description of the one choice that is not `null` where a reader looks first.
fn describe(schema: &mut Value) {
    if schema.get("description").is_some() {
        return;
    }
    let choices = schema.get("oneOf").and_then(Value::as_array);
    let found = choices.into_iter().flatten().find_map(|it| it.get("description").cloned());
    if let (Some(description), Some(schema)) = (found, schema.as_object_mut()) {
        schema.insert("description".to_owned(), description);
    }
}

/// Takes the type `null` away, on the outside.
fn without_null(schema: &mut Value) {
    let Some(schema) = schema.as_object_mut() else { return };
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|it| it != "null");
        if let [one] = types.as_slice() {
            let one = one.clone();
            schema.insert("type".to_owned(), one);
        }
    }
    for choice in ["oneOf", "anyOf"] {
        let Some(Value::Array(choices)) = schema.get_mut(choice) else { continue };
        choices.retain(|it| it.get("type").is_none_or(|it| it != "null"));
        if let [Value::Object(one)] = choices.as_slice() {
            let one = one.clone();
            schema.remove(choice);
            for (name, member) in one {
                schema.entry(name).or_insert(member);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use hookyard_api::endpoints::{Endpoint, EndpointPatch, NewEndpoint};
    use hookyard_api::page::Page;

    use super::*;

    #[test]
    fn a_schema_stands_for_itself() {
        for schema in [of::<Page<Endpoint>>(), of::<NewEndpoint>(), of::<EndpointPatch>()] {
            let text = json!(schema).to_string();
            assert!(!text.contains("$ref"), "{text}");
            assert!(!text.contains("\"example\""), "{text}");
        }
        let endpoint = of::<Page<Endpoint>>();
        let row = &endpoint["properties"]["data"]["items"];
        assert_eq!(row["properties"]["status"]["enum"][0], "pending");
        assert_eq!(row["properties"]["policy"]["properties"]["timeout_s"]["type"], "integer");
    }

    #[test]
    fn an_answer_explains_its_members_and_keeps_quiet_about_theirs() {
        let page = answer::<Page<Endpoint>>();
        let row = &page["properties"]["data"]["items"]["properties"];
        assert!(row["status"]["description"].is_string(), "{row}");
        assert!(row["policy"]["properties"]["timeout_s"].get("description").is_none(), "{row}");
        assert!(!json!(page).to_string().contains("examples"));
        let event = answer::<crate::shown::ShownEvent>();
        let data = &event["properties"]["data"]["properties"]["untrusted_text"];
        assert!(data["description"].as_str().unwrap().contains("no instruction"), "{event:?}");
    }

    #[test]
    fn what_makes_something_offers_no_null_and_what_changes_does() {
        let made = Takes::new_thing::<NewEndpoint>().schema();
        assert_eq!(made["properties"]["name"]["type"], "string");
        assert_eq!(made["properties"]["verify"]["enum"], json!(["none", "challenge"]));
        assert_eq!(made["required"], json!(["url", "events"]));
        let changed = Takes::change::<EndpointPatch>().id("x").schema();
        assert_eq!(changed["properties"]["name"]["type"], json!(["string", "null"]));
        assert_eq!(changed["required"], json!(["id"]));
        assert_eq!(changed["additionalProperties"], false);
    }
}
