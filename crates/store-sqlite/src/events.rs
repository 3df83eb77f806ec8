//! Rows of the table `event`: their bytes, and the event they are.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use hookyard_domain::event::{Event, EventContent};
use hookyard_domain::event_type::EventType;
use hookyard_domain::headers::Headers;
use hookyard_domain::id::{EventId, EventKey, SourceId};
use hookyard_domain::subscription::Scope;
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_store::ledger::{Once, Target};
use hookyard_store::transfer;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::codec::{self, Input, int, put, put_bytes, put_headers, short, time};
use crate::error::{Result, corrupt};

/// An event with whom it is owed to.
pub(crate) struct StoredEvent {
    pub(crate) event: Arc<Event>,
    pub(crate) targets: Vec<Target>,
}

/// What stands before the payload.
pub(crate) struct Head {
    pub(crate) id: EventId,
    pub(crate) tenant: TenantNo,
    pub(crate) event_type: EventType,
    pub(crate) accepted_at: Timestamp,
    pub(crate) source: Option<SourceId>,
    pub(crate) targets: Vec<Target>,
}

const HEADERS: u64 = 1;
const PREVIOUS: u64 = 2;
const CHANGES: u64 = 3;
const ONCE_ID: u64 = 4;
const ONCE_KEY: u64 = 5;
const CONTENT_TYPE: u64 = 6;
const ONCE_RECEIVED: u64 = 7;

/// Idempotency keys of one event at most: whoever repeats an id with ever new keys does not make its row grow for ever.
const KEYS_MAX: usize = 16;

// The column `kind` of the table `once`.
const KIND_ID: i64 = 0;
pub(crate) const KIND_KEY: i64 = 1;
pub(crate) const KIND_RECEIVED: i64 = 2;

/// A [`Once`] as its columns.
pub(crate) fn once_columns(once: &Once) -> (i64, Cow<'_, str>, Option<&[u8]>) {
    match once {
        Once::PublisherId(id) => (KIND_ID, id.into(), None),
        Once::Key { key, content } => (KIND_KEY, key.into(), Some(content)),
        Once::Received { source, id, .. } => (KIND_RECEIVED, format!("{source} {id}").into(), None),
    }
}

/// The rare parts of an event, and what makes it happen once beyond its own `publisher_id`; `None` when there are none.
pub(crate) fn extra_to_bytes(content: &EventContent, once: &[Once]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    if !content.headers.0.is_empty() {
        put(&mut out, HEADERS);
        put_headers(&mut out, &content.headers);
    }
    for (tag, bytes) in [(PREVIOUS, &content.previous), (CHANGES, &content.changes)] {
        if let Some(bytes) = bytes {
            put(&mut out, tag);
            put_bytes(&mut out, bytes);
        }
    }
    if let Some(content_type) = &content.content_type {
        put(&mut out, CONTENT_TYPE);
        put_bytes(&mut out, content_type.as_bytes());
    }
    for once in once {
        let tag = match once {
            Once::PublisherId(id) if content.publisher_id.as_ref() == Some(id) => continue,
            Once::PublisherId(_) => ONCE_ID,
            Once::Key { .. } => ONCE_KEY,
            Once::Received { .. } => ONCE_RECEIVED,
        };
        let (_, text, _) = once_columns(once);
        put(&mut out, tag);
        put_bytes(&mut out, text.as_bytes());
    }
    (!out.is_empty()).then_some(out)
}

#[derive(Default)]
struct Extra {
    headers: Headers,
    previous: Option<Bytes>,
    changes: Option<Bytes>,
    content_type: Option<String>,
    once: Vec<(i64, String)>,
}

fn extra(bytes: &[u8]) -> Option<Extra> {
    let mut input = Input(bytes);
    let mut extra = Extra::default();
    while !input.is_empty() {
        match input.number()? {
            HEADERS => extra.headers = input.headers()?,
            PREVIOUS => extra.previous = Some(Bytes::copy_from_slice(input.bytes()?)),
            CHANGES => extra.changes = Some(Bytes::copy_from_slice(input.bytes()?)),
            CONTENT_TYPE => extra.content_type = Some(input.text()?),
            ONCE_ID => extra.once.push((KIND_ID, input.text()?)),
            ONCE_KEY => extra.once.push((KIND_KEY, input.text()?)),
            ONCE_RECEIVED => extra.once.push((KIND_RECEIVED, input.text()?)),
            _ => return None,
        }
    }
    Some(extra)
}

/// The rare parts in the form that all stores share, without what makes the event happen once; `None` when they are
/// unreadable.
#[expect(clippy::option_option, reason = "unreadable is another thing than none")]
pub(crate) fn shared_extra(bytes: &[u8]) -> Option<Option<Vec<u8>>> {
    let Extra { headers, previous, changes, content_type, once: _ } = extra(bytes)?;
    let mut out = Vec::new();
    if !headers.0.is_empty() {
        put(&mut out, transfer::extra::HEADERS);
        put_headers(&mut out, &headers);
    }
    for (tag, bytes) in [
        (transfer::extra::PREVIOUS, previous.as_deref()),
        (transfer::extra::CHANGES, changes.as_deref()),
        (transfer::extra::CONTENT_TYPE, content_type.as_ref().map(String::as_bytes)),
    ] {
        if let Some(bytes) = bytes {
            put(&mut out, tag);
            put_bytes(&mut out, bytes);
        }
    }
    Some((!out.is_empty()).then_some(out))
}

fn blob<'r>(row: &'r Row<'_>, at: usize) -> rusqlite::Result<Option<&'r [u8]>> {
    Ok(row.get_ref(at)?.as_blob_or_null()?)
}

fn text<'r>(row: &'r Row<'_>, at: usize) -> rusqlite::Result<&'r str> {
    Ok(row.get_ref(at)?.as_str_or_null()?.unwrap_or_default())
}

/// The source that received the event of this row.
pub(crate) fn source(row: &Row<'_>, at: usize, key: u64) -> Result<Option<SourceId>> {
    let Some(bytes) = blob(row, at)? else { return Ok(None) };
    let id = id_of(bytes).ok_or_else(|| corrupt("event", "source", key))?;
    Ok(Some(SourceId::from_u128(id)))
}

/// One whole event.
pub(crate) fn load(conn: &Connection, key: u64) -> Result<Option<StoredEvent>> {
    const SQL: &str = "SELECT tenant, type, scope, accepted_ms, occurred_ms, publisher_id, source,
        targets, extra, data FROM event WHERE key = ?1";
    read(conn, SQL, key)
}

/// One event without what it carries.
pub(crate) fn load_bare(conn: &Connection, key: u64) -> Result<Option<StoredEvent>> {
    const SQL: &str = "SELECT tenant, type, scope, accepted_ms, occurred_ms, publisher_id, source,
        targets, NULL, x'' FROM event WHERE key = ?1";
    read(conn, SQL, key)
}

fn read(conn: &Connection, sql: &str, key: u64) -> Result<Option<StoredEvent>> {
    let mut find = conn.prepare_cached(sql)?;
    let mut rows = find.query([int(key)])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let bad = |column| corrupt("event", column, key);
    let key = EventKey(key);
    let extra = match blob(row, 8)? {
        None => Extra::default(),
        Some(bytes) => extra(bytes).ok_or_else(|| bad("extra"))?,
    };
    let scope = match text(row, 2)? {
        "" => None,
        scope => Some(scope.parse::<Scope>().map_err(|_| bad("scope"))?),
    };
    let content = EventContent {
        event_type: text(row, 1)?.parse().map_err(|_| bad("type"))?,
        scope,
        occurred_at: row.get::<_, Option<i64>>(4)?.map(time),
        data: Bytes::copy_from_slice(blob(row, 9)?.ok_or_else(|| bad("data"))?),
        previous: extra.previous,
        changes: extra.changes,
        headers: extra.headers,
        publisher_id: row.get(5)?,
        source: source(row, 6, key.0)?,
        content_type: extra.content_type,
    };
    let event = Arc::new(Event {
        id: EventId::of(key, 0),
        tenant: TenantNo(short(row.get(0)?)),
        accepted_at: row.get::<_, Option<i64>>(3)?.map_or(key.time(), time),
        content,
    });
    let targets = blob(row, 7)?.and_then(codec::targets).ok_or_else(|| bad("targets"))?;
    Ok(Some(StoredEvent { event, targets }))
}

/// What stands before an event's payload.
pub(crate) fn head(conn: &Connection, key: u64) -> Result<Option<Head>> {
    const SQL: &str = "SELECT tenant, type, accepted_ms, source, targets FROM event WHERE key = ?1";
    let mut find = conn.prepare_cached(SQL)?;
    let mut rows = find.query([int(key)])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let bad = |column| corrupt("event", column, key);
    let key = EventKey(key);
    Ok(Some(Head {
        id: EventId::of(key, 0),
        tenant: TenantNo(short(row.get(0)?)),
        event_type: text(row, 1)?.parse().map_err(|_| bad("type"))?,
        accepted_at: row.get::<_, Option<i64>>(2)?.map_or(key.time(), time),
        source: source(row, 3, key.0)?,
        targets: blob(row, 4)?.and_then(codec::targets).ok_or_else(|| bad("targets"))?,
    }))
}

/// When an event was accepted.
pub(crate) fn accepted_at(conn: &Connection, key: EventKey) -> Result<Option<Timestamp>> {
    let row: Option<Option<i64>> = conn
        .prepare_cached("SELECT accepted_ms FROM event WHERE key = ?1")?
        .query_row([int(key.0)], |row| row.get(0))
        .optional()?;
    Ok(row.map(|ms| ms.map_or(key.time(), time)))
}

/// The head of an event by its id, if the tenant owns it.
pub(crate) fn own_head(conn: &Connection, tenant: TenantNo, id: EventId) -> Result<Option<Head>> {
    let key = id.key();
    if EventId::of(key, 0) != id {
        return Ok(None);
    }
    Ok(head(conn, key.0)?.filter(|head| head.tenant == tenant))
}

/// Notes one more idempotency key with an event, so that it goes when the event goes. False when it has enough of them.
pub(crate) fn add_key(tx: &Connection, key: u64, text: &str) -> Result<bool> {
    let known = once_of(tx, key)?;
    if known.iter().filter(|(kind, _)| *kind == KIND_KEY).count() >= KEYS_MAX {
        return Ok(false);
    }
    if known.iter().any(|(kind, it)| *kind == KIND_KEY && it == text) {
        return Ok(true);
    }
    let bytes: Option<Vec<u8>> = tx
        .prepare_cached("SELECT extra FROM event WHERE key = ?1")?
        .query_row([int(key)], |row| row.get(0))?;
    let mut bytes = bytes.unwrap_or_default();
    put(&mut bytes, ONCE_KEY);
    put_bytes(&mut bytes, text.as_bytes());
    tx.prepare_cached("UPDATE event SET extra = ?2 WHERE key = ?1")?
        .execute(params![int(key), bytes])?;
    Ok(true)
}

/// What made an event happen once: kind and text of each.
pub(crate) fn once_of(conn: &Connection, key: u64) -> Result<Vec<(i64, String)>> {
    let row: Option<(Option<String>, Option<Vec<u8>>)> = conn
        .prepare_cached("SELECT publisher_id, extra FROM event WHERE key = ?1")?
        .query_row([int(key)], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((publisher_id, bytes)) = row else { return Ok(Vec::new()) };
    let mut once = match bytes {
        None => Vec::new(),
        Some(bytes) => extra(&bytes).ok_or_else(|| corrupt("event", "extra", key))?.once,
    };
    once.extend(publisher_id.map(|id| (KIND_ID, id)));
    Ok(once)
}

/// Sixteen bytes as an id's number.
pub(crate) fn id_of(bytes: &[u8]) -> Option<u128> {
    bytes.try_into().ok().map(u128::from_be_bytes)
}

/// The key of the first event at or after a time.
pub(crate) fn key_at(at: Timestamp) -> u64 {
    EventKey::at(at).0
}
