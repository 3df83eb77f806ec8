//! Accepting events: is the tenant there, was it said before, does the match still hold; then the rows.

use hookyard_domain::attempt::Trigger;
use hookyard_domain::id::{EventId, EventKey};
use hookyard_domain::limit;
use hookyard_domain::time::Timestamp;
use hookyard_store::ledger::{Accept, Batch, Once, Receipt};
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

use crate::codec::{self, int, short, uint};
use crate::error::Result;
use crate::events::{self, KIND_KEY, once_columns};
use crate::received::Received;
use crate::runs::ListNo;
use crate::writer::{Draft, State};

struct Statements<'c> {
    put_event: CachedStatement<'c>,
    put_delivery: CachedStatement<'c>,
    find_once: CachedStatement<'c>,
    put_once: CachedStatement<'c>,
    put_test: CachedStatement<'c>,
}

impl<'c> Statements<'c> {
    fn prepare(tx: &'c Connection) -> Result<Self> {
        Ok(Self {
            put_event: tx.prepare_cached(
                "INSERT INTO event (key, tenant, type, scope, accepted_ms, occurred_ms,
                    publisher_id, source, targets, extra, data)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?,
            put_delivery: tx.prepare_cached(
                "INSERT INTO delivery (event, target, tenant, endpoint, status, reason, attempts,
                    set_off, updated_ms)
                 VALUES (?1, ?2, ?3, ?4, 4, ?5, 0, 0, ?6)",
            )?,
            find_once: tx.prepare_cached(
                "SELECT event, deliveries, content FROM once
                 WHERE tenant = ?1 AND kind = ?2 AND text = ?3",
            )?,
            put_once: tx.prepare_cached(
                "INSERT OR REPLACE INTO once (tenant, kind, text, event, deliveries, content)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?,
            put_test: tx.prepare_cached(
                "INSERT INTO delivery (event, target, tenant, endpoint, status, attempts, set_off,
                    due_ms, updated_ms)
                 VALUES (?1, ?2, ?3, ?4, 0, 0, ?5, ?6, ?7)",
            )?,
        })
    }
}

/// Accepts the batch's events, in order; a receipt for each.
pub(crate) fn accept(
    tx: &Connection,
    state: &mut State,
    draft: &mut Draft,
    batch: &Batch,
) -> Result<Vec<Receipt>> {
    if batch.accepts.is_empty() {
        return Ok(Vec::new());
    }
    let mut statements = Statements::prepare(tx)?;
    let mut received = Received::default();
    let mut receipts = Vec::with_capacity(batch.accepts.len());
    for accept in &batch.accepts {
        let receipt = match state.version(tx, accept.tenant)? {
            None => Receipt::NoTenant,
            Some(version) => match said_before(tx, &mut statements, accept, batch.now)? {
                Some(receipt) => receipt,
                None if version != accept.version => Receipt::Stale,
                None => {
                    let key = write(&mut statements, draft, batch.now, accept)?;
                    received.add(tx, state, draft, (accept, key))?;
                    Receipt::Accepted { id: EventId::of(key, 0) }
                }
            },
        };
        receipts.push(receipt);
    }
    received.write(tx, batch.now)?;
    Ok(receipts)
}

/// What an earlier event with the same id or key makes of this one. A publisher's own id, and what a source has received
/// before, win over an idempotency key, and count as long as the event is kept or since when they are asked for; a key
/// counts for a day.
fn said_before(
    tx: &Connection,
    statements: &mut Statements<'_>,
    accept: &Accept,
    now: Timestamp,
) -> Result<Option<Receipt>> {
    let forgotten = EventKey::at(now.minus(limit::IDEMPOTENCY_KEPT));
    let mut by_key = None;
    for once in &accept.once {
        let (kind, text, content) = once_columns(once);
        let found = statements
            .find_once
            .query_row(params![accept.tenant.0, kind, text], |row| {
                let id = EventId::of(EventKey(uint(row.get(0)?)), 0);
                let deliveries = short(row.get(1)?);
                let same = content == row.get_ref(2)?.as_blob_or_null()?;
                Ok((Receipt::Duplicate { id, deliveries }, same, id.key()))
            })
            .optional()?;
        let Some((receipt, same, key)) = found else { continue };
        let counts = match once {
            Once::PublisherId(_) => true,
            Once::Key { .. } => key >= forgotten,
            Once::Received { since: None, .. } => true,
            Once::Received { since: Some(since), .. } => {
                events::accepted_at(tx, key)?.is_some_and(|at| at >= *since)
            }
        };
        match once {
            Once::PublisherId(_) | Once::Received { .. } if counts => {
                keep_keys(tx, statements, accept, &receipt, forgotten)?;
                return Ok(Some(receipt));
            }
            Once::Key { .. } if counts && same => by_key = by_key.or(Some(receipt)),
            Once::Key { .. } if counts => by_key = Some(Receipt::KeyReused),
            Once::PublisherId(_) | Once::Received { .. } | Once::Key { .. } => {}
        }
    }
    Ok(by_key)
}

/// An idempotency key that comes with an id that was there before is that event's from now on, as if it had come with it
/// the first time: for the rest of the event's day, and no other request's meanwhile.
fn keep_keys(
    tx: &Connection,
    statements: &mut Statements<'_>,
    accept: &Accept,
    receipt: &Receipt,
    forgotten: EventKey,
) -> Result<()> {
    let Receipt::Duplicate { id, deliveries } = receipt else { return Ok(()) };
    let event = id.key();
    if event < forgotten {
        return Ok(());
    }
    for once in &accept.once {
        let (KIND_KEY, text, content) = once_columns(once) else { continue };
        let taken = statements
            .find_once
            .query_row(params![accept.tenant.0, KIND_KEY, text], |row| row.get(0))
            .optional()?
            .is_some_and(|key| EventKey(uint(key)) >= forgotten);
        if taken || !events::add_key(tx, event.0, &text)? {
            continue;
        }
        let row = params![accept.tenant.0, KIND_KEY, text, int(event.0), *deliveries, content];
        statements.put_once.execute(row)?;
    }
    Ok(())
}

fn write(
    statements: &mut Statements<'_>,
    draft: &mut Draft,
    now: Timestamp,
    accept: &Accept,
) -> Result<EventKey> {
    let key = EventKey::at(now).max(EventKey(draft.last_key).next());
    draft.last_key = key.0;
    draft.events += 1;
    let content = &accept.content;
    statements.put_event.execute(params![
        int(key.0),
        accept.tenant.0,
        content.event_type.as_str(),
        content.scope.as_ref().map(|scope| scope.as_str()),
        (now != key.time()).then_some(now.as_millis()),
        content.occurred_at.map(|at| at.as_millis()),
        content.publisher_id,
        content.source.map(|source| source.as_u128().to_be_bytes()),
        codec::targets_to_bytes(&accept.targets),
        events::extra_to_bytes(content, &accept.once),
        &content.data[..],
    ])?;
    for once in &accept.once {
        let (kind, text, hash) = once_columns(once);
        let many = accept.targets.len();
        let row = params![accept.tenant.0, kind, text, int(key.0), many as i64, hash];
        statements.put_once.execute(row)?;
    }
    for (at, target) in (0_i64..).zip(&accept.targets) {
        if let Some(due) = accept.sent_by_publisher {
            statements.put_test.execute(params![
                int(key.0),
                at,
                accept.tenant.0,
                target.endpoint.0,
                codec::trigger_code(Trigger::Test),
                due.as_millis(),
                now.as_millis(),
            ])?;
        } else if let Some(reason) = target.discarded {
            statements.put_delivery.execute(params![
                int(key.0),
                at,
                accept.tenant.0,
                target.endpoint.0,
                codec::reason_code(reason),
                now.as_millis(),
            ])?;
        }
        draft.lists.append(ListNo::of_endpoint(target.endpoint), key.0);
    }
    draft.lists.append(ListNo::of_tenant(accept.tenant), key.0);
    Ok(key)
}
