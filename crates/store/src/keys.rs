//! API keys.

use hookyard_domain::audit::AuditEntry;
use hookyard_domain::id::KeyId;
use hookyard_domain::key::{Key, KeyHash};
use hookyard_domain::page::{Page, PageRequest};
use hookyard_domain::tenant::{Tenant, TenantNo};

use crate::Answer;

/// Keys, found by their hash.
pub trait Keys {
    /// Makes a key.
    fn create_key(&self, key: Key, audit: AuditEntry) -> Answer<'_, ()>;
    /// One key of a tenant.
    fn key(&self, tenant: TenantNo, id: KeyId) -> Answer<'_, Option<Key>>;
    /// A tenant's keys, newest first.
    fn keys(&self, tenant: TenantNo, page: PageRequest) -> Answer<'_, Page<Key>>;
    /// Takes a key away at once; false when it is not there.
    fn delete_key(&self, tenant: TenantNo, id: KeyId, audit: AuditEntry) -> Answer<'_, bool>;
    /// The key with that hash, and whose it is. A look-up that names no tenant, as are those of sources.
    fn key_by_hash(&self, hash: KeyHash) -> Answer<'_, Option<(Tenant, Key)>>;
}
