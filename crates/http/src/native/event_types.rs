//! A tenant's catalogue of event types.

use axum::extract::{Request, State};
use hookyard_api::event_types::{
    EventType, EventTypeBody, EventTypePage, ImportSchema, Imported, NewEventType,
};
use hookyard_api::page::{Page, PageQuery};
use hookyard_app::{EventTypeInput, Import};
use hookyard_domain::invalid::Invalid;
use http::StatusCode;
use serde_json::{Map, Value};

use super::extract::{AtItem, AtTenant, Json, Params, Reply, json_bytes, no_content, reply};
use super::problem::Refused;
use crate::body;
use crate::state::DoorState;

/// Create an event type
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/event-types", operation_id = "create_event_type", tag = "Event types",
    request_body = NewEventType,
    responses((status = 201, description = "The event type.", body = EventType)),
)]
pub async fn create(
    State(state): State<DoorState>,
    at: AtTenant,
    Json(new): Json<NewEventType>,
) -> Reply {
    let new = EventTypeInput {
        name: new.name,
        description: new.description,
        group: new.group,
        schema: new.schema.map(|it| it.text().to_owned()),
        sample: new.sample.map(|it| it.text().to_owned()),
        deprecated: new.deprecated,
    };
    let entry = state.app().create_event_type(&at.caller, &at.tenant, new).await?;
    reply(StatusCode::CREATED, &EventType::from(entry))
}

/// List event types
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/event-types", operation_id = "list_event_types", tag = "Event types",
    params(PageQuery),
    responses((status = 200, description = "A page, newest first.", body = EventTypePage)),
)]
pub async fn list(State(state): State<DoorState>, at: AtTenant, query: Params) -> Reply {
    let page = state.app().event_types(&at.caller, &at.tenant, query.page()?).await?;
    reply(StatusCode::OK, &Page::of(page, EventType::from))
}

/// Import event types
///
/// Loads a built-in catalogue, or the webhooks of an OpenAPI document, or the definitions of a JSON Schema. Entries that are
/// there already are replaced.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/event-types/import", operation_id = "import_event_types", tag = "Event types",
    request_body(content = ImportSchema, example = json!({"catalogue": "aly"})),
    responses((status = 200, description = "What was loaded.", body = Imported)),
)]
pub async fn import(State(state): State<DoorState>, at: AtTenant, request: Request) -> Reply {
    let import = what_to_import(body::json(&json_bytes(request).await?)?)?;
    let imported = state.app().import_event_types(&at.caller, &at.tenant, import).await?;
    let names: Vec<String> = imported.names.iter().map(ToString::to_string).collect();
    reply(StatusCode::OK, &Imported { imported: names.len(), names })
}

/// `{"catalogue": "aly"}` names a catalogue; any other object is a document, and so is one that holds what only a
/// document does.
fn what_to_import(body: Value) -> Result<Import, Refused> {
    let Value::Object(object) = &body else {
        return Err(Invalid::new("", "wrong_type", "give an object").into());
    };
    let Some(name) = object.get("catalogue").filter(|_| !is_document(object)) else {
        return Ok(Import::Document(body));
    };
    let others = object.keys().filter(|it| *it != "catalogue");
    let mut wrong: Vec<_> = others.map(|it| body::unknown_field(it)).collect();
    if !name.is_string() {
        wrong.push(Invalid::new("/catalogue", "wrong_type", "give its name"));
    }
    match name.as_str() {
        Some(name) if wrong.is_empty() => Ok(Import::Catalogue(name.to_owned())),
        _ => Err(Refused::Fields(wrong)),
    }
}

fn is_document(object: &Map<String, Value>) -> bool {
    let only = ["openapi", "webhooks", "x-webhooks", "$schema", "$defs", "definitions", "title"];
    only.iter().any(|it| object.contains_key(*it))
}

/// Get an event type
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/event-types/{name}", operation_id = "get_event_type", tag = "Event types",
    responses((status = 200, description = "The event type.", body = EventType)),
)]
pub async fn read(State(state): State<DoorState>, at: AtItem) -> Reply {
    let entry = state.app().event_type(&at.caller, &at.tenant, &at.id).await?;
    reply(StatusCode::OK, &EventType::from(entry))
}

/// Create or replace an event type
#[utoipa::path(
    put, path = "/v1/tenants/{tenant}/event-types/{name}", operation_id = "put_event_type", tag = "Event types",
    request_body = EventTypeBody,
    responses(
        (status = 200, description = "It was replaced: the event type as it is after.", body = EventType),
        (status = 201, description = "It was made.", body = EventType),
    ),
)]
pub async fn put(
    State(state): State<DoorState>,
    at: AtItem,
    Json(new): Json<EventTypeBody>,
) -> Reply {
    if new.name.as_ref().is_some_and(|name| *name != at.id) {
        let message = "an event type cannot be renamed: leave it out, or give the name of the path";
        return Err(Invalid::new("/name", "other_name", message).into());
    }
    let new = EventTypeInput {
        name: at.id.clone(),
        description: new.description,
        group: new.group,
        schema: new.schema.map(|it| it.text().to_owned()),
        sample: new.sample.map(|it| it.text().to_owned()),
        deprecated: new.deprecated,
    };
    let (entry, fresh) = state.app().put_event_type(&at.caller, &at.tenant, &at.id, new).await?;
    let status = if fresh { StatusCode::CREATED } else { StatusCode::OK };
    reply(status, &EventType::from(entry))
}

/// Delete an event type
///
/// Events of it are still accepted; it is only no longer in the catalogue.
#[utoipa::path(
    delete, path = "/v1/tenants/{tenant}/event-types/{name}", operation_id = "delete_event_type", tag = "Event types",
    responses((status = 204, description = "It is gone.")),
)]
pub async fn delete(State(state): State<DoorState>, at: AtItem) -> Reply {
    state.app().delete_event_type(&at.caller, &at.tenant, &at.id).await?;
    Ok(no_content())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_lone_catalogue_is_a_name_and_everything_else_a_document() {
        let read = |body| what_to_import(body).ok();
        let name = read(json!({"catalogue": "aly"}));
        assert!(matches!(name, Some(Import::Catalogue(it)) if it == "aly"));
        let document = json!({"openapi": "3.1.0", "webhooks": {}});
        assert!(matches!(read(document.clone()), Some(Import::Document(it)) if it == document));
        assert!(read(json!({"catalogue": 1})).is_none());
        let document = json!({"catalogue": "x", "$defs": {"a.b": {}}});
        assert!(matches!(read(document), Some(Import::Document(_))));
        let Err(Refused::Fields(wrong)) = what_to_import(json!({"catalogue": "aly", "a/b": 1}))
        else {
            panic!("refused")
        };
        let wrong: Vec<_> = wrong.iter().map(|it| (&*it.pointer, it.code)).collect();
        assert_eq!(wrong, [("/a~1b", "unknown_field")]);
        assert!(read(json!([])).is_none());
    }
}
