//! Events that are held because their source was paused, and their release.

use std::sync::Arc;

use hookyard_domain::attempt::Trigger;
use hookyard_domain::event::Event;
use hookyard_domain::id::{DeliveryId, EventId, EventKey};
use hookyard_domain::source::SourceStatus;
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_store::ledger::Target;
use rusqlite::{Connection, OptionalExtension, params};

use crate::codec::{self, int, short, uint};
use crate::error::{Result, conflict};
use crate::events::{self, Head};
use crate::moves::Fresh;
use crate::sources::{SourceNo, no_of};
use crate::tenants;

/// Holds an event.
pub(crate) fn hold(tx: &Connection, source: SourceNo, event: EventKey) -> Result<()> {
    tx.prepare_cached("INSERT INTO held (source, event) VALUES (?1, ?2)")?
        .execute(params![source.0, int(event.0)])?;
    Ok(())
}

/// Holds nothing of a source any more.
pub(crate) fn forget(tx: &Connection, source: SourceNo) -> Result<()> {
    tx.prepare_cached("DELETE FROM held WHERE source = ?1")?.execute([source.0])?;
    Ok(())
}

/// Whether an event of this source is held.
pub(crate) fn is_held(conn: &Connection, source: SourceNo, event: u64) -> Result<bool> {
    let mut find = conn.prepare_cached("SELECT 1 FROM held WHERE source = ?1 AND event = ?2")?;
    Ok(find.exists(params![source.0, int(event)])?)
}

/// The first source above `above` that something is held of, and whether it is active.
fn next_holder(conn: &Connection, above: SourceNo) -> Result<Option<(SourceNo, bool)>> {
    let holder: Option<i64> = conn
        .prepare_cached("SELECT source FROM held WHERE source > ?1 ORDER BY source LIMIT 1")?
        .query_row([above.0], |row| row.get(0))
        .optional()?;
    let Some(holder) = holder else { return Ok(None) };
    let active = conn
        .prepare_cached("SELECT 1 FROM source WHERE no = ?1 AND status = ?2 AND deleted = 0")?
        .exists(params![holder, codec::source_status_code(SourceStatus::Active)])?;
    Ok(Some((SourceNo(short(holder)), active)))
}

/// Events that are held although their source is active, oldest first.
pub(crate) fn held(conn: &Connection, limit: u32) -> Result<Vec<Arc<Event>>> {
    let tx = conn.unchecked_transaction()?;
    let mut find =
        tx.prepare_cached("SELECT event FROM held WHERE source = ?1 ORDER BY event LIMIT ?2")?;
    let mut keys: Vec<u64> = Vec::new();
    let mut above = SourceNo(0);
    // From one holder to the next: what paused ones hold may be much, and is not walked.
    while let Some((source, active)) = next_holder(&tx, above)? {
        above = source;
        if !active {
            continue;
        }
        let mut rows = find.query(params![source.0, limit])?;
        while let Some(row) = rows.next()? {
            keys.push(uint(row.get(0)?));
        }
        keys.sort_unstable();
        keys.truncate(limit as usize);
    }
    let mut events = Vec::with_capacity(keys.len());
    for key in keys {
        events.extend(events::load(&tx, key)?.map(|stored| stored.event));
    }
    Ok(events)
}

/// The source an event is held of.
fn holder(tx: &Connection, head: &Head) -> Result<Option<SourceNo>> {
    let Some(source) = head.source else { return Ok(None) };
    let Some(source) = no_of(tx, head.tenant, source)? else { return Ok(None) };
    Ok(is_held(tx, source, head.id.key().0)?.then_some(source))
}

/// Ends an event's hold with a fresh delivery to each target.
pub(crate) fn release(
    tx: &Connection,
    tenant: TenantNo,
    event: EventId,
    version: u64,
    (targets, now): (&[Target], Timestamp),
) -> Result<Option<Vec<DeliveryId>>> {
    let Some(head) = events::own_head(tx, tenant, event)? else { return Ok(None) };
    let Some(source) = holder(tx, &head)? else { return Ok(None) };
    let kept = tenants::live(tx, tenant)?.map(|(_, version)| uint(version));
    if kept != Some(version) {
        return Err(conflict("the tenant's configuration"));
    }
    tx.prepare_cached("DELETE FROM held WHERE source = ?1 AND event = ?2")?
        .execute(params![source.0, int(event.key().0)])?;
    let mut fresh = Fresh::new(tx, &head, Trigger::Automatic, now)?;
    let mut made = Vec::with_capacity(targets.len());
    for target in targets {
        made.push(fresh.add(*target)?);
    }
    Ok(Some(made))
}
