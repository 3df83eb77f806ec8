//! Events are accepted once, whole, under keys that only grow.

use bytes::Bytes;
use hookyard_domain::delivery::{DeliveryStatus, EndReason};
use hookyard_domain::headers::Headers;
use hookyard_domain::id::{EventId, EventKey, TargetNo};
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_store::history::EventFilter;
use hookyard_store::ledger::{Accept, Batch, Once, Receipt, Target};

use super::world::{Cellar, World, all, first, id_of};
use crate::make;

/// An event reads back byte for byte.
pub async fn an_accepted_event_reads_back_as_it_was_given(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let mut accept = world.event(&[endpoint]).await;
    accept.content.scope = Some("north".parse().unwrap());
    accept.content.occurred_at = Some(Timestamp::from_millis(77));
    accept.content.data = Bytes::from_static(&[0, 255, b'{', 10]);
    accept.content.previous = Some(Bytes::from_static(b"{\"a\": 1}"));
    accept.content.changes = Some(Bytes::new());
    accept.content.headers =
        Headers(vec![("X-One".into(), "1".into()), ("x-one".into(), "".into())]);
    accept.content.publisher_id = Some("order-1".into());
    accept.content.source = Some(world.source().await.id);
    accept.content.content_type = Some("text/csv; charset=\"utf-8\"".into());
    accept.version = world.version().await;
    let mut plain = world.event(&[]).await;
    plain.content.data = Bytes::new();
    let receipts = world.accept_all(vec![accept.clone(), plain.clone()]).await;
    for (receipt, accept) in receipts.into_iter().zip([accept, plain]) {
        let found = world.store().event(world.tenant, id_of(receipt)).await.unwrap().unwrap();
        assert_eq!(found.event.id, id_of(receipt));
        assert_eq!(found.event.tenant, world.tenant);
        assert_eq!(found.event.accepted_at, world.now());
        assert_eq!(found.event.content, accept.content);
        assert_eq!(found.deliveries as usize, accept.targets.len());
    }
}

/// Keys grow although the clock steps back.
pub async fn keys_grow_when_the_clock_steps_back(cellar: Cellar) {
    let world = World::new(cellar).await;
    let early = world.many_accepted(&[], 3).await;
    world.clock.set(Timestamp::from_secs(1_000));
    let late = world.many_accepted(&[], 3).await;
    let keys: Vec<EventKey> = early.iter().chain(&late).map(|id| id.key()).collect();
    assert!(keys.is_sorted_by(|a, b| a < b), "{keys:?}");
    let found = world.store().event(world.tenant, late[0]).await.unwrap().unwrap();
    assert_eq!(found.event.accepted_at, world.now());
}

/// Keys follow the clock when it goes forward.
pub async fn keys_carry_the_time(cellar: Cellar) {
    let world = World::new(cellar).await;
    world.accepted(&[]).await;
    let at = world.tick();
    assert_eq!(world.accepted(&[]).await.key(), EventKey::at(at));
}

/// Keys grow although the store was closed.
pub async fn keys_grow_after_reopening(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    let before = world.many_accepted(&[], 5).await;
    world.cellar.reopen().await;
    world.clock.set(Timestamp::from_secs(1_000));
    assert!(world.accepted(&[]).await.key() > before[4].key());
}

/// Keys grow although the newest events are gone.
pub async fn keys_of_dropped_events_are_never_given_again(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    let before = world.many_accepted(&[], 5).await;
    let end = before[4].key().next();
    assert_eq!(world.store().prune(world.tenant, EventKey(0)..end, 100).await.unwrap().dropped, 5);
    world.cellar.reopen().await;
    assert!(world.accepted(&[]).await.key() > before[4].key());
}

fn with_id(accept: &Accept, id: &str) -> Accept {
    let mut accept = accept.clone();
    accept.content.publisher_id = Some(id.into());
    accept.once = vec![Once::PublisherId(id.into())];
    accept
}

fn with_key(accept: &Accept, key: &str, content: u8) -> Accept {
    Accept { once: vec![Once::Key { key: key.into(), content: [content; 32] }], ..accept.clone() }
}

/// A publisher's id makes an event happen once: in one batch, in two, and after a restart.
pub async fn a_publishers_id_is_accepted_once(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    let endpoints = [world.endpoint().await, world.endpoint().await];
    let one = with_id(&world.event(&endpoints).await, "order-1");
    let mut other = with_id(&world.event(&endpoints[..1]).await, "order-1");
    other.content.data = Bytes::from_static(b"something else");
    let receipts = world.accept_all(vec![one.clone(), other.clone()]).await;
    let id = id_of(receipts[0]);
    let duplicate = Receipt::Duplicate { id, deliveries: 2 };
    assert_eq!(receipts[1], duplicate);
    assert_eq!(world.accept(other.clone()).await, duplicate);
    world.cellar.reopen().await;
    assert_eq!(world.accept(other).await, duplicate);
    let events = world.store().events(world.tenant, EventFilter::default(), all()).await.unwrap();
    assert_eq!(events.rows.iter().map(|row| row.event.id).collect::<Vec<_>>(), [id]);
}

/// An idempotency key answers the first event to the same content and refuses another.
pub async fn an_idempotency_key_stands_for_one_content(cellar: Cellar) {
    let world = World::new(cellar).await;
    let plain = world.event(&[]).await;
    let id = id_of(world.accept(with_key(&plain, "k", 1)).await);
    let receipts = world
        .accept_all(vec![
            with_key(&plain, "k", 1),
            with_key(&plain, "k", 2),
            with_key(&plain, "j", 2),
        ])
        .await;
    assert_eq!(receipts[0], Receipt::Duplicate { id, deliveries: 0 });
    assert_eq!(receipts[1], Receipt::KeyReused);
    assert!(matches!(receipts[2], Receipt::Accepted { .. }));
}

/// A publisher's id and an idempotency key of the same text are two things.
pub async fn ids_and_keys_do_not_meet(cellar: Cellar) {
    let world = World::new(cellar).await;
    let plain = world.event(&[]).await;
    let receipts = world.accept_all(vec![with_id(&plain, "x"), with_key(&plain, "x", 1)]).await;
    assert!(receipts.iter().all(|it| matches!(it, Receipt::Accepted { .. })), "{receipts:?}");
}

/// With both given, the publisher's id answers whatever the key says.
pub async fn a_publishers_id_wins_over_an_idempotency_key(cellar: Cellar) {
    let world = World::new(cellar).await;
    let plain = world.event(&[]).await;
    let mut both = with_id(&plain, "order-1");
    both.once.push(Once::Key { key: "k".into(), content: [1; 32] });
    let id = id_of(world.accept(both.clone()).await);
    both.once[1] = Once::Key { key: "k".into(), content: [2; 32] };
    assert_eq!(world.accept(both.clone()).await, Receipt::Duplicate { id, deliveries: 0 });
    both.once.swap(0, 1);
    assert_eq!(world.accept(both).await, Receipt::Duplicate { id, deliveries: 0 });
}

/// A key that comes with an id that was there before is taken from then on, and free again when the event is gone.
pub async fn a_key_that_comes_with_a_known_id_stands_for_its_event(cellar: Cellar) {
    let world = World::new(cellar).await;
    let plain = world.event(&[]).await;
    let mut known = with_id(&plain, "order-1");
    let id = id_of(world.accept(known.clone()).await);
    known.once.push(Once::Key { key: "k".into(), content: [1; 32] });
    let duplicate = Receipt::Duplicate { id, deliveries: 0 };
    assert_eq!(world.accept(known.clone()).await, duplicate);
    assert_eq!(world.accept(known).await, duplicate);
    assert_eq!(world.accept(with_key(&plain, "k", 1)).await, duplicate);
    assert_eq!(world.accept(with_key(&plain, "k", 2)).await, Receipt::KeyReused);
    let found = world.store().event(world.tenant, id).await.unwrap().unwrap();
    assert_eq!(found.event.content.publisher_id.as_deref(), Some("order-1"));
    assert_eq!(
        world.store().prune(world.tenant, EventKey(0)..id.key().next(), 100).await.unwrap().dropped,
        1
    );
    let receipt = world.accept(with_key(&plain, "k", 2)).await;
    assert!(matches!(receipt, Receipt::Accepted { .. }), "{receipt:?}");
}

/// What makes an event happen once counts inside its tenant.
pub async fn ids_of_two_tenants_do_not_meet(cellar: Cellar) {
    let world = World::new(cellar).await;
    let stranger = world.stranger().await;
    let mine = with_id(&world.event(&[]).await, "order-1");
    let version = world.version_of(stranger).await;
    let theirs = Accept { tenant: stranger, version, ..mine.clone() };
    let receipts = world.accept_all(vec![mine, theirs]).await;
    assert!(receipts.iter().all(|it| matches!(it, Receipt::Accepted { .. })), "{receipts:?}");
}

/// A changed configuration sends an event back, and nobody else of its batch.
pub async fn a_stale_event_is_sent_back_alone(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let stale = with_id(&world.event(&[endpoint]).await, "order-1");
    world.endpoint().await;
    let fresh = world.event(&[endpoint]).await;
    let receipts = world.accept_all(vec![fresh.clone(), stale.clone(), fresh]).await;
    assert!(matches!(receipts[0], Receipt::Accepted { .. }));
    assert_eq!(receipts[1], Receipt::Stale);
    assert!(matches!(receipts[2], Receipt::Accepted { .. }));
    let events = world.store().events(world.tenant, EventFilter::default(), all()).await.unwrap();
    assert_eq!(events.rows.len(), 2);
    let again = Accept { version: world.version().await, ..stale };
    assert!(matches!(world.accept(again).await, Receipt::Accepted { .. }), "its id is still free");
}

/// Nothing is accepted for a tenant that is not there.
pub async fn a_tenant_that_is_gone_gets_nothing(cellar: Cellar) {
    let world = World::new(cellar).await;
    let accept = world.event(&[]).await;
    world.accept(accept.clone()).await;
    let audit = make::audit("tenant.deleted");
    assert!(world.store().delete_tenant(world.tenant, audit).await.unwrap());
    let unknown = Accept { tenant: TenantNo(999), ..accept.clone() };
    let receipts = world.accept_all(vec![accept, unknown]).await;
    assert_eq!(receipts, [Receipt::NoTenant, Receipt::NoTenant]);
}

/// A target that is off at the moment of publishing is listed with the reason, and not owed.
pub async fn discarded_targets_are_listed_and_not_owed(cellar: Cellar) {
    let world = World::new(cellar).await;
    let [off, on] = [world.endpoint().await, world.endpoint().await];
    let mut accept = world.event(&[]).await;
    let reason = EndReason::EndpointDisabled;
    accept.targets = vec![Target { endpoint: off, discarded: Some(reason) }, make::target(on)];
    let id = id_of(world.accept(accept).await);
    let discarded = world.delivery(first(id)).await;
    assert_eq!(
        (discarded.status, discarded.reason, discarded.endpoint_no, discarded.attempts),
        (DeliveryStatus::Discarded, Some(reason), off, 0)
    );
    assert_eq!(world.delivery(id.delivery(TargetNo(1))).await.status, DeliveryStatus::Pending);
    assert!(world.owed(off, EventKey(0)).await.is_empty());
    assert_eq!(world.owed(on, EventKey(0)).await, [id.delivery(TargetNo(1))]);
}

/// An empty batch asks for nothing.
pub async fn an_empty_batch_is_nothing(cellar: Cellar) {
    let world = World::new(cellar).await;
    assert_eq!(world.store().commit(&Batch::default()).await.unwrap(), []);
}

/// Thousands of events over many batches are all found, in order, before and after a restart.
pub async fn every_event_is_found_again_after_reopening(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    let endpoints = [world.endpoint().await, world.endpoint().await];
    let mut ids: Vec<EventId> = Vec::new();
    for size in [1, 700, 30, 500, 3] {
        world.tick();
        ids.extend(world.many_accepted(&endpoints, size).await);
    }
    for _ in 0..2 {
        for (endpoint, target) in endpoints.into_iter().zip(0..) {
            let owed: Vec<_> = ids.iter().map(|id| id.delivery(TargetNo(target))).collect();
            assert_eq!(world.owed(endpoint, EventKey(0)).await, owed);
            assert_eq!(world.owed(endpoint, ids[700].key()).await, owed[700..]);
        }
        world.cellar.reopen().await;
    }
    world.store().tidy().await.unwrap();
    ids.extend(world.many_accepted(&endpoints, 2).await);
    world.cellar.reopen().await;
    let owed: Vec<_> = ids.iter().copied().map(first).collect();
    assert_eq!(world.owed(endpoints[0], EventKey(0)).await, owed);
}
