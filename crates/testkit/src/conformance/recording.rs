//! What happened to a delivery is kept, moves it on, and never moves what has ended.

use std::time::Duration;

use hookyard_domain::attempt::{Attempt, Trigger};
use hookyard_domain::delivery::{DeliveryStatus, EndReason, Next};
use hookyard_domain::endpoint::Activity;
use hookyard_domain::id::{EventKey, TargetNo};
use hookyard_domain::page::PageRequest;
use hookyard_store::ledger::{LaneNote, Record};

use super::world::{Cellar, World, all, first};
use crate::make;

/// What is accepted can be read before anything has happened to it.
pub async fn a_delivery_can_be_read_before_it_is_tried(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let event = world.accepted(&[endpoint]).await;
    let found = world.delivery(first(event)).await;
    assert_eq!((found.id, found.endpoint_no), (first(event), endpoint));
    assert_eq!((found.status, found.reason), (DeliveryStatus::Pending, None));
    assert_eq!((found.attempts, found.next_attempt_at), (0, None));
    assert_eq!((found.created_at, found.updated_at), (world.now(), world.now()));
    assert_eq!(found.event_type.as_str(), "order.created");
    let config = world.store().tenant_config(world.tenant).await.unwrap().unwrap();
    assert_eq!(found.endpoint, config.endpoints[0].id);
    let attempts = world.store().attempts(world.tenant, first(event), all()).await.unwrap();
    assert!(attempts.unwrap().rows.is_empty());
}

/// A success at the first try.
pub async fn a_first_success_ends_a_delivery(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let event = world.accepted(&[endpoint]).await;
    let created = world.now();
    let updated = world.tick();
    world.succeeded(endpoint, first(event)).await;
    let found = world.delivery(first(event)).await;
    assert_eq!((found.status, found.reason), (DeliveryStatus::Succeeded, None));
    assert_eq!((found.attempts, found.last_status_code), (1, Some(200)));
    assert_eq!((found.created_at, found.updated_at), (created, updated));
    assert!(world.owed(endpoint, EventKey(0)).await.is_empty());
    let attempts = world.store().attempts(world.tenant, first(event), all()).await.unwrap();
    assert_eq!(attempts.unwrap().rows, [make::attempt(1, 200)]);
}

/// Failure after failure, then success: every attempt is kept, newest first.
pub async fn every_attempt_is_kept(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let delivery = first(world.accepted(&[endpoint]).await);
    for number in 1..=4 {
        let due = world.tick().plus(Duration::from_secs(1));
        world
            .record(endpoint, delivery, Some(make::attempt(number, 500)), Next::RetryAt(due))
            .await;
        let found = world.delivery(delivery).await;
        assert_eq!((found.status, found.attempts), (DeliveryStatus::Pending, number));
        assert_eq!((found.next_attempt_at, found.last_status_code), (Some(due), Some(500)));
    }
    world.record(endpoint, delivery, Some(make::attempt(5, 204)), Next::Succeeded).await;
    let found = world.delivery(delivery).await;
    assert_eq!((found.status, found.attempts), (DeliveryStatus::Succeeded, 5));
    assert_eq!((found.next_attempt_at, found.last_status_code), (None, Some(204)));
    let mut request = PageRequest::first(2);
    let mut numbers = Vec::new();
    loop {
        let page = world.store().attempts(world.tenant, delivery, request.clone()).await.unwrap();
        let page = page.unwrap();
        numbers.extend(page.rows.iter().map(|row| row.number));
        match page.next {
            None => break,
            cursor => request.cursor = cursor,
        }
    }
    assert_eq!(numbers, [5, 4, 3, 2, 1]);
}

/// An attempt keeps every field, an empty and a failed one too.
pub async fn an_attempt_reads_back_as_it_was_recorded(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let bare = Attempt {
        status_code: None,
        request_headers: Default::default(),
        response_headers: Default::default(),
        response_body: Default::default(),
        error: None,
        trigger: Trigger::Test,
        ..make::attempt(1, 500)
    };
    for attempt in [bare, make::attempt(1, 503)] {
        let delivery = first(world.accepted(&[endpoint]).await);
        let next = Next::Failed(EndReason::Terminal);
        world.record(endpoint, delivery, Some(attempt.clone()), next).await;
        let found = world.store().attempts(world.tenant, delivery, all()).await.unwrap();
        assert_eq!(found.unwrap().rows, std::slice::from_ref(&attempt));
        let delivery = world.delivery(delivery).await;
        assert_eq!(
            (delivery.status, delivery.reason),
            (DeliveryStatus::Failed, Some(EndReason::Terminal))
        );
        assert_eq!(delivery.trigger, attempt.trigger);
    }
}

/// A delivery may end without an attempt.
pub async fn a_delivery_may_be_discarded_untried(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let delivery = first(world.accepted(&[endpoint]).await);
    let reason = EndReason::EndpointDeleted;
    world.record(endpoint, delivery, None, Next::Discarded(reason)).await;
    let found = world.delivery(delivery).await;
    assert_eq!((found.status, found.reason), (DeliveryStatus::Discarded, Some(reason)));
    assert_eq!(found.attempts, 0);
}

/// What comes in after the end is kept as an attempt and changes nothing else.
pub async fn a_late_attempt_does_not_move_an_ended_delivery(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let delivery = first(world.accepted(&[endpoint]).await);
    let audit = make::audit("delivery.cancelled");
    world.store().cancel(world.tenant, delivery, world.now(), audit).await.unwrap();
    world.tick();
    world.succeeded(endpoint, delivery).await;
    let found = world.delivery(delivery).await;
    assert_eq!(
        (found.status, found.reason),
        (DeliveryStatus::Cancelled, Some(EndReason::Cancelled))
    );
    let retry = Next::RetryAt(world.now());
    world.record(endpoint, delivery, Some(make::attempt(2, 500)), retry).await;
    let found = world.delivery(delivery).await;
    assert_eq!((found.status, found.next_attempt_at), (DeliveryStatus::Cancelled, None));
    let attempts = world.store().attempts(world.tenant, delivery, all()).await.unwrap().unwrap();
    let numbers: Vec<u32> = attempts.rows.iter().map(|row| row.number).collect();
    assert_eq!(numbers, [2, 1]);
}

/// Two records of one delivery in one batch are taken in order.
pub async fn records_of_one_batch_are_taken_in_order(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let delivery = first(world.accepted(&[endpoint]).await);
    let one = |number, status, next| {
        let attempt = Some(make::attempt(number, status));
        make::record(world.tenant, endpoint, delivery, attempt, next)
    };
    let retry = one(1, 500, Next::RetryAt(world.now()));
    world.record_all(vec![retry, one(2, 200, Next::Succeeded)]).await;
    let found = world.delivery(delivery).await;
    assert_eq!((found.status, found.attempts), (DeliveryStatus::Succeeded, 2));
}

/// Nobody records anything of another tenant's delivery.
pub async fn a_record_of_a_foreign_delivery_changes_nothing(cellar: Cellar) {
    let world = World::new(cellar).await;
    let stranger = world.stranger().await;
    let endpoint = world.endpoint().await;
    let delivery = first(world.accepted(&[endpoint]).await);
    world.retried_at(endpoint, delivery, world.now()).await;
    let attempt = Some(make::attempt(2, 200));
    let foreign = make::record(stranger, endpoint, delivery, attempt, Next::Succeeded);
    world.record_all(vec![foreign]).await;
    let found = world.delivery(delivery).await;
    assert_eq!((found.status, found.attempts), (DeliveryStatus::Pending, 1));
}

/// What is counted of an endpoint is what was noted last.
pub async fn activity_is_what_was_noted_last(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    let [busy, idle] = [world.endpoint().await, world.endpoint().await];
    let activity = Activity {
        delivery_count: 7,
        last_delivery_at: Some(world.now()),
        consecutive_failures: 3,
        failing_since: Some(world.now()),
    };
    let note = LaneNote { tenant: world.tenant, endpoint: busy, mark: EventKey(5), activity };
    world.note(LaneNote { activity: Activity::default(), ..note }).await;
    world.note(note).await;
    world.cellar.reopen().await;
    let found = world.store().activity(world.tenant, &[idle, busy, busy]).await.unwrap();
    assert_eq!(found, [Activity::default(), activity, activity]);
    let stranger = world.stranger().await;
    let found = world.store().activity(stranger, &[busy]).await.unwrap();
    assert_eq!(found, [Activity::default()]);
}

/// Events, records and notes of one batch go to disk together.
pub async fn a_batch_may_hold_everything_at_once(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let before = world.accepted(&[endpoint]).await;
    let accepts = vec![world.event(&[endpoint]).await];
    let attempt = Some(make::attempt(1, 200));
    let record: Record =
        make::record(world.tenant, endpoint, first(before), attempt, Next::Succeeded);
    let activity = Activity { delivery_count: 1, ..Activity::default() };
    let note = LaneNote { tenant: world.tenant, endpoint, mark: before.key().next(), activity };
    let batch = hookyard_store::ledger::Batch {
        now: world.now(),
        accepts,
        records: vec![record],
        notes: vec![note],
    };
    let receipts = world.store().commit(&batch).await.unwrap();
    let after = super::world::id_of(receipts[0]);
    world.cellar.reopen().await;
    assert_eq!(world.delivery(first(before)).await.status, DeliveryStatus::Succeeded);
    let owed = world.store().owed().await.unwrap();
    assert_eq!((owed[0].from, owed[0].last, owed[0].activity), (note.mark, after.key(), activity));
    assert_eq!(world.owed(endpoint, owed[0].from).await, [after.delivery(TargetNo(0))]);
}
