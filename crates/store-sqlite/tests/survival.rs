//! What must survive: a crash, a second server, another version; and copies made while serving.
#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected must stop at once")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::id::{EventId, EventKey, SourceId};
use hookyard_domain::page::PageRequest;
use hookyard_domain::tenant::TenantNo;
use hookyard_store::endpoints::Endpoints;
use hookyard_store::history::{DeliveryFilter, EventFilter, History};
use hookyard_store::ledger::{Accept, Batch, Ledger, Once, Receipt};
use hookyard_store::sources::{Forward, Sources};
use hookyard_store::tenants::Tenants;
use hookyard_store::{Store, StoreError};
use hookyard_store_sqlite::SqliteStore;
use hookyard_store_sqlite::backup::{BackupError, backup, restore};
use hookyard_testkit::make;
use tempfile::TempDir;

const TENANT: TenantNo = TenantNo(1);

async fn prepared(dir: &Path) -> (Arc<SqliteStore>, EndpointNo, Accept) {
    let store = SqliteStore::open(dir).unwrap();
    store.create_tenant(make::tenant("acme"), make::audit("tenant.created")).await.unwrap();
    let audit = make::audit("endpoint.created");
    let endpoint = store.create_endpoint(make::endpoint(TENANT), None, audit).await.unwrap().no;
    let version = store.tenant_config(TENANT).await.unwrap().unwrap().version;
    (store, endpoint, make::accept(TENANT, version, &[endpoint]))
}

async fn accept(store: &SqliteStore, accept: &Accept, many: usize) -> Vec<EventId> {
    let accepts = vec![accept.clone(); many];
    let batch = Batch { now: make::NOW, accepts, ..Batch::default() };
    let receipts = store.commit(&batch).await.unwrap();
    let id = |receipt| {
        let Receipt::Accepted { id } = receipt else { panic!("not accepted: {receipt:?}") };
        id
    };
    receipts.into_iter().map(id).collect()
}

/// Every event that the endpoint is owed, in order.
async fn owed(store: &SqliteStore, endpoint: EndpointNo) -> Vec<EventId> {
    let refill = store.refill(TENANT, endpoint, EventKey(0), make::share(u32::MAX)).await.unwrap();
    assert!(!refill.more);
    refill.owed.iter().map(|(event, _)| event.id).collect()
}

/// Every listed event, oldest first, read in one go: a key that stands in two runs shows twice.
async fn listed(store: &SqliteStore) -> Vec<EventId> {
    let request = PageRequest::first(10_000);
    let page = store.events(TENANT, EventFilter::default(), request).await.unwrap();
    assert_eq!(page.next, None);
    page.rows.iter().rev().map(|row| row.event.id).collect()
}

/// Every listed event of a source, oldest first, read in one go.
async fn received(store: &SqliteStore, source: SourceId) -> Vec<EventId> {
    let filter = EventFilter { source: Some(source), ..EventFilter::default() };
    let page = store.events(TENANT, filter, PageRequest::first(10_000)).await.unwrap();
    assert_eq!(page.next, None);
    page.rows.iter().rev().map(|row| row.event.id).collect()
}

/// What a crash at this moment would leave on the disk.
fn crashed(dir: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for name in ["hookyard.db", "hookyard.db-wal"] {
        std::fs::copy(dir.join(name), copy.path().join(name)).unwrap();
    }
    copy
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let (store, endpoint, one) = prepared(dir.path()).await;
    let mut ids = Vec::new();
    // Below, at and above the length at which lists are written out.
    for many in [3, 508, 1, 700, 40] {
        ids.extend(accept(&store, &one, many).await);
        let left = crashed(dir.path());
        let again = SqliteStore::open(left.path()).unwrap();
        assert_eq!(owed(&again, endpoint).await, ids);
        assert_eq!(listed(&again).await, ids);
        // Enough for its lists to be written out anew: nothing stands in them twice.
        let next = accept(&again, &one, 600).await;
        assert!(next[0] > ids[ids.len() - 1]);
        assert_eq!(listed(&again).await, [&ids[..], &next[..]].concat());
    }
    store.prune(TENANT, EventKey(0)..EventKey(u64::MAX >> 1), 10).await.unwrap();
    assert_eq!(owed(&store, endpoint).await, ids, "what is owed is not pruned");
}

#[tokio::test]
async fn what_a_source_received_survives_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let (store, endpoint, published) = prepared(dir.path()).await;
    let source = make::source(TENANT);
    let forward =
        Forward::Put { endpoint: Box::new(make::forwarder(&source)), endpoints_max: None };
    let audit = make::audit("source.created");
    let source = store.create_source(source, forward, 10, audit).await.unwrap();
    let version = store.tenant_config(TENANT).await.unwrap().unwrap().version;
    let mut held = make::accept(TENANT, version, &[]);
    held.content.source = Some(source.id);
    held.held = true;
    let mut one = Accept { held: false, ..held.clone() };
    one.content.content_type = Some("text/plain".into());
    let once = Once::Received { source: source.id, id: "d-1".into(), since: None };
    let first = accept(&store, &Accept { once: vec![once.clone()], ..one.clone() }, 1).await[0];
    let (mut ids, mut held_ids) = (vec![first], Vec::new());
    let published = Accept { version, ..published };
    // Below, at and above the length at which lists are written out.
    for many in [2, 509, 1, 700, 30] {
        ids.extend(accept(&store, &one, many).await);
        accept(&store, &published, 1).await;
        held_ids.extend(accept(&store, &held, 2).await);
        ids.extend(&held_ids[held_ids.len() - 2..]);
        let left = crashed(dir.path());
        let again = SqliteStore::open(left.path()).unwrap();
        assert_eq!(received(&again, source.id).await, ids);
        assert_eq!(owed(&again, endpoint).await.len() * 2, held_ids.len());
        let found = again.held(100).await.unwrap();
        assert_eq!(found.iter().map(|event| event.id).collect::<Vec<_>>(), held_ids);
        let activity = again.source_activity(TENANT, &[source.id]).await.unwrap()[0];
        assert_eq!(activity.event_count, ids.len() as u64);
        let repeated = Accept { once: vec![once.clone()], ..one.clone() };
        let batch = Batch { now: make::NOW, accepts: vec![repeated], ..Batch::default() };
        let receipts = again.commit(&batch).await.unwrap();
        assert_eq!(receipts, [Receipt::Duplicate { id: first, deliveries: 0 }]);
        let next = accept(&again, &one, 600).await;
        assert_eq!(received(&again, source.id).await, [&ids[..], &next[..]].concat());
    }
    let target = [make::target(endpoint)];
    let made = store.release(TENANT, held_ids[0], version, &target, make::NOW).await.unwrap();
    let again = crashed(dir.path());
    let again = SqliteStore::open(again.path()).unwrap();
    let found = again.delivery(TENANT, made.unwrap()[0]).await.unwrap();
    assert_eq!(found.map(|it| it.endpoint_no), Some(endpoint));
    assert_eq!(
        again.release(TENANT, held_ids[0], version, &target, make::NOW).await.unwrap(),
        None
    );
    assert_eq!(again.held(1).await.unwrap()[0].id, held_ids[1]);
    let file = dir.path().join("copy");
    backup(dir.path(), &file).unwrap();
    let empty = tempfile::tempdir().unwrap();
    restore(&file, empty.path()).unwrap();
    let again = SqliteStore::open(empty.path()).unwrap();
    assert_eq!(received(&again, source.id).await, ids);
    assert_eq!(again.held(100).await.unwrap().len(), held_ids.len() - 1);
    assert_eq!(again.source(TENANT, source.id).await.unwrap(), Some(source));
}

#[tokio::test]
async fn a_second_server_on_the_same_folder_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path()).unwrap();
    let Err(StoreError::Unavailable(why)) = SqliteStore::open(dir.path()) else {
        panic!("it was not refused")
    };
    assert!(why.to_string().contains("another Hookyard serves from"), "{why}");
    drop(store);
    SqliteStore::open(dir.path()).unwrap().ping().await.unwrap();
}

#[tokio::test]
async fn a_store_of_a_newer_version_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(SqliteStore::open(dir.path()).unwrap());
    let conn = rusqlite::Connection::open(dir.path().join("hookyard.db")).unwrap();
    conn.pragma_update(None, "user_version", 999).unwrap();
    drop(conn);
    let refused = SqliteStore::open(dir.path());
    assert!(matches!(refused, Err(StoreError::TooNew { found: 999, .. })));
}

#[tokio::test]
async fn a_temporary_store_works_and_two_do_not_meet() {
    let (one, two) = (SqliteStore::in_memory().unwrap(), SqliteStore::in_memory().unwrap());
    one.create_tenant(make::tenant("acme"), make::audit("tenant.created")).await.unwrap();
    let all = PageRequest::first(10);
    assert_eq!(one.tenants(all.clone()).await.unwrap().rows.len(), 1);
    assert_eq!(two.tenants(all).await.unwrap().rows.len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_made_while_serving_holds_one_moment() {
    let dir = tempfile::tempdir().unwrap();
    let (store, endpoint, one) = prepared(dir.path()).await;
    let before = accept(&store, &one, 900).await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn({
        let (store, stop) = (Arc::clone(&store), Arc::clone(&stop));
        async move {
            let mut ids = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                ids.extend(accept(&store, &one, 7).await);
                tokio::task::yield_now().await;
            }
            ids
        }
    });
    let file = dir.path().join("copy");
    std::fs::write(&file, "an older copy").unwrap();
    let (from, to) = (dir.path().to_owned(), file.clone());
    tokio::task::spawn_blocking(move || backup(&from, &to)).await.unwrap().unwrap();
    stop.store(true, Ordering::Relaxed);
    let during = tasks.join_next().await.unwrap().unwrap();
    let empty = tempfile::tempdir().unwrap();
    restore(&file, empty.path()).unwrap();
    let again = SqliteStore::open(empty.path()).unwrap();
    let found = listed(&again).await;
    let whole: Vec<EventId> = before.iter().chain(&during).copied().collect();
    assert!(found.len() >= before.len());
    assert_eq!(found, whole[..found.len()]);
    assert_eq!(owed(&again, endpoint).await, found);
    let page = again.deliveries(TENANT, DeliveryFilter::default(), PageRequest::first(9)).await;
    assert_eq!(page.unwrap().rows.len(), 9);
}

#[tokio::test]
async fn a_copy_is_made_of_a_store_that_nobody_serves() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, one) = prepared(dir.path()).await;
    let ids = accept(&store, &one, 5).await;
    drop(store);
    let file = dir.path().join("copy");
    backup(dir.path(), &file).unwrap();
    let empty = tempfile::tempdir().unwrap();
    restore(&file, &empty.path().join("new")).unwrap();
    let again = SqliteStore::open(&empty.path().join("new")).unwrap();
    assert_eq!(listed(&again).await, ids);
    drop(again);
    let left: Vec<_> = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("unfinished"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn a_restore_never_overwrites_and_takes_only_intact_copies() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _, one) = prepared(dir.path()).await;
    accept(&store, &one, 300).await;
    let file = dir.path().join("copy");
    backup(dir.path(), &file).unwrap();
    assert!(matches!(restore(&file, dir.path()), Err(BackupError::HoldsStore(_))));
    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(backup(empty.path(), &file), Err(BackupError::NoStore(_))));
    let missing = dir.path().join("missing");
    assert!(matches!(restore(&missing, empty.path()), Err(BackupError::Io(..))));
    let text = dir.path().join("text");
    std::fs::write(&text, "no copy at all, but long enough to look at".repeat(99)).unwrap();
    assert!(matches!(restore(&text, empty.path()), Err(BackupError::NotABackup(_))));
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 16384].fill(0xa5);
    let damaged = dir.path().join("damaged");
    std::fs::write(&damaged, bytes).unwrap();
    assert!(matches!(restore(&damaged, empty.path()), Err(BackupError::Damaged(..))));
    restore(&file, empty.path()).unwrap();
}
