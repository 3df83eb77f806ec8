//! What an embedded store holds is the same after it was moved: the promises of the port, kept across a move wherever a
//! store is opened again; and a move that ends at any moment goes on where it was.
#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected must stop at once")]

mod place;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use hookyard_domain::delivery::{DeliveryStatus, EndReason, Next};
use hookyard_domain::endpoint::{Activity, EndpointNo};
use hookyard_domain::id::{EventId, TargetNo};
use hookyard_domain::job::{Job, JobStatus, Recovery};
use hookyard_domain::page::PageRequest;
use hookyard_domain::source::SourceStatus;
use hookyard_domain::statistics::Span;
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_store::Store;
use hookyard_store::endpoints::Endpoints;
use hookyard_store::event_types::EventTypes;
use hookyard_store::history::{DeliveryFilter, EventFilter, History};
use hookyard_store::jobs::Jobs;
use hookyard_store::keys::Keys;
use hookyard_store::ledger::{Accept, Batch, LaneNote, Ledger, Once, Receipt, Target as To};
use hookyard_store::memory::{Memory, ReplyKey};
use hookyard_store::sources::{Forward, Sources};
use hookyard_store::statistics::{Fold, Statistics};
use hookyard_store::tenants::Tenants;
use hookyard_store::transfer::{Row, Table, to_bytes};
use hookyard_store_postgres::PostgresStore;
use hookyard_store_postgres::transfer::{Stage, Target, TargetError, lists_of};
use hookyard_store_sqlite::SqliteStore;
use hookyard_store_sqlite::transfer::Source;
use hookyard_testkit::conformance::Cellar;
use hookyard_testkit::make;
use tokio::sync::OnceCell;

use crate::place::Place;

const TENANT: TenantNo = TenantNo(1);
/// The node that what was moved belongs to.
const NODE: &str = "embedded";

/// Begins in a folder; opened again, everything has been moved into a database.
async fn cellar() -> Cellar {
    let dir = Arc::new(tempfile::tempdir().unwrap());
    let opened = Arc::new(AtomicU32::new(0));
    // Made when it is needed: most promises are kept without opening a store again.
    let place = Arc::new(OnceCell::new());
    Cellar::new(move || {
        let (place, dir, opened) = (Arc::clone(&place), Arc::clone(&dir), Arc::clone(&opened));
        async move {
            let times = opened.fetch_add(1, Ordering::Relaxed);
            if times == 0 {
                return SqliteStore::open(dir.path()).unwrap() as Arc<dyn Store>;
            }
            let place: &Arc<Place> = place.get_or_init(Place::new).await;
            if times == 1 {
                moved(dir.path(), place, 3).await;
            }
            place.open(NODE).await as Arc<dyn Store>
        }
    })
    .await
}

hookyard_testkit::conformance_tests!(cellar);

/// Moves a whole folder.
async fn moved(dir: &Path, place: &Place, batch: usize) {
    let source = Source::open(dir).unwrap();
    let mut target = Target::open(&place.settings(), source.mark().unwrap()).await.unwrap();
    while step(&source, &mut target, batch).await {}
    target.finish(source.keys().unwrap().1).await.unwrap();
}

/// Moves one piece; false when there is none left.
async fn step(source: &Source, target: &mut Target, batch: usize) -> bool {
    let Stage::At(table, after) = target.stage().clone() else { return false };
    if table == Table::Event {
        target.make_days(source.keys().unwrap().0).await.unwrap();
    }
    let piece = source.piece(table, after.as_ref(), batch).unwrap();
    target.put(table, &piece.rows, piece.next).await.unwrap();
    true
}

fn id_of(receipt: &Receipt) -> EventId {
    let Receipt::Accepted { id } = receipt else { panic!("not accepted: {receipt:?}") };
    *id
}

/// A store with something in every table.
async fn everything(store: &SqliteStore) {
    let audit = || make::audit("made");
    store.create_tenant(make::tenant("acme"), audit()).await.unwrap();
    store.create_tenant(make::tenant("gone"), audit()).await.unwrap();
    store.delete_tenant(TenantNo(2), audit()).await.unwrap();
    store.keep_operator_key([7; 32]).await.unwrap();
    store.create_key(make::key(TENANT, 9), audit()).await.unwrap();
    let entries = vec![make::catalogue_entry("order.created")];
    store.put_event_types(TENANT, entries, false, audit()).await.unwrap();
    let one = store.create_endpoint(make::endpoint(TENANT), None, audit()).await.unwrap().no;
    let two = store.create_endpoint(make::endpoint(TENANT), None, audit()).await.unwrap();
    store.delete_endpoint(TENANT, two.id, audit()).await.unwrap();
    let mut paused = make::source(TENANT);
    paused.status = SourceStatus::Paused;
    let paused = store.create_source(paused, Forward::Keep, 10, audit()).await.unwrap();
    let key = ReplyKey { owner: "acme".into(), key: "k".into() };
    store.recall(&key, [1; 32], make::NOW, make::NOW).await.unwrap();

    let version = store.tenant_config(TENANT).await.unwrap().unwrap().version;
    let accept = || make::accept(TENANT, version, &[one]);
    let mut rich = accept();
    rich.content.publisher_id = Some("order-1".into());
    rich.content.previous = Some("{\"a\":1}".into());
    rich.content.changes = Some("[]".into());
    rich.content.headers.0.push(("x-one".into(), "1".into()));
    rich.content.scope = Some("shop".parse().unwrap());
    rich.once = vec![
        Once::PublisherId("order-1".into()),
        Once::Key { key: "idem".into(), content: [3; 32] },
    ];
    rich.targets.push(To { endpoint: two.no, discarded: Some(EndReason::EndpointDeleted) });
    let mut held = Accept { held: true, targets: Vec::new(), ..accept() };
    held.content.source = Some(paused.id);
    held.content.content_type = Some("text/plain".into());
    let received = Once::Received { source: paused.id, id: "their 1".into(), since: None };
    held.once = vec![received];
    let accepts = vec![rich, held, accept(), accept(), accept()];
    let batch = Batch { now: make::NOW, accepts, ..Batch::default() };
    let ids: Vec<EventId> = store.commit(&batch).await.unwrap().iter().map(id_of).collect();
    let of = |at: usize| ids[at].delivery(TargetNo(0));
    let record = |at, number, status, next| {
        make::record(TENANT, one, of(at), Some(make::attempt(number, status)), next)
    };
    let records = vec![
        record(0, 1, 200, Next::Succeeded),
        record(2, 1, 500, Next::RetryAt(make::NOW)),
        record(2, 2, 500, Next::RetryAt(make::NOW)),
        record(3, 1, 500, Next::Failed(EndReason::Terminal)),
    ];
    let activity = Activity { delivery_count: 3, ..Activity::default() };
    let note = LaneNote { tenant: TENANT, endpoint: one, mark: ids[1].key(), activity };
    let batch = Batch { now: make::NOW, records, notes: vec![note], ..Batch::default() };
    store.commit(&batch).await.unwrap();
    store.replay(TENANT, ids[0], &[one], make::NOW, audit()).await.unwrap();
    numbers_and_a_job(store, accept()).await;
    let three = store.create_endpoint(make::endpoint(TENANT), None, audit()).await.unwrap().no;
    store.replay(TENANT, ids[0], &[three], make::NOW, audit()).await.unwrap();
}

/// What is counted of long ago and of lately, and a job that is under way.
async fn numbers_and_a_job(store: &SqliteStore, accept: Accept) {
    let recovery = Recovery {
        statuses: vec![DeliveryStatus::Failed],
        since: Timestamp::from_millis(0),
        until: make::NOW,
        rate_per_s: 10,
        limit: None,
    };
    let job = Job {
        id: make::id(),
        tenant: TENANT,
        endpoint: make::id(),
        endpoint_no: EndpointNo(1),
        recovery,
        status: JobStatus::Running,
        total: 1,
        done: 0,
        error: None,
        created_at: make::NOW,
        finished_at: None,
    };
    store.create_job(job, 10, make::audit("made")).await.unwrap();
    // What is counted so far is of long ago; something is of lately.
    let before = Timestamp::from_millis(i64::MAX / 4);
    let five = Fold { from: Span::Minute, into: Span::FiveMinutes, before, limit: 1000 };
    assert!(store.fold(five).await.unwrap() > 0);
    let batch = Batch { now: make::NOW, accepts: vec![accept], ..Batch::default() };
    store.commit(&batch).await.unwrap();
}

/// Everything both sides hold of a table, in one order.
async fn sides(source: &Source, target: &Target, table: Table) -> [Vec<Row>; 2] {
    let mut left = source.piece(table, None, 1000).unwrap().rows;
    let mut right = Vec::new();
    target.look(table, |row| right.push(row)).await.unwrap();
    left.sort();
    right.sort();
    [left, right]
}

#[tokio::test]
async fn a_move_that_ends_after_every_piece_brings_everything_all_the_same() {
    let place = Place::new().await;
    let dir = tempfile::tempdir().unwrap();
    everything(&SqliteStore::open(dir.path()).unwrap()).await;
    let mut steps = 0;
    loop {
        // Another process each time.
        let source = Source::open(dir.path()).unwrap();
        let mut target = Target::open(&place.settings(), source.mark().unwrap()).await.unwrap();
        if !step(&source, &mut target, 1).await {
            break;
        }
        steps += 1;
        assert!(PostgresStore::connect(&place.settings(), NODE).await.is_err(), "it is half there");
    }
    assert!(steps > Table::ALL.len(), "{steps}");
    let source = Source::open(dir.path()).unwrap();
    let mut target = Target::open(&place.settings(), source.mark().unwrap()).await.unwrap();
    for table in Table::ALL {
        let [left, right] = sides(&source, &target, table).await;
        assert!(!left.is_empty(), "the test moves nothing of {table:?}");
        assert_eq!(left, right, "{table:?}");
    }
    let events = source.piece(Table::Event, None, 1000).unwrap().rows;
    let mut left = lists_of(&events).unwrap();
    let mut right = Vec::new();
    target
        .look_at_lists(|tenant, endpoint, key| right.push((tenant, endpoint, key)))
        .await
        .unwrap();
    left.sort_unstable();
    right.sort_unstable();
    assert_eq!(left, right);
    target.finish(source.keys().unwrap().1).await.unwrap();
    let again = Target::open(&place.settings(), source.mark().unwrap()).await.unwrap();
    assert_eq!(*again.stage(), Stage::Finished);

    // What was listed is listed, what was owed is owed, and what comes next gets numbers of its own.
    drop((source, again, target));
    let before = SqliteStore::open(dir.path()).unwrap();
    let after = place.open(NODE).await;
    assert_eq!(listed(&*before).await, listed(&*after).await);
    let owed = |mut it: Vec<hookyard_store::ledger::Owed>| {
        it.sort_by_key(|it| it.endpoint);
        it
    };
    assert_eq!(owed(before.owed().await.unwrap()), owed(after.owed().await.unwrap()));
    let made = after.create_endpoint(make::endpoint(TENANT), None, make::audit("made")).await;
    assert_eq!(made.unwrap().no, EndpointNo(4));
    let version = after.tenant_config(TENANT).await.unwrap().unwrap().version;
    let mut accept = make::accept(TENANT, version, &[EndpointNo(1)]);
    let last = before.events(TENANT, EventFilter::default(), PageRequest::first(1)).await.unwrap();
    let batch = Batch { now: make::NOW, accepts: vec![accept.clone()], ..Batch::default() };
    let receipts = after.commit(&batch).await.unwrap();
    assert!(id_of(&receipts[0]) > last.rows[0].event.id);
    accept.once = vec![Once::PublisherId("order-1".into())];
    let batch = Batch { now: make::NOW, accepts: vec![accept], ..Batch::default() };
    let receipts = after.commit(&batch).await.unwrap();
    assert!(matches!(receipts[0], Receipt::Duplicate { deliveries: 2, .. }), "{receipts:?}");
}

/// What people see.
async fn listed(store: &dyn Store) -> Vec<String> {
    let all = || PageRequest::first(100);
    let events = store.events(TENANT, EventFilter::default(), all()).await.unwrap();
    let mut seen: Vec<String> = events.rows.iter().map(|it| format!("{it:?}")).collect();
    for delivery in store.deliveries(TENANT, DeliveryFilter::default(), all()).await.unwrap().rows {
        let attempts = store.attempts(TENANT, delivery.id, all()).await.unwrap();
        seen.push(format!("{delivery:?} {attempts:?}"));
    }
    for endpoint in store.endpoints(TENANT, all()).await.unwrap().rows {
        let activity = store.activity(TENANT, &[endpoint.no]).await.unwrap();
        seen.push(format!("{endpoint:?} {activity:?}"));
    }
    for source in store.sources(TENANT, all()).await.unwrap().rows {
        let activity = store.source_activity(TENANT, &[source.id]).await.unwrap();
        seen.push(format!("{source:?} {activity:?}"));
    }
    seen.push(format!("{:?}", store.keys(TENANT, all()).await.unwrap().rows));
    seen.push(format!("{:?}", store.event_types(TENANT, all()).await.unwrap().rows));
    seen.push(format!("{:?}", store.audit(TENANT, all()).await.unwrap().rows));
    seen.push(format!("{:?}", store.tenants(all()).await.unwrap().rows));
    seen
}

#[tokio::test]
async fn only_an_empty_database_and_only_the_folder_that_began_are_taken() {
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    for dir in &dirs {
        everything(&SqliteStore::open(dir.path()).unwrap()).await;
    }
    let place = Place::new().await;
    let one = Source::open(dirs[0].path()).unwrap();
    let two = Source::open(dirs[1].path()).unwrap();
    assert_ne!(to_bytes(&[]), one.mark().unwrap().0);
    let mut target = Target::open(&place.settings(), one.mark().unwrap()).await.unwrap();
    step(&one, &mut target, 1).await;
    let other = Target::open(&place.settings(), two.mark().unwrap()).await;
    assert!(matches!(other, Err(TargetError::AnotherMove)));
    drop(one);
    // Served from since: what was carried may be of the past.
    drop(SqliteStore::open(dirs[0].path()).unwrap());
    let one = Source::open(dirs[0].path()).unwrap();
    let since = Target::open(&place.settings(), one.mark().unwrap()).await;
    assert!(matches!(since, Err(TargetError::AnotherMove)));

    let place = Place::new().await;
    let store = place.open("one").await;
    let serving = Target::open(&place.settings(), one.mark().unwrap()).await;
    assert!(matches!(serving, Err(TargetError::HoldsSomething(_))));
    store.create_tenant(make::tenant("acme"), make::audit("made")).await.unwrap();
    let taken = Target::open(&place.settings(), one.mark().unwrap()).await;
    assert!(matches!(taken, Err(TargetError::HoldsSomething("tenants"))));
}
