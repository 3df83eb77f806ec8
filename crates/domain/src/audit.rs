//! The audit log: who did what, when, from where, and what was before and after.

use crate::id::AuditId;
use crate::time::Timestamp;

/// One act, as it is written together with the change it tells of. Secrets never stand in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its id.
    pub id: AuditId,
    /// When.
    pub at: Timestamp,
    /// Who: `operator`, `key_…`, or `hookyard` for what the gateway does by itself.
    pub actor: String,
    /// From where: the caller's address, when there is one.
    pub origin: Option<String>,
    /// What: `endpoint.created`, `key.revoked` …
    pub action: String,
    /// What it was done to: an id or a name.
    pub subject: String,
    /// The thing before, as JSON text.
    pub before: Option<String>,
    /// The thing after, as JSON text.
    pub after: Option<String>,
}

impl AuditEntry {
    /// It tells of an endpoint or a source that was changed; not of a secret that was only looked at.
    #[must_use]
    pub fn is_of_a_change(&self) -> bool {
        let of = ["endpoint.", "source."].iter().find_map(|it| self.action.strip_prefix(it));
        of.is_some_and(|it| it != "secret_revealed")
    }
}
