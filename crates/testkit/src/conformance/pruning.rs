//! Retention drops what is old and ended, with all that belongs to it, and nothing that is owed.

use hookyard_domain::delivery::{EndReason, Next};
use hookyard_domain::id::{DeliveryId, EventId, EventKey};
use hookyard_store::history::{DeliveryFilter, EventFilter};
use hookyard_store::ledger::{Once, Receipt};

use super::world::{Cellar, World, all, first, id_of, reversed};
use crate::make;

async fn prune(world: &World, before: EventKey, limit: u32) -> u32 {
    world.store().prune(world.tenant, EventKey(0)..before, limit).await.unwrap().dropped
}

/// Ended events below the bound go, with their deliveries and attempts, from every list.
pub async fn old_events_go_with_all_that_is_theirs(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let events = world.many_accepted(&[endpoint], 8).await;
    for event in &events {
        world.retried_at(endpoint, first(*event), world.now()).await;
        let success = Some(make::attempt(2, 200));
        world.record(endpoint, first(*event), success, Next::Succeeded).await;
    }
    assert_eq!(prune(&world, events[5].key(), 100).await, 5);
    assert_eq!(prune(&world, events[5].key(), 100).await, 0);
    for _ in 0..2 {
        let store = world.store();
        assert_eq!(store.event(world.tenant, events[4]).await.unwrap(), None);
        assert_eq!(store.delivery(world.tenant, first(events[4])).await.unwrap(), None);
        assert_eq!(store.attempts(world.tenant, first(events[4]), all()).await.unwrap(), None);
        let left = store.events(world.tenant, EventFilter::default(), all()).await.unwrap();
        let left: Vec<_> = left.rows.iter().map(|row| row.event.id).collect();
        assert_eq!(left, reversed(&events[5..]));
        for endpoint in [None, Some(endpoint)] {
            let filter = DeliveryFilter { endpoint, ..DeliveryFilter::default() };
            assert_eq!(world.deliveries(&filter, 2).await.len(), 3);
        }
        world.cellar.reopen().await;
    }
}

/// An event with a delivery that has not ended stays, until it has.
pub async fn what_has_not_ended_stays(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let owed = world.accepted(&[endpoint]).await;
    let waiting = world.accepted(&[endpoint]).await;
    world.retried_at(endpoint, first(waiting), world.now()).await;
    let replayed = world.accepted(&[endpoint]).await;
    world.succeeded(endpoint, first(replayed)).await;
    let audit = make::audit("event.replayed");
    let store = world.store();
    let again =
        store.replay(world.tenant, replayed, &[endpoint], world.now(), audit).await.unwrap();
    let ended = world.accepted(&[endpoint]).await;
    world.succeeded(endpoint, first(ended)).await;
    let everything = ended.key().next();
    assert_eq!(prune(&world, everything, 100).await, 1);
    assert_eq!(world.owed(endpoint, EventKey(0)).await, [first(owed)]);
    for delivery in [first(owed), first(waiting), again[0]] {
        let next = Next::Discarded(EndReason::EndpointDeleted);
        world.record(endpoint, delivery, None, next).await;
    }
    assert_eq!(prune(&world, everything, 100).await, 3);
    assert!(world.deliveries(&DeliveryFilter::default(), 10).await.is_empty());
}

/// No more go than asked for, the oldest first, past what must stay.
pub async fn no_more_go_than_asked_for(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    world.many_accepted(&[endpoint], 700).await;
    let ended = world.many_accepted(&[], 1300).await;
    let everything = ended[1299].key().next();
    assert_eq!(prune(&world, everything, 2).await, 2);
    assert_eq!(world.store().event(world.tenant, ended[1]).await.unwrap(), None);
    assert!(world.store().event(world.tenant, ended[2]).await.unwrap().is_some());
    assert_eq!(prune(&world, everything, 5000).await, 1298);
    assert_eq!(world.owed(endpoint, EventKey(0)).await.len(), 700);
}

/// Only the tenant that is named loses anything.
pub async fn only_the_named_tenant_is_pruned(cellar: Cellar) {
    let world = World::new(cellar).await;
    let stranger = world.stranger().await;
    let event = world.accepted(&[]).await;
    let pruned =
        world.store().prune(stranger, EventKey(0)..event.key().next(), 100).await.unwrap().dropped;
    assert_eq!(pruned, 0);
    assert!(world.store().event(world.tenant, event).await.unwrap().is_some());
}

/// What made an event happen once goes with it; what belongs to a later one stays.
pub async fn ids_go_with_their_events(cellar: Cellar) {
    let world = World::new(cellar).await;
    let mut accept = world.event(&[]).await;
    accept.content.publisher_id = Some("order-1".into());
    accept.once = vec![
        Once::PublisherId("order-1".into()),
        Once::PublisherId("dedupe-1".into()),
        Once::Key { key: "k".into(), content: [1; 32] },
    ];
    let event = id_of(world.accept(accept.clone()).await);
    let mut later = world.event(&[]).await;
    later.once = vec![Once::PublisherId("order-2".into())];
    let kept = id_of(world.accept(later.clone()).await);
    assert_eq!(prune(&world, kept.key(), 100).await, 1);
    for once in accept.once {
        let mut again = world.event(&[]).await;
        again.once = vec![once];
        let receipt = world.accept(again).await;
        assert!(matches!(receipt, Receipt::Accepted { id } if id != event), "{receipt:?}");
    }
    assert_eq!(world.accept(later).await, Receipt::Duplicate { id: kept, deliveries: 0 });
}

/// What comes in of a delivery whose event is gone leaves nothing behind.
pub async fn a_late_record_of_a_dropped_event_is_nothing(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let event = world.accepted(&[endpoint]).await;
    world.succeeded(endpoint, first(event)).await;
    assert_eq!(prune(&world, event.key().next(), 100).await, 1);
    world.retried_at(endpoint, first(event), world.now()).await;
    assert_eq!(world.store().delivery(world.tenant, first(event)).await.unwrap(), None);
    let page =
        world.store().due(world.tenant, endpoint, world.now(), make::share(10), &[]).await.unwrap();
    assert!(page.due.is_empty() && page.next.is_none());
    let owed = world.store().owed().await.unwrap();
    assert!(owed.iter().all(|it| it.due.is_none() && it.last < it.from), "{owed:?}");
}

/// Whoever goes on where the last look ended looks at nothing twice; from the beginning everything is looked at.
pub async fn what_was_looked_at_is_looked_at_again_only_when_asked(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let unended = world.many_accepted(&[endpoint], 600).await;
    let ended = world.many_accepted(&[], 3).await;
    let end = world.accepted(&[]).await.key();
    let prune =
        async |from, limit| world.store().prune(world.tenant, from..end, limit).await.unwrap();
    let first = prune(EventKey(0), 2).await;
    assert_eq!(first.dropped, 2);
    assert!(first.through > unended[599].key() && first.through <= ended[2].key(), "{first:?}");
    let second = prune(first.through, 100).await;
    assert_eq!(second.dropped, 1, "nothing is left out");
    assert!(second.through > ended[2].key() && second.through <= end);
    world.succeeded(endpoint, first_of(&unended)).await;
    assert_eq!(prune(second.through, 100).await.dropped, 0);
    assert_eq!(prune(EventKey(0), 100).await.dropped, 1);
}

fn first_of(events: &[EventId]) -> DeliveryId {
    first(events[0])
}
