//! Lists: newest first, in pages that hold still, with filters; what belongs to others never shows.

use std::time::Duration;

use bytes::Bytes;
use hookyard_domain::delivery::{DeliveryStatus, EndReason, Next};
use hookyard_domain::endpoint::{Activity, EndpointNo};
use hookyard_domain::id::{DeliveryId, EventId, TargetNo};
use hookyard_domain::page::{Cursor, PageRequest};
use hookyard_store::history::{DeliveryFilter, EventFilter};
use hookyard_store::ledger::LaneNote;

use super::world::{Cellar, World, all, first, id_of, reversed};
use crate::make;

/// Every event that a filter finds, by pages of `limit`.
pub(super) async fn events(world: &World, filter: &EventFilter, limit: u32) -> Vec<EventId> {
    let mut found = Vec::new();
    let mut request = PageRequest::first(limit);
    loop {
        let page = world.store().events(world.tenant, filter.clone(), request.clone()).await;
        let page = page.unwrap();
        assert!(page.rows.len() <= limit as usize);
        found.extend(page.rows.iter().map(|row| row.event.id));
        match page.next {
            None => return found,
            cursor => request.cursor = cursor,
        }
    }
}

/// An empty list is an empty page without a next one.
pub async fn an_empty_list_is_an_empty_page(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let page = world.store().events(world.tenant, EventFilter::default(), all()).await.unwrap();
    assert_eq!((page.rows.len(), page.next), (0, None));
    for status in [None].into_iter().chain(DeliveryStatus::ALL.map(Some)) {
        for endpoint in [None, Some(endpoint)] {
            let filter = DeliveryFilter { endpoint, status, ..DeliveryFilter::default() };
            let page = world.delivery_page(&filter, 10, None).await;
            assert_eq!((page.rows.len(), page.next), (0, None));
        }
    }
}

/// Every event once, newest first, by pages of any size, across whatever the store has written out.
pub async fn events_are_listed_newest_first(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    let mut ids = Vec::new();
    for size in [600, 40, 2] {
        world.tick();
        ids.extend(world.many_accepted(&[], size).await);
    }
    let expected = reversed(&ids);
    for limit in [7, 250] {
        assert_eq!(events(&world, &EventFilter::default(), limit).await, expected);
    }
    let exactly = PageRequest::first(2);
    let filter = EventFilter { since: Some(world.now()), ..EventFilter::default() };
    let page = world.store().events(world.tenant, filter, exactly).await.unwrap();
    assert_eq!((page.rows.len(), page.next), (2, None), "a full last page has no next");
    world.cellar.reopen().await;
    assert_eq!(events(&world, &EventFilter::default(), 100).await, expected);
}

/// What comes in between two pages does not move the second.
pub async fn a_page_holds_still_while_events_come_in(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let ids = world.many_accepted(&[endpoint], 10).await;
    let list = |cursor| {
        let request = PageRequest { limit: 4, cursor };
        world.store().events(world.tenant, EventFilter::default(), request)
    };
    let page = list(None).await.unwrap();
    let rows = world.delivery_page(&DeliveryFilter::default(), 4, None).await;
    world.many_accepted(&[endpoint], 700).await;
    let next = list(page.next).await.unwrap();
    let found: Vec<_> = next.rows.iter().map(|row| row.event.id).collect();
    assert_eq!(found, reversed(&ids[2..6]));
    let next = world.delivery_page(&DeliveryFilter::default(), 4, rows.next).await;
    let found: Vec<_> = next.rows.iter().map(|row| row.id.event()).collect();
    assert_eq!(found, reversed(&ids[2..6]));
}

/// Each filter of events, alone and together.
pub async fn events_are_filtered(cellar: Cellar) {
    let world = World::new(cellar).await;
    let source = world.source().await.id;
    let mut ids = Vec::new();
    let mut times = Vec::new();
    for (at, name) in
        ["order.created", "order.paid", "orders.x", "order.created"].iter().enumerate()
    {
        times.push(world.tick());
        let mut accept = world.event(&[]).await;
        accept.content = make::content(name);
        accept.content.scope = (at != 1).then(|| format!("scope-{at}").parse().unwrap());
        accept.content.source = (at == 2).then_some(source);
        accept.content.publisher_id = Some(format!("order-{at}"));
        accept.content.data = Bytes::from(format!("{{\"needle\": \"n{at}\"}}"));
        ids.push(id_of(world.accept(accept).await));
    }
    let none = EventFilter::default;
    let cases = [
        (EventFilter { event_type: Some("order.created".parse().unwrap()), ..none() }, vec![3, 0]),
        (EventFilter { event_type: Some("order.*".parse().unwrap()), ..none() }, vec![3, 1, 0]),
        (EventFilter { event_type: Some("*".parse().unwrap()), ..none() }, vec![3, 2, 1, 0]),
        (EventFilter { event_type: Some("nothing".parse().unwrap()), ..none() }, vec![]),
        (EventFilter { scope: Some("scope-3".parse().unwrap()), ..none() }, vec![3]),
        (EventFilter { source: Some(source), ..none() }, vec![2]),
        (EventFilter { since: Some(times[1]), ..none() }, vec![3, 2, 1]),
        (EventFilter { until: Some(times[1]), ..none() }, vec![0]),
        (EventFilter { since: Some(times[1]), until: Some(times[3]), ..none() }, vec![2, 1]),
        (EventFilter { text: Some("n1\"".into()), ..none() }, vec![1]),
        (EventFilter { text: Some("order-2".into()), ..none() }, vec![2]),
        (EventFilter { text: Some("order-".into()), ..none() }, vec![]),
        (EventFilter { text: Some("needle".into()), since: Some(times[2]), ..none() }, vec![3, 2]),
    ];
    for (filter, expected) in cases {
        let expected: Vec<EventId> = expected.into_iter().map(|at: usize| ids[at]).collect();
        for limit in [1, 50] {
            assert_eq!(events(&world, &filter, limit).await, expected, "{filter:?}");
        }
    }
}

/// Deliveries of a tenant and of an endpoint: newest event first, last target first, to the very end.
pub async fn deliveries_are_listed_newest_first(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    let endpoints = [world.endpoint().await, world.endpoint().await, world.endpoint().await];
    let ids = world.many_accepted(&endpoints, 300).await;
    for event in ids.iter().step_by(3) {
        world.succeeded(endpoints[1], event.delivery(TargetNo(1))).await;
    }
    for _ in 0..2 {
        let of = |event: &EventId| [2, 1, 0].map(|target| event.delivery(TargetNo(target)));
        let everything: Vec<DeliveryId> = ids.iter().rev().flat_map(of).collect();
        for limit in [7, 250] {
            assert_eq!(world.deliveries(&DeliveryFilter::default(), limit).await, everything);
        }
        for (endpoint, target) in endpoints.into_iter().zip(0..) {
            let filter = DeliveryFilter { endpoint: Some(endpoint), ..DeliveryFilter::default() };
            let its: Vec<_> =
                ids.iter().rev().map(|event| event.delivery(TargetNo(target))).collect();
            assert_eq!(world.deliveries(&filter, 100).await, its);
        }
        world.cellar.reopen().await;
    }
}

/// The deliveries of one event, last target first, by pages.
pub async fn deliveries_of_one_event_are_listed(cellar: Cellar) {
    let world = World::new(cellar).await;
    let stranger = world.stranger().await;
    let endpoints = [world.endpoint().await, world.endpoint().await, world.endpoint().await];
    let event = world.accepted(&endpoints).await;
    world.succeeded(endpoints[1], event.delivery(TargetNo(1))).await;
    let mut found = Vec::new();
    let mut cursor: Option<Cursor> = None;
    loop {
        let request = PageRequest { limit: 2, cursor };
        let page = world.store().deliveries_of(world.tenant, event, request).await.unwrap();
        let page = page.unwrap();
        found.extend(page.rows.iter().map(|row| (row.id, row.status)));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let expected = [
        (event.delivery(TargetNo(2)), DeliveryStatus::Pending),
        (event.delivery(TargetNo(1)), DeliveryStatus::Succeeded),
        (event.delivery(TargetNo(0)), DeliveryStatus::Pending),
    ];
    assert_eq!(found, expected);
    let unknown = EventId::of(event.key().next(), 0);
    for (tenant, event) in [(stranger, event), (world.tenant, unknown)] {
        let found = world.store().deliveries_of(tenant, event, all()).await.unwrap();
        assert_eq!(found, None);
    }
}

/// One of a few things that happen to deliveries, by their number.
async fn happen(
    world: &World,
    endpoint: EndpointNo,
    delivery: DeliveryId,
    number: usize,
) -> DeliveryStatus {
    let later = world.now().plus(Duration::from_secs(60));
    let next = match number % 6 {
        0 => Next::Succeeded,
        1 => Next::Failed(EndReason::Exhausted),
        2 => Next::RetryAt(later),
        3 => Next::Discarded(EndReason::EndpointDisabled),
        4 => {
            let audit = make::audit("delivery.cancelled");
            world.store().cancel(world.tenant, delivery, world.now(), audit).await.unwrap();
            return DeliveryStatus::Cancelled;
        }
        _ => return DeliveryStatus::Pending,
    };
    world.record(endpoint, delivery, Some(make::attempt(1, 500)), next).await;
    world.delivery(delivery).await.status
}

/// What the store keeps: only the engine knows what is under way.
fn kept_as(status: DeliveryStatus) -> DeliveryStatus {
    if status == DeliveryStatus::Sending { DeliveryStatus::Pending } else { status }
}

/// Each state can be listed, of a tenant and of an endpoint, what is derived among the pending.
pub async fn deliveries_are_filtered_by_state(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoints = [world.endpoint().await, world.endpoint().await];
    let mut all: Vec<(DeliveryId, EndpointNo, DeliveryStatus)> = Vec::new();
    for number in 0..36 {
        let event = world.accepted(&endpoints).await;
        for (endpoint, target) in endpoints.into_iter().zip(0..) {
            let delivery = event.delivery(TargetNo(target));
            let happens = number / (1 + target as usize);
            all.push((delivery, endpoint, happen(&world, endpoint, delivery, happens).await));
        }
    }
    // The first endpoint's first events are all recorded; its mark may say so.
    let mark = all[8].0.event().key();
    let activity = Activity::default();
    world.note(LaneNote { tenant: world.tenant, endpoint: endpoints[0], mark, activity }).await;
    for status in DeliveryStatus::ALL {
        let kept = kept_as(status);
        for endpoint in [None, Some(endpoints[0]), Some(endpoints[1])] {
            let wanted = |it: &&(DeliveryId, EndpointNo, DeliveryStatus)| {
                it.2 == kept && endpoint.is_none_or(|endpoint| endpoint == it.1)
            };
            let expected: Vec<_> = all.iter().rev().filter(wanted).map(|it| it.0).collect();
            let filter =
                DeliveryFilter { endpoint, status: Some(status), ..DeliveryFilter::default() };
            assert!(!expected.is_empty());
            for limit in [1, 4, 100] {
                assert_eq!(world.deliveries(&filter, limit).await, expected, "{filter:?}");
            }
        }
    }
}

/// Type and time filter deliveries in every state.
pub async fn deliveries_are_filtered_by_type_and_time(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let mut made = Vec::new();
    for number in 0..24 {
        let at = world.tick();
        let mut accept = world.event(&[endpoint]).await;
        let name = if number % 4 < 2 { "order.created" } else { "invoice.paid" };
        accept.content = make::content(name);
        let delivery = first(id_of(world.accept(accept).await));
        made.push((delivery, name, at, happen(&world, endpoint, delivery, number).await));
    }
    let (since, until) = (made[5].2, made[19].2);
    for status in [None].into_iter().chain(DeliveryStatus::ALL.map(Some)) {
        for endpoint in [None, Some(endpoint)] {
            let filter = DeliveryFilter {
                endpoint,
                status,
                event_type: Some("order.*".parse().unwrap()),
                since: Some(since),
                until: Some(until),
            };
            let kept = status.map(kept_as);
            let wanted = |it: &&(DeliveryId, &str, _, DeliveryStatus)| {
                it.1 == "order.created"
                    && (since..until).contains(&it.2)
                    && kept.is_none_or(|kept| kept == it.3)
            };
            let expected: Vec<_> = made.iter().rev().filter(wanted).map(|it| it.0).collect();
            for limit in [1, 100] {
                assert_eq!(world.deliveries(&filter, limit).await, expected, "{filter:?}");
            }
        }
    }
}

/// A deleted endpoint's deliveries stay listed, under its id.
pub async fn deliveries_of_a_deleted_endpoint_stay_listed(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let id = world.store().tenant_config(world.tenant).await.unwrap().unwrap().endpoints[0].id;
    let delivery = first(world.accepted(&[endpoint]).await);
    world.succeeded(endpoint, delivery).await;
    let audit = make::audit("endpoint.deleted");
    assert!(world.store().delete_endpoint(world.tenant, id, audit).await.unwrap());
    let kept = world.store().endpoint_no(world.tenant, id).await.unwrap();
    assert_eq!(kept.map(|it| it.no), Some(endpoint));
    let filter = DeliveryFilter { endpoint: Some(endpoint), ..DeliveryFilter::default() };
    assert_eq!(world.deliveries(&filter, 10).await, [delivery]);
    assert_eq!(world.delivery(delivery).await.endpoint, id);
}

/// Whatever another tenant has is not there.
pub async fn nothing_of_another_tenant_is_listed(cellar: Cellar) {
    let world = World::new(cellar).await;
    let stranger = world.stranger().await;
    let endpoint = world.endpoint().await;
    let delivery = first(world.accepted(&[endpoint]).await);
    world.retried_at(endpoint, delivery, world.now()).await;
    world.accepted(&[endpoint]).await;
    let store = world.store();
    let page = store.events(stranger, EventFilter::default(), all()).await.unwrap();
    assert!(page.rows.is_empty());
    assert_eq!(store.event(stranger, delivery.event()).await.unwrap(), None);
    assert_eq!(store.delivery(stranger, delivery).await.unwrap(), None);
    assert_eq!(store.attempts(stranger, delivery, all()).await.unwrap(), None);
    for status in [None].into_iter().chain(DeliveryStatus::ALL.map(Some)) {
        for endpoint in [None, Some(endpoint)] {
            let filter = DeliveryFilter { endpoint, status, ..DeliveryFilter::default() };
            let page = store.deliveries(stranger, filter, all()).await.unwrap();
            assert!(page.rows.is_empty());
        }
    }
}

/// A filter that hardly anything passes is followed to the very end, by short pages if need be.
pub async fn a_rare_row_is_found_at_the_far_end(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let mut rare = world.event(&[endpoint]).await;
    rare.content.event_type = "rare.one".parse().unwrap();
    let rare = id_of(world.accept(rare).await);
    for _ in 0..5 {
        world.many_accepted(&[endpoint], 5_000).await;
    }
    let event_type = Some("rare.*".parse().unwrap());
    let filter = EventFilter { event_type: event_type.clone(), ..EventFilter::default() };
    assert_eq!(events(&world, &filter, 5).await, [rare]);
    for status in [None, Some(DeliveryStatus::Pending)] {
        let event_type = event_type.clone();
        let filter = DeliveryFilter { event_type, status, ..DeliveryFilter::default() };
        assert_eq!(world.deliveries(&filter, 5).await, [first(rare)]);
    }
    let filter =
        DeliveryFilter { status: Some(DeliveryStatus::Succeeded), ..DeliveryFilter::default() };
    assert_eq!(world.deliveries(&filter, 5).await, []);
}
