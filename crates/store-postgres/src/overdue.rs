//! What is due for long: a look at everything that waits, from one endpoint to the next. Those for whom nothing waits, which
//! are nearly all, are not looked at.

use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_store::ledger::Overdue;

use crate::codec::{no, uno};
use crate::db::{GenericClient, query};
use crate::error::Result;

/// The endpoint behind that anything waits for; each step is one look into the index of every partition.
const SQL: &str = "WITH RECURSIVE waiting AS (
        (SELECT tenant, endpoint, 1::int8 AS at FROM delivery
            WHERE due_ms IS NOT NULL AND (tenant, endpoint) > ($1::int4, $2::int4)
            ORDER BY tenant, endpoint LIMIT 1)
        UNION ALL
        SELECT n.tenant, n.endpoint, w.at + 1 FROM waiting w CROSS JOIN LATERAL (
            SELECT tenant, endpoint FROM delivery
            WHERE due_ms IS NOT NULL AND (tenant, endpoint) > (w.tenant, w.endpoint)
            ORDER BY tenant, endpoint LIMIT 1
        ) n WHERE w.at < $3
    )
    SELECT w.tenant, w.endpoint, EXISTS (SELECT FROM delivery d
        WHERE d.tenant = w.tenant AND d.endpoint = w.endpoint AND d.owner = $4
            AND d.due_ms IS NOT NULL AND d.due_ms < $5)
    FROM waiting w ORDER BY w.at";

/// Endpoints with something that was due before that time for the node; see [`hookyard_store::ledger::Ledger::overdue`].
pub(crate) async fn overdue(
    db: &impl GenericClient,
    node: i16,
    (before, after): (Timestamp, Option<(TenantNo, EndpointNo)>),
    limit: u32,
) -> Result<Overdue> {
    let (tenant, endpoint) =
        after.map_or((0, 0), |(tenant, endpoint)| (no(tenant.0), no(endpoint.0)));
    let (limit, before_ms) = (i64::from(limit.max(1)), before.as_millis());
    let rows = query(db, SQL, &[&tenant, &endpoint, &limit, &node, &before_ms]).await?;
    let mut found = Overdue::default();
    for row in &rows {
        let lane = (TenantNo(uno(row.try_get(0)?)), EndpointNo(uno(row.try_get(1)?)));
        if row.try_get(2)? {
            found.lanes.push(lane);
        }
        found.next = (rows.len() as i64 == limit).then_some(lane);
    }
    Ok(found)
}
