//! Commits whose answer is lost, and the database with it.
#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected must stop at once")]

mod place;
mod way;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::id::{EventId, EventKey};
use hookyard_domain::tenant::TenantNo;
use hookyard_store::StoreError;
use hookyard_store::endpoints::Endpoints;
use hookyard_store::ledger::{Accept, Batch, Ledger, Once, Receipt};
use hookyard_store::nodes::Nodes;
use hookyard_store::tenants::Tenants;
use hookyard_store_postgres::PostgresStore;
use hookyard_testkit::make;

use crate::place::Place;
use crate::way::{Proxy, Way};

const TENANT: TenantNo = TenantNo(1);

/// A store behind a way that is lost, and an event that can be repeated.
struct World {
    store: Arc<PostgresStore>,
    proxy: Proxy,
    endpoint: EndpointNo,
    accept: Accept,
    place: Arc<Place>,
}

impl World {
    /// It asks for so long what came of a commit.
    async fn asking(doubt: Duration) -> Self {
        let place = Place::new().await;
        let proxy = Proxy::start(&place).await;
        let mut settings = proxy.settings(&place);
        settings.statement_timeout = doubt;
        settings.connect_timeout = Duration::from_millis(500);
        let store = PostgresStore::connect(&settings, "one").await.unwrap();
        store.create_tenant(make::tenant("acme"), make::audit("tenant.created")).await.unwrap();
        let audit = make::audit("endpoint.created");
        let endpoint = store.create_endpoint(make::endpoint(TENANT), None, audit).await.unwrap().no;
        let version = store.tenant_config(TENANT).await.unwrap().unwrap().version;
        let mut accept = make::accept(TENANT, version, &[endpoint]);
        accept.once = vec![Once::PublisherId("order-1".into())];
        Self { store, proxy, endpoint, accept, place }
    }

    async fn publish(&self) -> Result<Receipt, StoreError> {
        let batch =
            Batch { now: make::NOW, accepts: vec![self.accept.clone()], ..Batch::default() };
        self.store.commit(&batch).await.map(|receipts| receipts[0])
    }

    /// Publishes while the way is lost, and opens it when the publisher has been refused.
    async fn refused(&self, way: Way) {
        self.proxy.set(way);
        let refused = self.publish().await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
        self.proxy.set(Way::Open);
    }

    /// What a node that begins anew finds owed.
    async fn owed(&self) -> Vec<EventId> {
        let owed = self.store.owed().await.unwrap();
        let one = owed.iter().find(|it| it.endpoint == self.endpoint).unwrap();
        let refill = self.store.refill(TENANT, one.endpoint, one.from, make::share(9));
        refill.await.unwrap().owed.iter().map(|(event, _)| event.id).collect()
    }
}

/// Long enough for the test to say what it has to meanwhile.
const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_commit_of_which_nothing_was_heard_makes_the_node_begin_anew_when_it_is_written() {
    for way in [Way::CutBehind, Way::SilentBehind] {
        let world = World::asking(SHORT).await;
        world.refused(way).await;
        // Who repeats it is told nothing before the lanes know of it.
        for _ in 0..2 {
            let again = world.publish().await;
            assert!(matches!(again, Err(StoreError::Fenced)), "{way:?}: {again:?}");
        }
        assert!(world.store.rejoin().await.unwrap());
        let again = world.publish().await.unwrap();
        let Receipt::Duplicate { id, .. } = again else { panic!("{again:?}") };
        assert_eq!(world.owed().await, [id]);
    }
}

#[tokio::test]
async fn what_is_written_unheard_of_is_taken_over_as_everything_is() {
    let world = World::asking(SHORT).await;
    world.refused(Way::CutBehind).await;
    let heir = world.place.open("heir").await;
    while heir.take_over(Some(Duration::ZERO), 100).await.unwrap().more {}
    let again = world.publish().await;
    assert!(matches!(again, Err(StoreError::Fenced)), "{again:?}");
    let due = heir.due(TENANT, world.endpoint, make::NOW, make::share(9), &[]).await.unwrap();
    assert_eq!(due.due.len(), 1);
    assert!(world.store.rejoin().await.unwrap());
    assert!(matches!(world.publish().await, Ok(Receipt::Duplicate { .. })));
}

#[tokio::test]
async fn a_node_that_accepts_nothing_more_finds_it_out_by_its_heartbeat() {
    let world = World::asking(SHORT).await;
    world.refused(Way::CutBehind).await;
    loop {
        match world.store.beat(LONG).await {
            Err(StoreError::Fenced) => break,
            // Of a connection that was cut.
            Err(StoreError::Unavailable(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(world.store.rejoin().await.unwrap());
    assert_eq!(world.store.beat(LONG).await.unwrap(), 1);
    assert_eq!(world.owed().await.len(), 1);
}

#[tokio::test]
async fn a_commit_that_never_arrived_leaves_no_doubt_behind() {
    let world = World::asking(SHORT).await;
    world.refused(Way::CutBefore).await;
    let receipt = world.publish().await.unwrap();
    let Receipt::Accepted { id } = receipt else { panic!("{receipt:?}") };
    // Its keys are beyond that of the one which was lost, and nothing comes of it.
    world.store.beat(LONG).await.unwrap();
    assert!(matches!(world.publish().await, Ok(Receipt::Duplicate { .. })));
    assert_eq!(world.owed().await, [id]);
    assert!(id.key() > EventKey(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_asked_on_while_no_connection_is_to_be_had() {
    let world = World::asking(LONG).await;
    world.proxy.set(Way::SilentBehind);
    let asking = async {
        while world.proxy.unheard.load(Ordering::SeqCst) < 2 {
            tokio::task::yield_now().await;
        }
    };
    let mut publishing = std::pin::pin!(world.publish());
    tokio::select! {
        early = &mut publishing => panic!("it does not ask on: {early:?}"),
        () = asking => world.proxy.set(Way::Open),
    }
    let accepted = publishing.await;
    assert!(matches!(accepted, Ok(Receipt::Accepted { .. })), "{accepted:?}");
}
