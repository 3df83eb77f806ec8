//! A tenant's catalogue of event types.

use hookyard_domain::audit::AuditEntry;
use hookyard_domain::event_type::{CatalogueEntry, EventType};
use hookyard_domain::page::{Page, PageRequest};
use hookyard_domain::tenant::TenantNo;

use crate::Answer;

/// The catalogue. Publishing does not need it: unknown types are accepted.
pub trait EventTypes {
    /// Makes entries; `Conflict` when one of them is there already and `replace` is false. One fact: all or none.
    fn put_event_types(
        &self,
        tenant: TenantNo,
        entries: Vec<CatalogueEntry>,
        replace: bool,
        audit: AuditEntry,
    ) -> Answer<'_, ()>;
    /// One entry.
    fn event_type(&self, tenant: TenantNo, name: &EventType) -> Answer<'_, Option<CatalogueEntry>>;
    /// The catalogue, newest first.
    fn event_types(&self, tenant: TenantNo, page: PageRequest) -> Answer<'_, Page<CatalogueEntry>>;
    /// Takes an entry away; false when it is not there.
    fn delete_event_type(
        &self,
        tenant: TenantNo,
        name: &EventType,
        audit: AuditEntry,
    ) -> Answer<'_, bool>;
}
