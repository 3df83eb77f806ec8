//! The audit log, read. It is written together with what it tells of.

use hookyard_domain::audit::AuditEntry;
use hookyard_domain::page::{Page, PageRequest};
use hookyard_domain::tenant::TenantNo;

use crate::Answer;

/// Who did what.
pub trait Audit {
    /// A tenant's entries, newest first.
    fn audit(&self, tenant: TenantNo, page: PageRequest) -> Answer<'_, Page<AuditEntry>>;
}
