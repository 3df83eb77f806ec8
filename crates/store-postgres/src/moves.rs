//! Changes of single deliveries that people ask for: requeue, cancel, replay; and discarding what waits.
//!
//! Whoever is asked makes the next attempt, unless one node alone sends to the endpoint: the row's `owner` becomes this node,
//! whose lane is told of it.

use deadpool_postgres::Transaction;
use hookyard_domain::attempt::Trigger;
use hookyard_domain::audit::AuditEntry;
use hookyard_domain::delivery::{DeliveryStatus, EndReason};
use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::id::{DeliveryId, EventId, TargetNo};
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_store::ledger::{Moved, Target};

use crate::codec::{self, PENDING, no, uno};
use crate::db::{execute, query, query_opt};
use crate::deliveries::{self, NewDelivery};
use crate::error::{Result, corrupt};
use crate::events::{self, Head, Place};
use crate::{audit, listen, record, sender};

/// What is to be moved, and by whom.
#[derive(Clone, Copy)]
pub(crate) struct Move {
    pub(crate) tenant: TenantNo,
    pub(crate) delivery: DeliveryId,
    pub(crate) now: Timestamp,
    pub(crate) node: i16,
}

/// Where a delivery stands.
enum Found {
    /// Its endpoint and state.
    Row(EndpointNo, i16),
    /// Accepted, and nothing has happened to it.
    Owed(EndpointNo),
}

/// Finds a delivery, and holds its row if it has one.
async fn find(
    tx: &Transaction<'_>,
    tenant: TenantNo,
    delivery: DeliveryId,
) -> Result<Option<(Place, i32, Found)>> {
    const SQL: &str = "SELECT endpoint, status FROM delivery
        WHERE tenant = $1 AND key = $2 AND node = $3 AND target = $4 FOR UPDATE";
    let Some((place, target)) = record::place(delivery) else { return Ok(None) };
    let params = [&no(tenant.0) as _, &place.key as _, &place.node as _, &target as _];
    if let Some(row) = query_opt(tx, SQL, &params).await? {
        let endpoint = EndpointNo(uno(row.try_get(0)?));
        return Ok(Some((place, target, Found::Row(endpoint, row.try_get(1)?))));
    }
    let head = events::own_head(tx, tenant, delivery.event()).await?;
    let owed = head.and_then(|head| head.targets.get(uno(target) as usize).copied());
    Ok(owed.map(|owed| (place, target, Found::Owed(owed.endpoint))))
}

fn status(code: i16) -> Result<DeliveryStatus> {
    codec::status(code).ok_or_else(|| corrupt("delivery", "status", code))
}

/// Makes a delivery due at once.
pub(crate) async fn requeue(tx: &Transaction<'_>, it: Move, entry: &AuditEntry) -> Result<Moved> {
    const SQL: &str = "UPDATE delivery SET status = 0, reason = NULL, due_ms = $5, updated_ms = $5,
            set_off = $6, owner = $7
        WHERE tenant = $1 AND key = $2 AND node = $3 AND target = $4";
    let found = find(tx, it.tenant, it.delivery).await?;
    let Some((place, target, found)) = found else { return Ok(Moved::Absent) };
    let endpoint = match found {
        Found::Owed(endpoint) => endpoint,
        Found::Row(_, code) if status(code)? == DeliveryStatus::Succeeded => {
            return Ok(Moved::Refused(DeliveryStatus::Succeeded));
        }
        Found::Row(endpoint, _) => {
            let (now, set_off) = (it.now.as_millis(), codec::trigger_code(Trigger::Manual));
            let tenant = no(it.tenant.0);
            let owner = sender::owner(tx, (it.tenant, endpoint), it.node).await?;
            execute(tx, SQL, &[&tenant, &place.key, &place.node, &target, &now, &set_off, &owner])
                .await?;
            endpoint
        }
    };
    audit::write(tx, it.tenant, entry).await?;
    Ok(Moved::Done(endpoint))
}

/// Cancels a delivery that has not ended.
pub(crate) async fn cancel(tx: &Transaction<'_>, it: Move, entry: &AuditEntry) -> Result<Moved> {
    // A row may have come in since it was looked for; the conflict waits for it and tells.
    const SQL: &str =
        "INSERT INTO delivery AS d (tenant, key, node, target, endpoint, status, reason,
            attempts, set_off, updated_ms, owner)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, $8, $9)
        ON CONFLICT (tenant, key, node, target) DO UPDATE SET status = excluded.status,
            reason = excluded.reason, due_ms = NULL, updated_ms = excluded.updated_ms
        WHERE d.status = 0";
    let found = find(tx, it.tenant, it.delivery).await?;
    let Some((place, target, found)) = found else { return Ok(Moved::Absent) };
    let endpoint = match found {
        Found::Row(_, code) if code != PENDING => return Ok(Moved::Refused(status(code)?)),
        Found::Row(endpoint, _) | Found::Owed(endpoint) => endpoint,
    };
    let cancelled = codec::status_code(DeliveryStatus::Cancelled);
    let reason = codec::reason_code(EndReason::Cancelled);
    let (tenant, to, now) = (no(it.tenant.0), no(endpoint.0), it.now.as_millis());
    let changed = execute(
        tx,
        SQL,
        &[&tenant, &place.key, &place.node, &target, &to, &cancelled, &reason, &now, &it.node],
    )
    .await?;
    if changed == 0 {
        return match find(tx, it.tenant, it.delivery).await? {
            Some((_, _, Found::Row(_, code))) => Ok(Moved::Refused(status(code)?)),
            Some((_, _, Found::Owed(_))) | None => Ok(Moved::Absent),
        };
    }
    // Whoever has it in memory is to let go of it.
    listen::say(tx, &listen::cancelled(endpoint, it.delivery)).await?;
    audit::write(tx, it.tenant, entry).await?;
    Ok(Moved::Done(endpoint))
}

/// Fresh deliveries of an event that is there already, with target numbers never used before.
pub(crate) struct Fresh<'a> {
    pub(crate) head: &'a Head,
    pub(crate) trigger: Trigger,
    pub(crate) now: Timestamp,
    pub(crate) node: i16,
}

impl Fresh<'_> {
    /// Makes one for each target, in order: due at once, or discarded at once.
    pub(crate) async fn make(
        &self,
        tx: &Transaction<'_>,
        targets: &[Target],
    ) -> Result<Vec<DeliveryId>> {
        let first = self.first(tx).await?;
        let mut new = Vec::with_capacity(targets.len());
        for (number, target) in (first..).zip(targets) {
            let lane = (self.head.tenant, target.endpoint);
            let owner = match target.discarded {
                Some(_) => self.node,
                None => sender::owner(tx, lane, self.node).await?,
            };
            new.push(self.row(number, *target, owner));
        }
        if new.is_empty() {
            return Ok(Vec::new());
        }
        let columns = deliveries::columns(&new);
        execute(tx, deliveries::PUT, &deliveries::params(&columns)).await?;
        self.list(tx, targets).await?;
        let id = self.head.place.id();
        Ok(new.iter().map(|new| id.delivery(TargetNo(new.target))).collect())
    }

    /// The first number that was never used. The event is held, so that nobody else takes it too.
    async fn first(&self, tx: &Transaction<'_>) -> Result<u32> {
        const HOLD: &str = "SELECT 1 FROM event WHERE tenant = $1 AND key = $2 AND node = $3
            FOR NO KEY UPDATE";
        const HIGHEST: &str = "SELECT max(target) FROM delivery
            WHERE tenant = $1 AND key = $2 AND node = $3";
        let tenant = no(self.head.tenant.0);
        let params = [&tenant as _, &self.head.place.key as _, &self.head.place.node as _];
        query(tx, HOLD, &params).await?;
        let row = query_opt(tx, HIGHEST, &params).await?;
        let highest: Option<i32> = row.map(|row| row.try_get(0)).transpose()?.flatten();
        let next = highest.map_or(0, |highest| uno(highest) + 1);
        Ok(next.max(self.head.targets.len() as u32))
    }

    fn row(&self, number: u32, target: Target, owner: i16) -> NewDelivery {
        let now = self.now.as_millis();
        let status = match target.discarded {
            None => DeliveryStatus::Pending,
            Some(_) => DeliveryStatus::Discarded,
        };
        NewDelivery {
            tenant: self.head.tenant,
            place: self.head.place,
            target: number,
            endpoint: target.endpoint,
            owner,
            status: codec::status_code(status),
            reason: target.discarded.map(codec::reason_code),
            set_off: codec::trigger_code(self.trigger),
            due_ms: target.discarded.is_none().then_some(now),
            created_ms: Some(now),
            updated_ms: now,
        }
    }

    /// Lists the event with the endpoints that it did not name before.
    async fn list(&self, tx: &Transaction<'_>, targets: &[Target]) -> Result<()> {
        const SQL: &str = "INSERT INTO replayed (tenant, endpoint, key, node)
            SELECT $1::int4, it, $3::int8, $4::int2 FROM unnest($2::int4[]) it ON CONFLICT DO NOTHING";
        let named = |it: &Target| self.head.targets.iter().any(|to| to.endpoint == it.endpoint);
        let strange: Vec<i32> =
            targets.iter().filter(|it| !named(it)).map(|it| no(it.endpoint.0)).collect();
        let (tenant, place) = (no(self.head.tenant.0), self.head.place);
        execute(tx, SQL, &[&tenant, &strange, &place.key, &place.node]).await?;
        Ok(())
    }
}

/// What is to be replayed, to whom.
pub(crate) struct Replay<'a> {
    pub(crate) tenant: TenantNo,
    pub(crate) event: EventId,
    pub(crate) to: &'a [EndpointNo],
    pub(crate) now: Timestamp,
    pub(crate) node: i16,
}

/// Makes a fresh delivery of an event to each endpoint, due at once.
pub(crate) async fn replay(
    tx: &Transaction<'_>,
    it: &Replay<'_>,
    entry: &AuditEntry,
) -> Result<Vec<DeliveryId>> {
    const OWN: &str = "SELECT no FROM endpoint WHERE tenant = $1 AND no = ANY($2)";
    let Some(head) = events::own_head(tx, it.tenant, it.event).await? else {
        return Ok(Vec::new());
    };
    let asked: Vec<i32> = it.to.iter().map(|it| no(it.0)).collect();
    let mut own: Vec<i32> = Vec::new();
    for row in query(tx, OWN, &[&no(it.tenant.0), &asked]).await? {
        own.push(row.try_get(0)?);
    }
    let targets: Vec<Target> = it
        .to
        .iter()
        .filter(|it| own.contains(&no(it.0)))
        .map(|endpoint| Target { endpoint: *endpoint, discarded: None })
        .collect();
    let fresh = Fresh { head: &head, trigger: Trigger::Manual, now: it.now, node: it.node };
    let made = fresh.make(tx, &targets).await?;
    if !made.is_empty() {
        audit::write(tx, it.tenant, entry).await?;
    }
    Ok(made)
}

/// Discards up to `limit` deliveries of the endpoint that wait for a retry, whoever would make it.
pub(crate) async fn discard_waiting(
    tx: &Transaction<'_>,
    (tenant, endpoint): (TenantNo, EndpointNo),
    (reason, now): (EndReason, Timestamp),
    limit: i64,
) -> Result<u64> {
    const SQL: &str =
        "UPDATE delivery d SET status = $3, reason = $4, due_ms = NULL, updated_ms = $5
        FROM (SELECT tenant, key, node, target FROM delivery
            WHERE tenant = $1 AND endpoint = $2 AND due_ms IS NOT NULL
            ORDER BY key, node, target LIMIT $6 FOR UPDATE) w
        WHERE (d.tenant, d.key, d.node, d.target) = (w.tenant, w.key, w.node, w.target)";
    let status = codec::status_code(DeliveryStatus::Discarded);
    let (tenant, endpoint) = (no(tenant.0), no(endpoint.0));
    let (reason, now) = (codec::reason_code(reason), now.as_millis());
    execute(tx, SQL, &[&tenant, &endpoint, &status, &reason, &now, &limit]).await
}
