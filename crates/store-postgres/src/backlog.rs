//! What is owed at the moment, counted within a bound: what waits by its rows, what has none by walking up from the
//! low-water marks of every node.

use crate::db::GenericClient;
use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::id::EventKey;
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_store::statistics::Backlog;

use crate::codec::{PENDING, int, no, uint, uno};
use crate::db::{query, query_opt};
use crate::error::Result;
use crate::owed::without_row;
use crate::runs::{self, Lane};

/// Events looked at in one go.
const CHUNK: usize = 1024;

/// Nodes' lanes of the tenant's living endpoints that have events above their marks: endpoint, node, mark.
const BEHIND: &str = "SELECT e.no, n.no, coalesce(l.mark, 0)
    FROM endpoint e CROSS JOIN node n
    LEFT JOIN lane l ON l.tenant = e.tenant AND l.endpoint = e.no AND l.node = n.no
    WHERE e.tenant = $1 AND NOT e.deleted AND ($2::int4[] IS NULL OR e.no = ANY($2))
        AND EXISTS (SELECT 1 FROM run r WHERE r.tenant = e.tenant AND r.endpoint = e.no
            AND r.node = n.no AND r.key >= coalesce(l.mark, 0))";

const WAITING: &str = "SELECT count(*), min(key) FROM (
        SELECT d.key FROM delivery d
        WHERE d.tenant = $1 AND d.status = $2 AND ($3::int4[] IS NULL OR d.endpoint = ANY($3))
        ORDER BY d.key LIMIT $4
    ) w";

/// Counts up to `most` deliveries.
pub(crate) async fn count(
    db: &impl GenericClient,
    tenant: TenantNo,
    only: Option<&Vec<i32>>,
    most: u32,
) -> Result<Backlog> {
    let owner = no(tenant.0);
    let most = u64::from(most);
    let mut backlog = Backlog::default();
    let wanted = int(most + 1);
    if let Some(row) = query_opt(db, WAITING, &[&owner, &PENDING, &only, &wanted]).await? {
        let many = uint(row.try_get(0)?);
        backlog.retrying = many.min(most);
        backlog.pending = backlog.retrying;
        backlog.more = many > most;
        backlog.oldest = row.try_get::<_, Option<i64>>(1)?.map(|key| accepted_at(uint(key)));
    }
    for row in query(db, BEHIND, &[&owner, &only]).await? {
        let lane = Lane { tenant, endpoint: EndpointNo(uno(row.try_get(0)?)) };
        let node: i16 = row.try_get(1)?;
        let mut next: i64 = row.try_get(2)?;
        loop {
            let (mut keys, mut is_more) = runs::up(db, lane, node, (next, CHUNK)).await?;
            is_more |= keys.len() > CHUNK;
            keys.truncate(CHUNK);
            let Some(last) = keys.last() else { break };
            next = int(*last) + 1;
            for found in without_row(db, lane, node, &keys).await? {
                let at = Some(accepted_at(uint(found.key)));
                backlog.oldest = [backlog.oldest, at].into_iter().flatten().min();
                if backlog.pending < most {
                    backlog.pending += 1;
                } else {
                    backlog.more = true;
                }
            }
            if !is_more || backlog.more {
                break;
            }
        }
    }
    Ok(backlog)
}

fn accepted_at(key: u64) -> Timestamp {
    EventKey(key).time()
}
