//! Numbers over time: written with each commit, folded when they are older, forgotten at last.

use std::collections::BTreeMap;

use crate::db::GenericClient;
use deadpool_postgres::{Client, Transaction};
use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::statistics::{Span, Tally};
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_store::Answer;
use hookyard_store::ledger::{Batch, Receipt};
use hookyard_store::statistics::{
    Backlog, Counted, Counting, Fold, Piece, Statistics, tally, tally_to_bytes,
};

use crate::codec::{int, no};
use crate::db::{execute, query};
use crate::error::{Result, corrupt};
use crate::node::Node;
use crate::{PostgresStore, backlog, locks, snapshot};

/// `endpoint` of the rows that tell of a tenant as a whole.
const WHOLE: EndpointNo = EndpointNo(0);
const MINUTE_S: i64 = Span::Minute.seconds() as i64;

/// Writes what a batch made of its minute: the columns of [`Columns`] in their order, minute, node and incarnation.
pub(crate) const PUT: &str =
    "INSERT INTO tally_now (tenant, endpoint, tally, minute, node, incarnation)
    SELECT *, $4::int8, $5::int2, $6::int8 FROM unnest($1::int4[], $2::int4[], $3::bytea[])
    ON CONFLICT (minute, tenant, endpoint, node, incarnation) DO UPDATE SET tally = excluded.tally";

/// What this process has counted as an incarnation of its node. Another one begins with nothing: its rows stand beside those
/// of the one before, and both are added up.
#[derive(Default)]
pub(crate) struct Counts {
    node: Option<Node>,
    counting: Counting,
}

impl Counts {
    /// See [`Counting::with`].
    pub(crate) fn with(&mut self, node: Node, batch: &Batch, receipts: &[Receipt]) -> Counted {
        if self.node != Some(node) {
            *self = Self { node: Some(node), counting: Counting::default() };
        }
        self.counting.with(batch, receipts)
    }

    /// See [`Counting::keep`]. What an earlier incarnation counted is not this one's.
    pub(crate) fn keep(&mut self, node: Node, counted: Counted) {
        if self.node == Some(node) {
            self.counting.keep(counted);
        }
    }
}

/// Columns of what was counted.
#[derive(Default)]
pub(crate) struct Columns {
    pub(crate) tenants: Vec<i32>,
    pub(crate) endpoints: Vec<i32>,
    pub(crate) tallies: Vec<Vec<u8>>,
}

/// What was counted, as columns.
pub(crate) fn columns(counted: &Counted) -> Columns {
    let mut columns = Columns::default();
    for ((tenant, endpoint), tally) in &counted.rows {
        columns.tenants.push(no(tenant.0));
        columns.endpoints.push(no(endpoint.0));
        columns.tallies.push(tally_to_bytes(tally));
    }
    columns
}

fn read_tally(bytes: &[u8], at_s: i64) -> Result<Tally> {
    tally(bytes).ok_or_else(|| corrupt("tally", "tally", at_s))
}

async fn pieces(
    db: &impl GenericClient,
    tenant: TenantNo,
    endpoint: EndpointNo,
    since: Timestamp,
) -> Result<Vec<Piece>> {
    const PAST: &str = "SELECT at_s, tally FROM tally_past
        WHERE tenant = $1 AND endpoint = $2 AND span_s = ANY($3) AND at_s >= $4";
    // Clustered by minute: one look-up for each of those that are there.
    const NOW: &str = "SELECT t.minute * 60, t.tally
        FROM generate_series(
            greatest($3, (SELECT min(minute) FROM tally_now)), (SELECT max(minute) FROM tally_now)
        ) AS m (minute)
        JOIN tally_now t ON t.minute = m.minute AND t.tenant = $1 AND t.endpoint = $2";
    let (tenant, endpoint) = (no(tenant.0), no(endpoint.0));
    let spans = [Span::FiveMinutes, Span::Hour].map(span_s).to_vec();
    let mut rows = query(db, PAST, &[&tenant, &endpoint, &spans, &since.as_secs()]).await?;
    let minute = since.as_secs().saturating_add(MINUTE_S - 1).div_euclid(MINUTE_S);
    rows.extend(query(db, NOW, &[&tenant, &endpoint, &minute]).await?);
    let piece = |row: &tokio_postgres::Row| {
        let at_s = row.try_get(0)?;
        Ok(Piece { at: Timestamp::from_secs(at_s), tally: read_tally(row.try_get(1)?, at_s)? })
    };
    rows.iter().map(piece).collect()
}

fn span_s(span: Span) -> i32 {
    i32::try_from(span.seconds()).unwrap_or(i32::MAX)
}

/// Rows taken out to be folded: tenant, endpoint, when they begin, what they hold.
async fn take(tx: &Transaction<'_>, fold: Fold) -> Result<Vec<tokio_postgres::Row>> {
    const NOW: &str = "DELETE FROM tally_now t USING (
            SELECT minute, tenant, endpoint, node, incarnation FROM tally_now WHERE minute < $1
            ORDER BY minute, tenant, endpoint, node, incarnation LIMIT $2
        ) o
        WHERE t.minute = o.minute AND t.tenant = o.tenant AND t.endpoint = o.endpoint
            AND t.node = o.node AND t.incarnation = o.incarnation
        RETURNING t.tenant, t.endpoint, t.minute * 60, t.tally";
    const PAST: &str = "DELETE FROM tally_past t USING (
            SELECT tenant, endpoint, span_s, at_s FROM tally_past WHERE span_s = $3 AND at_s < $1
            ORDER BY at_s LIMIT $2
        ) o
        WHERE t.tenant = o.tenant AND t.endpoint = o.endpoint AND t.span_s = o.span_s
            AND t.at_s = o.at_s
        RETURNING t.tenant, t.endpoint, t.at_s, t.tally";
    let before_s = fold.before.as_secs();
    let limit = i64::from(fold.limit);
    match fold.from {
        Span::Minute => query(tx, NOW, &[&before_s.div_euclid(MINUTE_S), &limit]).await,
        Span::FiveMinutes | Span::Hour => {
            query(tx, PAST, &[&before_s, &limit, &span_s(fold.from)]).await
        }
    }
}

async fn fold(client: &mut Client, fold: Fold) -> Result<u32> {
    const FIND: &str = "SELECT t.tenant, t.endpoint, t.at_s, t.tally FROM tally_past t
        JOIN unnest($1::int4[], $2::int4[], $3::int8[]) AS g (tenant, endpoint, at_s)
            ON t.tenant = g.tenant AND t.endpoint = g.endpoint AND t.at_s = g.at_s
        WHERE t.span_s = $4";
    const KEEP: &str = "INSERT INTO tally_past (tenant, endpoint, at_s, tally, span_s)
        SELECT *, $5::int4 FROM unnest($1::int4[], $2::int4[], $3::int8[], $4::bytea[])
        ON CONFLICT (tenant, endpoint, span_s, at_s) DO UPDATE SET tally = excluded.tally";
    let tx = client.transaction().await?;
    // One node folds at a time, so that nobody adds to what another one is adding to.
    locks::alone(&tx, locks::TALLIES).await?;
    let taken = take(&tx, fold).await?;
    let into_s = int(fold.into.seconds());
    let mut sums: BTreeMap<(i32, i32, i64), Tally> = BTreeMap::new();
    for row in &taken {
        let at_s: i64 = row.try_get(2)?;
        let of = (row.try_get(0)?, row.try_get(1)?, at_s.div_euclid(into_s) * into_s);
        sums.entry(of).or_default().add(&read_tally(row.try_get(3)?, at_s)?);
    }
    let tenants: Vec<i32> = sums.keys().map(|it| it.0).collect();
    let endpoints: Vec<i32> = sums.keys().map(|it| it.1).collect();
    let times: Vec<i64> = sums.keys().map(|it| it.2).collect();
    let into = span_s(fold.into);
    for row in query(&tx, FIND, &[&tenants, &endpoints, &times, &into]).await? {
        let at_s: i64 = row.try_get(2)?;
        if let Some(sum) = sums.get_mut(&(row.try_get(0)?, row.try_get(1)?, at_s)) {
            sum.add(&read_tally(row.try_get(3)?, at_s)?);
        }
    }
    let tallies: Vec<Vec<u8>> = sums.values().map(tally_to_bytes).collect();
    execute(&tx, KEEP, &[&tenants, &endpoints, &times, &tallies, &into]).await?;
    tx.commit().await?;
    Ok(u32::try_from(taken.len()).unwrap_or(u32::MAX))
}

async fn forget(db: &impl GenericClient, before: Timestamp, limit: u32) -> Result<u32> {
    const SQL: &str = "DELETE FROM tally_past t USING (
            SELECT tenant, endpoint, span_s, at_s FROM tally_past WHERE span_s = $1 AND at_s < $2
            ORDER BY at_s LIMIT $3
        ) o
        WHERE t.tenant = o.tenant AND t.endpoint = o.endpoint AND t.span_s = o.span_s
            AND t.at_s = o.at_s";
    let span = span_s(Span::Hour);
    let gone = execute(db, SQL, &[&span, &before.as_secs(), &i64::from(limit)]).await?;
    Ok(u32::try_from(gone).unwrap_or(u32::MAX))
}

impl Statistics for PostgresStore {
    fn pieces(
        &self,
        tenant: TenantNo,
        endpoint: Option<EndpointNo>,
        since: Timestamp,
    ) -> Answer<'_, Vec<Piece>> {
        // As of one moment: a piece that is folded meanwhile is seen once.
        snapshot!(self, |tx| pieces(tx, tenant, endpoint.unwrap_or(WHOLE), since))
    }

    fn fold(&self, it: Fold) -> Answer<'_, u32> {
        Box::pin(async move {
            let mut client = self.client().await?;
            Ok(fold(&mut client, it).await?)
        })
    }

    fn forget_pieces(&self, before: Timestamp, limit: u32) -> Answer<'_, u32> {
        crate::read!(self, |db| forget(db, before, limit))
    }

    fn backlog(
        &self,
        tenant: TenantNo,
        endpoints: Option<&[EndpointNo]>,
        most: u32,
    ) -> Answer<'_, Backlog> {
        let only: Option<Vec<i32>> = endpoints.map(|them| them.iter().map(|it| no(it.0)).collect());
        snapshot!(self, |tx| backlog::count(tx, tenant, only.as_ref(), most))
    }
}
