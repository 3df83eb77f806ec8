//! Retention: drops what is older than its tenant keeps, in small bites between which others may write.

use std::time::Duration;

use hookyard_domain::id::EventKey;
use hookyard_domain::limit;
use hookyard_domain::time::Timestamp;
use hookyard_store::{Store, StoreError};

/// Events dropped at a time; the store does them in short transactions.
const BITE: u32 = 20_000;
/// Notes of attempts dropped in one transaction.
const FEED_BITE: u32 = 2_000;
/// A reader that stands at the end of what is kept shall not lose it while it reads.
const FEED_KEPT_LONGER: Duration = Duration::from_secs(600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Drops everything that is too old at `now`.
pub(crate) async fn run_once(store: &dyn Store, now: Timestamp) -> Result<(), StoreError> {
    for retained in store.retained().await? {
        let before = match retained.days {
            Some(days) => EventKey::at(now.minus(DAY * days)),
            None => EventKey(i64::MAX as u64),
        };
        let mut dropped = 0;
        loop {
            let bite = store.prune(retained.tenant, before, BITE).await?;
            dropped += bite;
            if bite < BITE {
                break;
            }
            tokio::task::yield_now().await;
        }
        if dropped > 0 {
            tracing::info!(events = dropped, "dropped events older than their tenant keeps");
        }
    }
    store.forget_before(now.minus(limit::IDEMPOTENCY_KEPT)).await?;
    store.forget_jobs(now.minus(limit::JOBS_KEPT)).await?;
    // A little later than nobody may read them any more.
    let before = EventKey::at(now.minus(limit::FEED_KEPT + FEED_KEPT_LONGER));
    while store.forget_feed(before, FEED_BITE).await? == FEED_BITE {
        tokio::task::yield_now().await;
    }
    Ok(())
}
