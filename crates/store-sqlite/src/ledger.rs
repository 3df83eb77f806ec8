//! The port's flow, handed on to the files that do it.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use hookyard_domain::audit::AuditEntry;
use hookyard_domain::delivery::EndReason;
use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::event::Event;
use hookyard_domain::id::{DeliveryId, EventId, EventKey};
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_store::ledger::{
    Batch, DuePage, Ledger, Moved, Overdue, Owed, Pruned, Receipt, Refill, Share, Target,
};
use hookyard_store::{Answer, StoreError};

use crate::owed::Order;
use crate::{SqliteStore, blocking, held, moves, owed, prune};

/// Waiting deliveries discarded while the writer is held.
const DISCARD_CHUNK: usize = 2000;

impl Ledger for SqliteStore {
    fn commit<'a>(&'a self, batch: &'a Batch) -> Answer<'a, Vec<Receipt>> {
        Box::pin(async move {
            let mut writer = self.writer.lock().await;
            writer.commit(batch).map_err(StoreError::from)
        })
    }

    fn owed(&self) -> Answer<'_, Vec<Owed>> {
        self.read(owed::owed)
    }

    fn refill(
        &self,
        tenant: TenantNo,
        endpoint: EndpointNo,
        from: EventKey,
        share: Share,
    ) -> Answer<'_, Refill> {
        let wanted = owed::Wanted { tenant, endpoint, from, share };
        self.read(move |conn, lists| owed::refill(conn, lists, &wanted))
    }

    fn due<'a>(
        &'a self,
        tenant: TenantNo,
        endpoint: EndpointNo,
        now: Timestamp,
        share: Share,
        skip: &'a [DeliveryId],
    ) -> Answer<'a, DuePage> {
        let skip: HashSet<DeliveryId> = skip.iter().copied().collect();
        let of = (now, Order::Time);
        self.read(move |conn, _| owed::due(conn, (tenant, endpoint), of, share, &skip))
    }

    fn due_in_order<'a>(
        &'a self,
        tenant: TenantNo,
        endpoint: EndpointNo,
        now: Timestamp,
        share: Share,
        skip: &'a [DeliveryId],
    ) -> Answer<'a, DuePage> {
        let skip: HashSet<DeliveryId> = skip.iter().copied().collect();
        let of = (now, Order::Place);
        self.read(move |conn, _| owed::due(conn, (tenant, endpoint), of, share, &skip))
    }

    fn overdue(
        &self,
        before: Timestamp,
        after: Option<(TenantNo, EndpointNo)>,
        limit: u32,
    ) -> Answer<'_, Overdue> {
        self.read(move |conn, _| owed::overdue(conn, (before, after), limit))
    }

    fn requeue(
        &self,
        tenant: TenantNo,
        delivery: DeliveryId,
        now: Timestamp,
        audit: AuditEntry,
    ) -> Answer<'_, Moved> {
        self.change(move |tx, _| moves::requeue(tx, tenant, delivery, now, &audit))
    }

    fn cancel(
        &self,
        tenant: TenantNo,
        delivery: DeliveryId,
        now: Timestamp,
        audit: AuditEntry,
    ) -> Answer<'_, Moved> {
        self.change(move |tx, _| moves::cancel(tx, tenant, delivery, now, &audit))
    }

    fn replay(
        &self,
        tenant: TenantNo,
        event: EventId,
        endpoints: &[EndpointNo],
        now: Timestamp,
        audit: AuditEntry,
    ) -> Answer<'_, Vec<DeliveryId>> {
        let to = endpoints.to_vec();
        self.change(move |tx, _| moves::replay(tx, tenant, event, &to, now, &audit))
    }

    fn held(&self, limit: u32) -> Answer<'_, Vec<Arc<Event>>> {
        self.read(move |conn, _| held::held(conn, limit))
    }

    fn release<'a>(
        &'a self,
        tenant: TenantNo,
        event: EventId,
        version: u64,
        targets: &'a [Target],
        now: Timestamp,
    ) -> Answer<'a, Option<Vec<DeliveryId>>> {
        let to = targets.to_vec();
        self.change(move |tx, _| held::release(tx, tenant, event, version, (&to, now)))
    }

    /// In several steps, so that the committer is never held up for long; a failure leaves the rest waiting.
    fn discard_waiting(
        &self,
        tenant: TenantNo,
        endpoint: EndpointNo,
        reason: EndReason,
        now: Timestamp,
    ) -> Answer<'_, u64> {
        Box::pin(async move {
            let mut discarded = 0;
            loop {
                let of = (tenant, endpoint);
                let many = self
                    .change(move |tx, _| moves::discard_waiting(tx, of, reason, now, DISCARD_CHUNK))
                    .await?;
                discarded += many as u64;
                if many < DISCARD_CHUNK {
                    return Ok(discarded);
                }
            }
        })
    }

    /// Nothing is kept by days, and there is one node.
    fn begin_pruning<'a>(&'a self, _bounds: &'a [(TenantNo, EventKey)]) -> Answer<'a, bool> {
        Box::pin(async { Ok(true) })
    }

    fn prune(&self, tenant: TenantNo, keys: Range<EventKey>, limit: u32) -> Answer<'_, Pruned> {
        Box::pin(async move {
            let mut dropped = 0;
            let mut from = keys.start;
            while dropped < limit {
                let bounds = (from, keys.end);
                let rest = limit - dropped;
                let chunk = self
                    .change_lists(move |tx, state, lists| {
                        prune::chunk(tx, state, lists, tenant, bounds, rest)
                    })
                    .await?;
                dropped += chunk.dropped;
                match chunk.next {
                    Some(next) => from = next,
                    None => {
                        from = from.max(keys.end);
                        break;
                    }
                }
            }
            Ok(Pruned { dropped, through: from })
        })
    }

    fn tidy(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            self.write(|writer| writer.settle_lists()).await?;
            let log = Arc::clone(&self.log);
            let writer = Arc::clone(&self.writer);
            blocking(move || log.fold_if_idle(&writer)).await
        })
    }
}
