//! Jobs: recovering an endpoint, looked at, cancelled.

use std::collections::BTreeSet;

use hookyard_domain::delivery::DeliveryStatus;
use hookyard_domain::id::JobId;
use hookyard_domain::job::{Job, JobStatus, Recovery};
use hookyard_domain::limit;
use hookyard_domain::page::Page;
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use serde_json::json;

use crate::audit::Act;
use crate::checks::{Checks, path_id};
use crate::deliveries::takes_deliveries;
use crate::pages::PageQuery;
use crate::powers::Power;
use crate::{App, AppError, Caller};

const NONE: AppError = AppError::NotFound { what: "job" };
/// The states that deliveries can be recovered from.
const FROM: [DeliveryStatus; 4] = [
    DeliveryStatus::Failed,
    DeliveryStatus::Discarded,
    DeliveryStatus::Cancelled,
    DeliveryStatus::Pending,
];
/// Those that ended without success.
const ENDED: &str = "all";

/// What is to be recovered, as it was written.
#[derive(Clone, Debug, Default)]
pub struct RecoverInput {
    /// Of events accepted at or after.
    pub since: String,
    /// Of events accepted before; until now when left out.
    pub until: Option<String>,
    /// Names of states, or `all`; failed ones when left out.
    pub statuses: Option<Vec<String>>,
    /// Deliveries a second at most.
    pub rate_per_s: Option<i64>,
    /// No more than the first so many.
    pub limit: Option<i64>,
}

impl RecoverInput {
    fn check(self, checks: &mut Checks, now: Timestamp) -> Option<Recovery> {
        let since = checks.parse_required("/since", "bad_time", &self.since);
        let until = checks.time("/until", self.until.as_deref());
        if let (Some(since), Some(until)) = (since, until)
            && until <= since
        {
            checks.wrong("/until", "out_of_range", "use a time after `since`");
        }
        let rate = checks.whole("/rate_per_s", self.rate_per_s, 1, i64::from(limit::JOB_RATE_MAX));
        let most = checks.whole("/limit", self.limit, 1, i64::from(u32::MAX));
        Some(Recovery {
            statuses: statuses(checks, self.statuses),
            since: since?,
            // What is accepted from now on has its own attempts before it.
            until: until.map_or(now, |until: Timestamp| until.min(now)),
            rate_per_s: rate.unwrap_or(limit::JOB_RATE_DEFAULT),
            limit: most,
        })
    }
}

fn statuses(checks: &mut Checks, given: Option<Vec<String>>) -> Vec<DeliveryStatus> {
    let Some(given) = given else { return vec![DeliveryStatus::Failed] };
    if given.is_empty() {
        checks.wrong("/status", "too_short", "name at least one state, or leave it out");
    }
    let mut found = BTreeSet::new();
    for name in given.iter().take(FROM.len() + 2) {
        let all = [DeliveryStatus::Failed, DeliveryStatus::Discarded, DeliveryStatus::Cancelled];
        match FROM.iter().position(|it| it.as_str() == name) {
            Some(at) => drop(found.insert(at)),
            None if name == ENDED => {
                found
                    .extend(FROM.iter().enumerate().filter(|it| all.contains(it.1)).map(|it| it.0));
            }
            None => {
                let names: Vec<_> = FROM.iter().map(|it| format!("`{}`", it.as_str())).collect();
                let message = format!(
                    "use {}, or `{ENDED}` for those that ended without success; what has succeeded is sent again by \
                     replaying its event",
                    names.join(", ")
                );
                checks.wrong("/status", "unknown_value", message);
            }
        }
    }
    found.into_iter().filter_map(|at| FROM.get(at).copied()).collect()
}

impl App {
    /// Makes deliveries of an endpoint due again, as a job.
    pub async fn recover_endpoint(
        &self,
        caller: &Caller,
        tenant: &str,
        endpoint: &str,
        input: RecoverInput,
    ) -> Result<Job, AppError> {
        let no = self.tenant_for(caller, tenant, Power::Replay).await?;
        let endpoint = self.load_endpoint(caller, no, endpoint).await?;
        let now = self.now();
        let mut checks = Checks::default();
        let recovery = input.check(&mut checks, now);
        let recovery = checks.done_with(recovery)?;
        takes_deliveries(Some(&endpoint))?;
        let total = self.store().recoverable(no, endpoint.no, recovery.clone()).await?;
        let job = Job {
            id: self.fresh_id(now),
            tenant: no,
            endpoint: endpoint.id,
            endpoint_no: endpoint.no,
            recovery,
            status: JobStatus::Running,
            total,
            done: 0,
            error: None,
            created_at: now,
            finished_at: None,
        };
        let subject = job.id.to_string();
        let recovery = &job.recovery;
        let after = json!({
            "kind": "recover",
            "endpoint_id": endpoint.id.to_string(),
            "status": recovery.statuses,
            "since": recovery.since.to_string(),
            "until": recovery.until.to_string(),
            "rate_per_s": recovery.rate_per_s,
            "limit": recovery.limit,
            "total": total,
        });
        let act =
            Act { action: "job.created", subject: &subject, after: Some(after), ..Act::default() };
        let entry = self.entry(caller, now, act);
        self.store().create_job(job.clone(), limit::JOBS_RUNNING_MAX, entry).await?;
        self.engine().job_made();
        Ok(job)
    }

    /// A tenant's jobs, newest first.
    pub async fn jobs(
        &self,
        caller: &Caller,
        tenant: &str,
        page: PageQuery,
    ) -> Result<Page<Job>, AppError> {
        let no = self.tenant_for(caller, tenant, Power::Look).await?;
        let mut checks = Checks::default();
        let page = page.check(&mut checks);
        checks.done()?;
        let mut found = self.store().jobs(no, page).await?;
        if caller.who.scope().is_some() {
            // Jobs are few: a page may be short, and says all the same where the next one begins.
            let mut seen = Vec::with_capacity(found.rows.len());
            for job in found.rows {
                if self.sees_endpoint(caller, no, job.endpoint).await? {
                    seen.push(job);
                }
            }
            found.rows = seen;
        }
        Ok(found)
    }

    async fn seen_job(&self, caller: &Caller, no: TenantNo, id: JobId) -> Result<Job, AppError> {
        let job = self.store().job(no, id).await?.ok_or(NONE)?;
        if self.sees_endpoint(caller, no, job.endpoint).await? { Ok(job) } else { Err(NONE) }
    }

    /// One job.
    pub async fn job(&self, caller: &Caller, tenant: &str, id: &str) -> Result<Job, AppError> {
        let no = self.tenant_for(caller, tenant, Power::Look).await?;
        self.seen_job(caller, no, path_id(id, "job")?).await
    }

    /// Ends a job. What it has done stays done; one that has ended stays as it is.
    pub async fn cancel_job(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
    ) -> Result<Job, AppError> {
        let no = self.tenant_for(caller, tenant, Power::Replay).await?;
        let job: JobId = path_id(id, "job")?;
        self.seen_job(caller, no, job).await?;
        let now = self.now();
        let act = Act { action: "job.cancelled", subject: id, ..Act::default() };
        let entry = self.entry(caller, now, act);
        self.store().cancel_job(no, job, now, entry).await?.ok_or(NONE)
    }
}
