//! Received events: once by what their sender calls them, counted and listed by their source.

use std::time::Duration;

use hookyard_domain::id::{EventId, EventKey};
use hookyard_domain::source::{Source, SourceActivity};
use hookyard_domain::time::Timestamp;
use hookyard_store::history::EventFilter;
use hookyard_store::ledger::{Accept, Once, Receipt};
use hookyard_store::sources::Forward;

use super::listing::events;
use super::world::{Cellar, World, id_of, reversed};
use crate::make;

/// A received event that its sender calls `id`.
async fn called(world: &World, source: &Source, id: &str, since: Option<Timestamp>) -> Accept {
    let once = Once::Received { source: source.id, id: id.into(), since };
    Accept { once: vec![once], ..world.received(source).await }
}

fn duplicate_of(receipt: Receipt) -> Receipt {
    Receipt::Duplicate { id: id_of(receipt), deliveries: 0 }
}

fn is_accepted(receipt: Receipt) -> bool {
    matches!(receipt, Receipt::Accepted { .. })
}

/// What a source has received is accepted once: in one batch, in two, after a restart, and however late it comes again.
pub async fn what_was_received_before_is_not_accepted_again(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    let source = world.source().await;
    let endpoint = world.endpoint().await;
    let mut one = called(&world, &source, "d-1", None).await;
    one.targets = vec![make::target(endpoint)];
    let mut other = called(&world, &source, "d-1", None).await;
    other.content.event_type = "another.type".parse().unwrap();
    let receipts = world.accept_all(vec![one, other.clone()]).await;
    let duplicate = Receipt::Duplicate { id: id_of(receipts[0]), deliveries: 1 };
    assert_eq!(receipts[1], duplicate);
    assert_eq!(world.accept(other.clone()).await, duplicate);
    world.cellar.reopen().await;
    world.clock.advance(Duration::from_secs(400 * 86_400));
    assert_eq!(world.accept(other.clone()).await, duplicate);
    world.endpoint().await;
    assert_eq!(world.accept(other).await, duplicate, "whatever was configured since");
    let filter = EventFilter { source: Some(source.id), ..EventFilter::default() };
    assert_eq!(events(&world, &filter, 10).await, [id_of(receipts[0])]);
}

/// A repetition that comes too late is another event, and what comes after it is a repetition of that.
pub async fn what_was_received_too_long_ago_does_not_count(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    let source = world.source().await;
    let first_at = world.now();
    let first = world.accept(called(&world, &source, "d-1", Some(first_at)).await).await;
    let later = world.tick();
    let repeated = world.accept(called(&world, &source, "d-1", Some(first_at)).await).await;
    assert_eq!(repeated, duplicate_of(first), "accepted at that very time");
    let second = world.accept(called(&world, &source, "d-1", Some(later)).await).await;
    assert!(is_accepted(second), "{second:?}");
    world.tick();
    for since in [Some(first_at), Some(later), None] {
        let repeated = world.accept(called(&world, &source, "d-1", since).await).await;
        assert_eq!(repeated, duplicate_of(second), "{since:?}");
    }
    let end = id_of(second).key();
    assert_eq!(world.store().prune(world.tenant, EventKey(0)..end, 10).await.unwrap().dropped, 1);
    world.cellar.reopen().await;
    let repeated = world.accept(called(&world, &source, "d-1", None).await).await;
    assert_eq!(repeated, duplicate_of(second), "the first one leaves the second one's id alone");
}

/// What counts is when the earlier event was accepted, though its key may run ahead of a clock that steps back.
pub async fn an_earlier_event_counts_from_when_it_was_accepted(cellar: Cellar) {
    let world = World::new(cellar).await;
    let source = world.source().await;
    world.accepted(&[]).await;
    let back = Timestamp::from_secs(1_000);
    world.clock.set(back);
    let first = world.accept(called(&world, &source, "d-1", None).await).await;
    let repeated = world.accept(called(&world, &source, "d-1", Some(back)).await).await;
    assert_eq!(repeated, duplicate_of(first));
    let since = Some(back.plus(Duration::from_millis(1)));
    let late = world.accept(called(&world, &source, "d-1", since).await).await;
    assert!(is_accepted(late), "{late:?}");
}

/// What makes an event happen once counts for its source, and is not taken for any other id of the same text.
pub async fn received_ids_of_two_sources_do_not_meet(cellar: Cellar) {
    let world = World::new(cellar).await;
    let stranger = world.stranger().await;
    let theirs = world.source_of(stranger).await;
    let [one, two] = [world.source().await, world.source().await];
    let text = format!("{} x", one.id);
    let published = Accept {
        once: vec![
            Once::PublisherId(text.clone()),
            Once::Key { key: text.clone(), content: [1; 32] },
        ],
        ..world.event(&[]).await
    };
    let accepts = vec![
        called(&world, &one, "x", None).await,
        called(&world, &two, "x", None).await,
        called(&world, &theirs, "x", None).await,
        called(&world, &one, &text, None).await,
        called(&world, &one, "", None).await,
        published,
    ];
    let receipts = world.accept_all(accepts).await;
    assert!(receipts.iter().copied().all(is_accepted), "{receipts:?}");
    for (receipt, (source, id)) in
        receipts.into_iter().zip([(&one, "x"), (&two, "x"), (&theirs, "x"), (&one, &text)])
    {
        let again = world.accept(called(&world, source, id, None).await).await;
        assert_eq!(again, duplicate_of(receipt), "{id}");
    }
}

/// What a source has received before may come again when its event is gone.
pub async fn received_ids_go_with_their_events(cellar: Cellar) {
    let world = World::new(cellar).await;
    let source = world.source().await;
    let [one, two] =
        [called(&world, &source, "d-1", None).await, called(&world, &source, "d-2", None).await];
    world.accept(one.clone()).await;
    let kept = world.accept(two.clone()).await;
    assert_eq!(
        world
            .store()
            .prune(world.tenant, EventKey(0)..id_of(kept).key(), 10)
            .await
            .unwrap()
            .dropped,
        1
    );
    assert!(is_accepted(world.accept(one).await));
    assert_eq!(world.accept(two).await, duplicate_of(kept));
}

/// Every event that a source recorded is counted, repetitions and refusals are not.
pub async fn a_source_counts_what_it_recorded(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    let stranger = world.stranger().await;
    let [busy, idle, other] = [world.source().await, world.source().await, world.source().await];
    let early = world.now();
    let stale = Accept { version: 0, ..world.received(&idle).await };
    let accepts = vec![
        called(&world, &busy, "d-1", None).await,
        called(&world, &busy, "d-1", None).await,
        world.received(&other).await,
        world.event(&[]).await,
        stale,
        called(&world, &busy, "d-2", None).await,
    ];
    world.accept_all(accepts).await;
    let late = world.tick();
    let held = Accept { held: true, ..world.received(&busy).await };
    world.accept(held).await;
    world.tick();
    world.accept(called(&world, &busy, "d-1", None).await).await;
    let audit = make::audit("source.updated");
    world.store().update_source(busy.clone(), Forward::Keep, audit).await.unwrap().unwrap();
    let pruned = world.store().prune(world.tenant, EventKey(0)..EventKey::at(late), 10);
    assert_eq!(pruned.await.unwrap().dropped, 4);
    let of = |event_count, last_event_at| SourceActivity { event_count, last_event_at };
    let expected = [of(3, Some(late)), of(0, None), of(1, Some(early)), of(3, Some(late))];
    for _ in 0..2 {
        let store = world.store();
        let asked = [busy.id, idle.id, other.id, busy.id];
        assert_eq!(store.source_activity(world.tenant, &asked).await.unwrap(), expected);
        let unknown = store.source_activity(world.tenant, &[make::id()]).await.unwrap();
        assert_eq!(unknown, [of(0, None)]);
        let foreign = store.source_activity(stranger, &[busy.id]).await.unwrap();
        assert_eq!(foreign, [of(0, None)]);
        assert_eq!(store.source_activity(world.tenant, &[]).await.unwrap(), []);
        world.cellar.reopen().await;
    }
    world.accept(world.received(&busy).await).await;
    let found = world.store().source_activity(world.tenant, &[busy.id]).await.unwrap();
    assert_eq!(found, [of(4, Some(world.now()))]);
}

/// What a source received is listed: all of it, newest first, nothing else, with every other filter.
pub async fn events_of_a_source_are_listed(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    let [busy, rare] = [world.source().await, world.source().await];
    let mut of_busy: Vec<EventId> = Vec::new();
    let mut of_rare: Vec<EventId> = Vec::new();
    let mut since = world.now();
    for size in [1, 700, 40, 3] {
        since = world.tick();
        let mut accepts = vec![world.received(&busy).await; size];
        accepts.push(world.received(&rare).await);
        accepts.push(world.event(&[]).await);
        let ids: Vec<EventId> = world.accept_all(accepts).await.into_iter().map(id_of).collect();
        of_busy.extend(&ids[..size]);
        of_rare.push(ids[size]);
    }
    let of = |source: &Source| EventFilter { source: Some(source.id), ..EventFilter::default() };
    for _ in 0..2 {
        for limit in [7, 250] {
            assert_eq!(events(&world, &of(&busy), limit).await, reversed(&of_busy));
        }
        for limit in [1, 4] {
            assert_eq!(events(&world, &of(&rare), limit).await, reversed(&of_rare));
        }
        world.cellar.reopen().await;
    }
    let late = EventFilter { since: Some(since), ..of(&busy) };
    assert_eq!(events(&world, &late, 10).await, reversed(&of_busy[741..]));
    let early = EventFilter { until: Some(since), ..of(&rare) };
    assert_eq!(events(&world, &early, 10).await, reversed(&of_rare[..3]));
    for event_type in ["nothing", "order.*"] {
        let filter = EventFilter { event_type: Some(event_type.parse().unwrap()), ..of(&rare) };
        let many = if event_type == "nothing" { 0 } else { 4 };
        assert_eq!(events(&world, &filter, 10).await.len(), many, "{event_type}");
    }
    let scoped = EventFilter { scope: Some("north".parse().unwrap()), ..of(&rare) };
    assert_eq!(events(&world, &scoped, 10).await, []);
    let unknown = EventFilter { source: Some(make::id()), ..EventFilter::default() };
    assert_eq!(events(&world, &unknown, 10).await, []);
}

/// What a source received is listed for its tenant alone, stays listed when the source is gone, and goes with retention.
pub async fn events_of_a_deleted_source_stay_listed(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    let stranger = world.stranger().await;
    let source = world.source().await;
    let accepts = vec![world.received(&source).await; 4];
    let ids: Vec<EventId> = world.accept_all(accepts).await.into_iter().map(id_of).collect();
    let audit = make::audit("source.deleted");
    assert!(world.store().delete_source(world.tenant, source.id, audit).await.unwrap());
    let filter = EventFilter { source: Some(source.id), ..EventFilter::default() };
    let page = world.store().events(stranger, filter.clone(), super::world::all()).await.unwrap();
    assert_eq!((page.rows.len(), page.next), (0, None));
    for expected in [&ids[..], &ids[2..]] {
        let found = world.store().event(world.tenant, expected[0]).await.unwrap().unwrap();
        assert_eq!(found.event.content.source, Some(source.id));
        world.store().prune(world.tenant, EventKey(0)..expected[0].key(), 10).await.unwrap();
        for _ in 0..2 {
            assert_eq!(events(&world, &filter, 10).await, reversed(expected));
            world.cellar.reopen().await;
        }
    }
}
