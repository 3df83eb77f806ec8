//! Promises that must hold while others are at work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hookyard_domain::delivery::Next;
use hookyard_domain::id::EventKey;
use hookyard_domain::page::PageRequest;
use hookyard_store::StoreError;
use hookyard_store::history::{DeliveryFilter, EventFilter};
use hookyard_store::ledger::{Batch, Once, Receipt};
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
    let mut accept = world.event(&[]).await;
    accept.once = vec![Once::PublisherId("order-1".into())];
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
        pruned += world.store().prune(world.tenant, everything, 1000).await.unwrap();
        owed = tasks.try_join_next().map(|owed| owed.unwrap());
    }
    pruned += world.store().prune(world.tenant, everything, 1000).await.unwrap();
    assert_eq!(pruned, 400);
    let owed = owed.unwrap();
    assert_eq!(world.owed(held, EventKey(0)).await, owed);
    let listed = world.deliveries(&DeliveryFilter::default(), 100).await;
    assert_eq!(listed.len(), owed.len());
}
