//! Endpoints, and a tenant's configuration as the engine matches against it.

use hookyard_domain::audit::AuditEntry;
use hookyard_domain::endpoint::{Activity, DisabledReason, Endpoint, EndpointNo, EndpointStatus};
use hookyard_domain::id::EndpointId;
use hookyard_domain::page::{Page, PageRequest};
use hookyard_domain::profile::Profile;
use hookyard_domain::source::Source;
use hookyard_domain::subscription::Scope;
use hookyard_domain::tenant::{Tenant, TenantNo};
use hookyard_domain::time::Timestamp;
use hookyard_domain::url::EndpointUrl;

use crate::Answer;

/// Everything a publish is matched against, as of one version.
#[derive(Clone, Debug)]
pub struct TenantConfig {
    /// Counts the changes of the tenant's endpoints, sources and limits; checked again inside the commit.
    pub version: u64,
    /// The tenant.
    pub tenant: Tenant,
    /// Its endpoints, the deleted ones left out.
    pub endpoints: Vec<Endpoint>,
    /// Its sources.
    pub sources: Vec<Source>,
}

/// What is known of an endpoint for as long as its deliveries are listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastEndpoint {
    /// Its number.
    pub no: EndpointNo,
    /// The profile it has or had last.
    pub profile: Profile,
    /// The scope it has or had last.
    pub scope: Option<Scope>,
}

/// A change of an endpoint's state that the engine decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusChange {
    /// The state it must be in for the change to happen; `None` is any.
    pub from: Option<EndpointStatus>,
    /// The URL it must have; `None` is any. What one URL has proved says nothing of another.
    pub url: Option<EndpointUrl>,
    /// The state after.
    pub to: EndpointStatus,
    /// Why, when it is disabled.
    pub reason: Option<DisabledReason>,
    /// When.
    pub at: Timestamp,
}

/// Outbound subscriptions. Every change moves the tenant's configuration version.
pub trait Endpoints {
    /// Makes an endpoint (its `no` is given here). `Full` when `endpoints_max` are there already.
    fn create_endpoint(
        &self,
        endpoint: Endpoint,
        endpoints_max: Option<u32>,
        audit: AuditEntry,
    ) -> Answer<'_, Endpoint>;
    /// One endpoint of a tenant.
    fn endpoint(&self, tenant: TenantNo, id: EndpointId) -> Answer<'_, Option<Endpoint>>;
    /// A tenant's endpoints, newest first.
    fn endpoints(&self, tenant: TenantNo, page: PageRequest) -> Answer<'_, Page<Endpoint>>;
    /// Replaces an endpoint as a whole, its `revision` moved on by one; when that switches it on again its failures are
    /// forgotten. `Conflict` when `endpoint.revision` is not the kept one; `None` when it is gone.
    fn update_endpoint(
        &self,
        endpoint: Endpoint,
        audit: AuditEntry,
    ) -> Answer<'_, Option<Endpoint>>;
    /// Keeps the same secrets and headers, sealed anew. Nothing else is changed, its revision neither; false when it is
    /// gone or `endpoint.revision` is not the kept one.
    fn reseal_endpoint(&self, endpoint: Endpoint) -> Answer<'_, bool>;
    /// Changes its state alone, and forgets its failures when that switches it on again; `None` when it is gone or not as
    /// `change` asks.
    fn set_endpoint_status(
        &self,
        tenant: TenantNo,
        endpoint: EndpointNo,
        change: StatusChange,
        audit: AuditEntry,
    ) -> Answer<'_, Option<Endpoint>>;
    /// Takes an endpoint away; its deliveries stay listed. False when it is not there.
    fn delete_endpoint(
        &self,
        tenant: TenantNo,
        id: EndpointId,
        audit: AuditEntry,
    ) -> Answer<'_, bool>;
    /// The endpoint of that id even if it was deleted: what it is or was last.
    fn endpoint_no(&self, tenant: TenantNo, id: EndpointId) -> Answer<'_, Option<PastEndpoint>>;
    /// What is counted of these endpoints, in their order; zeroes for one that nothing happened to.
    fn activity(&self, tenant: TenantNo, endpoints: &[EndpointNo]) -> Answer<'_, Vec<Activity>>;
    /// Everything a publish is matched against; `None` when the tenant is gone.
    fn tenant_config(&self, tenant: TenantNo) -> Answer<'_, Option<TenantConfig>>;
}
