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
use crate::{held, sources};

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
    let source = match head.source {
        None => None,
        Some(source) => sources::no_of(tx, tenant, source)?,
    };
    if let Some(source) = source
        && held::is_held(tx, source, key)?
    {
        return Ok(false);
    }
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
    if let Some(source) = source {
        lists.remove(ListNo::of_source(source), key);
    }
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

#[cfg(test)]
mod tests {
    use hookyard_domain::delivery::Next;
    use hookyard_domain::id::{EventKey, TargetNo};
    use hookyard_store::endpoints::Endpoints;
    use hookyard_store::ledger::{Accept, Batch, Ledger, Once, Receipt};
    use hookyard_store::sources::{Forward, Sources};
    use hookyard_store::tenants::Tenants;
    use hookyard_testkit::make;

    use crate::SqliteStore;

    #[tokio::test]
    async fn what_was_dropped_leaves_nothing_behind() {
        let store = SqliteStore::in_memory().unwrap();
        let audit = || make::audit("made");
        let tenant = store.create_tenant(make::tenant("acme"), audit()).await.unwrap().no;
        let endpoint = store.create_endpoint(make::endpoint(tenant), None, audit()).await.unwrap();
        let source = make::source(tenant);
        store.create_source(source.clone(), Forward::Keep, 1, audit()).await.unwrap();
        let mut one = make::accept(tenant, 3, &[endpoint.no]);
        one.content.source = Some(source.id);
        // More than a run, so that keys stand in runs and in tails.
        let accepts = (0..700).map(|number| {
            let (source, id) = (source.id, format!("d-{number}"));
            Accept { once: vec![Once::Received { source, id, since: None }], ..one.clone() }
        });
        for accepts in [accepts.collect(), vec![one.clone(); 3]] {
            let batch = Batch { now: make::NOW, accepts, ..Batch::default() };
            let receipts = store.commit(&batch).await.unwrap();
            let records = receipts.into_iter().map(|receipt| {
                let Receipt::Accepted { id } = receipt else { panic!("{receipt:?}") };
                let attempt = Some(make::attempt(1, 200));
                let delivery = id.delivery(TargetNo(0));
                make::record(tenant, endpoint.no, delivery, attempt, Next::Succeeded)
            });
            let records = records.collect();
            store.commit(&Batch { now: make::NOW, records, ..Batch::default() }).await.unwrap();
        }
        assert_eq!(store.lists.ends().len(), 3);
        let dropped =
            store.prune(tenant, EventKey(0)..EventKey(u64::MAX >> 1), 1000).await.unwrap().dropped;
        assert_eq!(dropped, 703);
        assert!(store.lists.ends().is_empty());
        let left = store.read(|conn, _| {
            let tables = ["event", "delivery", "once", "list_run", "held"];
            let rows = tables.map(|table| {
                conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))
            });
            Ok(rows.into_iter().collect::<rusqlite::Result<Vec<u32>>>()?)
        });
        assert_eq!(left.await.unwrap(), [0; 5]);
    }
}
