//! Changes of single deliveries that people ask for: requeue, cancel, replay; and discarding what waits.

use hookyard_domain::attempt::Trigger;
use hookyard_domain::audit::AuditEntry;
use hookyard_domain::delivery::{DeliveryStatus, EndReason};
use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::id::{DeliveryId, EventId, TargetNo};
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_store::ledger::{Moved, Target};
use rusqlite::{Connection, OptionalExtension, params};

use crate::codec::{self, PENDING, int};
use crate::deliveries::{self, DeliveryRow};
use crate::error::Result;
use crate::events::Head;
use crate::{audit, events, record};

/// Where a delivery stands.
enum Found {
    Row(DeliveryRow),
    /// Accepted, and nothing has happened to it.
    Owed(EndpointNo),
}

fn find(
    tx: &Connection,
    tenant: TenantNo,
    (event, target): (i64, TargetNo),
) -> Result<Option<Found>> {
    if let Some(row) = deliveries::row(tx, event, target)? {
        return Ok((row.tenant == tenant).then_some(Found::Row(row)));
    }
    let head = events::head(tx, codec::uint(event))?.filter(|head| head.tenant == tenant);
    let at = target.0 as usize;
    Ok(head.and_then(|head| head.targets.get(at).map(|target| Found::Owed(target.endpoint))))
}

/// Makes a delivery due at once.
pub(crate) fn requeue(
    tx: &Connection,
    tenant: TenantNo,
    delivery: DeliveryId,
    now: Timestamp,
    entry: &AuditEntry,
) -> Result<Moved> {
    let Some(place) = record::place(delivery) else { return Ok(Moved::Absent) };
    let endpoint = match find(tx, tenant, place)? {
        None => return Ok(Moved::Absent),
        Some(Found::Owed(endpoint)) => endpoint,
        Some(Found::Row(row)) => {
            let status = row.status()?;
            match status {
                DeliveryStatus::Succeeded => return Ok(Moved::Refused(status)),
                DeliveryStatus::Pending
                | DeliveryStatus::Sending
                | DeliveryStatus::Failed
                | DeliveryStatus::Cancelled
                | DeliveryStatus::Discarded => {}
            }
            tx.prepare_cached(
                "UPDATE delivery SET status = ?3, reason = NULL, due_ms = ?4, updated_ms = ?4,
                    set_off = ?5 WHERE event = ?1 AND target = ?2",
            )?
            .execute(params![
                place.0,
                place.1.0,
                PENDING,
                now.as_millis(),
                codec::trigger_code(Trigger::Manual)
            ])?;
            row.endpoint
        }
    };
    audit::write(tx, tenant, entry)?;
    Ok(Moved::Done(endpoint))
}

/// Cancels a delivery that has not ended.
pub(crate) fn cancel(
    tx: &Connection,
    tenant: TenantNo,
    delivery: DeliveryId,
    now: Timestamp,
    entry: &AuditEntry,
) -> Result<Moved> {
    let Some(place) = record::place(delivery) else { return Ok(Moved::Absent) };
    let status = codec::status_code(DeliveryStatus::Cancelled);
    let reason = codec::reason_code(EndReason::Cancelled);
    let endpoint = match find(tx, tenant, place)? {
        None => return Ok(Moved::Absent),
        Some(Found::Row(row)) if !deliveries::is_waiting(row.status) => {
            return Ok(Moved::Refused(row.status()?));
        }
        Some(Found::Row(row)) => {
            tx.prepare_cached(
                "UPDATE delivery SET status = ?3, reason = ?4, due_ms = NULL, updated_ms = ?5
                 WHERE event = ?1 AND target = ?2",
            )?
            .execute(params![place.0, place.1.0, status, reason, now.as_millis()])?;
            row.endpoint
        }
        Some(Found::Owed(endpoint)) => {
            tx.prepare_cached(
                "INSERT INTO delivery (event, target, tenant, endpoint, status, reason, attempts,
                    set_off, updated_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, ?7)",
            )?
            .execute(params![
                place.0,
                place.1.0,
                tenant.0,
                endpoint.0,
                status,
                reason,
                now.as_millis()
            ])?;
            endpoint
        }
    };
    audit::write(tx, tenant, entry)?;
    Ok(Moved::Done(endpoint))
}

/// Fresh deliveries of an event that is there already, with target numbers never used before.
pub(crate) struct Fresh<'a> {
    tx: &'a Connection,
    head: &'a Head,
    trigger: Trigger,
    now: Timestamp,
    next: u32,
}

impl<'a> Fresh<'a> {
    pub(crate) fn new(
        tx: &'a Connection,
        head: &'a Head,
        trigger: Trigger,
        now: Timestamp,
    ) -> Result<Self> {
        let highest: Option<u32> = tx
            .prepare_cached("SELECT max(target) FROM delivery WHERE event = ?1")?
            .query_row([int(head.id.key().0)], |row| row.get(0))
            .optional()?
            .flatten();
        let next = highest.map_or(0, |highest| highest + 1).max(head.targets.len() as u32);
        Ok(Self { tx, head, trigger, now, next })
    }

    /// Makes one: due at once, or discarded at once.
    pub(crate) fn add(&mut self, target: Target) -> Result<DeliveryId> {
        let key = int(self.head.id.key().0);
        let status = match target.discarded {
            None => DeliveryStatus::Pending,
            Some(_) => DeliveryStatus::Discarded,
        };
        let now = self.now.as_millis();
        self.tx
            .prepare_cached(
                "INSERT INTO delivery (event, target, tenant, endpoint, status, reason, attempts,
                    set_off, due_ms, created_ms, updated_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8, ?9, ?9)",
            )?
            .execute(params![
                key,
                self.next,
                self.head.tenant.0,
                target.endpoint.0,
                codec::status_code(status),
                target.discarded.map(codec::reason_code),
                codec::trigger_code(self.trigger),
                target.discarded.is_none().then_some(now),
                now
            ])?;
        if self.head.targets.iter().all(|it| it.endpoint != target.endpoint) {
            self.tx
                .prepare_cached("INSERT OR IGNORE INTO replayed (endpoint, event) VALUES (?1, ?2)")?
                .execute(params![target.endpoint.0, key])?;
        }
        let made = self.head.id.delivery(TargetNo(self.next));
        self.next += 1;
        Ok(made)
    }
}

/// Makes a fresh delivery of an event to each endpoint, due at once.
pub(crate) fn replay(
    tx: &Connection,
    tenant: TenantNo,
    event: EventId,
    endpoints: &[EndpointNo],
    now: Timestamp,
    entry: &AuditEntry,
) -> Result<Vec<DeliveryId>> {
    let Some(head) = events::own_head(tx, tenant, event)? else { return Ok(Vec::new()) };
    let mut fresh = Fresh::new(tx, &head, Trigger::Manual, now)?;
    let mut made = Vec::new();
    for endpoint in endpoints {
        let owned = tx
            .prepare_cached("SELECT 1 FROM endpoint WHERE no = ?1 AND tenant = ?2")?
            .exists(params![endpoint.0, tenant.0])?;
        if owned {
            made.push(fresh.add(Target { endpoint: *endpoint, discarded: None })?);
        }
    }
    if !made.is_empty() {
        audit::write(tx, tenant, entry)?;
    }
    Ok(made)
}

/// Discards up to `limit` deliveries of the endpoint that wait for a retry.
pub(crate) fn discard_waiting(
    tx: &Connection,
    (tenant, endpoint): (TenantNo, EndpointNo),
    reason: EndReason,
    now: Timestamp,
    limit: usize,
) -> Result<usize> {
    let mut find = tx.prepare_cached(
        "SELECT event, target FROM delivery
         WHERE endpoint = ?1 AND tenant = ?2 AND due_ms IS NOT NULL LIMIT ?3",
    )?;
    let waiting = find
        .query_map(params![endpoint.0, tenant.0, int(limit as u64)], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect::<rusqlite::Result<Vec<(i64, u32)>>>()?;
    let mut end = tx.prepare_cached(
        "UPDATE delivery SET status = ?3, reason = ?4, due_ms = NULL, updated_ms = ?5
         WHERE event = ?1 AND target = ?2",
    )?;
    let status = codec::status_code(DeliveryStatus::Discarded);
    for (event, target) in &waiting {
        let reason = codec::reason_code(reason);
        end.execute(params![event, target, status, reason, now.as_millis()])?;
    }
    Ok(waiting.len())
}
