//! Schemas on the reference page: their forms, bounds, fields, and an example of each.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::{escape, inline};

/// How deep an example goes into schemas within schemas.
const EXAMPLE_DEPTH_MAX: usize = 4;

/// The section that lists every schema.
pub fn section(html: &mut String, document: &Value) {
    html.push_str("<section aria-labelledby=\"schemas\">\n<h2 id=\"schemas\">Schemas</h2>\n");
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        let name = escape(name);
        let _ = writeln!(html, "<article id=\"schema-{name}\">\n<h3>{name}</h3>");
        if let Some(about) = schema["description"].as_str() {
            let _ = writeln!(html, "<p>{}</p>", inline(about));
        }
        if schema["properties"].is_object() {
            properties(html, document, schema);
        } else {
            let _ = writeln!(html, "<p>{}{}</p>", form(document, schema), bounds(schema));
        }
        html.push_str("</article>\n");
    }
    html.push_str("</section>\n");
}

/// Follows a `$ref`; a nullable reference is followed too.
pub fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(target) = schema["$ref"].as_str() {
        return document.pointer(target.trim_start_matches('#')).unwrap_or(schema);
    }
    match schema["oneOf"].as_array().map(Vec::as_slice) {
        Some([null, other] | [other, null]) if null["type"] == "null" => resolve(document, other),
        _ => schema,
    }
}

/// The table of an object's fields.
pub fn properties(html: &mut String, document: &Value, schema: &Value) {
    let Some(properties) = schema["properties"].as_object() else { return };
    html.push_str(
        "<div class=\"wide\"><table>\n<thead><tr><th>Field</th><th>Type</th><th>What it is</th></tr>\
         </thead>\n<tbody>\n",
    );
    let required = |name: &str| {
        schema["required"].as_array().is_some_and(|all| all.iter().any(|it| it == name))
    };
    for (name, field) in properties {
        let about = inline(description(field));
        let _ = writeln!(
            html,
            "<tr><td><code>{}</code>{}</td><td>{}</td><td>{about}{}</td></tr>",
            escape(name),
            required_mark(required(name)),
            form(document, field),
            bounds(field),
        );
    }
    html.push_str("</tbody>\n</table></div>\n");
}

/// The description of a field; that of a nullable reference stands beside the reference.
fn description(field: &Value) -> &str {
    let of_reference =
        || field["oneOf"].as_array()?.iter().find_map(|it| it["description"].as_str());
    field["description"].as_str().or_else(of_reference).unwrap_or_default()
}

/// The mark of what has to be there.
pub fn required_mark(required: bool) -> &'static str {
    if required { " <span class=\"required\">required</span>" } else { "" }
}

/// What a schema is, in a few words, with links to what it is made of.
pub fn form(document: &Value, schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|it| it.rsplit('/').next()) {
        let name = escape(name);
        return format!("<a href=\"#schema-{name}\">{name}</a>");
    }
    for several in ["oneOf", "anyOf", "allOf"] {
        if let Some(all) = schema[several].as_array() {
            let forms: Vec<String> = all.iter().map(|it| form(document, it)).collect();
            return forms.join(" or ");
        }
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<String> =
            words.iter().map(|it| format!("<code>{}</code>", escape(&bare(it)))).collect();
        return words.join(", ");
    }
    let names: Vec<&str> = match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => vec!["any"],
    };
    let forms: Vec<String> = names.into_iter().map(|name| named(document, schema, name)).collect();
    forms.join(" or ")
}

fn named(document: &Value, schema: &Value, name: &str) -> String {
    match name {
        "array" if !schema["items"].is_null() => {
            format!("list of {}", form(document, &schema["items"]))
        }
        "array" => "list".into(),
        "object" if schema["additionalProperties"].is_object() => {
            format!("object of {}", form(document, &schema["additionalProperties"]))
        }
        "string" if schema["format"] == "date-time" => "time".into(),
        "string" if schema["format"] == "uri" => "URL".into(),
        "any" => "any JSON".into(),
        other => escape(other),
    }
}

/// The bounds of a schema, as a line below its description.
pub fn bounds(schema: &Value) -> String {
    let names = [
        ("minimum", "at least"),
        ("exclusiveMinimum", "more than"),
        ("maximum", "at most"),
        ("minLength", "characters at least"),
        ("maxLength", "characters at most"),
        ("minItems", "entries at least"),
        ("maxItems", "entries at most"),
        ("pattern", "pattern"),
        ("default", "default"),
    ];
    let said: Vec<String> = names
        .iter()
        .filter_map(|(key, words)| {
            let value = schema.get(key).filter(|it| !it.is_null())?;
            Some(format!("{words} <code>{}</code>", escape(&bare(value))))
        })
        .collect();
    if said.is_empty() {
        return String::new();
    }
    format!("<span class=\"bounds\">{}</span>", said.join("; "))
}

fn bare(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A body of that form: the schema's own examples, and whatever is required.
pub fn example(document: &Value, schema: &Value, depth: usize) -> Value {
    let own = schema.get("example").or_else(|| schema.get("examples").and_then(|it| it.get(0)));
    if let Some(own) = own {
        return own.clone();
    }
    let schema = resolve(document, schema);
    if let Some(own) = schema.get("example").or_else(|| schema.get("default")) {
        return own.clone();
    }
    if let Some(first) = schema["oneOf"].get(0).or_else(|| schema["enum"].get(0)) {
        return if first.is_object() { example(document, first, depth) } else { first.clone() };
    }
    if let Some(properties) = schema["properties"].as_object() {
        return Value::Object(object(document, schema, properties, depth));
    }
    match schema["type"].as_str().or_else(|| schema["type"][0].as_str()) {
        Some("array") => json!([example(document, &schema["items"], depth + 1)]),
        Some("string") => json!("text"),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
        Some("boolean") => json!(false),
        _ => json!({}),
    }
}

fn object(
    document: &Value,
    schema: &Value,
    properties: &Map<String, Value>,
    depth: usize,
) -> Map<String, Value> {
    let mut all = Map::new();
    for (name, field) in properties {
        let required =
            schema["required"].as_array().is_some_and(|it| it.iter().any(|it| it == name));
        let shown = required || field.get("example").is_some();
        if shown && depth < EXAMPLE_DEPTH_MAX {
            all.insert(name.clone(), example(document, field, depth + 1));
        }
    }
    all
}
