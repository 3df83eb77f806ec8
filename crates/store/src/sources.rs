//! Sources: inbound receivers. Some have an endpoint of their own that forwards what they receive; it goes by the same 16
//! bytes of id and is made, changed and taken away together with them.

use hookyard_domain::audit::AuditEntry;
use hookyard_domain::endpoint::Endpoint;
use hookyard_domain::id::SourceId;
use hookyard_domain::page::{Page, PageRequest};
use hookyard_domain::source::{Source, SourceActivity};
use hookyard_domain::tenant::TenantNo;

use crate::Answer;

/// What becomes of the endpoint that forwards a source's events.
#[derive(Clone, Debug, PartialEq)]
pub enum Forward {
    /// It stays as it is, or is not there.
    Keep,
    /// It is made as this endpoint, whose id and tenant are those of the source, or replaced by it if it is there already
    /// with this `revision`. One that was taken away before comes back under its old number, in a later revision, its
    /// failures forgotten.
    Put {
        /// The endpoint.
        endpoint: Box<Endpoint>,
        /// Endpoints that the tenant may have, counting this one: `Full` if it is not there yet and they are.
        endpoints_max: Option<u32>,
    },
    /// It is taken away; its deliveries stay listed.
    Remove,
}

/// Inbound receivers. Every change moves the tenant's configuration version.
pub trait Sources {
    /// Makes a source. `Full` when `sources_max` are there already, or the endpoints that `forward` allows; `Conflict` when
    /// the tenant is gone, or when its id is or was another source's, or that in `forward` another tenant's endpoint's.
    /// Nothing is changed then.
    fn create_source(
        &self,
        source: Source,
        forward: Forward,
        sources_max: u32,
        audit: AuditEntry,
    ) -> Answer<'_, Source>;
    /// One source of a tenant.
    fn source(&self, tenant: TenantNo, id: SourceId) -> Answer<'_, Option<Source>>;
    /// A tenant's sources, newest first.
    fn sources(&self, tenant: TenantNo, page: PageRequest) -> Answer<'_, Page<Source>>;
    /// Replaces a source as a whole, its `revision` moved on by one. `Conflict` when `source.revision` is not the kept one,
    /// or that of the endpoint in `forward` is not; `Full` as in [`Sources::create_source`]; `None` when the source is gone.
    /// Nothing is changed then.
    fn update_source(
        &self,
        source: Source,
        forward: Forward,
        audit: AuditEntry,
    ) -> Answer<'_, Option<Source>>;
    /// Keeps the same secrets and verify token, sealed anew. Nothing else is changed, its revision neither; false when it
    /// is gone or `source.revision` is not the kept one.
    fn reseal_source(&self, source: Source) -> Answer<'_, bool>;
    /// Takes a source away, with the endpoint of its id and what is held of it; its events and deliveries stay listed. False
    /// when it is not there.
    fn delete_source(&self, tenant: TenantNo, id: SourceId, audit: AuditEntry) -> Answer<'_, bool>;
    /// What is counted of these sources, in their order; zeroes for one that received nothing.
    fn source_activity<'a>(
        &'a self,
        tenant: TenantNo,
        sources: &'a [SourceId],
    ) -> Answer<'a, Vec<SourceActivity>>;
    /// Whose source that is. With keys by their hash and [`Sources::sources_of_provider`], the look-ups that name no
    /// tenant.
    fn source_tenant(&self, id: SourceId) -> Answer<'_, Option<TenantNo>>;
    /// Sources of that provider in every tenant that are not disabled, for a receiver whose URL names none: at most `limit`,
    /// and of one tenant its `each` oldest at most. Each tenant's oldest come first, then each one's second oldest and so on,
    /// those of equal rank oldest first, so that no tenant takes another one's place.
    fn sources_of_provider<'a>(
        &'a self,
        provider: &'a str,
        each: u32,
        limit: u32,
    ) -> Answer<'a, Vec<(TenantNo, SourceId)>>;
}
