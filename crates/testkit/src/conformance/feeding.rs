//! The feed tells everything that happens, once, in order, from any place in it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hookyard_domain::attempt::Attempt;
use hookyard_domain::delivery::{DeliveryStatus, Next};
use hookyard_domain::endpoint::{EndpointNo, EndpointStatus};
use hookyard_domain::feed::{FeedPlace, FeedPosition};
use hookyard_domain::headers::Headers;
use hookyard_domain::id::{DeliveryId, EventId, EventKey, TargetNo};
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_store::Store;
use hookyard_store::endpoints::StatusChange;
use hookyard_store::feed::{FeedEntry, FeedFilter, FeedItem, FeedPage};
use hookyard_store::ledger::{Accept, Batch, Record, Share};

use super::world::{Cellar, World, first, id_of};
use crate::make;

/// What an entry tells, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Told {
    Accepted(EventId),
    Finished(DeliveryId, u32),
    Changed(String),
}

fn told(entries: &[FeedEntry]) -> Vec<Told> {
    let one = |entry: &FeedEntry| match &entry.item {
        FeedItem::Accepted { event, .. } => Told::Accepted(event.id),
        FeedItem::Finished { delivery, attempt } => Told::Finished(delivery.id, attempt.number),
        FeedItem::Changed(entry) => Told::Changed(entry.action.clone()),
    };
    entries.iter().map(one).collect()
}

fn everything() -> FeedFilter {
    FeedFilter { accepted: true, finished: true, changed: true, ..FeedFilter::default() }
}

fn flow() -> FeedFilter {
    FeedFilter { changed: false, ..everything() }
}

fn share(deliveries: u32) -> Share {
    Share { deliveries, bytes: 1 << 30 }
}

async fn end(world: &World) -> FeedPosition {
    world.store().feed_end(world.tenant).await.unwrap()
}

/// Whatever is behind a position, by pieces of `most`; and where the last piece ended.
async fn read_of(
    store: &dyn Store,
    tenant: TenantNo,
    (filter, most): (&FeedFilter, u32),
    from: &FeedPosition,
) -> (Vec<FeedEntry>, FeedPosition) {
    let mut entries = Vec::new();
    let mut from = from.clone();
    loop {
        let page = store.feed(tenant, filter, &from, share(most)).await.unwrap();
        let FeedPage { entries: more, position, more: is_more } = page.expect("it is ours");
        assert!(more.len() <= most as usize * 2, "{}", more.len());
        entries.extend(more);
        assert!(!is_more || position != from, "a piece with more behind it moves on");
        from = position;
        if !is_more {
            return (entries, from);
        }
    }
}

async fn read(world: &World, filter: &FeedFilter, from: &FeedPosition) -> Vec<FeedEntry> {
    read_of(world.store(), world.tenant, (filter, 100), from).await.0
}

fn ended(tenant: TenantNo, endpoint: EndpointNo, delivery: DeliveryId, attempt: Attempt) -> Record {
    make::record(tenant, endpoint, delivery, Some(attempt), Next::Succeeded)
}

/// A new reader stands at the end, and finds there what happens from then on: events, attempts and changes.
pub async fn the_feed_tells_what_happens_from_then_on(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let old = world.accepted(&[endpoint]).await;
    let start = end(&world).await;
    assert_eq!(told(&read(&world, &everything(), &start).await), []);
    world.succeeded(endpoint, first(old)).await;
    let event = world.accepted(&[endpoint]).await;
    world.retried_at(endpoint, first(event), world.now()).await;
    world.record(endpoint, first(event), Some(make::attempt(2, 200)), Next::Succeeded).await;
    world.endpoint().await;
    let entries = read(&world, &everything(), &start).await;
    let expected = [
        Told::Finished(first(old), 1),
        Told::Accepted(event),
        Told::Finished(first(event), 1),
        Told::Finished(first(event), 2),
        Told::Changed("endpoint.created".into()),
    ];
    assert_eq!(told(&entries), expected);
    let FeedItem::Finished { delivery, attempt } = &entries[2].item else { panic!() };
    assert_eq!(**attempt, make::attempt(1, 500));
    assert_eq!(
        (delivery.status, delivery.attempts),
        (DeliveryStatus::Succeeded, 2),
        "as it stands"
    );
    let FeedItem::Accepted { event: told, deliveries, .. } = &entries[1].item else { panic!() };
    assert_eq!((told.accepted_at, *deliveries), (world.now(), 1));
}

/// From the place of any entry on, what is behind it is found, and nothing that was before it; after a restart too.
pub async fn the_feed_is_read_on_from_any_place_in_it(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let start = end(&world).await;
    for _ in 0..3 {
        world.tick();
        let events = world.many_accepted(&[endpoint], 3).await;
        let records = events
            .iter()
            .map(|it| ended(world.tenant, endpoint, first(*it), make::attempt(1, 200)));
        world.record_all(records.collect()).await;
    }
    let all = read(&world, &flow(), &start).await;
    assert_eq!(all.len(), 18);
    for reopened in [false, true] {
        if reopened {
            world.cellar.reopen().await;
        }
        for most in [1, 2, 5, 100] {
            let (entries, _) = read_of(world.store(), world.tenant, (&flow(), most), &start).await;
            assert_eq!(entries, all, "by {most}");
        }
        for (at, entry) in all.iter().enumerate() {
            let place: FeedPosition = entry.position.to_string().parse().unwrap();
            assert_eq!(told(&read(&world, &flow(), &place).await), told(&all[at + 1..]), "{at}");
        }
    }
}

/// Attempts of one batch, however many, are told one by one, and read on from the middle.
pub async fn attempts_of_one_batch_are_told_one_by_one(cellar: Cellar) {
    let world = World::new(cellar).await;
    let [one, two] = [world.endpoint().await, world.endpoint().await];
    let start = end(&world).await;
    let events = world.many_accepted(&[one, two], 1200).await;
    let of = |it: &EventId| {
        [(one, it.delivery(TargetNo(0))), (two, it.delivery(TargetNo(1)))].map(
            |(endpoint, delivery)| ended(world.tenant, endpoint, delivery, make::attempt(1, 200)),
        )
    };
    world.record_all(events.iter().flat_map(of).collect()).await;
    let filter = FeedFilter { finished: true, ..FeedFilter::default() };
    let (entries, last) = read_of(world.store(), world.tenant, (&filter, 7), &start).await;
    let expected: Vec<_> = events
        .iter()
        .flat_map(|it| [0, 1].map(|target| Told::Finished(it.delivery(TargetNo(target)), 1)))
        .collect();
    assert_eq!(told(&entries), expected);
    assert_eq!(last, end(&world).await);
}

/// Events and attempts are told by their type, scope, source and endpoint; and only the kinds that are wanted.
pub async fn the_feed_is_filtered(cellar: Cellar) {
    let world = World::new(cellar).await;
    let [one, two] = [world.endpoint().await, world.endpoint().await];
    let source = world.source().await;
    let start = end(&world).await;
    let mut accepts = Vec::new();
    for (event_type, scope, source, to) in [
        ("order.created", None, None, one),
        ("order.paid", Some("north"), None, two),
        ("refund.paid", None, Some(source.id), one),
    ] {
        let mut accept = world.event(&[to]).await;
        accept.content.event_type = event_type.parse().unwrap();
        accept.content.scope = scope.map(|it| it.parse().unwrap());
        accept.content.source = source;
        accepts.push(accept);
    }
    let ids: Vec<_> = world.accept_all(accepts).await.into_iter().map(id_of).collect();
    for (id, to) in ids.iter().zip([one, two, one]) {
        world.succeeded(to, first(*id)).await;
    }
    let types = |texts: &[&str]| texts.iter().map(|it| it.parse().unwrap()).collect::<Vec<_>>();
    let of = |types| FeedFilter { types, ..flow() };
    for (filter, expected) in [
        (flow(), vec![0, 1, 2]),
        (of(types(&["order.*"])), vec![0, 1]),
        (of(types(&["order.created", "refund.*"])), vec![0, 2]),
        (of(types(&["*"])), vec![0, 1, 2]),
        (of(types(&["nothing"])), vec![]),
        (FeedFilter { scope: Some("north".parse().unwrap()), ..flow() }, vec![1]),
        (FeedFilter { source: Some(source.id), ..flow() }, vec![2]),
        (FeedFilter { source: Some(make::id()), ..flow() }, vec![]),
        (FeedFilter { endpoint: Some(one), ..flow() }, vec![0, 2]),
        (FeedFilter { endpoint: Some(two), source: Some(source.id), ..flow() }, vec![]),
    ] {
        let (entries, last) = read_of(world.store(), world.tenant, (&filter, 2), &start).await;
        let events = expected.iter().map(|at| Told::Accepted(ids[*at]));
        let attempts = expected.iter().map(|at| Told::Finished(first(ids[*at]), 1));
        assert_eq!(told(&entries), events.chain(attempts).collect::<Vec<_>>(), "{filter:?}");
        assert_eq!(last, end(&world).await, "what is passed over has been read: {filter:?}");
    }
    let finished = FeedFilter { finished: true, ..FeedFilter::default() };
    assert_eq!(told(&read(&world, &finished, &start).await).len(), 3);
    let changed = FeedFilter { changed: true, ..FeedFilter::default() };
    assert_eq!(told(&read(&world, &changed, &start).await), []);
}

/// An event comes with what it carries if that is asked for, and not too large.
pub async fn events_come_with_what_they_carry_up_to_a_bound(cellar: Cellar) {
    let world = World::new(cellar).await;
    let start = end(&world).await;
    let mut small = world.event(&[]).await;
    small.content.data = Bytes::from_static(&[0, 255, b'{', 10]);
    small.content.previous = Some(Bytes::from_static(b"{}"));
    small.content.headers = Headers(vec![("x-one".into(), "1".into())]);
    small.content.content_type = Some("text/csv".into());
    let mut large = small.clone();
    large.content.data = Bytes::from(vec![b'x'; 5000]);
    world.accept_all(vec![small.clone(), large]).await;
    let with = |payload| FeedFilter { payload, ..flow() };
    let entries = read(&world, &with(Some(1000)), &start).await;
    let FeedItem::Accepted { event, is_whole: true, .. } = &entries[0].item else { panic!() };
    assert_eq!(event.content, small.content);
    let FeedItem::Accepted { event, is_whole: false, bytes, .. } = &entries[1].item else {
        panic!()
    };
    assert!(event.content.data.is_empty() && *bytes >= 5000);
    for entry in read(&world, &with(None), &start).await {
        let FeedItem::Accepted { event, is_whole: false, .. } = entry.item else { panic!() };
        assert!(event.content.data.is_empty() && event.content.previous.is_none());
        assert_eq!(event.content.event_type, small.content.event_type);
    }
    let bounded = Share { deliveries: 100, bytes: 1 };
    let page = world
        .store()
        .feed(world.tenant, &with(Some(9000)), &start, bounded)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((page.entries.len(), page.more), (1, true), "one whatever its size");
}

/// Changes of endpoints and sources are told, whoever made them; looking at a secret is none.
pub async fn changes_of_configuration_are_told(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let start = end(&world).await;
    let store = world.store();
    store.note(world.tenant, make::audit("endpoint.secret_revealed")).await.unwrap();
    store.note(world.tenant, make::audit("key.created")).await.unwrap();
    let change = StatusChange {
        from: None,
        url: None,
        to: EndpointStatus::Paused,
        reason: None,
        at: world.now(),
    };
    let audit = make::audit("endpoint.paused");
    store.set_endpoint_status(world.tenant, endpoint, change, audit).await.unwrap().unwrap();
    world.source().await;
    let entries = read(&world, &everything(), &start).await;
    let expected = ["endpoint.paused", "source.created"].map(|it| Told::Changed(it.into()));
    assert_eq!(told(&entries), expected);
    assert_eq!(told(&read(&world, &everything(), &entries[0].position).await), expected[1..]);
    assert_eq!(told(&read(&world, &everything(), &entries[1].position).await), []);
    assert_eq!(told(&read(&world, &flow(), &start).await), []);
    for most in [1, 2] {
        let (entries, _) =
            read_of(world.store(), world.tenant, (&everything(), most), &start).await;
        assert_eq!(told(&entries), expected);
    }
}

/// Nothing of another tenant is told, and what happens there moves the reader on.
pub async fn nothing_of_another_tenant_is_told(cellar: Cellar) {
    let world = World::new(cellar).await;
    let stranger = world.stranger().await;
    let foreign = world.endpoint_of(stranger).await;
    let start = end(&world).await;
    let version = world.version_of(stranger).await;
    let event = id_of(world.accept(make::accept(stranger, version, &[foreign])).await);
    let theirs = ended(stranger, foreign, first(event), make::attempt(1, 200));
    // A record that names the wrong tenant, too.
    let mixed = ended(world.tenant, foreign, first(event), make::attempt(1, 200));
    world.record_all(vec![theirs, mixed]).await;
    let (entries, last) = read_of(world.store(), world.tenant, (&everything(), 10), &start).await;
    assert_eq!(told(&entries), []);
    assert_ne!(last, start);
    let theirs = read_of(world.store(), stranger, (&flow(), 10), &start).await.0;
    assert_eq!(told(&theirs), [Told::Accepted(event), Told::Finished(first(event), 1)]);
}

/// A discarded delivery, which nobody tried, is no attempt.
pub async fn what_was_not_tried_is_not_told(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let start = end(&world).await;
    let event = world.accepted(&[endpoint]).await;
    let gone = Next::Discarded(hookyard_domain::delivery::EndReason::EndpointDeleted);
    world.record(endpoint, first(event), None, gone).await;
    assert_eq!(told(&read(&world, &flow(), &start).await), [Told::Accepted(event)]);
}

/// A position that lies ahead of everything, or is none of this store, is told from one of ours.
pub async fn a_position_of_another_store_is_unknown(cellar: Cellar) {
    let world = World::new(cellar).await;
    world.accepted(&[]).await;
    let ours = end(&world).await;
    let mut ahead = ours.clone();
    for place in ahead.nodes.values_mut() {
        place.key = EventKey(place.key.0 + 1);
    }
    let mut changes_ahead = ours.clone();
    changes_ahead.changes += 1;
    for unknown in [ahead, changes_ahead] {
        let page = world.store().feed(world.tenant, &flow(), &unknown, share(10)).await.unwrap();
        assert_eq!(page, None, "{unknown}");
    }
    assert!(world.store().feed(world.tenant, &flow(), &ours, share(10)).await.unwrap().is_some());
}

/// Old notes of attempts are forgotten, those of a later time stay, and their keys are never given again.
pub async fn old_notes_of_attempts_are_forgotten(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let start = end(&world).await;
    let [one, two] = [world.accepted(&[endpoint]).await, world.accepted(&[endpoint]).await];
    world.succeeded(endpoint, first(one)).await;
    let later = {
        world.clock.advance(Duration::from_secs(60));
        world.now()
    };
    world.succeeded(endpoint, first(two)).await;
    assert_eq!(world.store().forget_feed(EventKey::at(later), 100).await.unwrap(), 1);
    assert_eq!(world.store().forget_feed(EventKey::at(later), 100).await.unwrap(), 0);
    let filter = FeedFilter { finished: true, ..FeedFilter::default() };
    assert_eq!(told(&read(&world, &filter, &start).await), [Told::Finished(first(two), 1)]);
    let last = end(&world).await;
    let everything = EventKey(u64::MAX >> 2);
    assert_eq!(world.store().forget_feed(everything, 100).await.unwrap(), 1);
    world.cellar.reopen().await;
    world.clock.set(Timestamp::from_secs(1_000));
    let event = world.accepted(&[endpoint]).await;
    assert_eq!(told(&read(&world, &flow(), &last).await), [Told::Accepted(event)]);
}

/// An attempt whose event is gone is left out.
pub async fn attempts_of_events_that_are_gone_are_left_out(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let start = end(&world).await;
    let [one, two] = [world.accepted(&[endpoint]).await, world.accepted(&[endpoint]).await];
    world.succeeded(endpoint, first(one)).await;
    world.succeeded(endpoint, first(two)).await;
    assert_eq!(
        world.store().prune(world.tenant, EventKey(0)..two.key(), 100).await.unwrap().dropped,
        1
    );
    let expected = [Told::Accepted(two), Told::Finished(first(two), 1)];
    assert_eq!(told(&read(&world, &flow(), &start).await), expected);
}

/// A reader that follows while others write misses nothing and is told nothing twice.
pub async fn a_reader_beside_writers_misses_nothing(cellar: Cellar) {
    const ROUNDS: usize = 40;
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let start = end(&world).await;
    let accept = world.event(&[endpoint]).await;
    let (store, tenant) = (world.cellar.shared(), world.tenant);
    let writer = async {
        for round in 0..ROUNDS {
            let now = make::NOW.plus(Duration::from_millis(round as u64 / 3));
            let events = accepted(&store, now, vec![accept.clone(); 1 + round % 7]).await;
            let records =
                events.iter().map(|it| ended(tenant, endpoint, first(*it), make::attempt(1, 200)));
            let batch = Batch { now, records: records.collect(), ..Batch::default() };
            store.commit(&batch).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    let expected: usize = (0..ROUNDS).map(|round| 2 * (1 + round % 7)).sum();
    let (other, from) = (world.cellar.shared(), start.clone());
    let reader = async {
        let mut from = from;
        let mut seen = Vec::new();
        while seen.len() < expected {
            let (entries, last) = read_of(&*other, tenant, (&flow(), 3), &from).await;
            seen.extend(told(&entries));
            from = last;
            tokio::task::yield_now().await;
        }
        seen
    };
    let (seen, ()) = tokio::join!(tokio::time::timeout(Duration::from_secs(60), reader), writer);
    let (all, _) = read_of(world.store(), tenant, (&flow(), 100), &start).await;
    assert_eq!(seen.expect("it misses something"), told(&all));
    assert_eq!(all.len(), expected);
    let places: Vec<&FeedPlace> = all.iter().flat_map(|it| it.position.nodes.values()).collect();
    assert!(places.is_sorted());
}

async fn accepted(store: &Arc<dyn Store>, now: Timestamp, accepts: Vec<Accept>) -> Vec<EventId> {
    let batch = Batch { now, accepts, ..Batch::default() };
    store.commit(&batch).await.unwrap().into_iter().map(id_of).collect()
}
