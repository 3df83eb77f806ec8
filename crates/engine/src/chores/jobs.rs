//! Jobs: makes many deliveries due again, each job at its own rate, in steps that the store does as one fact.
//!
//! A node works on the jobs it has claimed. One that it cannot go on with, since the store is away, is left where it is:
//! it goes on later, here or on another node.

use std::sync::Arc;
use std::time::Duration;

use hookyard_domain::endpoint::EndpointStatus;
use hookyard_domain::id::JobId;
use hookyard_domain::job::Job;
use hookyard_store::StoreError;
use hookyard_store::jobs::{Step, Stepped};
use tokio::time::Instant;

use crate::Engine;

/// Jobs that a node works on at once.
const AT_ONCE: usize = 8;
/// Deliveries of one step: the store's writer is held for so long.
const STEP_MAX: u32 = 500;
/// Steps a second of a job that is slow enough for them to be small.
const STEPS_PER_S: u32 = 4;
/// For how long a job is its node's: many steps, and their pauses when the store is away.
const LEASE: Duration = Duration::from_secs(30);
/// How long a job that another node lost, or made, stays unseen.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Before the next try when the store is away.
const PAUSE: Duration = Duration::from_secs(1);

/// A job that this node works on.
struct Active {
    job: Job,
    next: Instant,
}

impl Active {
    /// Deliveries of one step.
    fn size(&self) -> u32 {
        self.job.recovery.rate_per_s.div_ceil(STEPS_PER_S).clamp(1, STEP_MAX)
    }

    /// From the beginning of one step to that of the next.
    fn pace(&self) -> Duration {
        Duration::from_secs(1) * self.size() / self.job.recovery.rate_per_s.max(1)
    }
}

/// Runs for ever.
pub(crate) async fn run(engine: Arc<Engine>) {
    let mut active: Vec<Active> = Vec::new();
    let mut look = Instant::now();
    loop {
        if look <= Instant::now() {
            look = Instant::now() + LOOK_EVERY;
            if let Err(error) = claim(&engine, &mut active).await {
                warn(&error, "jobs could not be claimed");
            }
        }
        active = work(&engine, active).await;
        let next = active.iter().map(|it| it.next).chain([look]).min().unwrap_or(look);
        tokio::select! {
            () = tokio::time::sleep_until(next) => {}
            () = engine.jobs_made.notified() => look = Instant::now(),
        }
    }
}

fn warn(error: &StoreError, what: &str) {
    tracing::warn!(error = error as &dyn std::error::Error, "{what}");
}

/// Takes up jobs that nobody works on.
async fn claim(engine: &Engine, active: &mut Vec<Active>) -> Result<(), StoreError> {
    while active.len() < AT_ONCE {
        let Some(job) = engine.store.claim_job(LEASE).await? else { return Ok(()) };
        // One that was ours, and that nobody else has taken up since, goes on.
        if active.iter().all(|it| it.job.id != job.id) {
            active.push(Active { job, next: Instant::now() });
        }
    }
    Ok(())
}

/// A step of each job whose turn it is; answers those that go on.
async fn work(engine: &Engine, active: Vec<Active>) -> Vec<Active> {
    let mut left = Vec::with_capacity(active.len());
    for mut one in active {
        let now = Instant::now();
        if one.next > now {
            left.push(one);
            continue;
        }
        match step(engine, &one).await {
            Ok(true) => {
                one.next = now + one.pace();
                left.push(one);
            }
            Ok(false) => {}
            Err(error) => {
                warn(&error, "a job cannot go on at the moment");
                one.next = now + PAUSE;
                left.push(one);
            }
        }
    }
    left
}

/// One step; false when the job has ended, or is another node's.
async fn step(engine: &Engine, one: &Active) -> Result<bool, StoreError> {
    let Job { id, tenant, endpoint_no, .. } = &one.job;
    if let Some(why) = obstacle(engine, &one.job).await? {
        engine.store.fail_job(*tenant, *id, why, engine.clock.now()).await?;
        return Ok(false);
    }
    let step = Step { deliveries: one.size(), now: engine.clock.now(), lease: LEASE };
    let stepped = engine.store.recover_next(*tenant, *id, step).await;
    if stepped.is_err() {
        // It may be done all the same, and was the last one perhaps.
        engine.requeued(*tenant, *endpoint_no).await;
    }
    let stepped = stepped?;
    let (many, goes_on) = match stepped {
        Stepped::Running(many) => (many, true),
        Stepped::Done(many) => (many, false),
        Stepped::Lost => (0, false),
    };
    if many > 0 {
        engine.requeued(*tenant, *endpoint_no).await;
    }
    if matches!(stepped, Stepped::Done(_)) {
        ended(*id);
    }
    Ok(goes_on)
}

fn ended(id: JobId) {
    tracing::info!(job.id = %id, "a job is done");
}

/// Why the endpoint takes no deliveries: they would be discarded one by one.
async fn obstacle(engine: &Engine, job: &Job) -> Result<Option<&'static str>, StoreError> {
    let snapshot = engine.snapshot(job.tenant).await?;
    let endpoints = snapshot.iter().flat_map(|it| &it.endpoints);
    let status = endpoints.map(|it| &it.endpoint).find(|it| it.no == job.endpoint_no);
    Ok(match status.map(|it| it.status) {
        Some(EndpointStatus::Active | EndpointStatus::Paused) => None,
        Some(EndpointStatus::Disabled) => Some("the endpoint was disabled"),
        Some(EndpointStatus::Pending) => Some("the endpoint has not passed its challenge"),
        None => Some("the endpoint was deleted"),
    })
}

#[cfg(test)]
mod tests {
    use hookyard_domain::endpoint::EndpointNo;
    use hookyard_domain::job::{JobStatus, Recovery};
    use hookyard_domain::limit;
    use hookyard_domain::tenant::TenantNo;
    use hookyard_testkit::make;

    use super::*;

    fn at_rate(rate_per_s: u32) -> Active {
        let (since, until) = (make::NOW, make::NOW);
        let recovery = Recovery { statuses: Vec::new(), since, until, rate_per_s, limit: None };
        let job = Job {
            id: make::id(),
            tenant: TenantNo(1),
            endpoint: make::id(),
            endpoint_no: EndpointNo(1),
            recovery,
            status: JobStatus::Running,
            total: 0,
            done: 0,
            error: None,
            created_at: make::NOW,
            finished_at: None,
        };
        Active { job, next: Instant::now() }
    }

    #[test]
    fn steps_are_small_and_keep_to_the_rate_whatever_it_is() {
        for rate in [1, 2, 3, 4, 5, 99, 1000, 2001, limit::JOB_RATE_MAX] {
            let one = at_rate(rate);
            assert!((1..=STEP_MAX).contains(&one.size()), "{rate}");
            let per_s = f64::from(one.size()) / one.pace().as_secs_f64();
            assert!((per_s - f64::from(rate)).abs() < 0.001 * f64::from(rate), "{rate}: {per_s}");
        }
        assert_eq!((at_rate(1).size(), at_rate(1).pace()), (1, Duration::from_secs(1)));
    }
}
