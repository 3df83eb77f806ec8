//! Numbers over time: counted with what is committed, once, and kept through everything that happens to them.

use std::time::Duration;

use hookyard_domain::attempt::Trigger;
use hookyard_domain::delivery::{EndReason, Next};
use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::id::TargetNo;
use hookyard_domain::statistics::{CodeClass, Span, Tally};
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_store::ledger::{Batch, LaneNote, Once, Record, Target};
use hookyard_store::statistics::{Backlog, Fold};

use super::world::{Cellar, World, first};
use crate::make;

const LONG_AGO: Timestamp = Timestamp::from_secs(0);

/// What was counted of an endpoint, or of the tenant as a whole, in all.
async fn counted(world: &World, tenant: TenantNo, endpoint: Option<EndpointNo>) -> Tally {
    since(world, tenant, endpoint, LONG_AGO).await
}

async fn since(
    world: &World,
    tenant: TenantNo,
    endpoint: Option<EndpointNo>,
    since: Timestamp,
) -> Tally {
    let mut all = Tally::default();
    for piece in world.store().pieces(tenant, endpoint, since).await.unwrap() {
        assert!(piece.at >= since, "{piece:?}");
        all.add(&piece.tally);
    }
    all
}

async fn backlog(world: &World, endpoints: Option<&[EndpointNo]>, most: u32) -> Backlog {
    world.store().backlog(world.tenant, endpoints, most).await.unwrap()
}

fn minutes(many: u64) -> Duration {
    Duration::from_secs(60 * many)
}

/// What a commit writes is counted, of each endpoint and of the tenant as a whole.
pub async fn what_is_committed_is_counted(cellar: Cellar) {
    let world = World::new(cellar).await;
    let [good, bad] = [world.endpoint().await, world.endpoint().await];
    let event = world.accepted(&[good, bad]).await;
    let other = world.accepted(&[bad]).await;
    world.clock.advance(Duration::from_millis(200));
    world.succeeded(good, first(event)).await;
    let failure = |number, status| Some(make::attempt(number, status));
    let later = world.now().plus(minutes(1));
    world.record(bad, event.delivery(TargetNo(1)), failure(1, 503), Next::RetryAt(later)).await;
    let end = Next::Failed(EndReason::Exhausted);
    world.record(bad, event.delivery(TargetNo(1)), failure(2, 404), end).await;
    world.record(bad, first(other), None, Next::Discarded(EndReason::EndpointDisabled)).await;
    let of_good = counted(&world, world.tenant, Some(good)).await;
    assert_eq!((of_good.events, of_good.succeeded, of_good.attempts()), (0, 1, 1));
    assert!(of_good.delivery_time.percentile(50).is_some());
    assert_eq!(of_good.response_time.percentile(50), Some(Duration::from_millis(12)));
    let of_bad = counted(&world, world.tenant, Some(bad)).await;
    assert_eq!((of_bad.succeeded, of_bad.retried, of_bad.failed, of_bad.discarded), (0, 1, 1, 1));
    assert_eq!(of_bad.codes[CodeClass::ServerError.place()], 1);
    assert_eq!(of_bad.codes[CodeClass::ClientError.place()], 1);
    assert_eq!((of_bad.attempts(), of_bad.delivery_time.percentile(50)), (2, None));
    let mut both = of_good;
    both.add(&of_bad);
    both.events = 2;
    assert_eq!(counted(&world, world.tenant, None).await, both);
    let stranger = world.stranger().await;
    assert_eq!(counted(&world, stranger, None).await, Tally::default());
    assert_eq!(counted(&world, stranger, Some(good)).await, Tally::default());
}

/// A repetition, a test of an endpoint and what was refused are not counted; what is discarded at once is.
pub async fn repetitions_and_tests_are_not_counted(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let version = world.version().await;
    let mut accept = make::accept(world.tenant, version, &[endpoint]);
    accept.once = vec![Once::PublisherId("order-1".into())];
    let mut test = make::accept(world.tenant, version, &[endpoint]);
    test.sent_by_publisher = Some(world.now());
    let mut off = make::accept(world.tenant, version, &[]);
    off.targets = vec![Target { endpoint, discarded: Some(EndReason::EndpointDisabled) }];
    let stale = make::accept(world.tenant, version + 7, &[endpoint]);
    let accepts = vec![accept.clone(), accept, test, off, stale];
    let batch = Batch { now: world.now(), accepts, ..Batch::default() };
    let receipts = world.store().commit(&batch).await.unwrap();
    let hookyard_store::ledger::Receipt::Accepted { id } = receipts[2] else {
        panic!("{receipts:?}")
    };
    let mut attempt = make::attempt(1, 200);
    attempt.trigger = Trigger::Test;
    world.record(endpoint, first(id), Some(attempt), Next::Succeeded).await;
    let whole = counted(&world, world.tenant, None).await;
    assert_eq!((whole.events, whole.discarded, whole.succeeded), (2, 1, 0));
    assert_eq!(counted(&world, world.tenant, Some(endpoint)).await.discarded, 1);
}

/// Numbers stand where their time is, and outlive a restart in the middle of a minute.
pub async fn numbers_have_their_time_and_outlive_a_restart(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let begin = Timestamp::from_secs(world.now().as_secs() / 60 * 60);
    world.many_accepted(&[endpoint], 3).await;
    world.cellar.reopen().await;
    world.many_accepted(&[endpoint], 2).await;
    world.clock.set(begin.plus(minutes(1)));
    world.many_accepted(&[endpoint], 4).await;
    // A clock that steps back begins no minute anew.
    world.clock.set(begin.plus(Duration::from_secs(1)));
    world.many_accepted(&[endpoint], 5).await;
    assert_eq!(since(&world, world.tenant, None, LONG_AGO).await.events, 14);
    assert_eq!(since(&world, world.tenant, None, begin).await.events, 14);
    assert_eq!(since(&world, world.tenant, None, begin.plus(minutes(1))).await.events, 9);
    assert_eq!(since(&world, world.tenant, None, begin.plus(minutes(2))).await.events, 0);
}

/// Folding loses nothing and counts nothing twice, in bites and again, and what is too young stays as it is.
pub async fn folding_keeps_every_number(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    let [one, other] = [world.endpoint().await, world.endpoint().await];
    let begin = Timestamp::from_secs(world.now().as_secs() / 3600 * 3600);
    for minute in 0..70 {
        world.clock.set(begin.plus(minutes(minute)));
        let endpoint = if minute % 2 == 0 { one } else { other };
        let event = world.accepted(&[endpoint]).await;
        world.succeeded(endpoint, first(event)).await;
        if minute == 7 {
            world.cellar.reopen().await;
        }
    }
    let all = |world: World| async move {
        let mut found = Vec::new();
        for of in [None, Some(one), Some(other)] {
            found.push(counted(&world, world.tenant, of).await);
        }
        (world, found)
    };
    let (world, before) = all(world).await;
    assert_eq!(before[0].events, 70);
    let five = Fold {
        from: Span::Minute,
        into: Span::FiveMinutes,
        before: begin.plus(minutes(65)),
        limit: 7,
    };
    let mut folded = 0;
    loop {
        let bite = world.store().fold(five).await.unwrap();
        folded += bite;
        if bite < five.limit {
            break;
        }
    }
    assert!(folded >= 130, "two rows a minute: {folded}");
    let (world, after) = all(world).await;
    assert_eq!(after, before);
    let young = world.store().pieces(world.tenant, None, begin.plus(minutes(65))).await.unwrap();
    assert_eq!(young.len(), 5, "as they were: {young:?}");
    let old = world.store().pieces(world.tenant, None, LONG_AGO).await.unwrap();
    assert_eq!(old.len(), 13 + 5);
    let hour = Fold {
        from: Span::FiveMinutes,
        into: Span::Hour,
        before: begin.plus(minutes(60)),
        limit: 1000,
    };
    world.store().fold(hour).await.unwrap();
    assert_eq!(world.store().fold(hour).await.unwrap(), 0);
    let (world, after) = all(world).await;
    assert_eq!(after, before);
    let old = world.store().pieces(world.tenant, None, LONG_AGO).await.unwrap();
    assert_eq!(old.len(), 1 + 1 + 5);
    // What comes late to a span that was folded already is added to it.
    let mut late = five;
    late.before = begin.plus(minutes(70));
    world.store().fold(late).await.unwrap();
    late = hour;
    late.before = begin.plus(minutes(120));
    world.store().fold(late).await.unwrap();
    let (_, after) = all(world).await;
    assert_eq!(after, before);
}

/// Old hours are forgotten, in bites, and nothing else is.
pub async fn old_numbers_are_forgotten(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let begin = Timestamp::from_secs(world.now().as_secs() / 3600 * 3600);
    for hour in 0..4 {
        world.clock.set(begin.plus(minutes(60 * hour)));
        world.accepted(&[endpoint]).await;
    }
    for (from, into) in [(Span::Minute, Span::FiveMinutes), (Span::FiveMinutes, Span::Hour)] {
        let before = begin.plus(minutes(180));
        world.store().fold(Fold { from, into, before, limit: 1000 }).await.unwrap();
    }
    let before = begin.plus(minutes(120));
    assert_eq!(world.store().forget_pieces(before, 1).await.unwrap(), 1);
    assert_eq!(world.store().forget_pieces(before, 10).await.unwrap(), 1);
    assert_eq!(world.store().forget_pieces(before, 10).await.unwrap(), 0);
    assert_eq!(counted(&world, world.tenant, None).await.events, 2);
}

/// What is owed is told with its age: what has no row, what waits for a retry, nothing that has ended.
pub async fn the_backlog_is_what_has_not_ended(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    let [one, other] = [world.endpoint().await, world.endpoint().await];
    assert_eq!(backlog(&world, None, 100).await, Backlog::default());
    let start = world.now();
    let oldest = world.accepted(&[one, other]).await;
    world.clock.advance(minutes(1));
    let ended = world.accepted(&[one]).await;
    world.succeeded(one, first(ended)).await;
    world.clock.advance(minutes(1));
    world.accepted(&[one]).await;
    let due = world.now().plus(minutes(5));
    world.retried_at(other, oldest.delivery(TargetNo(1)), due).await;
    let told = backlog(&world, None, 100).await;
    let want = Backlog { pending: 3, retrying: 1, more: false, oldest: Some(oldest.key().time()) };
    assert_eq!(told, want);
    assert!(want.oldest.is_some_and(|it| it >= start && it < start.plus(minutes(1))));
    let told = backlog(&world, Some(&[other]), 100).await;
    assert_eq!((told.pending, told.retrying), (1, 1));
    assert_eq!(backlog(&world, Some(&[]), 100).await, Backlog::default());
    let told = backlog(&world, None, 2).await;
    assert_eq!((told.pending, told.more), (2, true));
    let stranger = world.stranger().await;
    let told = world.store().backlog(stranger, Some(&[one, other]), 100).await.unwrap();
    assert_eq!(told, Backlog::default());
    // A mark above everything, as a lane notes it that has nothing to do.
    world.succeeded(one, first(oldest)).await;
    let mark = oldest.key().next();
    let note = LaneNote { tenant: world.tenant, endpoint: one, mark, activity: <_>::default() };
    world.note(note).await;
    world.cellar.reopen().await;
    let told = backlog(&world, None, 100).await;
    assert_eq!((told.pending, told.retrying), (2, 1));
}

/// Whatever comes together in one batch counts one by one.
pub async fn a_batch_of_many_counts_each_once(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let events = world.many_accepted(&[endpoint], 50).await;
    for chunk in events.chunks(20) {
        let record = |it: &hookyard_domain::id::EventId| Record {
            at: world.now(),
            ..make::record(
                world.tenant,
                endpoint,
                first(*it),
                Some(make::attempt(1, 200)),
                Next::Succeeded,
            )
        };
        let records = chunk.iter().map(record).collect();
        let batch = Batch { now: world.now(), records, ..Batch::default() };
        world.store().commit(&batch).await.unwrap();
    }
    let whole = counted(&world, world.tenant, None).await;
    assert_eq!((whole.events, whole.succeeded, whole.attempts()), (50, 50, 50));
}
