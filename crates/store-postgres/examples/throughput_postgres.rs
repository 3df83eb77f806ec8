//! Events per second through the store: an event, and in a later batch its first outcome, each batch synced.
//!
//! `cargo run --release -p hookyard-store-postgres --example throughput_postgres -- postgres://…` with a database that may be filled:
//! each run makes a schema of its own there and drops it again.
#![expect(clippy::unwrap_used, reason = "a measurement that fails must stop")]
#![expect(clippy::disallowed_methods, reason = "a measurement looks at the real clock")]

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use hookyard_domain::delivery::Next;
use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::id::{EventId, TargetNo};
use hookyard_domain::secret::Secret;
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_store::Store;
use hookyard_store::ledger::{Accept, Batch, Receipt};
use hookyard_store_postgres::{PostgresStore, Settings};
use hookyard_testkit::make;
use tokio_postgres::{Client, NoTls};

const FOR: Duration = Duration::from_secs(3);
const TENANT: TenantNo = TenantNo(1);

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap())
}

async fn prepare(store: &dyn Store, endpoints: u32) -> (u64, Vec<EndpointNo>) {
    store.create_tenant(make::tenant("acme"), make::audit("tenant.created")).await.unwrap();
    let mut made = Vec::new();
    for _ in 0..endpoints {
        let endpoint = make::endpoint(TENANT);
        let audit = make::audit("endpoint.created");
        made.push(store.create_endpoint(endpoint, None, audit).await.unwrap().no);
    }
    (store.tenant_config(TENANT).await.unwrap().unwrap().version, made)
}

fn accepts(version: u64, endpoints: &[EndpointNo], size: usize) -> Vec<Accept> {
    let mut one = make::accept(TENANT, version, endpoints);
    one.content.data = Bytes::from(vec![b'x'; 600]);
    vec![one; size]
}

/// Bytes of everything in the schema.
async fn bytes(client: &Client, schema: &str) -> i64 {
    const SQL: &str = "SELECT sum(pg_total_relation_size(oid))::int8 FROM pg_class
        WHERE relnamespace = $1::text::regnamespace AND relkind IN ('r', 'p')";
    client.query_one(SQL, &[&schema]).await.unwrap().get(0)
}

async fn run(url: &str, client: &Client, size: usize, fan_out: u32) {
    let schema = format!("hookyard_throughput_{}_{fan_out}_{size}", std::process::id());
    client.batch_execute(&format!("CREATE SCHEMA {schema}")).await.unwrap();
    let and = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{and}options=-c%20search_path%3D{schema}");
    let settings = Settings::new(Secret::new(url));
    let store: Arc<dyn Store> = PostgresStore::connect(&settings, "one").await.unwrap();
    let (version, endpoints) = prepare(&*store, fan_out).await;
    let mut before: Vec<EventId> = Vec::new();
    let (mut events, mut batches) = (0, 0);
    let began = Instant::now();
    let mut longest = Duration::ZERO;
    while began.elapsed() < FOR {
        let records = before.iter().flat_map(|event| {
            endpoints.iter().zip(0..).map(|(endpoint, target)| {
                let delivery = event.delivery(TargetNo(target));
                let attempt = Some(make::attempt(1, 200));
                make::record(TENANT, *endpoint, delivery, attempt, Next::Succeeded)
            })
        });
        let batch = Batch {
            now: now(),
            accepts: accepts(version, &endpoints, size),
            records: records.collect(),
            notes: Vec::new(),
        };
        let start = Instant::now();
        let receipts = store.commit(&batch).await.unwrap();
        longest = longest.max(start.elapsed());
        before.clear();
        before.extend(receipts.iter().map(|receipt| {
            let Receipt::Accepted { id } = receipt else { panic!("not accepted: {receipt:?}") };
            *id
        }));
        events += size;
        batches += 1;
    }
    let took = began.elapsed().as_secs_f64();
    let bytes = bytes(client, &schema).await;
    println!(
        "1→{fan_out:<3} batch {size:>4}: {:>8.0} events/s, {:>6.0} batches/s, longest {:>5.1} ms, {:>6.0} bytes/event",
        events as f64 / took,
        f64::from(batches) / took,
        longest.as_secs_f64() * 1000.0,
        bytes as f64 / events as f64
    );
    drop(store);
    client.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).await.unwrap();
}

#[tokio::main]
async fn main() {
    let url = std::env::args().nth(1).unwrap();
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(connection);
    for fan_out in [1, 10] {
        for size in [1, 16, 64, 256] {
            run(&url, &client, size, fan_out).await;
        }
    }
}
