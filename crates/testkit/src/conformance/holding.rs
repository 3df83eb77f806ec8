//! What is received while its source is paused is held, and released once when the source is active again.

use hookyard_domain::attempt::Trigger;
use hookyard_domain::delivery::{DeliveryStatus, EndReason};
use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::id::{DeliveryId, EventId, EventKey, TargetNo};
use hookyard_domain::source::{Source, SourceStatus};
use hookyard_domain::tenant::TenantNo;
use hookyard_store::StoreError;
use hookyard_store::history::{DeliveryFilter, EventFilter};
use hookyard_store::ledger::{Accept, Once, Receipt, Target};

use super::world::{Cellar, World, first, id_of};
use crate::make;

/// A paused source of a tenant.
async fn paused_of(world: &World, tenant: TenantNo) -> Source {
    let source = world.source_of(tenant).await;
    world.set_source(&source, SourceStatus::Paused).await;
    source
}

/// Events that a paused source receives.
async fn hold(world: &World, source: &Source, many: usize) -> Vec<EventId> {
    let accept = Accept { held: true, ..world.received(source).await };
    world.accept_all(vec![accept; many]).await.into_iter().map(id_of).collect()
}

async fn held(world: &World, limit: u32) -> Vec<EventId> {
    world.store().held(limit).await.unwrap().iter().map(|event| event.id).collect()
}

async fn release(
    world: &World,
    event: EventId,
    targets: &[Target],
) -> Result<Option<Vec<DeliveryId>>, StoreError> {
    let version = world.version().await;
    world.store().release(world.tenant, event, version, targets, world.now()).await
}

async fn due(world: &World, endpoint: EndpointNo) -> Vec<(DeliveryId, u32, Trigger)> {
    let store = world.store();
    let page = store.due(world.tenant, endpoint, world.now(), make::share(100), &[]).await;
    let page = page.unwrap();
    page.due.iter().map(|due| (due.delivery, due.attempts, due.trigger)).collect()
}

/// What a paused source received is held, and told of when the source is active, oldest first.
pub async fn what_a_paused_source_received_is_held(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    assert_eq!(held(&world, 10).await, []);
    let source = paused_of(&world, world.tenant).await;
    let mut one = Accept { held: true, ..world.received(&source).await };
    one.content.content_type = Some("text/plain".into());
    let event = id_of(world.accept(one).await);
    let mut ids = vec![event];
    ids.extend(hold(&world, &source, 4).await);
    world.tick();
    ids.extend(hold(&world, &source, 2).await);
    for status in [SourceStatus::Paused, SourceStatus::Disabled] {
        world.set_source(&source, status).await;
        assert_eq!(held(&world, 10).await, [], "{status:?}");
    }
    world.set_source(&source, SourceStatus::Active).await;
    world.accept(world.received(&source).await).await;
    for _ in 0..2 {
        assert_eq!(held(&world, 10).await, ids);
        assert_eq!(held(&world, 3).await, ids[..3]);
        world.cellar.reopen().await;
    }
    let found = world.store().event(world.tenant, event).await.unwrap().unwrap();
    assert_eq!(found.deliveries, 0);
    assert_eq!(*world.store().held(1).await.unwrap()[0], found.event);
    world.set_source(&source, SourceStatus::Paused).await;
    assert_eq!(held(&world, 10).await, []);
}

/// What active sources of all tenants hold is told of in the order in which it came.
pub async fn held_events_of_all_sources_are_told_of_in_order(cellar: Cellar) {
    let world = World::new(cellar).await;
    let stranger = world.stranger().await;
    let [one, paused, two] = [
        paused_of(&world, world.tenant).await,
        paused_of(&world, world.tenant).await,
        paused_of(&world, stranger).await,
    ];
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.extend(hold(&world, &two, 1).await);
        hold(&world, &paused, 2).await;
        ids.extend(hold(&world, &one, 2).await);
    }
    for source in [&one, &two] {
        world.set_source(source, SourceStatus::Active).await;
    }
    for limit in [1, 2, 5, 100] {
        let many = ids.len().min(limit as usize);
        assert_eq!(held(&world, limit).await, ids[..many]);
    }
    let tenants: Vec<_> =
        world.store().held(2).await.unwrap().iter().map(|event| event.tenant).collect();
    assert_eq!(tenants, [stranger, world.tenant]);
}

/// A release makes fresh deliveries, due at once, or discarded where the endpoint is off; once.
pub async fn a_release_makes_fresh_deliveries(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    let [on, off] = [world.endpoint().await, world.endpoint().await];
    let source = paused_of(&world, world.tenant).await;
    let [event, other] = hold(&world, &source, 2).await[..] else { panic!() };
    world.set_source(&source, SourceStatus::Active).await;
    let now = world.tick();
    let reason = EndReason::EndpointDisabled;
    let targets = [make::target(on), Target { endpoint: off, discarded: Some(reason) }];
    let made = release(&world, event, &targets).await.unwrap().unwrap();
    assert_eq!(made, [first(event), event.delivery(TargetNo(1))]);
    assert_eq!(release(&world, event, &targets).await.unwrap(), None);
    world.cellar.reopen().await;
    assert_eq!(release(&world, event, &targets).await.unwrap(), None);
    assert_eq!(held(&world, 10).await, [other]);
    let found = world.delivery(made[0]).await;
    assert_eq!((found.status, found.endpoint_no), (DeliveryStatus::Pending, on));
    assert_eq!((found.created_at, found.next_attempt_at), (now, Some(now)));
    assert_eq!((found.attempts, found.trigger), (0, Trigger::Automatic));
    let found = world.delivery(made[1]).await;
    assert_eq!((found.status, found.reason), (DeliveryStatus::Discarded, Some(reason)));
    assert_eq!((found.endpoint_no, found.next_attempt_at, found.attempts), (off, None, 0));
    assert_eq!(found.created_at, now);
    assert_eq!(due(&world, on).await, [(made[0], 0, Trigger::Automatic)]);
    assert_eq!(due(&world, off).await, []);
    assert_eq!(world.owed(on, EventKey(0)).await, [], "it is due, not owed");
    let listed = world.store().event(world.tenant, event).await.unwrap().unwrap();
    assert_eq!(listed.deliveries, 2);
    for (endpoint, delivery) in [(on, made[0]), (off, made[1])] {
        let filter = DeliveryFilter { endpoint: Some(endpoint), ..DeliveryFilter::default() };
        assert_eq!(world.deliveries(&filter, 10).await, [delivery]);
    }
    world.succeeded(on, made[0]).await;
    assert_eq!(world.delivery(made[0]).await.status, DeliveryStatus::Succeeded);
    assert_eq!(due(&world, on).await, []);
}

/// A release that was matched before a change of configuration is refused, and leaves the event held.
pub async fn a_release_matched_before_a_change_is_refused(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let source = paused_of(&world, world.tenant).await;
    let event = hold(&world, &source, 1).await[0];
    world.set_source(&source, SourceStatus::Active).await;
    let before = world.version().await;
    world.endpoint().await;
    let targets = [make::target(endpoint)];
    for version in [before, before + 100] {
        let store = world.store();
        let refused = store.release(world.tenant, event, version, &targets, world.now()).await;
        assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    }
    assert_eq!(held(&world, 10).await, [event]);
    let listed = world.store().event(world.tenant, event).await.unwrap().unwrap();
    assert_eq!(listed.deliveries, 0);
    let made = release(&world, event, &targets).await.unwrap();
    assert_eq!(made, Some(vec![first(event)]));
}

/// A release to nobody ends the hold.
pub async fn a_release_to_nobody_ends_the_hold(cellar: Cellar) {
    let world = World::new(cellar).await;
    let source = paused_of(&world, world.tenant).await;
    let event = hold(&world, &source, 1).await[0];
    assert_eq!(release(&world, event, &[]).await.unwrap(), Some(Vec::new()));
    assert_eq!(release(&world, event, &[]).await.unwrap(), None);
    world.set_source(&source, SourceStatus::Active).await;
    assert_eq!(held(&world, 10).await, []);
}

/// What is not held, not there or another tenant's is not released.
pub async fn what_is_not_held_is_not_released(cellar: Cellar) {
    let world = World::new(cellar).await;
    let stranger = world.stranger().await;
    let endpoint = world.endpoint().await;
    let source = paused_of(&world, world.tenant).await;
    let event = hold(&world, &source, 1).await[0];
    let published = world.accepted(&[]).await;
    let received = id_of(world.accept(world.received(&source).await).await);
    let targets = [make::target(endpoint)];
    let unknown = EventId::of(EventKey(1), 0);
    let foreign_node = EventId::of(event.key(), 3);
    for other in [published, received, unknown, foreign_node] {
        assert_eq!(release(&world, other, &targets).await.unwrap(), None, "{other}");
    }
    let version = world.version_of(stranger).await;
    let foreign = world.store().release(stranger, event, version, &targets, world.now()).await;
    assert_eq!(foreign.unwrap(), None);
    assert!(world.deliveries(&DeliveryFilter::default(), 10).await.is_empty());
    assert!(release(&world, event, &targets).await.unwrap().is_some());
}

/// A held event can be replayed; its release then uses numbers that were never used.
pub async fn a_replayed_event_is_released_under_fresh_numbers(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let source = paused_of(&world, world.tenant).await;
    let event = hold(&world, &source, 1).await[0];
    let audit = make::audit("event.replayed");
    let store = world.store();
    let replayed = store.replay(world.tenant, event, &[endpoint], world.now(), audit).await;
    assert_eq!(replayed.unwrap(), [first(event)]);
    world.succeeded(endpoint, first(event)).await;
    world.set_source(&source, SourceStatus::Active).await;
    assert_eq!(held(&world, 10).await, [event], "a replay leaves it held");
    let targets = [make::target(endpoint), make::target(endpoint)];
    let made = release(&world, event, &targets).await.unwrap().unwrap();
    assert_eq!(made, [event.delivery(TargetNo(1)), event.delivery(TargetNo(2))]);
    let audit = make::audit("event.replayed");
    let store = world.store();
    let replayed = store.replay(world.tenant, event, &[endpoint], world.now(), audit).await;
    assert_eq!(replayed.unwrap(), [event.delivery(TargetNo(3))]);
    let expected: Vec<_> = (0..4).rev().map(|at| event.delivery(TargetNo(at))).collect();
    let filter = DeliveryFilter { endpoint: Some(endpoint), ..DeliveryFilter::default() };
    for limit in [1, 10] {
        assert_eq!(world.deliveries(&filter, limit).await, expected);
    }
}

/// What is received again while it is held is told of the held one, and held once.
pub async fn a_repetition_of_what_is_held_is_not_held_again(cellar: Cellar) {
    let world = World::new(cellar).await;
    let source = paused_of(&world, world.tenant).await;
    let once = Once::Received { source: source.id, id: "d-1".into(), since: None };
    let accept = Accept { held: true, once: vec![once], ..world.received(&source).await };
    let receipts = world.accept_all(vec![accept.clone(), accept]).await;
    let event = id_of(receipts[0]);
    assert_eq!(receipts[1], Receipt::Duplicate { id: event, deliveries: 0 });
    world.set_source(&source, SourceStatus::Active).await;
    assert_eq!(held(&world, 10).await, [event]);
}

/// Retention leaves what is held, and takes what was released when it has ended.
pub async fn what_is_held_is_not_pruned(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let source = paused_of(&world, world.tenant).await;
    let ids = hold(&world, &source, 3).await;
    let ended = world.accepted(&[]).await;
    let end = EventKey::at(world.tick());
    assert_eq!(world.store().prune(world.tenant, EventKey(0)..end, 100).await.unwrap().dropped, 1);
    assert_eq!(world.store().event(world.tenant, ended).await.unwrap(), None);
    world.cellar.reopen().await;
    world.set_source(&source, SourceStatus::Active).await;
    assert_eq!(held(&world, 10).await, ids);
    release(&world, ids[0], &[]).await.unwrap().unwrap();
    let made = release(&world, ids[1], &[make::target(endpoint)]).await.unwrap().unwrap();
    assert_eq!(world.store().prune(world.tenant, EventKey(0)..end, 100).await.unwrap().dropped, 1);
    world.succeeded(endpoint, made[0]).await;
    assert_eq!(world.store().prune(world.tenant, EventKey(0)..end, 100).await.unwrap().dropped, 1);
    assert_eq!(held(&world, 10).await, ids[2..]);
    let filter = EventFilter { source: Some(source.id), ..EventFilter::default() };
    assert_eq!(super::listing::events(&world, &filter, 10).await, ids[2..]);
}

/// What is held of a source goes with it: its events stay listed, and are held no more.
pub async fn what_is_held_of_a_deleted_source_is_let_go(cellar: Cellar) {
    let world = World::new(cellar).await;
    let [gone, kept] =
        [paused_of(&world, world.tenant).await, paused_of(&world, world.tenant).await];
    let lost = hold(&world, &gone, 2).await;
    let ids = hold(&world, &kept, 2).await;
    let audit = make::audit("source.deleted");
    assert!(world.store().delete_source(world.tenant, gone.id, audit).await.unwrap());
    world.set_source(&kept, SourceStatus::Active).await;
    assert_eq!(held(&world, 10).await, ids);
    assert_eq!(release(&world, lost[0], &[]).await.unwrap(), None);
    assert!(world.store().event(world.tenant, lost[0]).await.unwrap().is_some());
    let end = EventKey::at(world.tick());
    assert_eq!(world.store().prune(world.tenant, EventKey(0)..end, 100).await.unwrap().dropped, 2);
}
