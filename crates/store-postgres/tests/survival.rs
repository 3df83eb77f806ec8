//! What must survive: connections that are lost at any moment, a second process of the same name, another version.
#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected must stop at once")]

mod place;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::id::{EventId, EventKey};
use hookyard_domain::page::PageRequest;
use hookyard_domain::secret::Secret;
use hookyard_domain::tenant::TenantNo;
use hookyard_store::endpoints::Endpoints;
use hookyard_store::history::{EventFilter, History};
use hookyard_store::ledger::{Accept, Batch, Ledger, Once, Receipt};
use hookyard_store::tenants::Tenants;
use hookyard_store::{Store, StoreError};
use hookyard_store_postgres::{PostgresStore, Settings};
use hookyard_testkit::make;
use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls};

use crate::place::Place;

const TENANT: TenantNo = TenantNo(1);

async fn prepared(store: &PostgresStore) -> (EndpointNo, Accept) {
    store.create_tenant(make::tenant("acme"), make::audit("tenant.created")).await.unwrap();
    let audit = make::audit("endpoint.created");
    let endpoint = store.create_endpoint(make::endpoint(TENANT), None, audit).await.unwrap().no;
    let version = store.tenant_config(TENANT).await.unwrap().unwrap().version;
    (endpoint, make::accept(TENANT, version, &[endpoint]))
}

fn batch(accepts: Vec<Accept>) -> Batch {
    Batch { now: make::NOW, accepts, ..Batch::default() }
}

fn id_of(receipt: &Receipt) -> EventId {
    let Receipt::Accepted { id } = receipt else { panic!("not accepted: {receipt:?}") };
    *id
}

async fn accept(store: &PostgresStore, accept: &Accept, many: usize) -> Vec<EventId> {
    let receipts = store.commit(&batch(vec![accept.clone(); many])).await.unwrap();
    receipts.iter().map(id_of).collect()
}

/// Every event of the tenant, oldest first.
async fn listed(store: &PostgresStore) -> Vec<EventId> {
    let mut request = PageRequest::first(1000);
    let mut found = Vec::new();
    loop {
        let page = store.events(TENANT, EventFilter::default(), request.clone()).await.unwrap();
        found.extend(page.rows.iter().map(|row| row.event.id));
        request.cursor = page.next;
        if request.cursor.is_none() {
            found.reverse();
            return found;
        }
    }
}

/// A connection beside the store's.
struct Shell {
    client: Client,
    _task: JoinSet<Result<(), tokio_postgres::Error>>,
}

impl Shell {
    async fn new(place: &Place) -> Self {
        let (client, connection) = tokio_postgres::connect(&place.url, NoTls).await.unwrap();
        let mut task = JoinSet::new();
        task.spawn(connection);
        Self { client, _task: task }
    }

    /// Ends every connection of the store in this place, whatever it is doing.
    async fn kill(&self, place: &Place) {
        const SQL: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE application_name = $1";
        self.client.query(SQL, &[&place.name]).await.unwrap();
    }
}

/// A store whose connections go by the place's name.
async fn open(place: &Place, node: &str) -> Arc<PostgresStore> {
    let mut settings = place.settings();
    let url = format!("{}&application_name={}", settings.url.reveal(), place.name);
    settings.url = Secret::new(url);
    PostgresStore::connect(&settings, node).await.unwrap()
}

#[tokio::test]
async fn a_commit_after_its_connection_was_lost_goes_through() {
    let place = Place::new().await;
    let (store, shell) = (open(&place, "one").await, Shell::new(&place).await);
    let (endpoint, one) = prepared(&store).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.extend(accept(&store, &one, 5).await);
        shell.kill(&place).await;
    }
    ids.extend(accept(&store, &one, 5).await);
    // A list may meet a connection that nobody knows to be lost yet, once for each of the pool.
    while store.ping().await.is_err() {}
    assert_eq!(listed(&store).await, ids);
    let refill = store.refill(TENANT, endpoint, EventKey(0), make::share(100)).await.unwrap();
    assert_eq!(refill.owed.len(), ids.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_acknowledged_is_there_and_what_is_refused_is_not() {
    const BATCHES: usize = 400;
    let place = Place::new().await;
    let (store, shell) = (open(&place, "one").await, Shell::new(&place).await);
    let (_, one) = prepared(&store).await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut tasks = JoinSet::new();
    tasks.spawn({
        let (store, stop) = (Arc::clone(&store), Arc::clone(&stop));
        async move {
            let mut ids = Vec::new();
            let mut refused = 0;
            for number in 0..BATCHES {
                let mut named = one.clone();
                named.once = vec![Once::PublisherId(format!("order-{number}"))];
                match store.commit(&batch(vec![named, one.clone()])).await {
                    Ok(receipts) => ids.extend(receipts.iter().map(id_of)),
                    Err(StoreError::Unavailable(_)) => refused += 1,
                    Err(error) => panic!("{error:?}"),
                }
            }
            stop.store(true, Ordering::SeqCst);
            (ids, refused)
        }
    });
    let mut kills = 0;
    while !stop.load(Ordering::SeqCst) {
        shell.kill(&place).await;
        kills += 1;
    }
    let (ids, refused) = tasks.join_next().await.unwrap().unwrap();
    assert!(kills > 10, "{kills}");
    assert!(ids.len() + 2 * refused == 2 * BATCHES, "{} {refused}", ids.len());
    drop(store);
    let again = place.open("one").await;
    let found = listed(&again).await;
    assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), found.len());
    assert_eq!(found, ids, "{kills} kills, {refused} refused");
}

#[tokio::test]
async fn a_batch_of_any_size_is_written() {
    let place = Place::new().await;
    let store = place.open("one").await;
    let (_, mut one) = prepared(&store).await;
    let mut accepts = vec![one.clone(); 5000];
    // Together more than one statement is given, and one of them alone.
    for bytes in [9 << 20, 20 << 20, 9 << 20, 0] {
        one.content.data = vec![b'x'; bytes].into();
        accepts.push(one.clone());
    }
    let receipts = store.commit(&batch(accepts.clone())).await.unwrap();
    let ids: Vec<EventId> = receipts.iter().map(id_of).collect();
    assert_eq!(listed(&store).await, ids);
    for (id, accept) in ids.iter().zip(&accepts).skip(4999) {
        let found = store.event(TENANT, *id).await.unwrap().unwrap();
        assert_eq!(found.event.content, accept.content);
    }
}

#[tokio::test]
async fn a_second_process_of_a_name_takes_it_and_the_first_commits_nothing_more() {
    let place = Place::new().await;
    let first = place.open("one").await;
    let (endpoint, one) = prepared(&first).await;
    let before = accept(&first, &one, 3).await;
    let second = place.open("one").await;
    assert_eq!(first.node_no(), second.node_no());
    let refused = first.commit(&batch(vec![one.clone()])).await;
    assert!(matches!(refused, Err(StoreError::Fenced)), "{refused:?}");
    assert!(first.ping().await.is_err());
    let after = accept(&second, &one, 2).await;
    assert!(after[0] > before[2]);
    let refill = second.refill(TENANT, endpoint, EventKey(0), make::share(100)).await.unwrap();
    let found: Vec<EventId> = refill.owed.iter().map(|(event, _)| event.id).collect();
    assert_eq!(found, [&before[..], &after[..]].concat());
}

#[tokio::test]
async fn a_store_of_a_newer_version_is_refused() {
    let place = Place::new().await;
    drop(place.open("one").await);
    let sql = format!("UPDATE {}.schema_version SET version = 999", place.name);
    Shell::new(&place).await.client.batch_execute(&sql).await.unwrap();
    let refused = PostgresStore::connect(&place.settings(), "one").await;
    assert!(matches!(refused, Err(StoreError::TooNew { found: 999, .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_that_open_an_empty_store_at_once_all_get_in() {
    let place = Place::new().await;
    let mut tasks = JoinSet::new();
    for number in 0..6 {
        let settings = place.settings();
        tasks.spawn(async move {
            PostgresStore::connect(&settings, &format!("node-{number}")).await.unwrap().node_no()
        });
    }
    let nodes: BTreeSet<u16> = tasks.join_all().await.into_iter().collect();
    assert_eq!(nodes, (1..=6).collect());
}

#[tokio::test]
async fn a_database_that_is_away_is_unavailable_and_its_url_is_not_told() {
    for url in ["postgres://me:hunter2@127.0.0.1:1/hunter2", "postgres://me:hunter2@127.0.0.1:x/y"]
    {
        let settings = Settings::new(Secret::new(url.into()));
        let Err(error) = PostgresStore::connect(&settings, "one").await else { panic!("{url}") };
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        assert!(!format!("{error:?} {error}").contains("hunter2"), "{error:?}");
    }
}
