//! Partitions by day: made ahead, and dropped whole when nothing in them is to be kept.
//!
//! Where somebody keeps events for long, several days share partitions. A day is dropped when the retention of everybody
//! who has events in it is over and all of them have ended. A day that has to stay for somebody's sake is pruned event by
//! event (`prune`), as is what stands outside of all days.

use deadpool_postgres::{Client, Transaction};
use hookyard_domain::id::EventKey;
use hookyard_domain::tenant::TenantNo;
use hookyard_store::StoreError;
use tokio_postgres::types::ToSql;

use crate::codec::{int, no};
use crate::db::{GenericClient, execute, query, query_opt};
use crate::error::{Fault, Result};
use crate::locks;

/// What is kept by days.
const TABLES: [&str; 4] = ["event", "delivery", "attempt", "run"];
/// Days made ahead before anything is served, and in idle moments.
pub(crate) const AHEAD_AT_START: i32 = 1;
pub(crate) const AHEAD: i32 = 4;
/// Partitions of a table at about most, for the longest retention: each statement has to lock them all.
const SPANS_MAX: i32 = 32;
/// How long everybody waits for the tables at most while a day comes or goes; less than it takes the server to see that two
/// wait for each other, so that nobody else is broken off.
const WAIT: &str = "SET LOCAL lock_timeout = '500ms'";
/// Bits of a key below its millisecond, and milliseconds of a day.
const MS_BITS: u32 = 12;
const DAY_MS: i64 = 86_400_000;

/// The database's own day.
const TODAY: &str = "floor(extract(epoch from clock_timestamp()) / 86400)::int4";

/// The first key of a day.
fn first_key(day: i32) -> i64 {
    (i64::from(day) * DAY_MS) << MS_BITS
}

/// The day a key belongs to.
fn day_of(key: i64) -> i32 {
    i32::try_from((key >> MS_BITS) / DAY_MS).unwrap_or(i32::MAX)
}

/// Days that share partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    first: i32,
    days: i32,
}

impl Span {
    /// The day after its last.
    fn end(self) -> i32 {
        self.first.saturating_add(self.days)
    }

    /// Its first key, and the first key behind it.
    fn keys(self) -> (i64, i64) {
        (first_key(self.first), first_key(self.end()))
    }
}

/// Makes partitions from yesterday to the next `ahead` days. What cannot be made at the moment is made later; until then its events
/// stand outside of all days.
pub(crate) async fn make_ahead(client: &mut Client, ahead: i32) -> Result<()> {
    loop {
        match make_next(client, ahead).await {
            Ok(Some(span)) => {
                tracing::debug!(day = span.first, days = span.days, "partitions were made");
            }
            Ok(None) => return Ok(()),
            Err(fault) if fault.is_the_servers() => {
                tracing::warn!("the partitions of a day could not be made at the moment");
                return Ok(());
            }
            Err(fault) => return Err(fault),
        }
    }
}

/// The day that partitions begin with next, today, and how many days share them.
async fn next_span(db: &impl GenericClient, ahead: i32) -> Result<Option<Span>> {
    let sql = format!(
        "SELECT greatest((SELECT max(no + days) FROM day), {TODAY} - 1), {TODAY},
            (SELECT max(retention_days) FROM tenant WHERE NOT deleted)"
    );
    let Some(row) = query_opt(db, &sql, &[]).await? else { return Ok(None) };
    let (first, today): (i32, i32) = (row.try_get(0)?, row.try_get(1)?);
    let longest: i32 = row.try_get::<_, Option<i32>>(2)?.unwrap_or(1);
    Ok((first <= today + ahead).then_some(Span { first, days: width(longest) }))
}

/// How many days share partitions when events are kept for `longest` days.
fn width(longest: i32) -> i32 {
    longest.saturating_add(SPANS_MAX - 1).saturating_div(SPANS_MAX).max(1)
}

/// Makes partitions of the next days that have none; `None` when all are made.
async fn make_next(client: &mut Client, ahead: i32) -> Result<Option<Span>> {
    if next_span(client, ahead).await?.is_none() {
        return Ok(None);
    }
    let mut tx = client.transaction().await?;
    locks::alone(&tx, locks::DAYS).await?;
    // Another node may have been at it.
    let Some(span) = next_span(&tx, ahead).await? else {
        tx.rollback().await?;
        return Ok(None);
    };
    let made = match attach(&mut tx, span).await {
        // Events of these days are there already: they stand outside, and so will the others.
        Err(fault) if fault.is_a_violation() => false,
        attached => attached.map(|()| true)?,
    };
    const NOTE: &str = "INSERT INTO day (no, days, made) VALUES ($1, $2, $3)";
    execute(&tx, NOTE, &[&span.first, &span.days, &made]).await?;
    tx.commit().await?;
    Ok(Some(span))
}

/// Makes partitions for a history that comes in whole, from the day of key `oldest` on as far as anybody's retention
/// reaches back, up to where [`make_ahead`] begins. Nothing is done where partitions reach back already.
pub(crate) async fn make_back(client: &mut Client, oldest: i64) -> Result<()> {
    let sql = format!(
        "SELECT {TODAY}, (SELECT min(no) FROM day),
            (SELECT max(retention_days) FROM tenant WHERE NOT deleted)"
    );
    let mut tx = client.transaction().await?;
    locks::alone(&tx, locks::DAYS).await?;
    let Some(row) = query_opt(&tx, &sql, &[]).await? else { return Ok(()) };
    let (today, made): (i32, Option<i32>) = (row.try_get(0)?, row.try_get(1)?);
    let longest: i32 = row.try_get::<_, Option<i32>>(2)?.unwrap_or(1);
    let end = made.unwrap_or(today - 1);
    if end < today - 1 {
        return Ok(());
    }
    let mut first = day_of(oldest).max(today.saturating_sub(longest));
    while first < end {
        let span = Span { first, days: width(longest).min(end - first) };
        attach(&mut tx, span).await?;
        const NOTE: &str = "INSERT INTO day (no, days, made) VALUES ($1, $2, true)";
        execute(&tx, NOTE, &[&span.first, &span.days]).await?;
        first = span.end();
    }
    Ok(tx.commit().await?)
}

/// Attached, not made in place: whoever writes meanwhile does not wait.
async fn attach(tx: &mut Transaction<'_>, span: Span) -> Result<()> {
    let (first, (from, to)) = (span.first, span.keys());
    let inner = tx.transaction().await?;
    inner.batch_execute(WAIT).await?;
    for table in TABLES {
        let sql = format!(
            "CREATE TABLE {table}_d{first} (LIKE {table} INCLUDING ALL);
             ALTER TABLE {table} ATTACH PARTITION {table}_d{first} FOR VALUES FROM ({from}) TO ({to})"
        );
        if let Err(error) = inner.batch_execute(&sql).await {
            inner.rollback().await?;
            return Err(error.into());
        }
    }
    Ok(inner.commit().await?)
}

/// Below which key each tenant's events are too old.
pub(crate) struct Bounds {
    tenants: Vec<i32>,
    keys: Vec<i64>,
}

impl Bounds {
    pub(crate) fn of(bounds: &[(TenantNo, EventKey)]) -> Self {
        let of = bounds.iter().map(|(tenant, key)| (no(tenant.0), int(key.0)));
        let (tenants, keys) = of.unzip();
        Self { tenants, keys }
    }
}

/// Where the day begins that a key falls into. It goes whole, when it is over; a day outside of all begins with the key.
pub(crate) async fn begin_of(db: &impl GenericClient, key: i64) -> Result<i64> {
    const SQL: &str = "SELECT no FROM day WHERE made AND no <= $1 AND no + days > $1";
    let row = query_opt(db, SQL, &[&day_of(key)]).await?;
    row.map_or(Ok(key), |row| Ok(first_key(row.try_get(0)?)))
}

/// Drops the days that nobody needs any more; each is asked about once, however many tenants there are.
pub(crate) async fn drop_below(client: &mut Client, bounds: &Bounds) -> Result<()> {
    let Some(highest) = bounds.keys.iter().max() else { return Ok(()) };
    let sql = format!(
        "SELECT no, days FROM day WHERE made AND no + days <= least({TODAY}, $1) ORDER BY no"
    );
    for row in query(client, &sql, &[&day_of(*highest)]).await? {
        let span = Span { first: row.try_get(0)?, days: row.try_get(1)? };
        match drop_span(client, bounds, span).await {
            Err(fault) if fault.is_the_servers() => {
                tracing::warn!(
                    day = span.first,
                    error = &StoreError::from(fault) as &dyn std::error::Error,
                    "a day of history could not be dropped: it is tried again with the next round"
                );
            }
            dropped => dropped?,
        }
    }
    Ok(())
}

/// Whether a day is not old enough for somebody who has events in it; one whose bound is not given keeps all of its own.
const IS_KEPT: &str = "SELECT EXISTS (SELECT 1 FROM tenant t
        LEFT JOIN unnest($1::int4[], $2::int8[]) AS b (tenant, key) ON b.tenant = t.no
        WHERE NOT t.deleted AND coalesce(b.key, 0) < $4
        AND EXISTS (SELECT 1 FROM event e WHERE e.tenant = t.no AND e.key >= $3 AND e.key < $4))";

/// Whether something of it is owed. That does not begin later on.
const IS_OWED: &str = "SELECT EXISTS (SELECT 1 FROM endpoint e CROSS JOIN node n
        LEFT JOIN lane l ON l.tenant = e.tenant AND l.endpoint = e.no AND l.node = n.no
        CROSS JOIN LATERAL (
            SELECT 1 FROM run r WHERE r.tenant = e.tenant AND r.endpoint = e.no AND r.node = n.no
                AND r.key >= greatest($1, l.mark) AND r.key < $2 LIMIT 1
        ) r
        WHERE coalesce(l.mark, 0) < $2)";

/// Whether something of a day waits or is held.
const IS_AWAITED: &str = "SELECT EXISTS (SELECT 1 FROM delivery d
        WHERE d.due_ms IS NOT NULL AND d.key >= $1 AND d.key < $2)
    OR EXISTS (SELECT 1 FROM held h WHERE h.key >= $1 AND h.key < $2)";

async fn is_kept(db: &impl GenericClient, bounds: &Bounds, span: Span) -> Result<bool> {
    let (from, to) = span.keys();
    is_so(db, IS_KEPT, &[&bounds.tenants, &bounds.keys, &from, &to]).await
}

async fn is_owed(db: &impl GenericClient, span: Span) -> Result<bool> {
    let (from, to) = span.keys();
    is_so(db, IS_OWED, &[&from, &to]).await
}

async fn is_awaited(db: &impl GenericClient, span: Span) -> Result<bool> {
    let (from, to) = span.keys();
    is_so(db, IS_AWAITED, &[&from, &to]).await
}

async fn is_so(db: &impl GenericClient, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<bool> {
    let row = query_opt(db, sql, params).await?;
    row.map_or(Ok(true), |row| row.try_get(0).map_err(Fault::from))
}

/// Drops a day unless somebody needs it; the cheapest question first.
async fn drop_span(client: &mut Client, bounds: &Bounds, span: Span) -> Result<()> {
    let (from, to) = span.keys();
    if is_kept(client, bounds, span).await?
        || is_awaited(client, span).await?
        || is_owed(client, span).await?
    {
        return Ok(());
    }
    // Before anybody has to wait: of events that are gone in a moment, or else with the next round.
    for sql in [
        "DELETE FROM once o USING tenant t WHERE o.tenant = t.no AND o.key >= $1 AND o.key < $2",
        "DELETE FROM replayed r USING tenant t WHERE r.tenant = t.no AND r.key >= $1 AND r.key < $2",
    ] {
        execute(client, sql, &[&from, &to]).await?;
    }
    if drop_tables(client, span).await? {
        tracing::info!(day = span.first, days = span.days, "a day of history was dropped");
    }
    Ok(())
}

/// Everybody waits meanwhile. False when somebody has asked for one of its deliveries since, or dropped it before.
async fn drop_tables(client: &mut Client, span: Span) -> Result<bool> {
    const GONE: &str = "DELETE FROM day WHERE no = $1";
    let tx = client.transaction().await?;
    locks::alone(&tx, locks::DAYS).await?;
    tx.batch_execute(&format!(
        "{WAIT}; LOCK TABLE event, delivery, attempt, run IN ACCESS EXCLUSIVE MODE"
    ))
    .await?;
    if execute(&tx, GONE, &[&span.first]).await? == 0 || is_awaited(&tx, span).await? {
        tx.rollback().await?;
        return Ok(false);
    }
    for table in TABLES {
        tx.batch_execute(&format!("DROP TABLE {table}_d{}", span.first)).await?;
    }
    tx.commit().await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_holds_the_keys_of_its_days_alone() {
        let span = Span { first: 20_600, days: 3 };
        let (from, to) = span.keys();
        assert_eq!((day_of(from), day_of(from - 1)), (20_600, 20_599));
        assert_eq!((day_of(to), day_of(to - 1)), (20_603, 20_602));
    }

    #[test]
    fn the_longer_events_are_kept_the_more_days_share_partitions() {
        for (longest, days) in [(0, 1), (1, 1), (30, 1), (32, 1), (33, 2), (365, 12)] {
            assert_eq!(width(longest), days, "{longest}");
        }
    }
}
