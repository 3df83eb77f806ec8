//! Promises that must hold while others are at work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hookyard_domain::delivery::Next;
use hookyard_domain::id::{EventId, EventKey};
use hookyard_domain::page::PageRequest;
use hookyard_domain::source::{Source, SourceStatus};
use hookyard_store::StoreError;
use hookyard_store::history::{DeliveryFilter, EventFilter};
use hookyard_store::ledger::{Accept, Batch, Once, Receipt};
use hookyard_store::sources::Forward;
use tokio::task::JoinSet;

use super::world::{Cellar, World, first, id_of};
use crate::make;

/// Whoever reads on from where the last refill ended misses nothing, however fast events come in.
pub async fn a_refill_never_misses_what_comes_in_meanwhile(cellar: Cellar) {
    const BATCHES: usize = 150;
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let accept = world.event(&[endpoint]).await;
    let store = world.cellar.shared();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut ids = Vec::new();
        for size in (0..BATCHES).map(|at| 1 + at % 23) {
            let accepts = vec![accept.clone(); size];
            let batch = Batch { now: make::NOW, accepts, ..Batch::default() };
            ids.extend(store.commit(&batch).await.unwrap().into_iter().map(id_of));
        }
        ids
    });
    let mut seen = Vec::new();
    let mut from = EventKey(0);
    let mut accepted = None;
    loop {
        let is_last = accepted.is_some();
        let refill =
            world.store().refill(world.tenant, endpoint, from, make::share(50)).await.unwrap();
        seen.extend(refill.owed.iter().map(|(event, _)| event.id));
        from = refill.through.next().max(from);
        if is_last && !refill.more {
            break;
        }
        if let Some(ids) = tasks.try_join_next() {
            accepted = Some(ids.unwrap());
        }
    }
    assert_eq!(seen, accepted.unwrap());
}

/// A page walked while events come in holds every event that was there at its start, once.
pub async fn a_walk_holds_everything_that_was_there(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let before = world.many_accepted(&[endpoint], 900).await;
    let accept = world.event(&[endpoint]).await;
    let (store, stop) = (world.cellar.shared(), Arc::new(AtomicBool::new(false)));
    let mut tasks = JoinSet::new();
    tasks.spawn({
        let stop = Arc::clone(&stop);
        async move {
            while !stop.load(Ordering::Relaxed) {
                let accepts = vec![accept.clone(); 40];
                let batch = Batch { now: make::NOW, accepts, ..Batch::default() };
                store.commit(&batch).await.unwrap();
                tokio::task::yield_now().await;
            }
        }
    });
    for _ in 0..3 {
        let deliveries = world.deliveries(&DeliveryFilter::default(), 100).await;
        assert!(deliveries.is_sorted_by(|a, b| a > b));
        assert!(before.iter().all(|id| deliveries.contains(&first(*id))));
        let mut request = PageRequest::first(100);
        let mut events = Vec::new();
        loop {
            let filter = EventFilter::default();
            let page = world.store().events(world.tenant, filter, request.clone()).await.unwrap();
            events.extend(page.rows.iter().map(|row| row.event.id));
            request.cursor = page.next;
            if request.cursor.is_none() {
                break;
            }
        }
        assert!(events.is_sorted_by(|a, b| a > b));
        assert!(before.iter().all(|id| events.contains(id)));
    }
    stop.store(true, Ordering::Relaxed);
    tasks.join_all().await;
}

/// Of many that publish the same id at once, one is accepted and the others are told of it.
pub async fn of_many_with_one_id_one_is_accepted(cellar: Cellar) {
    let world = World::new(cellar).await;
    let accept = world.event(&[]).await;
    one_is_accepted(&world, accept, Once::PublisherId("order-1".into())).await;
}

/// Of many times that the same is received at once, one is accepted, counted and listed.
pub async fn of_many_received_under_one_id_one_is_accepted(cellar: Cellar) {
    let world = World::new(cellar).await;
    let source = world.source().await;
    let since = Some(world.now());
    let accept = world.received(&source).await;
    let once = Once::Received { source: source.id, id: "d-1".into(), since };
    let id = one_is_accepted(&world, accept, once).await;
    let activity = world.store().source_activity(world.tenant, &[source.id]).await.unwrap();
    assert_eq!(activity[0].event_count, 1);
    let filter = EventFilter { source: Some(source.id), ..EventFilter::default() };
    assert_eq!(super::listing::events(&world, &filter, 10).await, [id]);
}

async fn one_is_accepted(world: &World, mut accept: Accept, once: Once) -> EventId {
    accept.once = vec![once];
    let mut tasks = JoinSet::new();
    for _ in 0..12 {
        let (store, accept) = (world.cellar.shared(), accept.clone());
        tasks.spawn(async move {
            let accepts = vec![accept; 2];
            let batch = Batch { now: make::NOW, accepts, ..Batch::default() };
            store.commit(&batch).await.unwrap()
        });
    }
    let receipts: Vec<Receipt> = tasks.join_all().await.into_iter().flatten().collect();
    let accepted: Vec<_> = receipts
        .iter()
        .filter_map(|receipt| match receipt {
            Receipt::Accepted { id } => Some(*id),
            Receipt::Duplicate { .. } | Receipt::KeyReused => None,
            Receipt::Stale | Receipt::NoTenant => panic!("{receipt:?}"),
        })
        .collect();
    let [id] = accepted[..] else { panic!("{receipts:?}") };
    let duplicate = Receipt::Duplicate { id, deliveries: 0 };
    assert_eq!(receipts.iter().filter(|it| **it == duplicate).count(), 23);
    id
}

/// Of many that change the same revision of an endpoint, one does.
pub async fn of_many_changes_of_one_revision_one_is_made(cellar: Cellar) {
    let world = World::new(cellar).await;
    let audit = || make::audit("endpoint.updated");
    let made = make::endpoint(world.tenant);
    let made = world.store().create_endpoint(made, None, audit()).await.unwrap();
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let (store, endpoint) = (world.cellar.shared(), made.clone());
        tasks.spawn(async move {
            match store.update_endpoint(endpoint, make::audit("endpoint.updated")).await {
                Ok(changed) => changed.is_some(),
                Err(StoreError::Conflict { .. }) => false,
                Err(error) => panic!("{error:?}"),
            }
        });
    }
    let made = tasks.join_all().await.into_iter().filter(|made| *made).count();
    assert_eq!(made, 1);
}

/// A tenant never has more endpoints than it may, however many are made at once.
pub async fn the_limit_of_endpoints_holds_in_a_crowd(cellar: Cellar) {
    let world = World::new(cellar).await;
    let mut tasks = JoinSet::new();
    for _ in 0..10 {
        let (store, endpoint) = (world.cellar.shared(), make::endpoint(world.tenant));
        tasks.spawn(async move {
            store.create_endpoint(endpoint, Some(3), make::audit("endpoint.created")).await.is_ok()
        });
    }
    assert_eq!(tasks.join_all().await.into_iter().filter(|made| *made).count(), 3);
}

/// The same holds for sources, and for the endpoints that are made with them.
pub async fn the_limit_of_sources_holds_in_a_crowd(cellar: Cellar) {
    let world = World::new(cellar).await;
    let mut tasks = JoinSet::new();
    for _ in 0..10 {
        let (store, source) = (world.cellar.shared(), make::source(world.tenant));
        let forward =
            Forward::Put { endpoint: Box::new(make::forwarder(&source)), endpoints_max: None };
        tasks.spawn(async move {
            store.create_source(source, forward, 3, make::audit("source.created")).await.is_ok()
        });
    }
    assert_eq!(tasks.join_all().await.into_iter().filter(|made| *made).count(), 3);
    let config = world.store().tenant_config(world.tenant).await.unwrap().unwrap();
    assert_eq!((config.sources.len(), config.endpoints.len()), (3, 3));
}

/// Of many that change the same revision of a source, one does, and its endpoint is the one that stays.
pub async fn of_many_changes_of_a_source_one_is_made(cellar: Cellar) {
    let world = World::new(cellar).await;
    let source = world.source().await;
    let mut tasks = JoinSet::new();
    for number in 0..8_u8 {
        let (store, mut source) = (world.cellar.shared(), source.clone());
        source.settings.name = format!("Name {number}");
        let mut endpoint = make::forwarder(&source);
        endpoint.settings.name = Some(source.settings.name.clone());
        let forward = Forward::Put { endpoint: Box::new(endpoint), endpoints_max: None };
        tasks.spawn(async move {
            match store.update_source(source, forward, make::audit("source.updated")).await {
                Ok(changed) => changed,
                Err(StoreError::Conflict { .. }) => None,
                Err(error) => panic!("{error:?}"),
            }
        });
    }
    let made: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    let [made] = &made[..] else { panic!("{made:?}") };
    let config = world.store().tenant_config(world.tenant).await.unwrap().unwrap();
    assert_eq!(config.sources, std::slice::from_ref(made));
    let names: Vec<_> = config.endpoints.into_iter().map(|it| it.settings.name).collect();
    assert_eq!(names, [Some(made.settings.name.clone())]);
}

/// A paused source with that many events held of it.
async fn holding(world: &World, many: usize) -> (Source, Vec<EventId>) {
    let source = world.source().await;
    world.set_source(&source, SourceStatus::Paused).await;
    let accept = Accept { held: true, ..world.received(&source).await };
    let receipts = world.accept_all(vec![accept; many]).await;
    (source, receipts.into_iter().map(id_of).collect())
}

/// Of many that release the same event, one does; every held event is released once.
pub async fn of_many_releases_of_one_event_one_is_made(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let (source, ids) = holding(&world, 10).await;
    world.set_source(&source, SourceStatus::Active).await;
    let (tenant, version) = (world.tenant, world.version().await);
    let mut tasks = JoinSet::new();
    for _ in 0..6 {
        let store = world.cellar.shared();
        tasks.spawn(async move {
            let mut made = Vec::new();
            // Whoever finds an event held releases it, or somebody else just did: each round there is one less.
            for _ in 0..10 {
                let held = store.held(3).await.unwrap();
                let Some(event) = held.first() else { break };
                let targets = [make::target(endpoint)];
                let release = store.release(tenant, event.id, version, &targets, make::NOW);
                made.extend(release.await.unwrap().into_iter().flatten());
            }
            made
        });
    }
    let mut made: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    made.sort_unstable();
    assert_eq!(made, ids.iter().copied().map(first).collect::<Vec<_>>());
    assert!(world.store().held(10).await.unwrap().is_empty());
    let filter = DeliveryFilter { endpoint: Some(endpoint), ..DeliveryFilter::default() };
    assert_eq!(world.deliveries(&filter, 100).await, super::world::reversed(&made));
}

/// Once a change of configuration is answered, nothing matched before it is released.
pub async fn nothing_matched_before_a_change_is_released_after_it(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let (source, ids) = holding(&world, 2_000).await;
    world.set_source(&source, SourceStatus::Active).await;
    let (tenant, version) = (world.tenant, world.version().await);
    let (store, stop) = (world.cellar.shared(), Arc::new(AtomicBool::new(false)));
    let mut tasks = JoinSet::new();
    let changed = Arc::clone(&stop);
    let events = ids.clone();
    tasks.spawn(async move {
        let mut released = 0;
        for event in events {
            let was_changed = changed.load(Ordering::SeqCst);
            let targets = [make::target(endpoint)];
            match store.release(tenant, event, version, &targets, make::NOW).await {
                Ok(made) => {
                    assert!(!was_changed && made.is_some(), "{was_changed} {made:?}");
                    released += 1;
                }
                Err(StoreError::Conflict { .. }) => return released,
                Err(error) => panic!("{error:?}"),
            }
        }
        panic!("all were released before anything was changed");
    });
    world.set_source(&source, SourceStatus::Paused).await;
    stop.store(true, Ordering::SeqCst);
    let released = tasks.join_next().await.unwrap().unwrap();
    world.set_source(&source, SourceStatus::Active).await;
    let left: Vec<_> =
        world.store().held(2_000).await.unwrap().iter().map(|event| event.id).collect();
    assert_eq!(left, ids[released..]);
    let filter = DeliveryFilter { endpoint: Some(endpoint), ..DeliveryFilter::default() };
    assert_eq!(world.deliveries(&filter, 250).await.len(), released);
}

/// A walk of what a source received holds everything that was there, once, while more comes in.
pub async fn a_walk_of_a_source_holds_everything_that_was_there(cellar: Cellar) {
    let world = World::new(cellar).await;
    let source = world.source().await;
    let accept = world.received(&source).await;
    let receipts = world.accept_all(vec![accept.clone(); 500]).await;
    let before: Vec<EventId> = receipts.into_iter().map(id_of).collect();
    let store = world.cellar.shared();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        for _ in 0..60 {
            let accepts = vec![accept.clone(); 17];
            let batch = Batch { now: make::NOW, accepts, ..Batch::default() };
            store.commit(&batch).await.unwrap();
            tokio::task::yield_now().await;
        }
    });
    let filter = EventFilter { source: Some(source.id), ..EventFilter::default() };
    let mut walks = 0;
    while walks == 0 || tasks.try_join_next().is_none() {
        walks += 1;
        let events = super::listing::events(&world, &filter, 100).await;
        assert!(events.is_sorted_by(|a, b| a > b));
        assert!(events.ends_with(&super::world::reversed(&before)));
    }
    assert_eq!(super::listing::events(&world, &filter, 250).await.len(), 500 + 60 * 17);
}

/// Once a change of configuration is answered, nothing matched before it is accepted.
pub async fn nothing_matched_before_a_change_is_accepted_after_it(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let stale = world.event(&[endpoint]).await;
    let (store, stop) = (world.cellar.shared(), Arc::new(AtomicBool::new(false)));
    let mut tasks = JoinSet::new();
    let changed = Arc::clone(&stop);
    tasks.spawn(async move {
        loop {
            let was_changed = changed.load(Ordering::SeqCst);
            let accepts = vec![stale.clone(); 3];
            let batch = Batch { now: make::NOW, accepts, ..Batch::default() };
            let receipts = store.commit(&batch).await.unwrap();
            if was_changed {
                assert_eq!(receipts, [Receipt::Stale; 3]);
                return;
            }
            tokio::task::yield_now().await;
        }
    });
    world.endpoint().await;
    stop.store(true, Ordering::SeqCst);
    tasks.join_all().await;
}

/// Pruning beside publishing and recording takes nothing that is owed.
pub async fn pruning_beside_the_flow_takes_nothing_owed(cellar: Cellar) {
    let world = World::new(cellar).await;
    let [ended, held] = [world.endpoint().await, world.endpoint().await];
    let accepts = vec![world.event(&[ended]).await, world.event(&[held]).await];
    let (store, tenant) = (world.cellar.shared(), world.tenant);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut owed = Vec::new();
        for _ in 0..80 {
            let accepts = std::iter::repeat_n(&accepts, 5).flatten().cloned().collect();
            let batch = Batch { now: make::NOW, accepts, ..Batch::default() };
            let receipts = store.commit(&batch).await.unwrap();
            let ids: Vec<_> = receipts.into_iter().map(|it| first(id_of(it))).collect();
            let records = ids.iter().step_by(2).map(|delivery| {
                let attempt = Some(make::attempt(1, 200));
                make::record(tenant, ended, *delivery, attempt, Next::Succeeded)
            });
            let records = records.collect();
            let batch = Batch { now: make::NOW, records, ..Batch::default() };
            store.commit(&batch).await.unwrap();
            owed.extend(ids.into_iter().skip(1).step_by(2));
        }
        owed
    });
    let everything = EventKey::at(hookyard_domain::time::Timestamp::from_millis(1 << 44));
    let mut owed = None;
    let mut pruned = 0;
    while owed.is_none() {
        pruned +=
            world.store().prune(world.tenant, EventKey(0)..everything, 1000).await.unwrap().dropped;
        owed = tasks.try_join_next().map(|owed| owed.unwrap());
    }
    pruned +=
        world.store().prune(world.tenant, EventKey(0)..everything, 1000).await.unwrap().dropped;
    assert_eq!(pruned, 400);
    let owed = owed.unwrap();
    assert_eq!(world.owed(held, EventKey(0)).await, owed);
    let listed = world.deliveries(&DeliveryFilter::default(), 100).await;
    assert_eq!(listed.len(), owed.len());
}
