//! Retention: old events leave with all that belongs to them.

use std::collections::{BTreeSet, HashMap};

use deadpool_postgres::Transaction;
use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::tenant::TenantNo;

use crate::codec::{self, int, no, uint};
use crate::db::{GenericClient, execute, query};
use crate::error::{Result, corrupt};
use crate::events::{Place, columns};
use crate::runs;

/// Events looked at while the tenant's commits wait.
const CHUNK: i64 = 512;

/// What one chunk did.
pub(crate) struct Pruned {
    pub(crate) dropped: u32,
    /// Go on behind this; `None` at the end.
    pub(crate) next: Option<Place>,
}

/// Whether an event has ended: every target has a row, no row waits, and it is not held.
const HAS_ENDED: &str = "(SELECT count(*) FILTER (WHERE d.target < e.fan_out) = e.fan_out
        AND count(*) FILTER (WHERE d.status = 0) = 0
    FROM delivery d WHERE d.tenant = e.tenant AND d.key = e.key AND d.node = e.node)
    AND (e.source IS NULL OR NOT EXISTS (SELECT 1 FROM held h WHERE h.tenant = e.tenant
        AND h.source = e.source AND h.key = e.key AND h.node = e.node))";

/// What is to be found of the next few events.
#[derive(Default)]
pub(crate) struct Look {
    ended: Vec<Place>,
    endpoints: BTreeSet<EndpointNo>,
    /// Go on behind this; `None` at the end.
    pub(crate) next: Option<Place>,
}

impl Look {
    pub(crate) fn has_nothing_ended(&self) -> bool {
        self.ended.is_empty()
    }
}

/// Looks at the next few events of the tenant behind `above`, up to `limit` ended ones.
pub(crate) async fn look(
    db: &impl GenericClient,
    tenant: TenantNo,
    (above, before): (Place, i64),
    limit: u32,
) -> Result<Look> {
    let sql = format!(
        "SELECT e.key, e.node, e.targets, {HAS_ENDED} FROM (
            SELECT tenant, key, node, targets, fan_out, source FROM event
            WHERE tenant = $1 AND (key, node) > ($2, $3) AND key < $4
            ORDER BY key, node LIMIT $5
         ) e ORDER BY e.key, e.node"
    );
    let no = no(tenant.0);
    let rows = query(db, &sql, &[&no, &above.key, &above.node, &before, &CHUNK]).await?;
    let mut look = Look::default();
    let mut last = None;
    let mut is_last = (rows.len() as i64) < CHUNK;
    for row in &rows {
        if look.ended.len() == limit as usize {
            is_last = false;
            break;
        }
        let place = Place { key: row.try_get(0)?, node: row.try_get(1)? };
        last = Some(place);
        if row.try_get(3)? {
            let targets = codec::targets(row.try_get(2)?)
                .ok_or_else(|| corrupt("event", "targets", place.id()))?;
            look.endpoints.extend(targets.iter().map(|target| target.endpoint));
            look.ended.push(place);
        }
    }
    look.next = last.filter(|_| !is_last);
    Ok(look)
}

/// Looks again, with the tenant's lock, and drops the ended ones.
pub(crate) async fn chunk(
    tx: &Transaction<'_>,
    tenant: TenantNo,
    bounds: (Place, i64),
    limit: u32,
) -> Result<Pruned> {
    let Look { ended, endpoints, next } = look(tx, tenant, bounds, limit).await?;
    drop_events(tx, tenant, &ended).await?;
    drop_keys(tx, tenant, &ended, &endpoints).await?;
    Ok(Pruned { dropped: ended.len() as u32, next })
}

async fn drop_events(tx: &Transaction<'_>, tenant: TenantNo, ended: &[Place]) -> Result<()> {
    if ended.is_empty() {
        return Ok(());
    }
    let (keys, nodes) = columns(ended);
    // Replays first: which endpoints they went to stands in their deliveries.
    const REPLAYED: &str =
        "DELETE FROM replayed r USING unnest($2::int8[], $3::int2[]) AS u (key, node)
        JOIN delivery d ON d.tenant = $1 AND d.key = u.key AND d.node = u.node
        WHERE r.tenant = $1 AND r.endpoint = d.endpoint AND r.key = u.key AND r.node = u.node";
    execute(tx, REPLAYED, &[&no(tenant.0), &keys, &nodes]).await?;
    for sql in [
        "DELETE FROM once t USING unnest($2::int8[], $3::int2[]) AS u (key, node)
         WHERE t.tenant = $1 AND t.key = u.key AND t.node = u.node",
        "DELETE FROM attempt t USING unnest($2::int8[], $3::int2[]) AS u (key, node)
         WHERE t.tenant = $1 AND t.key = u.key AND t.node = u.node",
        "DELETE FROM delivery t USING unnest($2::int8[], $3::int2[]) AS u (key, node)
         WHERE t.tenant = $1 AND t.key = u.key AND t.node = u.node",
        "DELETE FROM event t USING unnest($2::int8[], $3::int2[]) AS u (key, node)
         WHERE t.tenant = $1 AND t.key = u.key AND t.node = u.node",
    ] {
        execute(tx, sql, &[&no(tenant.0), &keys, &nodes]).await?;
    }
    Ok(())
}

/// Takes the keys out of the endpoints' runs.
async fn drop_keys(
    tx: &Transaction<'_>,
    tenant: TenantNo,
    ended: &[Place],
    endpoints: &BTreeSet<EndpointNo>,
) -> Result<()> {
    const FIND: &str = "SELECT r.endpoint, r.key, r.node, r.keys
        FROM unnest($2::int4[]) AS u (endpoint) CROSS JOIN LATERAL (
            SELECT * FROM run r WHERE r.tenant = $1 AND r.endpoint = u.endpoint
                AND r.key BETWEEN $3 AND $4 OFFSET 0
        ) r";
    const CUT: &str = "UPDATE run SET keys = $5
        WHERE tenant = $1 AND endpoint = $2 AND key = $3 AND node = $4";
    const DROP: &str = "DELETE FROM run r
        USING unnest($2::int4[], $3::int8[], $4::int2[]) AS u (endpoint, key, node)
        WHERE r.tenant = $1 AND r.endpoint = u.endpoint AND r.key = u.key AND r.node = u.node";
    let (Some(first), Some(last)) = (ended.first(), ended.last()) else { return Ok(()) };
    let mut gone: HashMap<i16, BTreeSet<u64>> = HashMap::new();
    for place in ended {
        gone.entry(place.node).or_default().insert(uint(place.key));
    }
    let endpoints: Vec<i32> = endpoints.iter().map(|it| no(it.0)).collect();
    let (tenant, to) = (no(tenant.0), runs::end_of_ms(last.key));
    let mut empty = (Vec::new(), Vec::new(), Vec::new());
    for row in query(tx, FIND, &[&tenant, &endpoints, &first.key, &to]).await? {
        let (endpoint, key, node): (i32, i64, i16) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let keys = runs::keys(row.try_get(3)?, key)?;
        let of_node = gone.get(&node);
        let left: Vec<u64> = keys
            .iter()
            .copied()
            .filter(|it| of_node.is_none_or(|gone| !gone.contains(it)))
            .collect();
        if left.is_empty() {
            empty.0.push(endpoint);
            empty.1.push(key);
            empty.2.push(node);
        } else if left.len() < keys.len() {
            let left = codec::keys_to_bytes(&left);
            execute(tx, CUT, &[&tenant, &endpoint, &key, &node, &left]).await?;
        }
    }
    execute(tx, DROP, &[&tenant, &empty.0, &empty.1, &empty.2]).await?;
    Ok(())
}

/// The place that every event from that key on stands behind.
pub(crate) fn before(key: i64) -> Place {
    Place { key: key.saturating_sub(1), node: i16::MAX }
}

/// A bound that a `bigint` holds.
pub(crate) fn bound(before: u64) -> i64 {
    int(before)
}
