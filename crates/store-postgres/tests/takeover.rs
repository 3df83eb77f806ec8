//! Promises about nodes that are not there any more.
#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected must stop at once")]

mod place;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use hookyard_domain::delivery::Next;
use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::id::{DeliveryId, EventKey, TargetNo};
use hookyard_domain::node::NodeStatus;
use hookyard_domain::tenant::TenantNo;
use hookyard_store::endpoints::Endpoints;
use hookyard_store::ledger::{Accept, Batch, Ledger, Receipt};
use hookyard_store::nodes::{Nodes, TakenOver};
use hookyard_store::statistics::Statistics;
use hookyard_store::tenants::Tenants;
use hookyard_store::{Store, StoreError};
use hookyard_store_postgres::PostgresStore;
use hookyard_testkit::make;

use crate::place::Place;

const TENANT: TenantNo = TenantNo(1);
/// Everybody is silent for so long.
const AT_ONCE: Option<Duration> = Some(Duration::ZERO);

struct World {
    place: Arc<Place>,
    lost: Arc<PostgresStore>,
    accept: Accept,
    endpoint: EndpointNo,
}

impl World {
    /// A node with an endpoint of its own.
    async fn new() -> Self {
        let place = Place::new().await;
        let lost = place.open("lost").await;
        lost.create_tenant(make::tenant("acme"), make::audit("tenant.created")).await.unwrap();
        let audit = make::audit("endpoint.created");
        let endpoint = lost.create_endpoint(make::endpoint(TENANT), None, audit).await.unwrap().no;
        let version = lost.tenant_config(TENANT).await.unwrap().unwrap().version;
        let accept = make::accept(TENANT, version, &[endpoint]);
        Self { place, lost, accept, endpoint }
    }

    /// Accepts so many events through the node that will be lost.
    async fn accepted(&self, many: usize) -> Vec<DeliveryId> {
        accepted(&self.lost, &self.accept, many).await
    }

    async fn retried(&self, delivery: DeliveryId) {
        let attempt = Some(make::attempt(1, 500));
        let record =
            make::record(TENANT, self.endpoint, delivery, attempt, Next::RetryAt(make::NOW));
        let batch = Batch { now: make::NOW, records: vec![record], ..Batch::default() };
        self.lost.commit(&batch).await.unwrap();
    }

    async fn due(&self, node: &PostgresStore) -> Vec<DeliveryId> {
        let due = node.due(TENANT, self.endpoint, make::NOW, make::share(10_000), &[]);
        due.await.unwrap().due.iter().map(|due| due.delivery).collect()
    }
}

async fn accepted(node: &PostgresStore, accept: &Accept, many: usize) -> Vec<DeliveryId> {
    let accepts = vec![accept.clone(); many];
    let batch = Batch { now: make::NOW, accepts, ..Batch::default() };
    let id = |receipt: &Receipt| {
        let Receipt::Accepted { id } = receipt else { panic!("not accepted: {receipt:?}") };
        id.delivery(TargetNo(0))
    };
    node.commit(&batch).await.unwrap().iter().map(id).collect()
}

/// Takes until there is no more.
async fn take_all(node: &PostgresStore, silent: Option<Duration>, limit: u32) -> TakenOver {
    let mut all = TakenOver::default();
    loop {
        let taken = node.take_over(silent, limit).await.unwrap();
        all.lost += taken.lost;
        all.deliveries += taken.deliveries;
        all.lanes.extend(taken.lanes);
        if !taken.more {
            return all;
        }
    }
}

#[tokio::test]
async fn retries_and_what_was_never_tried_become_the_takers_in_their_order() {
    let world = World::new().await;
    let deliveries = world.accepted(1500).await;
    world.retried(deliveries[3]).await;
    let heir = world.place.open("heir").await;
    let lane = (TENANT, world.endpoint);
    let first = heir.take_over(AT_ONCE, 100).await.unwrap();
    assert_eq!((first.lost, first.lanes.as_slice(), first.more), (1, &[lane][..], true));
    assert!((100..1000).contains(&first.deliveries), "no bounded piece: {first:?}");
    let rest = take_all(&heir, AT_ONCE, 100).await;
    assert_eq!((rest.lost, first.deliveries + rest.deliveries), (0, 1500));
    let mut due = world.due(&heir).await;
    // The one that was tried has a time of its own; the others stand in their old order.
    assert_eq!(due.iter().filter(|it| **it == deliveries[3]).count(), 1);
    due.retain(|it| *it != deliveries[3]);
    let others: Vec<_> = deliveries.iter().copied().filter(|it| *it != deliveries[3]).collect();
    assert_eq!(due, others);
    assert_eq!(world.due(&world.lost).await, []);
    let owed = heir.owed().await.unwrap();
    assert_eq!((owed.len(), owed[0].due.is_some()), (1, true));
}

#[tokio::test]
async fn who_was_taken_over_is_refused_until_it_is_back_under_its_number() {
    let world = World::new().await;
    let deliveries = world.accepted(1).await;
    let heir = world.place.open("heir").await;
    take_all(&heir, AT_ONCE, 100).await;
    let record = make::record(TENANT, world.endpoint, deliveries[0], None, Next::Succeeded);
    let late = Batch { now: make::NOW, records: vec![record], ..Batch::default() };
    assert!(matches!(world.lost.commit(&late).await, Err(StoreError::Fenced)));
    assert!(matches!(world.lost.beat(Duration::MAX).await, Err(StoreError::Fenced)));
    assert!(matches!(world.lost.ping().await, Err(StoreError::Fenced)));
    assert!(matches!(world.lost.take_over(None, 1).await, Err(StoreError::Fenced)));
    assert_eq!(world.due(&heir).await, deliveries);

    let number = world.lost.node_no();
    assert!(world.lost.rejoin().await.unwrap());
    assert_eq!(world.lost.node_no(), number);
    assert_eq!(world.lost.beat(Duration::from_secs(60)).await.unwrap(), 2);
    let more = world.accepted(1).await;
    assert!(more[0].event().key() > deliveries[0].event().key());
    // What it owes now is what it accepted since.
    let owed = world.lost.owed().await.unwrap();
    assert_eq!((owed.len(), owed[0].from), (1, EventKey(deliveries[0].event().key().0 + 1)));
}

#[tokio::test]
async fn nothing_is_made_due_for_a_node_that_was_taken_over() {
    let world = World::new().await;
    let delivery = world.accepted(1).await[0];
    world.retried(delivery).await;
    let heir = world.place.open("heir").await;
    take_all(&heir, AT_ONCE, 100).await;
    let audit = || make::audit("delivery.retried");
    let (event, to) = (delivery.event(), [world.endpoint]);
    let moved = world.lost.requeue(TENANT, delivery, make::NOW, audit()).await;
    assert!(matches!(moved, Err(StoreError::Fenced)), "{moved:?}");
    let made = world.lost.replay(TENANT, event, &to, make::NOW, audit()).await;
    assert!(matches!(made, Err(StoreError::Fenced)), "{made:?}");
    assert_eq!((world.due(&world.lost).await, world.due(&heir).await), (vec![], vec![delivery]));
    // Back again it is asked like any other.
    assert!(world.lost.rejoin().await.unwrap());
    world.lost.requeue(TENANT, delivery, make::NOW, audit()).await.unwrap();
    assert_eq!(world.due(&world.lost).await, [delivery]);
}

#[tokio::test]
async fn a_name_that_another_process_has_is_not_come_back_to() {
    let world = World::new().await;
    let other = world.place.open("lost").await;
    assert!(!world.lost.rejoin().await.unwrap());
    other.ping().await.unwrap();
}

#[tokio::test]
async fn who_left_is_taken_over_at_once_and_its_number_goes_to_the_next_new_name() {
    let world = World::new().await;
    let deliveries = world.accepted(3).await;
    let heir = world.place.open("heir").await;
    assert_eq!(take_all(&heir, None, 100).await, TakenOver::default());
    world.lost.leave().await.unwrap();
    let taken = take_all(&heir, None, 100).await;
    assert_eq!((taken.lost, taken.deliveries), (0, 3));
    // A new name takes the number.
    let looker = world.place.open("looker").await;
    let nodes = looker.nodes().await.unwrap();
    let found = nodes.iter().find(|it| it.no == 1).unwrap();
    assert_eq!((found.name.as_deref(), found.status), (Some("looker"), NodeStatus::Serving));
    assert_eq!(nodes.iter().filter(|it| it.is_teller).collect::<Vec<_>>(), [found]);
    let late = Batch { now: make::NOW, accepts: vec![world.accept.clone()], ..Batch::default() };
    assert!(matches!(world.lost.commit(&late).await, Err(StoreError::Fenced)));
    assert_eq!(looker.node_no(), 1);
    let next = accepted(&looker, &world.accept, 1).await;
    assert!(next[0].event().key() > deliveries[2].event().key());
    // The old process comes back under another number.
    assert!(world.lost.rejoin().await.unwrap());
    assert_eq!(world.lost.node_no(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_two_nodes_take_the_same() {
    let world = World::new().await;
    let deliveries = world.accepted(2000).await;
    world.lost.leave().await.unwrap();
    let heirs = [world.place.open("one").await, world.place.open("two").await];
    let mut tasks = tokio::task::JoinSet::new();
    for heir in heirs.clone() {
        tasks.spawn(async move {
            let mut idle = 0;
            while idle < 20 {
                let taken = heir.take_over(None, 50).await.unwrap();
                idle = if taken.more { 0 } else { idle + 1 };
                tokio::task::yield_now().await;
            }
        });
    }
    tasks.join_all().await;
    let mut all = Vec::new();
    for heir in &heirs {
        all.extend(world.due(heir).await);
    }
    let distinct: BTreeSet<_> = all.iter().copied().collect();
    assert_eq!((all.len(), distinct.len()), (deliveries.len(), deliveries.len()));
}

#[tokio::test]
async fn a_piece_is_bounded_however_many_endpoints_have_a_history_without_marks() {
    const ENDPOINTS: usize = 12;
    const EVENTS: usize = 1000;
    let world = World::new().await;
    let mut all = vec![world.endpoint];
    for _ in 1..ENDPOINTS {
        let audit = make::audit("endpoint.created");
        let made = world.lost.create_endpoint(make::endpoint(TENANT), None, audit).await.unwrap();
        all.push(made.no);
    }
    let version = world.lost.tenant_config(TENANT).await.unwrap().unwrap().version;
    let accept = make::accept(TENANT, version, &all);
    let events = accepted(&world.lost, &accept, EVENTS).await;
    // All have rows, and nobody has noted so.
    let ended = |(target, endpoint): (u32, EndpointNo), it: &DeliveryId| {
        let delivery = it.event().delivery(TargetNo(target));
        make::record(TENANT, endpoint, delivery, None, Next::Succeeded)
    };
    for lane in (0..).zip(all) {
        let records = events.iter().map(|it| ended(lane, it)).collect();
        let batch = Batch { now: make::NOW, records, ..Batch::default() };
        world.lost.commit(&batch).await.unwrap();
    }
    world.lost.leave().await.unwrap();
    let heir = world.place.open("heir").await;
    let mut pieces = 0;
    loop {
        let taken = heir.take_over(None, 1000).await.unwrap();
        assert_eq!(taken.deliveries, 0);
        if !taken.more {
            break;
        }
        pieces += 1;
    }
    // Each piece looks at five thousand and the rest of a chunk, or at fewer.
    assert!(pieces > 2, "{pieces}");
    let gone = heir.nodes().await.unwrap().into_iter().find(|it| it.no == world.lost.node_no());
    assert_eq!(gone.map(|it| it.status), Some(NodeStatus::Gone));
}

#[tokio::test]
async fn what_a_node_counted_before_it_came_back_is_not_counted_again() {
    let world = World::new().await;
    world.accepted(3).await;
    let heir = world.place.open("heir").await;
    take_all(&heir, AT_ONCE, 100).await;
    assert!(world.lost.rejoin().await.unwrap());
    // In the same minute, several times.
    world.accepted(2).await;
    world.accepted(2).await;
    let pieces = world.lost.pieces(TENANT, None, make::NOW.minus(Duration::from_secs(60)));
    let counted: u64 = pieces.await.unwrap().iter().map(|piece| piece.tally.events).sum();
    assert_eq!(counted, 7);
}
