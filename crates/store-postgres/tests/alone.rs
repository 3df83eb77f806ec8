//! Endpoints that one node alone sends to: whoever makes something due for one, it is that node's.
#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected must stop at once")]

mod place;

use std::sync::Arc;
use std::time::Duration;

use hookyard_domain::delivery::{EndReason, Next};
use hookyard_domain::endpoint::Endpoint;
use hookyard_domain::id::{DeliveryId, TargetNo};
use hookyard_domain::tenant::TenantNo;
use hookyard_store::endpoints::Endpoints;
use hookyard_store::jobs::{Jobs, Step, Stepped};
use hookyard_store::ledger::{Accept, Batch, Ledger, Receipt};
use hookyard_store::nodes::{Nodes, Signal};
use hookyard_store::tenants::Tenants;
use hookyard_store_postgres::PostgresStore;
use hookyard_testkit::make;
use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls};

use crate::place::Place;

const TENANT: TenantNo = TenantNo(1);

/// A node with an endpoint that keeps its order.
struct World {
    place: Arc<Place>,
    first: Arc<PostgresStore>,
    endpoint: Endpoint,
    /// An event for it, as a node accepts it that knows of its order.
    single: Accept,
}

impl World {
    async fn new() -> Self {
        let place = Place::new().await;
        let first = place.open("first").await;
        first.create_tenant(make::tenant("acme"), make::audit("tenant.created")).await.unwrap();
        let mut endpoint = make::endpoint(TENANT);
        endpoint.settings.ordered = true;
        let audit = make::audit("endpoint.created");
        let endpoint = first.create_endpoint(endpoint, None, audit).await.unwrap();
        let version = first.tenant_config(TENANT).await.unwrap().unwrap().version;
        let mut single = make::accept(TENANT, version, &[endpoint.no]);
        single.singles = vec![endpoint.no];
        Self { place, first, endpoint, single }
    }

    /// Accepts an event that is owed and given to nobody, as those are that came from a folder.
    async fn owed(&self) -> DeliveryId {
        let accept = Accept { singles: Vec::new(), ..self.single.clone() };
        accepted(&self.first, accept).await
    }

    async fn due(&self, node: &PostgresStore) -> Vec<DeliveryId> {
        let due = node.due(TENANT, self.endpoint.no, make::NOW, make::share(100), &[]);
        due.await.unwrap().due.iter().map(|due| due.delivery).collect()
    }

    /// A connection beside the stores'.
    async fn shell(&self) -> (Client, JoinSet<Result<(), tokio_postgres::Error>>) {
        let (client, connection) = tokio_postgres::connect(&self.place.url, NoTls).await.unwrap();
        let mut task = JoinSet::new();
        task.spawn(connection);
        client.batch_execute(&format!("SET search_path = {}", self.place.name)).await.unwrap();
        (client, task)
    }
}

async fn accepted(node: &PostgresStore, accept: Accept) -> DeliveryId {
    let batch = Batch { now: make::NOW, accepts: vec![accept], ..Batch::default() };
    let receipt = node.commit(&batch).await.unwrap()[0];
    let Receipt::Accepted { id } = receipt else { panic!("not accepted: {receipt:?}") };
    id.delivery(TargetNo(0))
}

/// Takes over from those that have left, until there is no more.
async fn take_all(node: &PostgresStore) {
    while node.take_over(None, 100).await.unwrap().more {}
}

#[tokio::test]
async fn what_a_job_makes_due_is_the_senders_whoever_works_on_it() {
    let world = World::new().await;
    let (one, two) = (&world.first, world.place.open("second").await);
    let delivery = accepted(one, world.single.clone()).await;
    let attempt = Some(make::attempt(1, 500));
    let failed = Next::Failed(EndReason::Exhausted);
    let record = make::record(TENANT, world.endpoint.no, delivery, attempt, failed);
    one.commit(&Batch { now: make::NOW, records: vec![record], ..Batch::default() }).await.unwrap();
    let job = make::job(&world.endpoint, make::recovery());
    one.create_job(job.clone(), 9, make::audit("job.created")).await.unwrap();
    assert_eq!(one.next_signal().await.unwrap(), Signal::Lagged, "it listens from now on");
    let lease = Duration::from_secs(600);
    assert_eq!(two.claim_job(lease).await.unwrap().map(|it| it.id), Some(job.id));
    let step = Step { deliveries: 5, now: make::NOW, lease };
    assert_eq!(two.recover_next(TENANT, job.id, step).await.unwrap(), Stepped::Done(1));
    assert_eq!((world.due(one).await, world.due(&two).await), (vec![delivery], vec![]));
    let told = Signal::Due { tenant: TENANT, endpoint: world.endpoint.no };
    while one.next_signal().await.unwrap() != told {}
}

#[tokio::test]
async fn who_takes_over_what_nobody_was_given_is_the_one_that_sends_from_then_on() {
    let world = World::new().await;
    let old = world.owed().await;
    let heir = world.place.open("heir").await;
    let other = world.place.open("other").await;
    world.first.leave().await.unwrap();
    take_all(&heir).await;
    // What comes later stands behind it.
    let new = accepted(&other, world.single.clone()).await;
    assert_eq!(world.due(&other).await, []);
    assert_eq!(world.due(&heir).await, [old, new]);
    assert_eq!(other.sends_alone(world.endpoint.no), Some(false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_given_to_a_node_that_is_taken_over_meanwhile_is_taken_over_too() {
    let world = World::new().await;
    let old = world.owed().await;
    let sender = world.place.open("sender").await;
    let heirs = [world.place.open("one").await, world.place.open("two").await];
    let (shell, _task) = world.shell().await;
    let (endpoint, no) = (world.endpoint.no.0, sender.node_no());
    let pin = format!("INSERT INTO sender (tenant, endpoint, node) VALUES (1, {endpoint}, {no})");
    shell.batch_execute(&pin).await.unwrap();
    world.first.leave().await.unwrap();
    sender.leave().await.unwrap();
    // The first heir gives it to the sender, and is held up before it commits.
    shell.batch_execute("BEGIN; LOCK TABLE lane IN SHARE MODE").await.unwrap();
    let mut tasks = JoinSet::new();
    let waiting = async |many: i64, tasks: &mut JoinSet<()>| {
        const SQL: &str = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted
            AND pid IN (SELECT pid FROM pg_locks WHERE relation = 'sender'::regclass)";
        while shell.query_one(SQL, &[]).await.unwrap().get::<_, i64>(0) < many {
            assert!(tasks.try_join_next().is_none(), "it waits for nobody");
        }
    };
    for (heir, many) in heirs.iter().zip(1..) {
        let heir = Arc::clone(heir);
        tasks.spawn(async move {
            heir.take_over(None, 100).await.unwrap();
        });
        waiting(many, &mut tasks).await;
    }
    shell.batch_execute("COMMIT").await.unwrap();
    tasks.join_all().await;
    for heir in &heirs {
        take_all(heir).await;
    }
    let due = [world.due(&heirs[0]).await, world.due(&heirs[1]).await].concat();
    assert_eq!(due, [old]);
}
