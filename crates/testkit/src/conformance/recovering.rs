//! Jobs make deliveries due again in steps, each of them once, whoever goes on with them.

use std::time::Duration;

use hookyard_domain::attempt::Trigger;
use hookyard_domain::delivery::{DeliveryStatus, EndReason, Next};
use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::id::{DeliveryId, JobId};
use hookyard_domain::job::{Job, JobStatus, Recovery};
use hookyard_domain::page::PageRequest;
use hookyard_domain::time::Timestamp;
use hookyard_store::StoreError;
use hookyard_store::jobs::{Step, Stepped};

use super::world::{Cellar, World, all, first};
use crate::make;

const LEASE: Duration = Duration::from_secs(30);

fn recovery(statuses: &[DeliveryStatus]) -> Recovery {
    Recovery {
        statuses: statuses.to_vec(),
        since: Timestamp::from_secs(0),
        until: make::NOW.plus(Duration::from_secs(3600)),
        rate_per_s: 100,
        limit: None,
    }
}

fn failed() -> Recovery {
    recovery(&[DeliveryStatus::Failed])
}

async fn job_of(world: &World, endpoint: EndpointNo, recovery: Recovery) -> Job {
    let config = world.store().tenant_config(world.tenant).await.unwrap().unwrap();
    let endpoint = config.endpoints.iter().find(|it| it.no == endpoint).unwrap();
    Job { total: 7, created_at: world.now(), ..make::job(endpoint, recovery) }
}

async fn make_job(world: &World, endpoint: EndpointNo, recovery: Recovery) -> JobId {
    let job = job_of(world, endpoint, recovery).await;
    world.store().create_job(job.clone(), 10, make::audit("job.created")).await.unwrap();
    job.id
}

async fn claim(world: &World) -> Option<JobId> {
    world.store().claim_job(LEASE).await.unwrap().map(|job| job.id)
}

async fn step(world: &World, id: JobId, deliveries: u32) -> Stepped {
    let step = Step { deliveries, now: world.now(), lease: LEASE };
    world.store().recover_next(world.tenant, id, step).await.unwrap()
}

async fn kept(world: &World, id: JobId) -> Job {
    world.store().job(world.tenant, id).await.unwrap().unwrap()
}

async fn due(world: &World, endpoint: EndpointNo) -> Vec<(DeliveryId, Trigger)> {
    let due = world.store().due(world.tenant, endpoint, world.now(), make::share(1000), &[]);
    due.await.unwrap().due.iter().map(|due| (due.delivery, due.trigger)).collect()
}

async fn ended(world: &World, endpoint: EndpointNo, next: Next) -> DeliveryId {
    world.tick();
    let delivery = first(world.accepted(&[endpoint]).await);
    world.record(endpoint, delivery, Some(make::attempt(1, 500)), next).await;
    delivery
}

async fn many_failed(world: &World, endpoint: EndpointNo, many: usize) -> Vec<DeliveryId> {
    let mut made = Vec::new();
    for _ in 0..many {
        made.push(ended(world, endpoint, Next::Failed(EndReason::Exhausted)).await);
    }
    made
}

/// A job reads back as it was made, to its tenant alone; jobs are listed newest first.
pub async fn a_job_is_kept_as_it_is(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    let stranger = world.stranger().await;
    let endpoint = world.endpoint().await;
    let statuses = [DeliveryStatus::Failed, DeliveryStatus::Discarded];
    let one = job_of(&world, endpoint, Recovery { limit: Some(5), ..recovery(&statuses) }).await;
    let two = job_of(&world, endpoint, failed()).await;
    for job in [&one, &two] {
        world.store().create_job(job.clone(), 10, make::audit("job.created")).await.unwrap();
    }
    for _ in 0..2 {
        assert_eq!(kept(&world, one.id).await, one);
        assert_eq!(world.store().job(stranger, one.id).await.unwrap(), None);
        assert_eq!(world.store().job(world.tenant, make::id()).await.unwrap(), None);
        let page = world.store().jobs(world.tenant, PageRequest::first(1)).await.unwrap();
        assert_eq!(page.rows, std::slice::from_ref(&two));
        let rest = PageRequest { limit: 9, cursor: page.next };
        let rest = world.store().jobs(world.tenant, rest).await.unwrap();
        assert_eq!((rest.rows, rest.next), (vec![one.clone()], None));
        assert!(world.store().jobs(stranger, all()).await.unwrap().rows.is_empty());
        world.cellar.reopen().await;
    }
    let audit = world.store().audit(world.tenant, all()).await.unwrap();
    assert_eq!(audit.rows.iter().filter(|it| it.action == "job.created").count(), 2);
}

/// No more jobs of a tenant run than may be.
pub async fn no_more_jobs_run_than_may_be(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let make_one = async || {
        let job = job_of(&world, endpoint, failed()).await;
        world.store().create_job(job, 2, make::audit("job.created")).await
    };
    make_one().await.unwrap();
    make_one().await.unwrap();
    let full = make_one().await;
    assert!(matches!(full, Err(StoreError::Full { limit: 2, .. })), "{full:?}");
    let id = claim(&world).await.unwrap();
    assert_eq!(step(&world, id, 5).await, Stepped::Done(0));
    make_one().await.unwrap();
}

/// What failed is made due again, the oldest first, in steps; everything else stays as it is.
pub async fn a_recovery_makes_failed_deliveries_due_oldest_first(cellar: Cellar) {
    let world = World::new(cellar).await;
    let [endpoint, other] = [world.endpoint().await, world.endpoint().await];
    let foreign = many_failed(&world, other, 2).await;
    let before = many_failed(&world, endpoint, 2).await;
    let since = {
        world.clock.advance(Duration::from_secs(10));
        world.now()
    };
    let within = many_failed(&world, endpoint, 5).await;
    ended(&world, endpoint, Next::Succeeded).await;
    ended(&world, endpoint, Next::Discarded(EndReason::EndpointDisabled)).await;
    let until = {
        world.clock.advance(Duration::from_secs(10));
        world.now()
    };
    let after = many_failed(&world, endpoint, 2).await;
    let wanted = Recovery { since, until, ..failed() };
    let store = world.store();
    assert_eq!(store.recoverable(world.tenant, endpoint, wanted.clone()).await.unwrap(), 5);
    let limited = Recovery { limit: Some(3), ..wanted.clone() };
    assert_eq!(store.recoverable(world.tenant, endpoint, limited).await.unwrap(), 3);
    let id = make_job(&world, endpoint, wanted).await;
    assert_eq!(claim(&world).await, Some(id));
    let now = world.tick();
    assert_eq!(step(&world, id, 2).await, Stepped::Running(2));
    let manual =
        |them: &[DeliveryId]| them.iter().map(|it| (*it, Trigger::Manual)).collect::<Vec<_>>();
    assert_eq!(due(&world, endpoint).await, manual(&within[..2]));
    let found = world.delivery(within[0]).await;
    assert_eq!((found.status, found.reason), (DeliveryStatus::Pending, None));
    assert_eq!((found.next_attempt_at, found.attempts), (Some(now), 1));
    // What fails anew behind its place is not taken up again.
    let again = Next::Failed(EndReason::Exhausted);
    world.record(endpoint, within[0], Some(make::attempt(2, 500)), again).await;
    assert_eq!(step(&world, id, 2).await, Stepped::Running(2));
    assert_eq!(kept(&world, id).await.done, 4);
    let now = world.tick();
    assert_eq!(step(&world, id, 2).await, Stepped::Done(1));
    let ended = kept(&world, id).await;
    assert_eq!((ended.status, ended.done, ended.finished_at), (JobStatus::Done, 5, Some(now)));
    assert_eq!(due(&world, endpoint).await, manual(&within[1..]));
    for delivery in before.iter().chain(&after).chain(&foreign) {
        assert_eq!(world.delivery(*delivery).await.status, DeliveryStatus::Failed);
    }
    assert_eq!(step(&world, id, 2).await, Stepped::Lost, "it has ended");
}

/// A recovery takes the states that are asked for, in one order, and no more than its limit; a success is never taken.
pub async fn a_recovery_takes_the_states_it_is_asked_for(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let later = world.now().plus(Duration::from_secs(60));
    let mut made = Vec::new();
    for next in [
        Next::Discarded(EndReason::EndpointDisabled),
        Next::Failed(EndReason::Terminal),
        Next::Succeeded,
        Next::RetryAt(later),
        Next::Discarded(EndReason::EndpointDisabled),
        Next::Failed(EndReason::Terminal),
    ] {
        made.push(ended(&world, endpoint, next).await);
    }
    use DeliveryStatus::{Discarded, Failed, Pending, Succeeded};
    let statuses = [Failed, Discarded, Pending, Succeeded];
    let wanted = Recovery { limit: Some(4), ..recovery(&statuses) };
    let id = make_job(&world, endpoint, wanted).await;
    assert_eq!(claim(&world).await, Some(id));
    assert_eq!(step(&world, id, 3).await, Stepped::Running(3));
    let ids = |due: Vec<(DeliveryId, Trigger)>| due.into_iter().map(|it| it.0).collect::<Vec<_>>();
    assert_eq!(ids(due(&world, endpoint).await), [made[0], made[1], made[3]]);
    assert_eq!(step(&world, id, 3).await, Stepped::Done(1));
    assert_eq!(ids(due(&world, endpoint).await), [made[0], made[1], made[3], made[4]]);
    assert_eq!(world.delivery(made[2]).await.status, Succeeded);
    assert_eq!(world.delivery(made[5]).await.status, Failed, "beyond the limit");
}

/// A job that was broken off is gone on with where it was: each delivery once.
pub async fn a_job_goes_on_where_it_was(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let made = many_failed(&world, endpoint, 5).await;
    let id = make_job(&world, endpoint, failed()).await;
    assert_eq!(claim(&world).await, Some(id));
    assert_eq!(step(&world, id, 3).await, Stepped::Running(3));
    // Recorded since: a job that began anew would make it due once more.
    world
        .record(endpoint, made[0], Some(make::attempt(2, 500)), Next::Failed(EndReason::Exhausted))
        .await;
    world.cellar.reopen().await;
    assert_eq!(step(&world, id, 3).await, Stepped::Lost, "it is nobody's yet");
    assert_eq!(claim(&world).await, Some(id));
    assert_eq!(step(&world, id, 3).await, Stepped::Done(2));
    let found: Vec<_> = due(&world, endpoint).await.into_iter().map(|it| it.0).collect();
    assert_eq!(found, made[1..]);
    assert_eq!(kept(&world, id).await.done, 5);
    assert_eq!(claim(&world).await, None);
}

/// A job is claimed once, the oldest first.
pub async fn a_job_is_claimed_once(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    assert_eq!(claim(&world).await, None);
    let one = make_job(&world, endpoint, failed()).await;
    let two = make_job(&world, endpoint, failed()).await;
    assert_eq!(step(&world, one, 1).await, Stepped::Lost, "nobody has claimed it");
    assert_eq!([claim(&world).await, claim(&world).await], [Some(one), Some(two)]);
    assert_eq!(claim(&world).await, None);
    let stranger = world.stranger().await;
    let step = Step { deliveries: 1, now: world.now(), lease: LEASE };
    let foreign = world.store().recover_next(stranger, one, step).await.unwrap();
    assert_eq!(foreign, Stepped::Lost);
}

/// A cancelled job does nothing more; cancelling one that has ended changes nothing.
pub async fn a_cancelled_job_does_nothing_more(cellar: Cellar) {
    let world = World::new(cellar).await;
    let stranger = world.stranger().await;
    let endpoint = world.endpoint().await;
    let made = many_failed(&world, endpoint, 3).await;
    let id = make_job(&world, endpoint, failed()).await;
    claim(&world).await.unwrap();
    step(&world, id, 1).await;
    let now = world.tick();
    let cancel = async |tenant| {
        let audit = make::audit("job.cancelled");
        world.store().cancel_job(tenant, id, now, audit).await.unwrap()
    };
    assert_eq!(cancel(stranger).await, None);
    let cancelled = cancel(world.tenant).await.unwrap();
    assert_eq!(
        (cancelled.status, cancelled.done, cancelled.finished_at),
        (JobStatus::Cancelled, 1, Some(now))
    );
    assert_eq!(step(&world, id, 1).await, Stepped::Lost);
    assert_eq!(due(&world, endpoint).await.len(), 1);
    assert_eq!(world.delivery(made[1]).await.status, DeliveryStatus::Failed);
    world.tick();
    assert_eq!(cancel(world.tenant).await.unwrap(), cancelled);
    let audit = world.store().audit(world.tenant, all()).await.unwrap();
    assert_eq!(audit.rows.iter().filter(|it| it.action == "job.cancelled").count(), 1);
}

/// A job that cannot go on says why.
pub async fn a_job_that_cannot_go_on_says_why(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let id = make_job(&world, endpoint, failed()).await;
    claim(&world).await.unwrap();
    let now = world.tick();
    world.store().fail_job(world.tenant, id, "the endpoint is off", now).await.unwrap();
    let ended = kept(&world, id).await;
    assert_eq!((ended.status, ended.finished_at), (JobStatus::Failed, Some(now)));
    assert_eq!(ended.error.as_deref(), Some("the endpoint is off"));
    assert_eq!(step(&world, id, 1).await, Stepped::Lost);
    world.store().fail_job(world.tenant, id, "again", world.tick()).await.unwrap();
    assert_eq!(kept(&world, id).await, ended);
}

/// Jobs that ended long ago are dropped, and those of a tenant that is gone.
pub async fn old_jobs_are_dropped(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let old = make_job(&world, endpoint, failed()).await;
    claim(&world).await.unwrap();
    step(&world, old, 1).await;
    let running = make_job(&world, endpoint, failed()).await;
    let now = world.tick();
    assert_eq!(world.store().forget_jobs(now).await.unwrap(), 1);
    assert_eq!(world.store().job(world.tenant, old).await.unwrap(), None);
    assert_eq!(kept(&world, running).await.status, JobStatus::Running);
    let audit = make::audit("tenant.deleted");
    assert!(world.store().delete_tenant(world.tenant, audit).await.unwrap());
    assert_eq!(world.store().forget_jobs(now).await.unwrap(), 1);
    assert_eq!(claim(&world).await, None);
}
