//! Promises that must hold among several nodes.
#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected must stop at once")]

mod place;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hookyard_domain::delivery::{EndReason, Next};
use hookyard_domain::endpoint::{Activity, EndpointNo};
use hookyard_domain::id::{DeliveryId, EventId, EventKey, TargetNo};
use hookyard_domain::job::Job;
use hookyard_domain::page::PageRequest;
use hookyard_domain::tenant::TenantNo;
use hookyard_store::StoreError;
use hookyard_store::endpoints::Endpoints;
use hookyard_store::feed::{Feed, FeedFilter, FeedItem};
use hookyard_store::history::{DeliveryFilter, History};
use hookyard_store::jobs::{Jobs, Step, Stepped};
use hookyard_store::ledger::{Accept, Batch, LaneNote, Ledger, Moved, Once, Receipt};
use hookyard_store::memory::{Memory, Recalled, ReplyKey};
use hookyard_store::tenants::Tenants;
use hookyard_store_postgres::PostgresStore;
use hookyard_testkit::make;
use tokio::task::JoinSet;

use crate::place::Place;

const TENANT: TenantNo = TenantNo(1);

/// Two nodes of one store, with an endpoint and an event for it.
struct World {
    place: Arc<Place>,
    nodes: [Arc<PostgresStore>; 2],
    endpoint: EndpointNo,
    accept: Accept,
}

impl World {
    async fn new() -> Self {
        let place = Place::new().await;
        let nodes = [place.open("one").await, place.open("two").await];
        let [one, _] = &nodes;
        one.create_tenant(make::tenant("acme"), make::audit("tenant.created")).await.unwrap();
        let audit = make::audit("endpoint.created");
        let endpoint = one.create_endpoint(make::endpoint(TENANT), None, audit).await.unwrap().no;
        let version = one.tenant_config(TENANT).await.unwrap().unwrap().version;
        let accept = make::accept(TENANT, version, &[endpoint]);
        Self { place, nodes, endpoint, accept }
    }

    fn batch(&self, many: usize) -> Batch {
        batch(vec![self.accept.clone(); many])
    }

    async fn accepted(&self, node: usize) -> EventId {
        let receipts = self.nodes[node].commit(&self.batch(1)).await.unwrap();
        id_of(&receipts[0])
    }

    async fn retried(&self, node: usize, delivery: DeliveryId) {
        let attempt = Some(make::attempt(1, 500));
        let next = Next::RetryAt(make::NOW);
        let record = make::record(TENANT, self.endpoint, delivery, attempt, next);
        let batch = Batch { now: make::NOW, records: vec![record], ..Batch::default() };
        self.nodes[node].commit(&batch).await.unwrap();
    }

    async fn due(&self, node: usize) -> Vec<DeliveryId> {
        let due = self.nodes[node].due(TENANT, self.endpoint, make::NOW, make::share(100), &[]);
        due.await.unwrap().due.iter().map(|due| due.delivery).collect()
    }
}

fn batch(accepts: Vec<Accept>) -> Batch {
    Batch { now: make::NOW, accepts, ..Batch::default() }
}

fn id_of(receipt: &Receipt) -> EventId {
    let Receipt::Accepted { id } = receipt else { panic!("not accepted: {receipt:?}") };
    *id
}

fn first(event: EventId) -> DeliveryId {
    event.delivery(TargetNo(0))
}

#[tokio::test]
async fn a_name_keeps_its_number() {
    let world = World::new().await;
    assert_eq!([world.nodes[0].node_no(), world.nodes[1].node_no()], [1, 2]);
    assert_eq!(world.place.open("two").await.node_no(), 2);
    assert_eq!(world.place.open("three").await.node_no(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nodes_refill_holds_its_own_events_all_of_them_in_order() {
    let world = World::new().await;
    let mut tasks = JoinSet::new();
    for node in 0..2 {
        let (store, accept) = (Arc::clone(&world.nodes[node]), world.accept.clone());
        tasks.spawn(async move {
            let mut ids = Vec::new();
            for size in (0..60).map(|at| 1 + at % 23) {
                let receipts = store.commit(&batch(vec![accept.clone(); size])).await.unwrap();
                ids.extend(receipts.iter().map(id_of));
            }
            (node, ids)
        });
    }
    let mut seen = [Vec::new(), Vec::new()];
    let mut from = [EventKey(0); 2];
    let mut accepted = [Vec::new(), Vec::new()];
    let mut ended = 0;
    loop {
        let is_last = ended == 2;
        let mut more = false;
        for node in 0..2 {
            let share = make::share(50);
            let refill = world.nodes[node].refill(TENANT, world.endpoint, from[node], share);
            let refill = refill.await.unwrap();
            seen[node].extend(refill.owed.iter().map(|(event, _)| event.id));
            from[node] = refill.through.next().max(from[node]);
            more |= refill.more;
        }
        if is_last && !more {
            break;
        }
        while let Some(done) = tasks.try_join_next() {
            let (node, ids) = done.unwrap();
            accepted[node] = ids;
            ended += 1;
        }
    }
    assert_eq!(seen, accepted);
    for (node, ids) in accepted.iter().enumerate() {
        assert!(ids.is_sorted_by(|a, b| a.key() < b.key()));
        assert!(ids.iter().all(|id| usize::from(id.node()) == node + 1));
    }
    // Both nodes' deliveries stand in one list, newest first, whoever is asked.
    let mut all: Vec<DeliveryId> = accepted.iter().flatten().copied().map(first).collect();
    all.sort_unstable_by(|a, b| b.cmp(a));
    for endpoint in [None, Some(world.endpoint)] {
        let filter = DeliveryFilter { endpoint, ..DeliveryFilter::default() };
        let mut request = PageRequest::first(97);
        let mut found = Vec::new();
        loop {
            let page = world.nodes[1].deliveries(TENANT, filter.clone(), request.clone());
            let page = page.await.unwrap();
            found.extend(page.rows.iter().map(|row| row.id));
            request.cursor = page.next;
            if request.cursor.is_none() {
                break;
            }
        }
        assert_eq!(found, all);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_with_one_id_one_is_accepted_on_all_nodes() {
    let world = World::new().await;
    for round in 0..10 {
        let mut tasks = JoinSet::new();
        for node in [0, 1, 0, 1] {
            let store = Arc::clone(&world.nodes[node]);
            let mut accepts = vec![world.accept.clone(); 6];
            for (accept, number) in accepts.iter_mut().zip(0..) {
                // Each node in another order.
                let name = if node == 0 { number } else { 5 - number };
                accept.once = vec![Once::PublisherId(format!("order-{round}-{name}"))];
            }
            tasks.spawn(async move { store.commit(&batch(accepts)).await.unwrap() });
        }
        let receipts: Vec<Receipt> = tasks.join_all().await.into_iter().flatten().collect();
        let accepted = receipts.iter().filter(|it| matches!(it, Receipt::Accepted { .. })).count();
        let repeated = receipts.iter().filter(|it| matches!(it, Receipt::Duplicate { .. })).count();
        assert_eq!((accepted, repeated), (6, 18), "{receipts:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_matched_before_a_change_on_one_node_is_accepted_after_it_on_another() {
    let world = World::new().await;
    for _ in 0..20 {
        let mut stale = world.accept.clone();
        stale.version = world.nodes[0].tenant_config(TENANT).await.unwrap().unwrap().version;
        let stop = Arc::new(AtomicBool::new(false));
        let (store, changed) = (Arc::clone(&world.nodes[1]), Arc::clone(&stop));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            loop {
                let was_changed = changed.load(Ordering::SeqCst);
                let receipts = store.commit(&batch(vec![stale.clone(); 3])).await.unwrap();
                if was_changed {
                    assert_eq!(receipts, [Receipt::Stale; 3]);
                    return;
                }
            }
        });
        let audit = make::audit("endpoint.created");
        world.nodes[0].create_endpoint(make::endpoint(TENANT), None, audit).await.unwrap();
        stop.store(true, Ordering::SeqCst);
        tasks.join_all().await;
    }
}

#[tokio::test]
async fn a_retry_belongs_to_the_node_that_recorded_it_or_was_asked_for_it() {
    let world = World::new().await;
    let delivery = first(world.accepted(0).await);
    world.retried(0, delivery).await;
    assert_eq!((world.due(0).await, world.due(1).await), (vec![delivery], vec![]));
    let audit = || make::audit("delivery.retried");
    let moved = world.nodes[1].requeue(TENANT, delivery, make::NOW, audit()).await.unwrap();
    assert_eq!(moved, Moved::Done(world.endpoint));
    assert_eq!((world.due(0).await, world.due(1).await), (vec![], vec![delivery]));
    let event = delivery.event();
    let to = [world.endpoint];
    let made = world.nodes[0].replay(TENANT, event, &to, make::NOW, audit()).await.unwrap();
    assert_eq!((world.due(0).await, world.due(1).await), (made, vec![delivery]));
}

#[tokio::test]
async fn a_node_finds_owed_what_is_its_own() {
    let world = World::new().await;
    let event = world.accepted(0).await;
    let mine = world.nodes[0].owed().await.unwrap();
    assert_eq!((mine.len(), mine[0].last), (1, event.key()));
    assert_eq!(world.nodes[1].owed().await.unwrap(), []);
}

#[tokio::test]
async fn what_a_node_owes_many_endpoints_is_found_page_by_page() {
    // Two pages, the second one full, and an empty third.
    const ENDPOINTS: usize = 2000;
    let world = World::new().await;
    let [one, _] = &world.nodes;
    let mut all = vec![world.endpoint];
    while all.len() < ENDPOINTS {
        let made = make::endpoint(TENANT);
        let made = one.create_endpoint(made, None, make::audit("endpoint.created")).await.unwrap();
        all.push(made.no);
    }
    let version = one.tenant_config(TENANT).await.unwrap().unwrap().version;
    let event = make::accept(TENANT, version, &all);
    one.commit(&batch(vec![event])).await.unwrap();
    let found: Vec<EndpointNo> = one.owed().await.unwrap().iter().map(|it| it.endpoint).collect();
    assert_eq!(found, all);
}

#[tokio::test]
async fn what_nodes_count_is_counted_together() {
    let world = World::new().await;
    let note = |node: usize, count, failures, seconds| {
        let at = make::NOW.plus(Duration::from_secs(seconds));
        let activity = Activity {
            delivery_count: count,
            last_delivery_at: Some(at),
            consecutive_failures: failures,
            failing_since: (failures > 0).then_some(at),
        };
        let endpoint = world.endpoint;
        let notes = vec![LaneNote { tenant: TENANT, endpoint, mark: EventKey(9), activity }];
        let store = Arc::clone(&world.nodes[node]);
        async move { store.commit(&Batch { now: make::NOW, notes, ..Batch::default() }).await }
    };
    note(0, 5, 3, 1).await.unwrap();
    note(1, 2, 0, 7).await.unwrap();
    let found = world.nodes[0].activity(TENANT, &[world.endpoint]).await.unwrap()[0];
    assert_eq!((found.delivery_count, found.consecutive_failures), (7, 0));
    assert_eq!(found.last_delivery_at, Some(make::NOW.plus(Duration::from_secs(7))));
    // Failures after everybody's last success are added up, whoever saw them.
    note(0, 6, 1, 9).await.unwrap();
    note(1, 4, 2, 8).await.unwrap();
    let found = world.nodes[0].activity(TENANT, &[world.endpoint]).await.unwrap()[0];
    assert_eq!((found.delivery_count, found.consecutive_failures), (10, 3));
    assert_eq!(found.failing_since, Some(make::NOW.plus(Duration::from_secs(8))));
}

#[tokio::test]
async fn a_key_taken_on_one_node_runs_for_the_other_until_its_process_ends() {
    let world = World::new().await;
    let key = ReplyKey { owner: "acme".into(), key: "k".into() };
    let recall = |node: usize| world.nodes[node].recall(&key, [1; 32], make::NOW, make::NOW);
    assert_eq!(recall(0).await.unwrap(), Recalled::Fresh);
    assert_eq!(recall(1).await.unwrap(), Recalled::Running);
    let _next = world.place.open("one").await;
    assert_eq!(recall(1).await.unwrap(), Recalled::Unknown);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_changes_of_one_revision_one_is_made_on_all_nodes() {
    let world = World::new().await;
    let made = world.nodes[0].tenant_config(TENANT).await.unwrap().unwrap().endpoints.remove(0);
    let mut tasks = JoinSet::new();
    for node in [0, 1, 0, 1, 0, 1] {
        let (store, endpoint) = (Arc::clone(&world.nodes[node]), made.clone());
        tasks.spawn(async move {
            match store.update_endpoint(endpoint, make::audit("endpoint.updated")).await {
                Ok(changed) => changed.is_some(),
                Err(StoreError::Conflict { .. }) => false,
                Err(error) => panic!("{error:?}"),
            }
        });
    }
    assert_eq!(tasks.join_all().await.into_iter().filter(|made| *made).count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_record_of_the_same_deliveries_do_not_stand_in_each_others_way() {
    let world = World::new().await;
    let receipts = world.nodes[0].commit(&world.batch(50)).await.unwrap();
    let deliveries: Vec<DeliveryId> = receipts.iter().map(|it| first(id_of(it))).collect();
    let mut tasks = JoinSet::new();
    for node in 0..2 {
        let (store, mut of) = (Arc::clone(&world.nodes[node]), deliveries.clone());
        if node == 1 {
            of.reverse();
        }
        let endpoint = world.endpoint;
        tasks.spawn(async move {
            for number in 1..=20 {
                let one = |delivery: &DeliveryId| {
                    let attempt = Some(make::attempt(number, 500));
                    let next = Next::RetryAt(make::NOW);
                    make::record(TENANT, endpoint, *delivery, attempt, next)
                };
                let records = of.iter().map(one).collect();
                let batch = Batch { now: make::NOW, records, ..Batch::default() };
                store.commit(&batch).await.unwrap();
            }
        });
    }
    let store = Arc::clone(&world.nodes[1]);
    let reason = EndReason::EndpointDisabled;
    let mut discarded = 0;
    while tasks.try_join_next().is_none() {
        discarded +=
            store.discard_waiting(TENANT, world.endpoint, reason, make::NOW).await.unwrap();
    }
    tasks.join_all().await;
    discarded += store.discard_waiting(TENANT, world.endpoint, reason, make::NOW).await.unwrap();
    assert_eq!(discarded, 50);
    let attempts = store.attempts(TENANT, deliveries[7], PageRequest::first(100)).await.unwrap();
    let numbers: Vec<u32> = attempts.unwrap().rows.iter().map(|it| it.number).collect();
    assert!((1..=20).rev().eq(numbers.iter().copied()), "{numbers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_at_any_node_misses_nothing_that_any_node_writes() {
    const ROUNDS: usize = 60;
    let world = World::new().await;
    let start = world.nodes[0].feed_end(TENANT).await.unwrap();
    let mut tasks = JoinSet::new();
    for node in 0..2 {
        let (store, accept) = (Arc::clone(&world.nodes[node]), world.accept.clone());
        let endpoint = world.endpoint;
        tasks.spawn(async move {
            for round in 0..ROUNDS {
                let receipts =
                    store.commit(&batch(vec![accept.clone(); 1 + round % 5])).await.unwrap();
                let ended = |it: &Receipt| {
                    let attempt = Some(make::attempt(1, 200));
                    make::record(TENANT, endpoint, first(id_of(it)), attempt, Next::Succeeded)
                };
                let records = receipts.iter().map(ended).collect();
                store.commit(&Batch { now: make::NOW, records, ..Batch::default() }).await.unwrap();
            }
        });
    }
    let expected: usize = 4 * (0..ROUNDS).map(|round| 1 + round % 5).sum::<usize>();
    let reading = async {
        let (mut from, mut told) = (start.clone(), Vec::new());
        while told.len() < expected {
            // From one node to the other with each piece.
            let node = &world.nodes[told.len() % 2];
            let filter = FeedFilter { accepted: true, finished: true, ..FeedFilter::default() };
            let page = node.feed(TENANT, &filter, &from, make::share(7)).await.unwrap();
            let page = page.expect("it is ours");
            told.extend(page.entries.into_iter().map(|entry| match entry.item {
                FeedItem::Accepted { event, .. } => (event.id, 0),
                FeedItem::Finished { delivery, attempt } => (delivery.id.event(), attempt.number),
                FeedItem::Changed(_) => panic!("nothing was changed"),
            }));
            from = page.position.to_string().parse().unwrap();
        }
        told
    };
    let told =
        tokio::time::timeout(Duration::from_secs(60), reading).await.expect("something is missed");
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    let distinct: std::collections::HashSet<_> = told.iter().copied().collect();
    assert_eq!((told.len(), distinct.len()), (expected, expected));
    for node in [1, 2] {
        let of_node = told.iter().filter(|(id, number)| id.node() == node && *number == 0);
        assert!(of_node.is_sorted(), "each node's events in their order");
    }
}

#[tokio::test]
async fn a_node_that_comes_later_is_read_from_its_beginning() {
    let world = World::new().await;
    let start = world.nodes[0].feed_end(TENANT).await.unwrap();
    let three = world.place.open("three").await;
    let id = id_of(&three.commit(&world.batch(1)).await.unwrap()[0]);
    let filter = FeedFilter { accepted: true, ..FeedFilter::default() };
    let page = world.nodes[0].feed(TENANT, &filter, &start, make::share(9)).await.unwrap().unwrap();
    let [entry] = &page.entries[..] else { panic!("{page:?}") };
    assert!(matches!(&entry.item, FeedItem::Accepted { event, .. } if event.id == id));
    let rest = three.feed(TENANT, &filter, &entry.position, make::share(9)).await.unwrap().unwrap();
    assert_eq!(rest.entries, []);
}

#[tokio::test]
async fn a_job_goes_to_another_node_when_its_own_shows_nothing_of_itself() {
    let world = World::new().await;
    let [one, two] = &world.nodes;
    let delivery = first(world.accepted(0).await);
    let attempt = Some(make::attempt(1, 500));
    let failed = Next::Failed(EndReason::Exhausted);
    let record = make::record(TENANT, world.endpoint, delivery, attempt, failed);
    one.commit(&Batch { now: make::NOW, records: vec![record], ..Batch::default() }).await.unwrap();
    let endpoint = one.tenant_config(TENANT).await.unwrap().unwrap().endpoints.remove(0);
    let job = make::job(&endpoint, make::recovery());
    one.create_job(job.clone(), 9, make::audit("job.created")).await.unwrap();
    let long = Duration::from_secs(600);
    let claimed = |it: Option<Job>| it.map(|it| it.id);
    assert_eq!(claimed(one.claim_job(long).await.unwrap()), Some(job.id));
    assert_eq!(claimed(two.claim_job(long).await.unwrap()), None);
    // Its process ends and comes back under the same name: it need not wait for the lease.
    let again = world.place.open("one").await;
    assert_eq!(claimed(again.claim_job(Duration::ZERO).await.unwrap()), Some(job.id));
    let step = |lease| Step { deliveries: 5, now: make::NOW, lease };
    let late = one.recover_next(TENANT, job.id, step(long)).await;
    assert!(matches!(late, Err(StoreError::Fenced)), "{late:?}");
    // The lease is over at once.
    assert_eq!(claimed(two.claim_job(long).await.unwrap()), Some(job.id));
    assert_eq!(again.recover_next(TENANT, job.id, step(long)).await.unwrap(), Stepped::Lost);
    assert_eq!(two.recover_next(TENANT, job.id, step(long)).await.unwrap(), Stepped::Done(1));
    assert_eq!(world.due(1).await, [delivery], "whoever made it due sends it");
    assert_eq!(world.due(0).await, []);
}
