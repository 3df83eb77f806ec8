//! Events per second through the store: an event, and in a later batch its first outcome, each batch synced.
//!
//! `cargo run --release -p hookyard-store-sqlite --example throughput [-- FOLDER]`
#![expect(clippy::unwrap_used, reason = "a measurement that fails must stop")]
#![expect(clippy::disallowed_methods, reason = "a measurement looks at the real clock")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use hookyard_domain::delivery::Next;
use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::id::{EventId, TargetNo};
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_store::Store;
use hookyard_store::ledger::{Accept, Batch, Receipt};
use hookyard_store_sqlite::SqliteStore;
use hookyard_testkit::make;

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

async fn run(dir: &Path, size: usize, fan_out: u32) {
    let store: Arc<dyn Store> = SqliteStore::open(dir).unwrap();
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
    drop(store);
    let bytes = std::fs::metadata(dir.join("hookyard.db")).unwrap().len();
    println!(
        "1→{fan_out:<3} batch {size:>4}: {:>8.0} events/s, {:>6.0} batches/s, longest {:>5.1} ms, {:>6.0} bytes/event",
        events as f64 / took,
        f64::from(batches) / took,
        longest.as_secs_f64() * 1000.0,
        bytes as f64 / events as f64
    );
}

#[tokio::main]
async fn main() {
    let base = std::env::args().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    for fan_out in [1, 10] {
        for size in [1, 16, 64, 256] {
            let dir =
                base.join(format!("hookyard-throughput-{}-{fan_out}-{size}", std::process::id()));
            run(&dir, size, fan_out).await;
            std::fs::remove_dir_all(&dir).unwrap();
        }
    }
}
