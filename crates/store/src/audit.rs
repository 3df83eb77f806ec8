//! The audit log. An entry is written together with the change it tells of, or alone where nothing is changed.

use hookyard_domain::audit::AuditEntry;
use hookyard_domain::page::{Page, PageRequest};
use hookyard_domain::tenant::TenantNo;

use crate::Answer;

/// Who did what.
pub trait Audit {
    /// Writes an entry of something that changed nothing, such as looking at a secret.
    fn note(&self, tenant: TenantNo, entry: AuditEntry) -> Answer<'_, ()>;
    /// A tenant's entries, newest first.
    fn audit(&self, tenant: TenantNo, page: PageRequest) -> Answer<'_, Page<AuditEntry>>;
}
