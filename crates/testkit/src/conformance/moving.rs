//! Single deliveries moved by people: requeued, cancelled, replayed; and waiting ones discarded.

use std::time::Duration;

use hookyard_domain::attempt::Trigger;
use hookyard_domain::delivery::{DeliveryStatus, EndReason, Next};
use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::id::{DeliveryId, EventId, EventKey, TargetNo};
use hookyard_store::history::DeliveryFilter;
use hookyard_store::ledger::{Moved, Target};

use super::world::{Cellar, World, all, first};
use crate::make;

async fn requeue(world: &World, delivery: DeliveryId) -> Moved {
    let audit = make::audit("delivery.retried");
    world.store().requeue(world.tenant, delivery, world.now(), audit).await.unwrap()
}

async fn cancel(world: &World, delivery: DeliveryId) -> Moved {
    let audit = make::audit("delivery.cancelled");
    world.store().cancel(world.tenant, delivery, world.now(), audit).await.unwrap()
}

async fn replay(world: &World, event: EventId, to: &[EndpointNo]) -> Vec<DeliveryId> {
    let audit = make::audit("event.replayed");
    world.store().replay(world.tenant, event, to, world.now(), audit).await.unwrap()
}

async fn due(world: &World, endpoint: EndpointNo) -> Vec<(DeliveryId, Trigger)> {
    let page = world
        .store()
        .due(world.tenant, endpoint, world.now(), make::share(100), &[])
        .await
        .unwrap();
    page.due.iter().map(|due| (due.delivery, due.trigger)).collect()
}

async fn audited(world: &World) -> Vec<String> {
    let page = world.store().audit(world.tenant, all()).await.unwrap();
    page.rows.into_iter().map(|row| row.action).filter(|it| !it.ends_with(".created")).collect()
}

/// A delivery in every state that has a row, by what was recorded of it.
async fn in_every_state(world: &World, endpoint: EndpointNo) -> Vec<(DeliveryId, DeliveryStatus)> {
    let later = world.now().plus(Duration::from_secs(60));
    let nexts = [
        (Next::RetryAt(later), DeliveryStatus::Pending),
        (Next::Succeeded, DeliveryStatus::Succeeded),
        (Next::Failed(EndReason::Exhausted), DeliveryStatus::Failed),
        (Next::Discarded(EndReason::EndpointDisabled), DeliveryStatus::Discarded),
    ];
    let mut made = Vec::new();
    for (next, status) in nexts {
        let delivery = first(world.accepted(&[endpoint]).await);
        world.record(endpoint, delivery, Some(make::attempt(1, 500)), next).await;
        made.push((delivery, status));
    }
    let delivery = first(world.accepted(&[endpoint]).await);
    assert_eq!(cancel(world, delivery).await, Moved::Done(endpoint));
    made.push((delivery, DeliveryStatus::Cancelled));
    made
}

/// Whatever has not succeeded can be made due at once.
pub async fn anything_but_a_success_can_be_requeued(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let mut expected = Vec::new();
    for (delivery, status) in in_every_state(&world, endpoint).await {
        let now = world.tick();
        let moved = requeue(&world, delivery).await;
        if status == DeliveryStatus::Succeeded {
            assert_eq!(moved, Moved::Refused(status));
            assert_eq!(world.delivery(delivery).await.status, status);
            continue;
        }
        assert_eq!(moved, Moved::Done(endpoint), "{status:?}");
        let found = world.delivery(delivery).await;
        assert_eq!((found.status, found.reason), (DeliveryStatus::Pending, None));
        assert_eq!((found.next_attempt_at, found.updated_at), (Some(now), now));
        expected.push((delivery, Trigger::Manual));
    }
    assert_eq!(due(&world, endpoint).await, expected);
}

/// A requeued delivery is tried on with the next number, and may end again.
pub async fn a_requeued_delivery_goes_on(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let delivery = first(world.accepted(&[endpoint]).await);
    let failed = Next::Failed(EndReason::Exhausted);
    world.record(endpoint, delivery, Some(make::attempt(1, 500)), failed).await;
    requeue(&world, delivery).await;
    let page =
        world.store().due(world.tenant, endpoint, world.now(), make::share(10), &[]).await.unwrap();
    assert_eq!(page.due[0].attempts, 1);
    world.record(endpoint, delivery, Some(make::attempt(2, 200)), Next::Succeeded).await;
    let found = world.delivery(delivery).await;
    assert_eq!((found.status, found.attempts), (DeliveryStatus::Succeeded, 2));
    assert!(due(&world, endpoint).await.is_empty());
}

/// What was never tried is owed already: requeueing it is done, and changes nothing.
pub async fn requeueing_what_is_owed_changes_nothing(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let delivery = first(world.accepted(&[endpoint]).await);
    assert_eq!(requeue(&world, delivery).await, Moved::Done(endpoint));
    assert_eq!(world.owed(endpoint, EventKey(0)).await, [delivery]);
    assert!(due(&world, endpoint).await.is_empty());
}

/// Only what has not ended can be cancelled; it is neither owed nor due any more.
pub async fn only_what_has_not_ended_can_be_cancelled(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    for (delivery, status) in in_every_state(&world, endpoint).await {
        let expected = match status.is_ended() {
            true => Moved::Refused(status),
            false => Moved::Done(endpoint),
        };
        assert_eq!(cancel(&world, delivery).await, expected);
    }
    let owed = first(world.accepted(&[endpoint]).await);
    assert_eq!(cancel(&world, owed).await, Moved::Done(endpoint));
    let found = world.delivery(owed).await;
    assert_eq!(
        (found.status, found.reason),
        (DeliveryStatus::Cancelled, Some(EndReason::Cancelled))
    );
    assert!(world.owed(endpoint, EventKey(0)).await.is_empty());
    world.clock.advance(Duration::from_secs(3600));
    assert!(due(&world, endpoint).await.is_empty());
}

/// What is not there, or belongs to somebody else, is absent, and nothing is written of it.
pub async fn what_is_not_there_cannot_be_moved(cellar: Cellar) {
    let world = World::new(cellar).await;
    let stranger = world.stranger().await;
    let endpoint = world.endpoint().await;
    let [owed, waiting] =
        [first(world.accepted(&[endpoint]).await), first(world.accepted(&[endpoint]).await)];
    world.retried_at(endpoint, waiting, world.now()).await;
    let event = owed.event();
    let unknown = EventId::of(EventKey(1), 0);
    let foreign_node = first(EventId::of(event.key(), 3));
    let no_delivery = DeliveryId::from_u128(event.as_u128());
    for absent in [event.delivery(TargetNo(1)), first(unknown), foreign_node, no_delivery] {
        assert_eq!(requeue(&world, absent).await, Moved::Absent);
        assert_eq!(cancel(&world, absent).await, Moved::Absent);
        assert_eq!(world.store().delivery(world.tenant, absent).await.unwrap(), None);
    }
    for foreign in [owed, waiting] {
        let audit = make::audit("delivery.retried");
        let moved = world.store().requeue(stranger, foreign, world.now(), audit.clone()).await;
        assert_eq!(moved.unwrap(), Moved::Absent);
        let moved = world.store().cancel(stranger, foreign, world.now(), audit).await;
        assert_eq!(moved.unwrap(), Moved::Absent);
    }
    assert!(replay(&world, unknown, &[endpoint]).await.is_empty());
    let audit = make::audit("event.replayed");
    let made = world.store().replay(stranger, event, &[endpoint], world.now(), audit).await;
    assert!(made.unwrap().is_empty());
    assert!(audited(&world).await.is_empty());
}

/// A replay makes fresh deliveries, due at once, with numbers of their own.
pub async fn a_replay_makes_fresh_deliveries(cellar: Cellar) {
    let world = World::new(cellar).await;
    let [one, two] = [world.endpoint().await, world.endpoint().await];
    let event = world.accepted(&[one]).await;
    world.succeeded(one, first(event)).await;
    let now = world.tick();
    let made = replay(&world, event, &[one, two]).await;
    assert_eq!(made, [event.delivery(TargetNo(1)), event.delivery(TargetNo(2))]);
    let again = replay(&world, event, &[one]).await;
    assert_eq!(again, [event.delivery(TargetNo(3))]);
    let found = world.delivery(made[1]).await;
    assert_eq!((found.status, found.endpoint_no), (DeliveryStatus::Pending, two));
    assert_eq!((found.created_at, found.next_attempt_at), (now, Some(now)));
    assert_eq!((found.attempts, found.trigger), (0, Trigger::Manual));
    assert_eq!(due(&world, two).await, [(made[1], Trigger::Manual)]);
    assert_eq!(due(&world, one).await, [(made[0], Trigger::Manual), (again[0], Trigger::Manual)]);
    assert_eq!(world.delivery(first(event)).await.status, DeliveryStatus::Succeeded);
    let listed = world.store().event(world.tenant, event).await.unwrap().unwrap();
    assert_eq!(listed.deliveries, 4);
    world.succeeded(two, made[1]).await;
    let found = world.delivery(made[1]).await;
    assert_eq!((found.status, found.attempts), (DeliveryStatus::Succeeded, 1));
    let attempts = world.store().attempts(world.tenant, made[1], all()).await.unwrap().unwrap();
    assert_eq!(attempts.rows, [make::attempt(1, 200)]);
}

/// A replay stands in the lists of its event and of its endpoint, once, where its event stands.
pub async fn a_replay_is_listed_with_its_event(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    let [one, two] = [world.endpoint().await, world.endpoint().await];
    let old = world.accepted(&[one]).await;
    let new = world.accepted(&[two]).await;
    let to_two = replay(&world, old, &[two]).await[0];
    let to_one = replay(&world, old, &[one]).await[0];
    world.cellar.reopen().await;
    let to = |endpoint| DeliveryFilter { endpoint: Some(endpoint), ..DeliveryFilter::default() };
    for limit in [1, 10] {
        assert_eq!(world.deliveries(&to(two), limit).await, [first(new), to_two]);
        assert_eq!(world.deliveries(&to(one), limit).await, [to_one, first(old)]);
        let everything = world.deliveries(&DeliveryFilter::default(), limit).await;
        assert_eq!(everything, [first(new), to_one, to_two, first(old)]);
    }
    assert_eq!(world.owed(two, EventKey(0)).await, [first(new)], "a replay is due, not owed");
}

/// A replay goes to endpoints of the tenant alone.
pub async fn a_replay_does_not_reach_a_foreign_endpoint(cellar: Cellar) {
    let world = World::new(cellar).await;
    let stranger = world.stranger().await;
    let foreign = world.endpoint_of(stranger).await;
    let endpoint = world.endpoint().await;
    let event = world.accepted(&[endpoint]).await;
    assert_eq!(replay(&world, event, &[foreign]).await, []);
}

/// Everything of an endpoint that waits is discarded, and nothing else.
pub async fn waiting_deliveries_are_discarded(cellar: Cellar) {
    let world = World::new(cellar).await;
    let [endpoint, other] = [world.endpoint().await, world.endpoint().await];
    let states = in_every_state(&world, endpoint).await;
    let event = world.accepted(&[other]).await;
    world.retried_at(other, first(event), world.now()).await;
    let owed = first(world.accepted(&[endpoint]).await);
    let (now, reason) = (world.tick(), EndReason::EndpointDisabled);
    let discard = || world.store().discard_waiting(world.tenant, endpoint, reason, now);
    let stranger = world.stranger().await;
    let foreign = world.store().discard_waiting(stranger, endpoint, reason, now).await;
    assert_eq!(foreign.unwrap(), 0);
    assert_eq!(discard().await.unwrap(), 1);
    assert_eq!(discard().await.unwrap(), 0);
    for (delivery, was) in states {
        let found = world.delivery(delivery).await;
        if was == DeliveryStatus::Pending {
            assert_eq!((found.status, found.reason), (DeliveryStatus::Discarded, Some(reason)));
            assert_eq!((found.next_attempt_at, found.updated_at), (None, now));
        } else {
            assert_eq!(found.status, was);
        }
    }
    assert_eq!(world.owed(endpoint, EventKey(0)).await, [owed]);
    assert_eq!(world.delivery(first(event)).await.status, DeliveryStatus::Pending);
}

/// What people do to deliveries is audited with it, and a refusal is not.
pub async fn moves_are_audited(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let delivery = first(world.accepted(&[endpoint]).await);
    cancel(&world, delivery).await;
    cancel(&world, delivery).await;
    requeue(&world, delivery).await;
    replay(&world, delivery.event(), &[endpoint]).await;
    let expected = ["event.replayed", "delivery.retried", "delivery.cancelled"];
    assert_eq!(audited(&world).await, expected);
}

/// A target that was discarded at once can be requeued when the endpoint is back.
pub async fn a_target_discarded_at_once_can_be_requeued(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let mut accept = world.event(&[]).await;
    let discarded = Some(EndReason::EndpointPending);
    accept.targets = vec![Target { endpoint, discarded }];
    let delivery = first(super::world::id_of(world.accept(accept).await));
    assert_eq!(requeue(&world, delivery).await, Moved::Done(endpoint));
    assert_eq!(due(&world, endpoint).await, [(delivery, Trigger::Manual)]);
    world.succeeded(endpoint, delivery).await;
    let found = world.delivery(delivery).await;
    assert_eq!((found.status, found.attempts), (DeliveryStatus::Succeeded, 1));
}
