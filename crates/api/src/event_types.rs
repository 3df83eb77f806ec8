//! Event types: a tenant's catalogue.

use hookyard_domain::event_type as domain;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::json::Json;

/// An entry of a tenant's catalogue. Publishing does not need one: unknown types are accepted.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EventType {
    /// The type's name.
    #[schema(example = "order.created")]
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// The group it is shown in.
    pub group: Option<String>,
    /// JSON Schema of `data`: an object, `true` or `false`.
    #[schema(value_type = serde_json::Value)]
    pub schema: Option<Json>,
    /// A sample of `data`.
    #[schema(value_type = serde_json::Value)]
    pub sample: Option<Json>,
    /// Still there for old endpoints, not to be chosen any more.
    pub deprecated: bool,
    /// When it was made.
    #[schema(format = "date-time", example = "2026-05-19T08:35:14.000Z")]
    pub created_at: String,
    /// When it was changed last.
    #[schema(format = "date-time", example = "2026-05-19T08:35:14.000Z")]
    pub updated_at: String,
}

/// A page of event types.
pub type EventTypePage = crate::page::Page<EventType>;

impl From<domain::CatalogueEntry> for EventType {
    fn from(it: domain::CatalogueEntry) -> Self {
        Self {
            name: it.name.to_string(),
            description: it.description,
            group: it.group,
            schema: it.schema.as_deref().and_then(Json::read),
            sample: it.sample.as_deref().and_then(Json::read),
            deprecated: it.deprecated,
            created_at: it.created_at.to_string(),
            updated_at: it.updated_at.to_string(),
        }
    }
}

/// An event type to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEventType {
    /// Segments of `A-Z a-z 0-9 _ -` joined by dots; not `import`, which is a path of the API.
    #[serde(default)]
    #[schema(
        required = true,
        max_length = 128,
        pattern = r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$",
        example = "order.created"
    )]
    pub name: String,
    /// For people.
    #[schema(min_length = 1, max_length = 2000, example = "An order was placed.")]
    pub description: Option<String>,
    /// The group it is shown in.
    #[schema(min_length = 1, max_length = 120, example = "Orders")]
    pub group: Option<String>,
    /// JSON Schema of `data`: an object, `true` or `false`.
    #[schema(value_type = serde_json::Value, required = false, example = json!({"type": "object"}))]
    pub schema: Option<Json>,
    /// A sample of `data`.
    #[schema(value_type = serde_json::Value, required = false, example = json!({"id": "ord_1", "total": 1999}))]
    pub sample: Option<Json>,
    /// Still there for old endpoints, not to be chosen any more.
    #[serde(default)]
    #[schema(default = false)]
    pub deprecated: bool,
}

/// An event type as it is to be from here on; the name stands in the path.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EventTypeBody {
    /// May be repeated here, and is then the one of the path.
    #[schema(max_length = 128)]
    pub name: Option<String>,
    /// For people.
    #[schema(min_length = 1, max_length = 2000, example = "An order was placed.")]
    pub description: Option<String>,
    /// The group it is shown in.
    #[schema(min_length = 1, max_length = 120, example = "Orders")]
    pub group: Option<String>,
    /// JSON Schema of `data`: an object, `true` or `false`.
    #[schema(value_type = serde_json::Value, required = false)]
    pub schema: Option<Json>,
    /// A sample of `data`.
    #[schema(value_type = serde_json::Value, required = false)]
    pub sample: Option<Json>,
    /// Still there for old endpoints, not to be chosen any more.
    #[serde(default)]
    #[schema(default = false)]
    pub deprecated: bool,
}

/// A built-in catalogue to be loaded.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportCatalogue {
    /// Its name.
    #[schema(example = "aly")]
    pub catalogue: String,
}

/// What `import` takes: the name of a built-in catalogue, or a document with webhooks or schemas in it.
#[derive(Clone, Debug, ToSchema)]
#[schema(as = ImportBody)]
#[serde(untagged)]
pub enum ImportSchema {
    /// A built-in catalogue: `aly`, `alvys` or `aryeo`.
    Catalogue(ImportCatalogue),
    /// An OpenAPI 3 document (its `webhooks`) or a JSON Schema (its `$defs` or `definitions`).
    #[schema(value_type = Object)]
    Document(Json),
}

/// What was loaded.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Imported {
    /// How many entries were made or replaced.
    #[schema(example = 18)]
    pub imported: usize,
    /// Their names.
    pub names: Vec<String>,
}
