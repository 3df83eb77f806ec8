//! The list of tools; one file per noun.

mod deliveries;
mod endpoints;
mod event_types;
mod events;
mod signatures;
mod sources;

use std::pin::Pin;
use std::sync::Arc;

use hookyard_domain::key::KeyScope;
use rmcp::model::{CallToolResult, Tool as Listed, ToolAnnotations};
use serde_json::{Map, Value, json};

use crate::arguments::Arguments;
use crate::asking::Asking;
use crate::told::{Failure, Told};

/// Rows of a page when none are asked for: an agent reads every one of them.
const PAGE_USUAL: u32 = 25;
/// Rows of a page at most.
const PAGE_MOST: u32 = 100;

/// What a tool comes to.
type Result = std::result::Result<Told, Failure>;
type Running<'a> = Pin<Box<dyn Future<Output = Result> + Send + 'a>>;

/// A tool.
pub struct Tool {
    /// Its name with dots, as the vendors' pages write it.
    name: &'static str,
    title: &'static str,
    description: &'static str,
    hints: Hints,
    /// What a key needs so that the tool is shown to it.
    needs: &'static [KeyScope],
    takes: fn() -> Map<String, Value>,
    answers: fn() -> Map<String, Value>,
    run: for<'a> fn(&'a Asking, Arguments) -> Running<'a>,
}

/// What a client may think of a tool before it asks its user.
#[derive(Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the four hints of the protocol, each by its name there"
)]
struct Hints {
    read_only: bool,
    destructive: bool,
    idempotent: bool,
    open_world: bool,
}

/// It only looks.
const LOOKS: Hints =
    Hints { read_only: true, destructive: false, idempotent: true, open_world: false };
/// It adds something, and again each time.
const ADDS: Hints =
    Hints { read_only: false, destructive: false, idempotent: false, open_world: false };
/// It overwrites or takes away; a second time changes nothing more.
const CHANGES: Hints =
    Hints { read_only: false, destructive: true, idempotent: true, open_world: false };
/// It sends something to somebody out there.
const SENDS: Hints =
    Hints { read_only: false, destructive: false, idempotent: false, open_world: true };

const READ: &[KeyScope] = &[KeyScope::Read];
const WRITE: &[KeyScope] = &[KeyScope::Write];
const READ_AND_WRITE: &[KeyScope] = &[KeyScope::Read, KeyScope::Write];
const PUBLISH: &[KeyScope] = &[KeyScope::Publish];
const NOTHING: &[KeyScope] = &[];

/// Every tool, in the order they are listed in.
fn all() -> impl Iterator<Item = &'static Tool> {
    let nouns = [
        endpoints::ALL,
        deliveries::ALL,
        events::ALL,
        event_types::ALL,
        sources::ALL,
        signatures::ALL,
    ];
    nouns.into_iter().flatten()
}

/// The tool of a name, with dots or with underscores.
pub fn find(name: &str) -> Option<&'static Tool> {
    let name = plain(name);
    all().find(|it| plain(it.name) == name)
}

/// The tools that the caller's key is good for.
pub fn listed(asking: &Asking) -> Vec<Listed> {
    let may = |tool: &&Tool| tool.needs.iter().all(|it| asking.caller.may(*it));
    all().filter(may).map(|it| it.listed(asking)).collect()
}

/// Calls a tool.
pub async fn run(tool: &Tool, asking: &Asking) -> CallToolResult {
    match tool.answer(asking).await {
        Ok(told) => told.into(),
        Err(failure) => failure.into(),
    }
}

/// With underscores: most clients' models take no dots.
fn plain(name: &str) -> String {
    name.replace('.', "_")
}

impl Tool {
    async fn answer(&self, asking: &Asking) -> Result {
        let arguments = Arguments::read(asking.arguments.as_deref())?;
        arguments.check(&self.takes(asking), &["tenant"])?;
        (self.run)(asking, arguments).await
    }

    /// Its arguments; the tenant is one for whoever has to name it.
    fn takes(&self, asking: &Asking) -> Map<String, Value> {
        let mut takes = (self.takes)();
        let is_said = asking.tenant.is_some() || asking.caller.own_tenant().is_ok();
        let names_tenants = !is_said && !self.needs.is_empty();
        if names_tenants && let Some(Value::Object(properties)) = takes.get_mut("properties") {
            let description = "The tenant that is meant; your key is good for all of them.";
            let tenant = json!({ "type": "string", "description": description });
            properties.insert("tenant".to_owned(), tenant);
            let required = takes.entry("required").or_insert_with(|| json!([]));
            if let Some(required) = required.as_array_mut() {
                required.push(json!("tenant"));
            }
        }
        takes
    }

    fn listed(&self, asking: &Asking) -> Listed {
        let name = if asking.dotted { self.name.to_owned() } else { plain(self.name) };
        let hints = ToolAnnotations::with_title(self.title)
            .read_only(self.hints.read_only)
            .destructive(self.hints.destructive)
            .idempotent(self.hints.idempotent)
            .open_world(self.hints.open_world);
        Listed::new(name, self.description, Arc::new(self.takes(asking)))
            .with_title(self.title)
            .with_raw_output_schema(Arc::new((self.answers)()))
            .with_annotations(hints)
    }
}

/// The `limit` and `cursor` of a call, as the API takes them.
fn page(arguments: &mut Arguments) -> std::result::Result<(String, Option<String>), Failure> {
    let limit = arguments.number("limit", PAGE_USUAL, PAGE_MOST)?;
    Ok((limit.to_string(), arguments.text("cursor")?))
}

/// The JSON of an answer, read.
fn read<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> std::result::Result<T, Failure> {
    serde_json::from_slice(bytes).map_err(|_| Failure::of_ours())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_tool_of_the_contract_is_there_and_no_other() {
        let want = "webhooks.endpoints.create webhooks.endpoints.list webhooks.endpoints.get \
            webhooks.endpoints.update webhooks.endpoints.delete webhooks.endpoints.enable \
            webhooks.endpoints.disable webhooks.endpoints.test webhooks.endpoints.verify \
            webhooks.endpoints.rotate_secret webhooks.deliveries.list webhooks.deliveries.get \
            webhooks.deliveries.replay webhooks.events.publish webhooks.events.list webhooks.events.get \
            webhooks.events.replay webhooks.event_types.list webhooks.sources.create \
            webhooks.sources.list webhooks.sources.get webhooks.sources.update webhooks.sources.delete \
            webhooks.sources.rotate_secret webhooks.signatures.verify";
        let names: Vec<_> = all().map(|it| it.name).collect();
        assert_eq!(names, want.split_whitespace().collect::<Vec<_>>());
        let plain: BTreeSet<_> = names.iter().map(|it| plain(it)).collect();
        assert_eq!(plain.len(), names.len());
    }

    /// One tool on three lines: what it needs and is, what it takes (`!` must be given), what it answers.
    fn outline(tool: &Tool) -> String {
        let members = |schema: &Map<String, Value>| {
            let required = schema.get("required").and_then(Value::as_array).cloned();
            let required = required.unwrap_or_default();
            let names = schema["properties"].as_object().unwrap().keys();
            let mut names: Vec<_> = names
                .map(|it| if required.contains(&json!(it)) { format!("{it}!") } else { it.clone() })
                .collect();
            names.sort();
            names.join(" ")
        };
        let scopes: Vec<_> = tool.needs.iter().map(|it| it.as_str()).collect();
        let Hints { read_only, destructive, idempotent, open_world } = tool.hints;
        let hints = [
            (read_only, "read-only"),
            (destructive, "destructive"),
            (idempotent, "idempotent"),
            (open_world, "open-world"),
        ];
        let hints: Vec<_> = hints.iter().filter(|it| it.0).map(|it| it.1).collect();
        format!(
            "{}: {}\n  scopes: {}; hints: {}\n  takes: {}\n  answers: {}\n",
            tool.name,
            tool.title,
            scopes.join(", "),
            hints.join(", "),
            members(&(tool.takes)()),
            members(&(tool.answers)()),
        )
    }

    #[test]
    fn the_list_is_the_one_that_clients_know() {
        let outline: String = all().map(outline).collect();
        assert!(
            outline == include_str!("outline.txt"),
            "if the change is meant, put this into tools/outline.txt:\n{outline}"
        );
    }

    #[test]
    fn a_tool_is_found_by_either_form_of_its_name() {
        for name in ["webhooks.event_types.list", "webhooks_event_types_list"] {
            assert_eq!(find(name).map(|it| it.name), Some("webhooks.event_types.list"));
        }
        assert!(find("webhooks").is_none() && find("").is_none());
    }

    #[test]
    fn every_tool_explains_itself_and_every_argument() {
        for tool in all() {
            assert!(
                tool.description.len() > 60 && tool.description.ends_with('.'),
                "{}",
                tool.name
            );
            let takes = (tool.takes)();
            let properties = takes["properties"].as_object().unwrap();
            for (name, schema) in properties {
                assert!(schema["description"].is_string(), "{}: {name}", tool.name);
            }
            for name in takes.get("required").and_then(Value::as_array).into_iter().flatten() {
                assert!(properties.contains_key(name.as_str().unwrap()), "{}: {name}", tool.name);
            }
            assert_eq!((tool.answers)()["type"], "object", "{}", tool.name);
        }
    }
}
