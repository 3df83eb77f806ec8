//! Events that are held because their source was paused, and their release.

use std::sync::Arc;

use deadpool_postgres::Transaction;
use hookyard_domain::attempt::Trigger;
use hookyard_domain::event::Event;
use hookyard_domain::id::{DeliveryId, EventId};
use hookyard_domain::source::SourceStatus;
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_store::ledger::Target;

use crate::codec::{self, no};
use crate::db::{GenericClient, execute, query, query_opt};
use crate::error::{Result, conflict};
use crate::events;
use crate::moves::Fresh;
use crate::tenants;

/// Events that are held although their source is active, oldest first.
pub(crate) async fn held(db: &impl GenericClient, limit: u32) -> Result<Vec<Arc<Event>>> {
    // From one holder to the next: what paused ones hold may be much, and is not walked.
    let sql = format!(
        "WITH RECURSIVE holder AS (
            (SELECT tenant, source FROM held ORDER BY tenant, source LIMIT 1)
            UNION ALL
            SELECT n.* FROM holder h CROSS JOIN LATERAL (
                SELECT tenant, source FROM held WHERE (tenant, source) > (h.tenant, h.source)
                ORDER BY tenant, source LIMIT 1
            ) n
         )
         SELECT {columns} FROM holder h
         JOIN source s ON s.id = h.source AND s.status = $1 AND NOT s.deleted
         CROSS JOIN LATERAL (
            SELECT i.key, i.node FROM held i WHERE i.tenant = h.tenant AND i.source = h.source
            ORDER BY i.key, i.node LIMIT $2
         ) i
         JOIN event e ON e.tenant = h.tenant AND e.key = i.key AND e.node = i.node
         ORDER BY e.key, e.node LIMIT $2",
        columns = events::COLUMNS
    );
    let active = codec::source_status_code(SourceStatus::Active);
    let rows = query(db, &sql, &[&active, &i64::from(limit)]).await?;
    rows.iter().map(events::read).collect()
}

/// What is to be released.
pub(crate) struct Release<'a> {
    pub(crate) tenant: TenantNo,
    pub(crate) event: EventId,
    pub(crate) version: u64,
    pub(crate) targets: &'a [Target],
    pub(crate) now: Timestamp,
    pub(crate) node: i16,
}

/// Ends an event's hold with a fresh delivery to each target.
pub(crate) async fn release(
    tx: &Transaction<'_>,
    it: &Release<'_>,
) -> Result<Option<Vec<DeliveryId>>> {
    const FIND: &str =
        "SELECT 1 FROM held WHERE tenant = $1 AND source = $2 AND key = $3 AND node = $4
        FOR UPDATE";
    const END: &str =
        "DELETE FROM held WHERE tenant = $1 AND source = $2 AND key = $3 AND node = $4";
    let head = events::own_head(tx, it.tenant, it.event).await?;
    let Some(head) = head else { return Ok(None) };
    let Some(source) = head.source else { return Ok(None) };
    let source = crate::db::Uid(source.as_u128());
    let tenant = no(it.tenant.0);
    let params = [&tenant as _, &source as _, &head.place.key as _, &head.place.node as _];
    if query_opt(tx, FIND, &params).await?.is_none() {
        return Ok(None);
    }
    let kept = tenants::live(tx, it.tenant).await?.map(|(_, version)| version);
    if kept != Some(it.version) {
        return Err(conflict("the tenant's configuration"));
    }
    execute(tx, END, &params).await?;
    let fresh = Fresh { head: &head, trigger: Trigger::Automatic, now: it.now, node: it.node };
    Ok(Some(fresh.make(tx, it.targets).await?))
}
