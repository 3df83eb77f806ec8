//! Retention: old events leave with all that belongs to them.

use hookyard_domain::id::EventKey;
use hookyard_domain::tenant::TenantNo;
use rusqlite::{Connection, params};

use crate::codec::int;
use crate::deliveries::{self, DeliveryRow};
use crate::error::Result;
use crate::events::{self, Head};
use crate::runs::{ListDraft, ListNo, ListReader};
use crate::writer::{State, set_number};

/// Events looked at while the writer is held.
const CHUNK: u32 = 512;

/// What one chunk did.
pub(crate) struct Pruned {
    pub(crate) dropped: u32,
    /// Where to go on; `None` at the end.
    pub(crate) next: Option<EventKey>,
}

/// Looks at the next few events of the tenant from `from` on and drops the ended ones, at most `limit`.
pub(crate) fn chunk(
    tx: &Connection,
    state: &mut State,
    lists: &mut ListDraft,
    tenant: TenantNo,
    (from, before): (EventKey, EventKey),
    limit: u32,
) -> Result<Pruned> {
    let list = ListNo::of_tenant(tenant);
    let reader = ListReader::new(tx, list, state.lists.tail(list))?;
    let mut keys = reader.up(from.0);
    let mut pruned = Pruned { dropped: 0, next: None };
    let mut looked_at = 0;
    while let Some(key) = keys.next()? {
        if key >= before.0 {
            break;
        }
        if looked_at == CHUNK || pruned.dropped == limit {
            pruned.next = Some(EventKey(key));
            break;
        }
        looked_at += 1;
        pruned.dropped += u32::from(drop_if_ended(tx, lists, tenant, key)?);
    }
    if pruned.dropped > 0 {
        // The newest event may be among them; its key must not be given again.
        set_number(tx, "high_key", int(state.last_key))?;
        let below = state.pruned_below.entry(tenant).or_default();
        *below = before.0.max(*below);
    }
    Ok(pruned)
}

fn drop_if_ended(
    tx: &Connection,
    lists: &mut ListDraft,
    tenant: TenantNo,
    key: u64,
) -> Result<bool> {
    let Some(head) = events::head(tx, key)?.filter(|head| head.tenant == tenant) else {
        return Ok(false);
    };
    let rows = deliveries::rows_of(tx, int(key), None)?;
    if !has_ended(&head, &rows) {
        return Ok(false);
    }
    for (kind, text) in events::once_of(tx, key)? {
        tx.prepare_cached(
            "DELETE FROM once WHERE tenant = ?1 AND kind = ?2 AND text = ?3 AND event = ?4",
        )?
        .execute(params![tenant.0, kind, text, int(key)])?;
    }
    for row in &rows {
        if row.target as usize >= head.targets.len() {
            tx.prepare_cached("DELETE FROM replayed WHERE endpoint = ?1 AND event = ?2")?
                .execute(params![row.endpoint.0, int(key)])?;
        }
    }
    for sql in [
        "DELETE FROM attempt WHERE event = ?1",
        "DELETE FROM delivery WHERE event = ?1",
        "DELETE FROM event WHERE key = ?1",
    ] {
        tx.prepare_cached(sql)?.execute([int(key)])?;
    }
    lists.remove(ListNo::of_tenant(tenant), key);
    for target in &head.targets {
        lists.remove(ListNo::of_endpoint(target.endpoint), key);
    }
    Ok(true)
}

/// Every target has a row, and no row waits.
fn has_ended(head: &Head, rows: &[DeliveryRow]) -> bool {
    let targets = head.targets.len();
    let recorded = rows.iter().filter(|row| (row.target as usize) < targets).count();
    recorded == targets && rows.iter().all(|row| !deliveries::is_waiting(row.status))
}
