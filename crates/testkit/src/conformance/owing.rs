//! Owed is what was accepted and not recorded; it comes back in order, and retries by their time.

use std::time::Duration;

use hookyard_domain::attempt::Trigger;
use hookyard_domain::delivery::Next;
use hookyard_domain::endpoint::Activity;
use hookyard_domain::id::{DeliveryId, EventKey, TargetNo};
use hookyard_store::ledger::{DuePage, LaneNote, Share};

use super::world::{Cellar, World, first};
use crate::make;

/// A fresh store owes nothing.
pub async fn nothing_is_owed_at_first(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    for owed in world.store().owed().await.unwrap() {
        assert!(owed.last < owed.from && owed.due.is_none(), "{owed:?}");
    }
    let refill =
        world.store().refill(world.tenant, endpoint, EventKey(0), make::share(10)).await.unwrap();
    assert!(refill.owed.is_empty() && !refill.more);
}

/// A restart finds every endpoint with something owed or waiting.
pub async fn a_restart_finds_what_is_owed(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    let [owing, waiting, done, idle] = [
        world.endpoint().await,
        world.endpoint().await,
        world.endpoint().await,
        world.endpoint().await,
    ];
    let event = world.accepted(&[owing, waiting, done]).await;
    let late = world.accepted(&[owing]).await;
    let due = world.now().plus(Duration::from_secs(9));
    world.retried_at(waiting, event.delivery(TargetNo(1)), due).await;
    world.succeeded(done, event.delivery(TargetNo(2))).await;
    for endpoint in [waiting, done] {
        let mark = event.key().next();
        let activity = Activity { delivery_count: 1, ..Activity::default() };
        world.note(LaneNote { tenant: world.tenant, endpoint, mark, activity }).await;
    }
    world.cellar.reopen().await;
    let owed = world.store().owed().await.unwrap();
    let of = |endpoint| owed.iter().find(|it| it.endpoint == endpoint);
    let found = of(owing).unwrap();
    assert_eq!((found.tenant, found.last, found.due), (world.tenant, late.key(), None));
    assert!(found.from <= event.key());
    let found = of(waiting).unwrap();
    assert!(found.last < found.from);
    assert_eq!(found.due, Some(due));
    let found = of(done).unwrap();
    assert!(found.last < found.from && found.due.is_none());
    assert_eq!(found.activity.delivery_count, 1);
    assert!(of(idle).is_none_or(|it| it.last < it.from && it.due.is_none()));
}

/// What a deleted endpoint is still owed is found, so that somebody can end it.
pub async fn what_a_deleted_endpoint_is_owed_is_found(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let event = world.accepted(&[endpoint]).await;
    let config = world.store().tenant_config(world.tenant).await.unwrap().unwrap();
    let audit = make::audit("endpoint.deleted");
    let id = config.endpoints[0].id;
    assert!(world.store().delete_endpoint(world.tenant, id, audit).await.unwrap());
    world.cellar.reopen().await;
    let owed = world.store().owed().await.unwrap();
    let found = owed.iter().find(|it| it.endpoint == endpoint).unwrap();
    assert!(found.from <= event.key() && found.last == event.key());
    assert_eq!(world.owed(endpoint, found.from).await, [first(event)]);
}

/// A refill answers in order, without what was recorded, of this endpoint alone.
pub async fn a_refill_answers_what_is_owed_in_order(cellar: Cellar) {
    let world = World::new(cellar).await;
    let [mine, other] = [world.endpoint().await, world.endpoint().await];
    let mut owed = Vec::new();
    for at in 0..20 {
        let event = world.accepted(&[other, mine]).await;
        world.accepted(&[other]).await;
        let delivery = event.delivery(TargetNo(1));
        match at % 3 {
            0 => world.succeeded(mine, delivery).await,
            1 => world.retried_at(mine, delivery, world.now()).await,
            _ => owed.push(delivery),
        }
    }
    assert_eq!(world.owed(mine, EventKey(0)).await, owed);
    let from = owed[3].event().key();
    assert_eq!(world.owed(mine, from).await, owed[3..]);
    assert_eq!(world.owed(mine, from.next()).await, owed[4..]);
}

/// A refill keeps to its limits and says where it stopped.
pub async fn a_refill_keeps_to_its_limits(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let events = world.many_accepted(&[endpoint], 10).await;
    let refill = |from: EventKey, limit, bytes| {
        world.store().refill(world.tenant, endpoint, from, Share { deliveries: limit, bytes })
    };
    let page = refill(events[2].key(), 3, 1 << 20).await.unwrap();
    let ids: Vec<_> = page.owed.iter().map(|(event, _)| event.id).collect();
    assert_eq!(ids, events[2..5]);
    assert_eq!((page.through, page.more), (events[4].key(), true));
    let page = refill(page.through.next(), 5, 1 << 20).await.unwrap();
    assert_eq!((page.owed.len(), page.through, page.more), (5, events[9].key(), false));
    let page = refill(events[0].key(), 10, 1).await.unwrap();
    assert_eq!((page.owed.len(), page.more), (1, true), "one goes through however large it is");
    let page = refill(events[9].key().next(), 10, 1 << 20).await.unwrap();
    assert_eq!((page.owed.len(), page.more), (0, false));
    assert!(page.through <= events[9].key(), "what comes next must not be passed over");
}

/// A refill carries the event as it was accepted.
pub async fn a_refill_carries_the_whole_event(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let id = world.accepted(&[endpoint]).await;
    let refill = world.store().refill(world.tenant, endpoint, EventKey(0), make::share(10)).await;
    let refill = refill.unwrap();
    let found = world.store().event(world.tenant, id).await.unwrap().unwrap();
    assert_eq!((&*refill.owed[0].0, refill.owed[0].1), (&found.event, TargetNo(0)));
}

/// Another tenant is not answered what is owed here.
pub async fn a_refill_asks_for_the_right_tenant(cellar: Cellar) {
    let world = World::new(cellar).await;
    let stranger = world.stranger().await;
    let endpoint = world.endpoint().await;
    let delivery = first(world.accepted(&[endpoint]).await);
    let refill =
        world.store().refill(stranger, endpoint, EventKey(0), make::share(10)).await.unwrap();
    assert!(refill.owed.is_empty());
    world.retried_at(endpoint, delivery, world.now()).await;
    let page =
        world.store().due(stranger, endpoint, world.now(), make::share(10), &[]).await.unwrap();
    assert!(page.due.is_empty());
}

async fn due(
    world: &World,
    endpoint: hookyard_domain::endpoint::EndpointNo,
    skip: &[DeliveryId],
    limit: u32,
) -> DuePage {
    world.store().due(world.tenant, endpoint, world.now(), make::share(limit), skip).await.unwrap()
}

fn ids(page: &DuePage) -> Vec<DeliveryId> {
    page.due.iter().map(|due| due.delivery).collect()
}

/// Retries come by their time, not before it, and the next one's time is told.
pub async fn retries_come_when_they_are_due(cellar: Cellar) {
    let world = World::new(cellar).await;
    let [endpoint, other] = [world.endpoint().await, world.endpoint().await];
    let events = world.many_accepted(&[endpoint, other], 4).await;
    let start = world.now();
    let at = |seconds| start.plus(Duration::from_secs(seconds));
    for (event, seconds) in events.iter().zip([30, 10, 20, 40]) {
        world.retried_at(endpoint, first(*event), at(seconds)).await;
    }
    world.retried_at(other, events[0].delivery(TargetNo(1)), at(5)).await;
    let page = due(&world, endpoint, &[], 10).await;
    assert_eq!((ids(&page), page.next), (vec![], Some(at(10))));
    world.clock.set(at(30));
    let page = due(&world, endpoint, &[], 10).await;
    assert_eq!(ids(&page), [first(events[1]), first(events[2]), first(events[0])]);
    assert_eq!(page.next, Some(at(40)));
    let one = &page.due[0];
    assert_eq!((one.event.id, one.attempts, one.at), (events[1], 1, at(10)));
    assert_eq!(one.trigger, Trigger::Automatic);
    let page = due(&world, endpoint, &[], 1).await;
    assert_eq!((ids(&page), page.next), (vec![first(events[1])], Some(at(20))));
    let skip = [first(events[1]), first(events[0])];
    let page = due(&world, endpoint, &skip, 10).await;
    assert_eq!((ids(&page), page.next), (vec![first(events[2])], Some(at(40))));
}

/// A retry that was made is not due any more; one that failed again is due later.
pub async fn a_retry_that_was_made_is_not_due_any_more(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let events = world.many_accepted(&[endpoint], 2).await;
    for event in &events {
        world.retried_at(endpoint, first(*event), world.now()).await;
    }
    let success = Some(make::attempt(2, 200));
    world.record(endpoint, first(events[0]), success, Next::Succeeded).await;
    let later = world.now().plus(Duration::from_secs(60));
    let failure = Some(make::attempt(2, 500));
    world.record(endpoint, first(events[1]), failure, Next::RetryAt(later)).await;
    world.cellar.reopen().await;
    let page = due(&world, endpoint, &[], 10).await;
    assert_eq!((ids(&page), page.next), (vec![], Some(later)));
}

/// What is due for long is found, of every tenant, however many endpoints are looked at in one go.
pub async fn what_is_due_for_long_is_found(cellar: Cellar) {
    let world = World::new(cellar).await;
    let stranger = world.stranger().await;
    let [idle, late, soon, mixed] = [
        world.endpoint().await,
        world.endpoint().await,
        world.endpoint().await,
        world.endpoint().await,
    ];
    let start = world.now();
    let at = |seconds| start.plus(Duration::from_secs(seconds));
    world.accepted(&[idle]).await;
    for (endpoint, seconds) in [(late, 5), (soon, 20), (mixed, 30), (mixed, 9)] {
        let event = world.accepted(&[endpoint]).await;
        world.retried_at(endpoint, first(event), at(seconds)).await;
    }
    let done = world.accepted(&[late]).await;
    world.retried_at(late, first(done), at(1)).await;
    world.record(late, first(done), Some(make::attempt(2, 200)), Next::Succeeded).await;
    let find = async |before, limit| {
        let (mut found, mut after, mut pages) = (Vec::new(), None, 0);
        loop {
            let page = world.store().overdue(before, after, limit).await.unwrap();
            assert!(page.lanes.len() <= limit as usize);
            found.extend(page.lanes);
            pages += 1;
            after = page.next;
            if after.is_none() {
                return (found, pages);
            }
        }
    };
    let lane = |endpoint| (world.tenant, endpoint);
    assert_eq!(find(at(5), 100).await, (vec![], 1), "it is due just then");
    assert_eq!(find(at(6), 100).await, (vec![lane(late)], 1));
    for limit in [1, 2, 3, 100] {
        let (found, pages) = find(at(10), limit).await;
        assert_eq!(found, [lane(late), lane(mixed)]);
        assert!(pages > 2 || limit > 1, "each page is bounded");
    }
    assert!(find(at(60), 2).await.0.iter().all(|it| it.0 != stranger));
    assert_eq!(find(at(60), 2).await.0, [lane(late), lane(soon), lane(mixed)]);
}
