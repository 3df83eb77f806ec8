//! Retention: drops what is older than its tenant keeps, in small bites between which others may write.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use hookyard_domain::id::EventKey;
use hookyard_domain::limit;
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_store::tenants::Retained;
use hookyard_store::{Store, StoreError};
use tokio::time::{MissedTickBehavior, interval};

use crate::Engine;

/// Between two rounds.
const EVERY: Duration = Duration::from_secs(60);
/// Events dropped at a time; the store does them in short transactions.
const BITE: u32 = 20_000;
/// Notes of attempts dropped in one transaction.
const FEED_BITE: u32 = 2_000;
/// A reader that stands at the end of what is kept shall not lose it while it reads.
const FEED_KEPT_LONGER: Duration = Duration::from_secs(600);
/// How long an event that ended late stays at most.
const WHOLE_EVERY: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Where the rounds of this process stand: an event that had not ended when it was looked at is looked at again with the
/// next whole round, and not every minute, of which there may be millions.
#[derive(Default)]
struct Rounds {
    looked_at: HashMap<TenantNo, EventKey>,
    whole_at: Option<Timestamp>,
}

impl Rounds {
    /// Begins a round; a whole one forgets where the last ones stood.
    fn begin(&mut self, now: Timestamp) {
        if self.whole_at.is_none_or(|at| now < at || now.since(at) >= WHOLE_EVERY) {
            self.whole_at = Some(now);
            self.looked_at.clear();
        }
    }
}

/// The key below which a tenant's events are too old.
fn bound(retained: &Retained, now: Timestamp) -> EventKey {
    match retained.days {
        Some(days) => EventKey::at(now.minus(DAY * days)),
        None => EventKey(i64::MAX as u64),
    }
}

/// Runs for ever.
pub(crate) async fn run(engine: Arc<Engine>) {
    let mut rounds = Rounds::default();
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Err(error) = run_once(&*engine.store, &mut rounds, engine.clock.now()).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "old events could not be dropped"
            );
        }
    }
}

/// Drops everything that is too old at `now`, unless another node does.
async fn run_once(
    store: &dyn Store,
    rounds: &mut Rounds,
    now: Timestamp,
) -> Result<(), StoreError> {
    rounds.begin(now);
    let retained = store.retained().await?;
    let bounds: Vec<_> = retained.iter().map(|it| (it.tenant, bound(it, now))).collect();
    if !store.begin_pruning(&bounds).await? {
        return Ok(());
    }
    for it in &retained {
        // What a tenant that is gone leaves behind ends within moments, and goes at once.
        let known = rounds.looked_at.get(&it.tenant).filter(|_| it.days.is_some());
        let from = known.copied().unwrap_or(EventKey(0));
        let looked_at = prune(store, it.tenant, from, bound(it, now)).await?;
        rounds.looked_at.insert(it.tenant, looked_at);
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

/// Drops what has ended of a tenant's events with these keys; answers where it has looked.
async fn prune(
    store: &dyn Store,
    tenant: TenantNo,
    from: EventKey,
    before: EventKey,
) -> Result<EventKey, StoreError> {
    let (mut from, mut dropped) = (from, 0);
    while from < before {
        let bite = store.prune(tenant, from..before, BITE).await?;
        dropped += bite.dropped;
        from = bite.through;
        if bite.dropped < BITE {
            break;
        }
        tokio::task::yield_now().await;
    }
    if dropped > 0 {
        tracing::info!(events = dropped, "dropped events older than their tenant keeps");
    }
    Ok(from)
}

#[cfg(test)]
mod tests {
    use hookyard_domain::delivery::Next;
    use hookyard_domain::id::{DeliveryId, TargetNo};
    use hookyard_store::endpoints::Endpoints;
    use hookyard_store::history::History;
    use hookyard_store::ledger::{Batch, Ledger, Receipt};
    use hookyard_store::tenants::Tenants;
    use hookyard_store_sqlite::SqliteStore;
    use hookyard_testkit::make;

    use super::*;

    #[tokio::test]
    async fn what_had_not_ended_is_looked_at_again_within_an_hour_and_not_every_minute() {
        let store = SqliteStore::in_memory().unwrap();
        let audit = || make::audit("made");
        let tenant = store.create_tenant(make::tenant("acme"), audit()).await.unwrap();
        let endpoint = make::endpoint(tenant.no);
        let endpoint = store.create_endpoint(endpoint, None, audit()).await.unwrap().no;
        let version = store.tenant_config(tenant.no).await.unwrap().unwrap().version;
        let accepts = vec![make::accept(tenant.no, version, &[endpoint])];
        let batch = Batch { now: make::NOW, accepts, ..Batch::default() };
        let receipts = store.commit(&batch).await.unwrap();
        let Receipt::Accepted { id } = receipts[0] else { panic!("{receipts:?}") };
        let delivery: DeliveryId = id.delivery(TargetNo(0));

        let mut rounds = Rounds::default();
        let old = make::NOW.plus(DAY * (tenant.retention_days + 1));
        run_once(&*store, &mut rounds, old).await.unwrap();
        let record = make::record(tenant.no, endpoint, delivery, None, Next::Succeeded);
        let batch = Batch { now: make::NOW, records: vec![record], ..Batch::default() };
        store.commit(&batch).await.unwrap();
        for (minutes, is_there) in [(1, true), (59, true), (60, false)] {
            let now = old.plus(Duration::from_secs(60 * minutes));
            run_once(&*store, &mut rounds, now).await.unwrap();
            let found = store.event(tenant.no, id).await.unwrap();
            assert_eq!(found.is_some(), is_there, "after {minutes} minutes");
        }
    }
}
