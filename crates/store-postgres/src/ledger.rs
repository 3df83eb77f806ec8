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
use hookyard_store::Answer;
use hookyard_store::ledger::{
    Batch, DuePage, Ledger, Moved, Overdue, Owed, Pruned, Receipt, Refill, Share, Target,
};

use crate::error::Result;
use crate::held::Release;
use crate::locks;
use crate::moves::{Move, Replay};
use crate::owed::Order;
use crate::runs::Lane;
use crate::{
    PostgresStore, codec, days, give, held, moves, node, overdue, owed, prune, read, share,
};

/// Waiting deliveries discarded in one transaction.
const DISCARD_CHUNK: i64 = 2000;
/// How often that is tried when commits are in its way.
const DISCARD_TRIES: usize = 8;

impl PostgresStore {
    /// One step of discarding; answers how many it discarded.
    async fn discard_some(
        &self,
        of: (TenantNo, EndpointNo),
        why: (EndReason, Timestamp),
    ) -> Result<u64> {
        let mut client = self.client().await?;
        let tx = locks::begin_shared(&mut client, of.0).await?;
        let many = moves::discard_waiting(&tx, of, why, DISCARD_CHUNK).await?;
        tx.commit().await?;
        Ok(many)
    }

    /// Drops the days that nobody needs any more.
    async fn drop_days(&self, bounds: &[(TenantNo, EventKey)]) -> Result<()> {
        let mut client = self.client().await?;
        days::drop_below(&mut client, &days::Bounds::of(bounds)).await
    }

    /// One step of pruning. The tenant's commits wait only if something of it can go.
    async fn prune_some(
        &self,
        tenant: TenantNo,
        bounds: (crate::events::Place, i64),
        limit: u32,
    ) -> Result<prune::Pruned> {
        let mut client = self.client().await?;
        let look = prune::look(&client, tenant, bounds, limit).await?;
        if look.has_nothing_ended() {
            return Ok(prune::Pruned { dropped: 0, next: look.next });
        }
        let tx = locks::begin(&mut client, tenant).await?;
        let pruned = prune::chunk(&tx, tenant, bounds, limit).await?;
        tx.commit().await?;
        Ok(pruned)
    }
}

impl Ledger for PostgresStore {
    fn commit<'a>(&'a self, batch: &'a Batch) -> Answer<'a, Vec<Receipt>> {
        Box::pin(async move { Ok(self.commit_batch(batch).await?) })
    }

    fn owed(&self) -> Answer<'_, Vec<Owed>> {
        let node = self.node().no;
        read!(self, |db| owed::owed(db, node))
    }

    fn refill(
        &self,
        tenant: TenantNo,
        endpoint: EndpointNo,
        from: EventKey,
        share: Share,
    ) -> Answer<'_, Refill> {
        let lane = Lane { tenant, endpoint };
        read!(self, |db| owed::refill(db, lane, self.node().no, (from, share)))
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
        let lane = Lane { tenant, endpoint };
        let of = (now, Order::Time, share);
        read!(self, |db| owed::due(db, lane, self.node().no, of, &skip))
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
        let lane = Lane { tenant, endpoint };
        let of = (now, Order::Place, share);
        read!(self, |db| owed::due(db, lane, self.node().no, of, &skip))
    }

    fn overdue(
        &self,
        before: Timestamp,
        after: Option<(TenantNo, EndpointNo)>,
        limit: u32,
    ) -> Answer<'_, Overdue> {
        read!(self, |db| overdue::overdue(db, self.node().no, (before, after), limit))
    }

    fn requeue(
        &self,
        tenant: TenantNo,
        delivery: DeliveryId,
        now: Timestamp,
        audit: AuditEntry,
    ) -> Answer<'_, Moved> {
        let me = self.node();
        let it = Move { tenant, delivery, now, node: me.no };
        give!(self, me, tenant, |tx| moves::requeue(tx, it, &audit))
    }

    fn cancel(
        &self,
        tenant: TenantNo,
        delivery: DeliveryId,
        now: Timestamp,
        audit: AuditEntry,
    ) -> Answer<'_, Moved> {
        let it = Move { tenant, delivery, now, node: self.node().no };
        share!(self, tenant, |tx| moves::cancel(tx, it, &audit))
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
        let me = self.node();
        let node = me.no;
        give!(self, me, tenant, |tx| async {
            moves::replay(tx, &Replay { tenant, event, to: &to, now, node }, &audit).await
        })
    }

    fn held(&self, limit: u32) -> Answer<'_, Vec<Arc<Event>>> {
        read!(self, |db| held::held(db, limit))
    }

    fn release<'a>(
        &'a self,
        tenant: TenantNo,
        event: EventId,
        version: u64,
        targets: &'a [Target],
        now: Timestamp,
    ) -> Answer<'a, Option<Vec<DeliveryId>>> {
        let me = self.node();
        let node = me.no;
        give!(self, me, tenant, |tx| async {
            held::release(tx, &Release { tenant, event, version, targets, now, node }).await
        })
    }

    /// In several steps, so that no transaction is long; a failure leaves the rest waiting.
    fn discard_waiting(
        &self,
        tenant: TenantNo,
        endpoint: EndpointNo,
        reason: EndReason,
        now: Timestamp,
    ) -> Answer<'_, u64> {
        Box::pin(async move {
            let (mut discarded, mut tries) = (0, 1);
            loop {
                let many = match self.discard_some((tenant, endpoint), (reason, now)).await {
                    // A commit was in the way.
                    Err(fault) if tries < DISCARD_TRIES && fault.may_work_again() => {
                        tries += 1;
                        continue;
                    }
                    many => many?,
                };
                discarded += many;
                if many < DISCARD_CHUNK.unsigned_abs() {
                    return Ok(discarded);
                }
            }
        })
    }

    fn begin_pruning<'a>(&'a self, bounds: &'a [(TenantNo, EventKey)]) -> Answer<'a, bool> {
        Box::pin(async move {
            let is_mine = node::is_first(&self.client().await?, self.node()).await?;
            if is_mine {
                self.drop_days(bounds).await?;
            }
            Ok(is_mine)
        })
    }

    /// A day is kept until all of it is too old.
    fn prune(&self, tenant: TenantNo, keys: Range<EventKey>, limit: u32) -> Answer<'_, Pruned> {
        Box::pin(async move {
            let end = prune::bound(keys.end.0);
            let before = days::begin_of(&self.client().await?, end).await?;
            let mut above = prune::before(prune::bound(keys.start.0));
            let (mut dropped, mut through) = (0, keys.start);
            while dropped < limit {
                let pruned = self.prune_some(tenant, (above, before), limit - dropped).await?;
                dropped += pruned.dropped;
                let Some(next) = pruned.next else {
                    through = through.max(EventKey(codec::uint(before)));
                    break;
                };
                above = next;
                // Another node may have given the same key.
                through = through.max(EventKey(codec::uint(next.key)));
            }
            Ok(Pruned { dropped, through })
        })
    }

    fn tidy(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            let mut client = self.client().await?;
            Ok(days::make_ahead(&mut client, days::AHEAD).await?)
        })
    }
}
