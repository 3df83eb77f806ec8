//! Tenants.

use hookyard_domain::audit::AuditEntry;
use hookyard_domain::page::{Page, PageRequest};
use hookyard_domain::tenant::{Tenant, TenantId, TenantNo};

use crate::Answer;

/// What retention needs to know of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retained {
    /// Which.
    pub tenant: TenantNo,
    /// Days that its events are kept; `None` when it was deleted and nothing is to be kept.
    pub days: Option<u32>,
}

/// Who owns everything else.
pub trait Tenants {
    /// Makes a tenant (its `no` is given here). `Conflict` when the name is taken.
    fn create_tenant(&self, tenant: Tenant, audit: AuditEntry) -> Answer<'_, Tenant>;
    /// The tenant of that name.
    fn tenant(&self, id: &TenantId) -> Answer<'_, Option<Tenant>>;
    /// All tenants, newest first.
    fn tenants(&self, page: PageRequest) -> Answer<'_, Page<Tenant>>;
    /// Replaces what its operator may change, as it was looked at before; false when it is gone. `Conflict` when it is not
    /// `old` any more. Nothing is changed then.
    fn update_tenant(&self, old: Tenant, new: Tenant, audit: AuditEntry) -> Answer<'_, bool>;
    /// Takes the tenant away with its keys, endpoints, sources, what is held of them, and catalogue; its events follow
    /// through [`crate::ledger::Ledger::prune`].
    fn delete_tenant(&self, tenant: TenantNo, audit: AuditEntry) -> Answer<'_, bool>;
    /// Every tenant that has, or had, events.
    fn retained(&self) -> Answer<'_, Vec<Retained>>;
    /// The hash of the operator's key that was made at first start, if one was.
    fn operator_key(&self) -> Answer<'_, Option<[u8; 32]>>;
    /// Keeps the hash of an operator's key unless one is kept already; answers the one that is.
    fn keep_operator_key(&self, hash: [u8; 32]) -> Answer<'_, [u8; 32]>;
}
