//! Numbers over time: written with each commit, folded when they are older, forgotten at last; and what is owed now.

use std::collections::BTreeMap;

use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::id::{EventKey, TargetNo};
use hookyard_domain::statistics::{Span, Tally};
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_store::Answer;
use hookyard_store::statistics::{
    Backlog, Counted, Fold, Piece, Statistics, tally, tally_to_bytes,
};
use rusqlite::{Connection, OptionalExtension, params};

use crate::SqliteStore;
use crate::codec::{PENDING, int, short, uint};
use crate::deliveries::has_row;
use crate::error::{Result, corrupt};
use crate::events;
use crate::runs::{ListNo, ListReader, Lists};

/// `endpoint` of the rows that tell of a tenant as a whole.
const WHOLE: EndpointNo = EndpointNo(0);
const MINUTE_S: i64 = Span::Minute.seconds() as i64;

/// Writes what a batch made of its minute.
pub(crate) fn put(tx: &Connection, incarnation: i64, counted: &Counted) -> Result<()> {
    if counted.rows.is_empty() {
        return Ok(());
    }
    let mut put = tx.prepare_cached(
        "INSERT OR REPLACE INTO tally_now (minute, tenant, endpoint, incarnation, tally)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for ((tenant, endpoint), tally) in &counted.rows {
        let bytes = tally_to_bytes(tally);
        put.execute(params![counted.minute, tenant.0, endpoint.0, incarnation, bytes])?;
    }
    Ok(())
}

fn read_tally(bytes: &[u8], at_s: i64) -> Result<Tally> {
    tally(bytes).ok_or_else(|| corrupt("tally", "tally", at_s))
}

fn piece(at_s: i64, bytes: &[u8]) -> Result<Piece> {
    Ok(Piece { at: Timestamp::from_secs(at_s), tally: read_tally(bytes, at_s)? })
}

fn pieces(
    conn: &Connection,
    tenant: TenantNo,
    endpoint: EndpointNo,
    since: Timestamp,
) -> Result<Vec<Piece>> {
    let tx = conn.unchecked_transaction()?;
    let mut pieces = Vec::new();
    let mut find = tx.prepare_cached(
        "SELECT at_s, tally FROM tally_past
         WHERE tenant = ?1 AND endpoint = ?2 AND span_s = ?3 AND at_s >= ?4",
    )?;
    for span in [Span::FiveMinutes, Span::Hour] {
        let span_s = int(span.seconds());
        let mut rows = find.query(params![tenant.0, endpoint.0, span_s, since.as_secs()])?;
        while let Some(row) = rows.next()? {
            let bytes = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
            pieces.push(piece(row.get(0)?, bytes)?);
        }
    }
    // Clustered by minute: one look-up for each of those that are there.
    let mut bounds = tx.prepare_cached("SELECT min(minute) FROM tally_now")?;
    let first: Option<i64> = bounds.query_row([], |row| row.get(0))?;
    let mut bounds = tx.prepare_cached("SELECT max(minute) FROM tally_now")?;
    let last: Option<i64> = bounds.query_row([], |row| row.get(0))?;
    let (Some(first), Some(last)) = (first, last) else { return Ok(pieces) };
    let since = since.as_secs().saturating_add(MINUTE_S - 1).div_euclid(MINUTE_S);
    let mut find = tx.prepare_cached(
        "SELECT tally FROM tally_now WHERE minute = ?1 AND tenant = ?2 AND endpoint = ?3",
    )?;
    for minute in first.max(since)..=last {
        let mut rows = find.query(params![minute, tenant.0, endpoint.0])?;
        while let Some(row) = rows.next()? {
            let bytes = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
            pieces.push(piece(minute * MINUTE_S, bytes)?);
        }
    }
    Ok(pieces)
}

/// A row to be folded.
struct Old {
    at_s: i64,
    tenant: u32,
    endpoint: u32,
    incarnation: i64,
    tally: Tally,
}

fn oldest(tx: &Connection, fold: Fold) -> Result<Vec<Old>> {
    let before_s = fold.before.as_secs();
    let (sql, before) = match fold.from {
        Span::Minute => (
            "SELECT minute, tenant, endpoint, incarnation, tally FROM tally_now
             WHERE minute < ?1 ORDER BY minute, tenant, endpoint, incarnation LIMIT ?3 + 0 * ?2",
            before_s.div_euclid(MINUTE_S),
        ),
        Span::FiveMinutes | Span::Hour => (
            "SELECT at_s, tenant, endpoint, 0, tally FROM tally_past
             WHERE at_s < ?1 AND span_s = ?2 ORDER BY at_s LIMIT ?3",
            before_s,
        ),
    };
    let mut find = tx.prepare_cached(sql)?;
    let mut rows = find.query(params![before, int(fold.from.seconds()), fold.limit])?;
    let unit = if fold.from == Span::Minute { MINUTE_S } else { 1 };
    let mut old = Vec::new();
    while let Some(row) = rows.next()? {
        let at_s = row.get::<_, i64>(0)? * unit;
        let bytes = row.get_ref(4)?.as_blob().map_err(rusqlite::Error::from)?;
        old.push(Old {
            at_s,
            tenant: row.get(1)?,
            endpoint: row.get(2)?,
            incarnation: row.get(3)?,
            tally: read_tally(bytes, at_s)?,
        });
    }
    Ok(old)
}

fn fold(tx: &Connection, fold: Fold) -> Result<u32> {
    let old = oldest(tx, fold)?;
    let into_s = int(fold.into.seconds());
    let mut sums: BTreeMap<(u32, u32, i64), Tally> = BTreeMap::new();
    for one in &old {
        let at_s = one.at_s.div_euclid(into_s) * into_s;
        sums.entry((one.tenant, one.endpoint, at_s)).or_default().add(&one.tally);
    }
    let mut find = tx.prepare_cached(
        "SELECT tally FROM tally_past
         WHERE tenant = ?1 AND endpoint = ?2 AND span_s = ?3 AND at_s = ?4",
    )?;
    let mut put = tx.prepare_cached(
        "INSERT OR REPLACE INTO tally_past (tenant, endpoint, span_s, at_s, tally)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for ((tenant, endpoint, at_s), mut sum) in sums {
        let kept: Option<Vec<u8>> =
            find.query_row(params![tenant, endpoint, into_s, at_s], |row| row.get(0)).optional()?;
        if let Some(kept) = kept {
            sum.add(&read_tally(&kept, at_s)?);
        }
        put.execute(params![tenant, endpoint, into_s, at_s, tally_to_bytes(&sum)])?;
    }
    let mut drop_now = tx.prepare_cached(
        "DELETE FROM tally_now
         WHERE minute = ?1 AND tenant = ?2 AND endpoint = ?3 AND incarnation = ?4",
    )?;
    let mut drop_past = tx.prepare_cached(
        "DELETE FROM tally_past WHERE tenant = ?1 AND endpoint = ?2 AND span_s = ?3 AND at_s = ?4",
    )?;
    for one in &old {
        let Old { at_s, tenant, endpoint, incarnation, .. } = one;
        match fold.from {
            Span::Minute => {
                let minute = at_s.div_euclid(MINUTE_S);
                drop_now.execute(params![minute, tenant, endpoint, incarnation])?;
            }
            Span::FiveMinutes | Span::Hour => {
                let span_s = int(fold.from.seconds());
                drop_past.execute(params![tenant, endpoint, span_s, at_s])?;
            }
        }
    }
    Ok(old.len() as u32)
}

fn forget(tx: &Connection, before: Timestamp, limit: u32) -> Result<u32> {
    let gone = tx
        .prepare_cached(
            "DELETE FROM tally_past WHERE (tenant, endpoint, span_s, at_s) IN (
                SELECT tenant, endpoint, span_s, at_s FROM tally_past
                WHERE span_s = ?1 AND at_s < ?2 ORDER BY at_s LIMIT ?3)",
        )?
        .execute(params![int(Span::Hour.seconds()), before.as_secs(), limit])?;
    Ok(gone as u32)
}

/// The living endpoints of a tenant, or those of them that are asked for, with their low-water marks.
fn lanes(
    conn: &Connection,
    tenant: TenantNo,
    only: Option<&[EndpointNo]>,
) -> Result<Vec<(EndpointNo, u64)>> {
    const SQL: &str = "SELECT no, coalesce(mark, 0) FROM endpoint
        LEFT JOIN lane ON lane.endpoint = endpoint.no
        WHERE endpoint.tenant = ?1 AND deleted = 0";
    let read = |row: &rusqlite::Row<'_>| {
        Ok((EndpointNo(short(row.get(0)?)), uint(row.get::<_, i64>(1)?).max(1)))
    };
    let Some(only) = only else {
        let mut find = conn.prepare_cached(SQL)?;
        return Ok(find.query_map([tenant.0], read)?.collect::<rusqlite::Result<_>>()?);
    };
    let mut find = conn.prepare_cached(&format!("{SQL} AND no = ?2"))?;
    let mut lanes = Vec::new();
    for endpoint in only {
        lanes.extend(find.query_row(params![tenant.0, endpoint.0], read).optional()?);
    }
    Ok(lanes)
}

/// Counts what waits by its rows, and what has none by walking up from the low-water marks.
fn backlog(
    conn: &Connection,
    lists: &Lists,
    tenant: TenantNo,
    only: Option<&[EndpointNo]>,
    most: u32,
) -> Result<Backlog> {
    let behind: Vec<_> = {
        let lanes = lanes(conn, tenant, only)?;
        let tail = |no| lists.tail(ListNo::of_endpoint(no));
        lanes.into_iter().map(|(no, mark)| (no, mark, tail(no))).collect()
    };
    let tx = conn.unchecked_transaction()?;
    let mut counter = Counter { most: u64::from(most), ..Counter::default() };
    for (endpoint, mark, tail) in behind {
        counter.waiting(&tx, tenant, endpoint)?;
        if tail.last().is_some_and(|last| *last < mark) {
            continue;
        }
        let reader = ListReader::new(&tx, ListNo::of_endpoint(endpoint), tail)?;
        let mut keys = reader.up(mark);
        while let Some(key) = keys.next()? {
            if !counter.owed(&tx, tenant, endpoint, key)? {
                break;
            }
        }
    }
    Ok(counter.backlog)
}

#[derive(Default)]
struct Counter {
    most: u64,
    backlog: Backlog,
}

impl Counter {
    fn waiting(&mut self, tx: &Connection, tenant: TenantNo, endpoint: EndpointNo) -> Result<()> {
        let room = self.most.saturating_sub(self.backlog.pending);
        let mut find = tx.prepare_cached(
            "SELECT count(*), min(event) FROM (SELECT event FROM delivery
             WHERE endpoint = ?1 AND tenant = ?2 AND status = ?3 ORDER BY event LIMIT ?4)",
        )?;
        // One more tells whether there are more.
        let wanted = params![endpoint.0, tenant.0, PENDING, int(room + 1)];
        let (many, oldest) =
            find.query_row(wanted, |row| Ok((uint(row.get(0)?), row.get::<_, Option<i64>>(1)?)))?;
        let counted = many.min(room);
        self.backlog.more |= many > room;
        self.backlog.pending += counted;
        self.backlog.retrying += counted;
        self.saw(oldest.map(uint));
        Ok(())
    }

    /// False when there is no room for more.
    fn owed(
        &mut self,
        tx: &Connection,
        tenant: TenantNo,
        endpoint: EndpointNo,
        key: u64,
    ) -> Result<bool> {
        let Some(head) = events::head(tx, key)?.filter(|head| head.tenant == tenant) else {
            return Ok(true);
        };
        for (at, target) in (0_u32..).zip(&head.targets) {
            if target.endpoint == endpoint && !has_row(tx, int(key), TargetNo(at))? {
                self.saw(Some(key));
                if self.backlog.pending >= self.most {
                    self.backlog.more = true;
                    return Ok(false);
                }
                self.backlog.pending += 1;
            }
        }
        Ok(true)
    }

    fn saw(&mut self, key: Option<u64>) {
        let at = key.map(|key| EventKey(key).time());
        self.backlog.oldest = [self.backlog.oldest, at].into_iter().flatten().min();
    }
}

impl Statistics for SqliteStore {
    fn pieces(
        &self,
        tenant: TenantNo,
        endpoint: Option<EndpointNo>,
        since: Timestamp,
    ) -> Answer<'_, Vec<Piece>> {
        self.read(move |conn, _| pieces(conn, tenant, endpoint.unwrap_or(WHOLE), since))
    }

    fn fold(&self, it: Fold) -> Answer<'_, u32> {
        self.write(move |writer| writer.keep_house(|tx| fold(tx, it)))
    }

    fn forget_pieces(&self, before: Timestamp, limit: u32) -> Answer<'_, u32> {
        self.write(move |writer| writer.keep_house(|tx| forget(tx, before, limit)))
    }

    fn backlog(
        &self,
        tenant: TenantNo,
        endpoints: Option<&[EndpointNo]>,
        most: u32,
    ) -> Answer<'_, Backlog> {
        let only = endpoints.map(<[EndpointNo]>::to_vec);
        self.read(move |conn, lists| backlog(conn, lists, tenant, only.as_deref(), most))
    }
}
