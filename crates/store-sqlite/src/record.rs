//! Recording what happened to deliveries.

use hookyard_domain::attempt::{Attempt, Trigger};
use hookyard_domain::delivery::{DeliveryStatus, Next};
use hookyard_domain::id::{EventId, TargetNo};
use hookyard_store::ledger::Record;
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

use crate::codec::{self, PENDING, int};
use crate::error::Result;
use crate::writer::State;

/// What a [`Next`] is in the row: status, reason, due.
type Fate = (i64, Option<i64>, Option<i64>);

fn fate(next: Next) -> Fate {
    match next {
        Next::Succeeded => (codec::status_code(DeliveryStatus::Succeeded), None, None),
        Next::RetryAt(at) => (PENDING, None, Some(at.as_millis())),
        Next::Failed(reason) => {
            (codec::status_code(DeliveryStatus::Failed), Some(codec::reason_code(reason)), None)
        }
        Next::Discarded(reason) => {
            (codec::status_code(DeliveryStatus::Discarded), Some(codec::reason_code(reason)), None)
        }
    }
}

/// What set off the next attempt if there is one, else the last.
fn set_off(record: &Record) -> Option<i64> {
    match (record.next, &record.attempt) {
        (Next::RetryAt(_), _) => Some(codec::trigger_code(Trigger::Automatic)),
        (_, Some(attempt)) => Some(codec::trigger_code(attempt.trigger)),
        (_, None) => None,
    }
}

struct Statements<'c> {
    insert: CachedStatement<'c>,
    find: CachedStatement<'c>,
    update: CachedStatement<'c>,
    late: CachedStatement<'c>,
    put_attempt: CachedStatement<'c>,
    event: CachedStatement<'c>,
}

impl<'c> Statements<'c> {
    fn prepare(tx: &'c Connection) -> Result<Self> {
        Ok(Self {
            insert: tx.prepare_cached(
                "INSERT INTO delivery (event, target, tenant, endpoint, status, reason, attempts,
                    set_off, due_ms, updated_ms, code, first)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
                 ON CONFLICT DO NOTHING",
            )?,
            find: tx.prepare_cached(
                "SELECT tenant, status, first IS NULL FROM delivery
                 WHERE event = ?1 AND target = ?2",
            )?,
            update: tx.prepare_cached(
                "UPDATE delivery SET status = ?3, reason = ?4, due_ms = ?5, updated_ms = ?6,
                    set_off = coalesce(?7, set_off), attempts = max(attempts, ?8),
                    code = CASE WHEN ?10 THEN ?9 ELSE code END, first = coalesce(first, ?11)
                 WHERE event = ?1 AND target = ?2",
            )?,
            late: tx.prepare_cached(
                "UPDATE delivery SET attempts = max(attempts, ?3), code = ?4,
                    first = coalesce(first, ?5)
                 WHERE event = ?1 AND target = ?2",
            )?,
            put_attempt: tx.prepare_cached(
                "INSERT OR REPLACE INTO attempt (event, target, number, attempt)
                 VALUES (?1, ?2, ?3, ?4)",
            )?,
            event: tx.prepare_cached("SELECT 1 FROM event WHERE key = ?1 AND tenant = ?2")?,
        })
    }
}

/// The place of a delivery in its table; `None` for an id that no event of this store has.
pub(crate) fn place(delivery: hookyard_domain::id::DeliveryId) -> Option<(i64, TargetNo)> {
    let event = delivery.event();
    let target = delivery.target()?;
    let ours = EventId::of(event.key(), 0) == event && event.delivery(target) == delivery;
    ours.then(|| (int(event.key().0), target))
}

/// Records what happened, in order.
pub(crate) fn record(tx: &Connection, state: &State, records: &[Record]) -> Result<()> {
    if records.is_empty() {
        return Ok(());
    }
    let mut statements = Statements::prepare(tx)?;
    for record in records {
        let Some((event, target)) = place(record.delivery) else { continue };
        let may_be_gone = state
            .pruned_below
            .get(&record.tenant)
            .is_some_and(|below| record.delivery.event().key().0 < *below);
        if may_be_gone && !statements.event.exists(params![event, record.tenant.0])? {
            continue;
        }
        one(&mut statements, record, event, target)?;
    }
    Ok(())
}

fn one(
    statements: &mut Statements<'_>,
    record: &Record,
    event: i64,
    target: TargetNo,
) -> Result<()> {
    let (status, reason, due) = fate(record.next);
    let attempt = record.attempt.as_ref();
    let bytes = attempt.map(codec::attempt_to_bytes);
    let is_first = attempt.is_some_and(|attempt| attempt.number == 1);
    let new = statements.insert.execute(params![
        event,
        target.0,
        record.tenant.0,
        record.endpoint.0,
        status,
        reason,
        attempt.map_or(0, |attempt| attempt.number),
        set_off(record).unwrap_or(0),
        due,
        record.at.as_millis(),
        attempt.and_then(|attempt| attempt.status_code),
        bytes.as_ref().filter(|_| is_first),
    ])?;
    let mut inlined = is_first;
    if new == 0 {
        match again(statements, record, (event, target), bytes.as_deref())? {
            None => return Ok(()),
            Some(took) => inlined = took,
        }
    }
    match (attempt, bytes) {
        (Some(Attempt { number, .. }), Some(bytes)) if !inlined => {
            statements.put_attempt.execute(params![event, target.0, number, bytes])?;
        }
        _ => {}
    }
    Ok(())
}

/// The row is there: moves it on unless it has ended. Answers whether the attempt went into the row; `None` when the
/// delivery is somebody else's.
fn again(
    statements: &mut Statements<'_>,
    record: &Record,
    (event, target): (i64, TargetNo),
    bytes: Option<&[u8]>,
) -> Result<Option<bool>> {
    let found = statements
        .find
        .query_row(params![event, target.0], |row| {
            Ok((row.get::<_, u32>(0)?, row.get::<_, i64>(1)?, row.get::<_, bool>(2)?))
        })
        .optional()?;
    let Some((_, was, bare)) = found.filter(|(tenant, ..)| *tenant == record.tenant.0) else {
        return Ok(None);
    };
    let attempt = record.attempt.as_ref();
    let inline = bare && attempt.is_some_and(|attempt| attempt.number == 1);
    let first = bytes.filter(|_| inline);
    let code = attempt.and_then(|attempt| attempt.status_code);
    let number = attempt.map_or(0, |attempt| attempt.number);
    if was == PENDING {
        let (status, reason, due) = fate(record.next);
        statements.update.execute(params![
            event,
            target.0,
            status,
            reason,
            due,
            record.at.as_millis(),
            set_off(record),
            number,
            code,
            attempt.is_some(),
            first,
        ])?;
    } else if attempt.is_some() {
        statements.late.execute(params![event, target.0, number, code, first])?;
    }
    Ok(Some(inline))
}
