//! Jobs: work on many deliveries, done in bounded steps. A step moves the deliveries and the job's place in one fact, so a
//! job goes on after a crash exactly where it was. One process at a time works on a job; one that shows nothing of itself
//! for too long loses it to the next one that asks.

use std::time::Duration;

use hookyard_domain::audit::AuditEntry;
use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::id::JobId;
use hookyard_domain::job::{Job, Recovery};
use hookyard_domain::page::{Page, PageRequest};
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;

use crate::Answer;

/// How large a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Deliveries at most.
    pub deliveries: u32,
    /// When.
    pub now: Timestamp,
    /// For how long the job is this process's from now on.
    pub lease: Duration,
}

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stepped {
    /// So many deliveries were made due; there may be more.
    Running(u64),
    /// So many were made due, and that was all.
    Done(u64),
    /// Nothing was done: the job has ended, is gone, or is another process's.
    Lost,
}

/// Jobs.
pub trait Jobs {
    /// How many deliveries of the endpoint a recovery would make due now. What has no row is owed anyway, and not counted.
    fn recoverable(
        &self,
        tenant: TenantNo,
        endpoint: EndpointNo,
        recovery: Recovery,
    ) -> Answer<'_, u64>;
    /// Makes a job. `Full` when the tenant has as many running ones as `running_max` already.
    fn create_job(&self, job: Job, running_max: u32, audit: AuditEntry) -> Answer<'_, ()>;
    /// One job of a tenant.
    fn job(&self, tenant: TenantNo, id: JobId) -> Answer<'_, Option<Job>>;
    /// A tenant's jobs, newest first.
    fn jobs(&self, tenant: TenantNo, page: PageRequest) -> Answer<'_, Page<Job>>;
    /// Ends a running job, and answers it as it is then; one that has ended stays as it is, and nothing is audited. `None`
    /// when it is not there.
    fn cancel_job(
        &self,
        tenant: TenantNo,
        id: JobId,
        now: Timestamp,
        audit: AuditEntry,
    ) -> Answer<'_, Option<Job>>;
    /// Takes a running job that nobody works on; it is this process's for so long.
    fn claim_job(&self, lease: Duration) -> Answer<'_, Option<Job>>;
    /// Makes the next deliveries of a claimed job due, as [`crate::ledger::Ledger::requeue`] does, the oldest event first.
    fn recover_next(&self, tenant: TenantNo, id: JobId, step: Step) -> Answer<'_, Stepped>;
    /// Ends a claimed job that cannot go on.
    fn fail_job<'a>(
        &'a self,
        tenant: TenantNo,
        id: JobId,
        error: &'a str,
        now: Timestamp,
    ) -> Answer<'a, ()>;
    /// Drops jobs that ended before, and those of tenants that are gone; answers how many.
    fn forget_jobs(&self, before: Timestamp) -> Answer<'_, u64>;
}
