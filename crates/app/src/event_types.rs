//! A tenant's catalogue of event types: what endpoints may choose from. Publishing does not need it.

use hookyard_domain::event_type::{CatalogueEntry, EventType};
use hookyard_domain::key::KeyScope;
use hookyard_domain::limit;
use hookyard_domain::page::Page;
use hookyard_domain::time::Timestamp;
use hookyard_store::StoreError;
use serde_json::json;

use crate::audit::{self, Act};
use crate::catalogue::{builtin, document};
use crate::checks::{Checks, path_id};
use crate::pages::PageQuery;
use crate::powers::Power;
use crate::{App, AppError, Caller};

/// An event type as it was written.
#[derive(Clone, Debug, Default)]
pub struct EventTypeInput {
    /// Its name.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// The group it is shown in.
    pub group: Option<String>,
    /// JSON Schema of `data`, as JSON text.
    pub schema: Option<String>,
    /// A sample of `data`, as JSON text.
    pub sample: Option<String>,
    /// Not to be chosen any more.
    pub deprecated: bool,
}

/// What to load into a catalogue.
#[derive(Clone, Debug)]
pub enum Import {
    /// A built-in catalogue: `aly`, `alvys` or `aryeo`.
    Catalogue(String),
    /// An OpenAPI 3.1 document with `webhooks`, or a JSON Schema.
    Document(serde_json::Value),
}

/// What was loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The names, in the source's order.
    pub names: Vec<EventType>,
}

impl App {
    /// Makes an entry.
    pub async fn create_event_type(
        &self,
        caller: &Caller,
        tenant: &str,
        new: EventTypeInput,
    ) -> Result<CatalogueEntry, AppError> {
        let no = self.tenant_for(caller, tenant, KeyScope::Write).await?;
        let now = self.now();
        let mut checks = Checks::default();
        let name = checks.parse_required("/name", "bad_event_type", &new.name);
        nameable(&mut checks, "/name", &new.name);
        let entry = check(&mut checks, new, now);
        let name: EventType = checks.done_with(name)?;
        let subject = name.to_string();
        let entry = entry(name);
        let act = Act {
            action: "event_type.created",
            subject: &subject,
            after: Some(audit::event_type(&entry)),
            ..Act::default()
        };
        let act = self.entry(caller, now, act);
        match self.store().put_event_types(no, vec![entry.clone()], false, act).await {
            Err(StoreError::Conflict { .. }) => Err(AppError::conflict(
                "event_type_exists",
                format!("the event type `{subject}` exists already"),
            )),
            other => {
                other?;
                Ok(entry)
            }
        }
    }

    /// Makes an entry or replaces it; answers whether it was made.
    pub async fn put_event_type(
        &self,
        caller: &Caller,
        tenant: &str,
        name: &str,
        new: EventTypeInput,
    ) -> Result<(CatalogueEntry, bool), AppError> {
        let no = self.tenant_for(caller, tenant, KeyScope::Write).await?;
        let now = self.now();
        let mut checks = Checks::default();
        let parsed = checks.parse_required("name", "bad_event_type", name);
        nameable(&mut checks, "name", name);
        let entry = check(&mut checks, new, now);
        let parsed: EventType = checks.done_with(parsed)?;
        let old = self.store().event_type(no, &parsed).await?;
        let mut entry = entry(parsed);
        entry.created_at = old.as_ref().map_or(now, |it| it.created_at);
        let act = Act {
            action: if old.is_some() { "event_type.updated" } else { "event_type.created" },
            subject: name,
            before: old.as_ref().map(audit::event_type),
            after: Some(audit::event_type(&entry)),
        };
        let act = self.entry(caller, now, act);
        self.store().put_event_types(no, vec![entry.clone()], true, act).await?;
        Ok((entry, old.is_none()))
    }

    /// The entries of a built-in catalogue, whether the tenant has loaded it or not; none when there is none of that name.
    pub async fn builtin_event_types(
        &self,
        caller: &Caller,
        tenant: &str,
        catalogue: &str,
    ) -> Result<Vec<CatalogueEntry>, AppError> {
        self.tenant_for(caller, tenant, Power::Look).await?;
        Ok(builtin(catalogue, self.now()).unwrap_or_default())
    }

    /// One entry.
    pub async fn event_type(
        &self,
        caller: &Caller,
        tenant: &str,
        name: &str,
    ) -> Result<CatalogueEntry, AppError> {
        let no = self.tenant_for(caller, tenant, Power::Look).await?;
        let name: EventType = path_id(name, "event type")?;
        let none = AppError::NotFound { what: "event type" };
        self.store().event_type(no, &name).await?.ok_or(none)
    }

    /// The catalogue, newest first.
    pub async fn event_types(
        &self,
        caller: &Caller,
        tenant: &str,
        page: PageQuery,
    ) -> Result<Page<CatalogueEntry>, AppError> {
        let no = self.tenant_for(caller, tenant, Power::Look).await?;
        let mut checks = Checks::default();
        let page = page.check(&mut checks);
        checks.done()?;
        Ok(self.store().event_types(no, page).await?)
    }

    /// Takes an entry away.
    pub async fn delete_event_type(
        &self,
        caller: &Caller,
        tenant: &str,
        name: &str,
    ) -> Result<(), AppError> {
        const NONE: AppError = AppError::NotFound { what: "event type" };
        let no = self.tenant_for(caller, tenant, KeyScope::Write).await?;
        let name: EventType = path_id(name, "event type")?;
        let old = self.store().event_type(no, &name).await?.ok_or(NONE)?;
        let act = Act {
            action: "event_type.deleted",
            subject: name.as_str(),
            before: Some(audit::event_type(&old)),
            ..Act::default()
        };
        let act = self.entry(caller, self.now(), act);
        let deleted = self.store().delete_event_type(no, &name, act).await?;
        if deleted { Ok(()) } else { Err(NONE) }
    }

    /// Loads a built-in catalogue or a document; entries of the same name are replaced.
    pub async fn import_event_types(
        &self,
        caller: &Caller,
        tenant: &str,
        import: Import,
    ) -> Result<Imported, AppError> {
        let no = self.tenant_for(caller, tenant, KeyScope::Write).await?;
        let now = self.now();
        let mut checks = Checks::default();
        let (subject, entries) = match import {
            Import::Catalogue(name) => {
                let found = builtin(&name, now);
                if found.is_none() {
                    let message = "use one of `aly`, `alvys`, `aryeo`";
                    checks.wrong("/catalogue", "unknown_value", message);
                }
                (name, found.unwrap_or_default())
            }
            Import::Document(document) => {
                ("document".into(), document::entries(&mut checks, &document, now))
            }
        };
        checks.done()?;
        let names: Vec<_> = entries.iter().map(|it| it.name.clone()).collect();
        let act = Act {
            action: "event_types.imported",
            subject: &subject,
            after: Some(json!({ "names": names })),
            ..Act::default()
        };
        let act = self.entry(caller, now, act);
        self.store().put_event_types(no, entries, true, act).await?;
        Ok(Imported { names })
    }
}

/// An entry is looked at under its name, where doors have a route of this name already. Events of it are published all
/// the same.
const RESERVED: &str = "import";

/// Refuses a name under which an entry could never be looked at.
pub(crate) fn nameable(checks: &mut Checks, pointer: &str, name: &str) {
    if name == RESERVED {
        let message = "this name is taken by the API itself; such events need no entry";
        checks.wrong(pointer, "reserved_name", message);
    }
}

/// Checks all but the name; answers what makes the entry of a name.
fn check(
    checks: &mut Checks,
    new: EventTypeInput,
    now: Timestamp,
) -> impl FnOnce(EventType) -> CatalogueEntry + use<> {
    let description = checks.text("/description", new.description, limit::DESCRIPTION_CHARS_MAX);
    let group = checks.text("/group", new.group, limit::NAME_CHARS_MAX);
    if let Some(schema) = &new.schema {
        json_text(checks, "/schema", schema);
        // A schema is an object, or `true` and `false`.
        if !matches!(schema.trim_start().as_bytes().first(), Some(b'{' | b't' | b'f')) {
            checks.wrong("/schema", "not_a_schema", "use a JSON Schema, which is an object");
        }
    }
    if let Some(sample) = &new.sample {
        json_text(checks, "/sample", sample);
    }
    move |name| CatalogueEntry {
        name,
        description,
        group,
        schema: new.schema,
        sample: new.sample,
        deprecated: new.deprecated,
        created_at: now,
        updated_at: now,
    }
}

fn json_text(checks: &mut Checks, pointer: &str, text: &str) {
    if text.len() > limit::SCHEMA_BYTES_MAX {
        let most = limit::SCHEMA_BYTES_MAX;
        checks.wrong(pointer, "too_long", format!("use {most} bytes of JSON at most"));
    } else if serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
        checks.wrong(pointer, "not_json", "use valid JSON");
    }
}
