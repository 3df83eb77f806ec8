//! API keys.

use hookyard_domain::key as domain;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

mirror! {
    /// One power of a key.
    KeyScope = domain::KeyScope {
        /// Look at everything of the tenant.
        Read,
        /// Change endpoints and event types; retry, replay, cancel.
        Write,
        /// Publish events.
        Publish,
        /// All of these, and keys.
        Admin,
    }
}

/// An API key. Its text is shown once, when it is made.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ApiKey {
    /// Its id.
    #[schema(example = "key_01jv0g6xwre3zb0g8v4q5n6m7k")]
    pub id: String,
    /// For people.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<KeyScope>,
    /// The first characters of its text, to recognise it by.
    pub hint: String,
    /// When it stops working; `null` is never.
    #[schema(format = "date-time")]
    pub expires_at: Option<String>,
    /// When it was made.
    #[schema(format = "date-time", example = "2026-05-19T08:35:14.000Z")]
    pub created_at: String,
    /// The key itself, only in the answer that made it. Keep it: it cannot be shown again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// A page of API keys.
pub type ApiKeyPage = crate::page::Page<ApiKey>;

impl From<domain::Key> for ApiKey {
    fn from(it: domain::Key) -> Self {
        Self {
            id: it.id.to_string(),
            name: it.name,
            scopes: it.scopes.into_iter().map(Into::into).collect(),
            hint: it.hint,
            expires_at: it.expires_at.map(|at| at.to_string()),
            created_at: it.created_at.to_string(),
            key: None,
        }
    }
}

/// An API key to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApiKey {
    /// For people.
    #[serde(default)]
    #[schema(required = true, min_length = 1, max_length = 120, example = "shop backend")]
    pub name: String,
    /// What it may do, at least one.
    #[serde(default)]
    #[schema(required = true, value_type = Vec<KeyScope>, min_items = 1, example = json!(["publish"]))]
    pub scopes: Vec<String>,
    /// When it stops working; left out is never.
    #[schema(format = "date-time", example = "2027-01-01T00:00:00.000Z")]
    pub expires_at: Option<String>,
}
