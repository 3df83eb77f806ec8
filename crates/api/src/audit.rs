//! The audit log: who did what, when, from where.

use hookyard_domain::audit as domain;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::json::Json;

/// One act.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// Its id.
    #[schema(example = "aud_01jv0g6xwre3zb0g8v4q5n6m7k")]
    pub id: String,
    /// When.
    #[schema(format = "date-time", example = "2026-05-19T08:35:14.000Z")]
    pub at: String,
    /// Who: `operator`, the id of an API key, or `hookyard` for what the gateway does by itself.
    #[schema(example = "operator")]
    pub actor: String,
    /// From where: the caller's address.
    #[schema(example = "203.0.113.7")]
    pub origin: Option<String>,
    /// What.
    #[schema(example = "endpoint.created")]
    pub action: String,
    /// What it was done to: an id or a name.
    #[schema(example = "wh_01jv0g6xwre3zb0g8v4q5n6m7k")]
    pub subject: String,
    /// The thing before; never a secret.
    #[schema(value_type = Option<Object>)]
    pub before: Option<Json>,
    /// The thing after; never a secret.
    #[schema(value_type = Option<Object>)]
    pub after: Option<Json>,
}

/// A page of audit entries.
pub type AuditEntryPage = crate::page::Page<AuditEntry>;

impl From<domain::AuditEntry> for AuditEntry {
    fn from(it: domain::AuditEntry) -> Self {
        Self {
            id: it.id.to_string(),
            at: it.at.to_string(),
            actor: it.actor,
            origin: it.origin,
            action: it.action,
            subject: it.subject,
            before: it.before.as_deref().and_then(Json::read),
            after: it.after.as_deref().and_then(Json::read),
        }
    }
}
