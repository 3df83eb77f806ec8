//! Rows of the table `event`: their bytes, and the event they are.

use std::sync::Arc;

use bytes::Bytes;
use hookyard_domain::event::{Event, EventContent};
use hookyard_domain::event_type::EventType;
use hookyard_domain::headers::Headers;
use hookyard_domain::id::{EventId, EventKey, SourceId};
use hookyard_domain::subscription::Scope;
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_store::ledger::Target;
use hookyard_store::transfer::extra::{CHANGES, CONTENT_TYPE, HEADERS, PREVIOUS};
use tokio_postgres::Row;

use crate::codec::{self, Input, int, put, put_bytes, put_headers, time, uint, uno};
use crate::db::{GenericClient, Uid, query, query_opt};
use crate::error::{Result, corrupt};

/// Where an event stands in a tenant's list: its key, and the node that gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    pub(crate) key: i64,
    pub(crate) node: i16,
}

impl Place {
    /// The place of an event; `None` for an id that no event of any store has.
    pub(crate) fn of(id: EventId) -> Option<Self> {
        let place = Self { key: int(id.key().0), node: i16::try_from(id.node()).ok()? };
        (place.id() == id).then_some(place)
    }

    /// The event's id.
    pub(crate) fn id(self) -> EventId {
        EventId::of(EventKey(uint(self.key)), self.node.unsigned_abs())
    }
}

/// The lowest and the highest key of places: what partitions a question looks into.
pub(crate) fn bounds(places: &[Place]) -> (i64, i64) {
    let keys = || places.iter().map(|place| place.key);
    (keys().min().unwrap_or(0), keys().max().unwrap_or(0))
}

/// Keys and nodes of places, as two columns.
pub(crate) fn columns(places: &[Place]) -> (Vec<i64>, Vec<i16>) {
    places.iter().map(|place| (place.key, place.node)).unzip()
}

/// What stands before the payload.
#[derive(Clone)]
pub(crate) struct Head {
    pub(crate) place: Place,
    pub(crate) tenant: TenantNo,
    pub(crate) event_type: EventType,
    pub(crate) accepted_at: Timestamp,
    pub(crate) source: Option<SourceId>,
    pub(crate) targets: Vec<Target>,
    /// Bytes of what it carries.
    pub(crate) bytes: u64,
}

/// The rare parts of an event; `None` when there are none.
pub(crate) fn extra_to_bytes(content: &EventContent) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    if !content.headers.0.is_empty() {
        put(&mut out, HEADERS);
        put_headers(&mut out, &content.headers);
    }
    let content_type = content.content_type.as_ref().map(String::as_bytes);
    for (tag, bytes) in [
        (PREVIOUS, content.previous.as_deref()),
        (CHANGES, content.changes.as_deref()),
        (CONTENT_TYPE, content_type),
    ] {
        if let Some(bytes) = bytes {
            put(&mut out, tag);
            put_bytes(&mut out, bytes);
        }
    }
    (!out.is_empty()).then_some(out)
}

#[derive(Default)]
struct Extra {
    headers: Headers,
    previous: Option<Bytes>,
    changes: Option<Bytes>,
    content_type: Option<String>,
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
            _ => return None,
        }
    }
    Some(extra)
}

/// The columns of [`read`], of a row named `e`.
pub(crate) const COLUMNS: &str = "e.key, e.node, e.tenant, e.type, e.scope, e.accepted_ms,
    e.occurred_ms, e.publisher_id, e.source, e.extra, e.data";
/// How many those are.
pub(crate) const COLUMNS_LEN: usize = 11;

/// The event of a row that begins with [`COLUMNS`].
pub(crate) fn read(row: &Row) -> Result<Arc<Event>> {
    let place = Place { key: row.try_get(0)?, node: row.try_get(1)? };
    let id = place.id();
    let bad = |column| corrupt("event", column, id);
    let extra = match row.try_get::<_, Option<&[u8]>>(9)? {
        None => Extra::default(),
        Some(bytes) => extra(bytes).ok_or_else(|| bad("extra"))?,
    };
    let scope = row.try_get::<_, Option<&str>>(4)?.map(str::parse::<Scope>);
    let publisher_id = row.try_get::<_, Option<Vec<u8>>>(7)?.map(String::from_utf8);
    let content = EventContent {
        event_type: row.try_get::<_, &str>(3)?.parse().map_err(|_| bad("type"))?,
        scope: scope.transpose().map_err(|_| bad("scope"))?,
        occurred_at: row.try_get::<_, Option<i64>>(6)?.map(time),
        data: Bytes::copy_from_slice(row.try_get(10)?),
        previous: extra.previous,
        changes: extra.changes,
        headers: extra.headers,
        publisher_id: publisher_id.transpose().map_err(|_| bad("publisher_id"))?,
        source: row.try_get::<_, Option<Uid>>(8)?.map(|it| SourceId::from_u128(it.0)),
        content_type: extra.content_type,
    };
    Ok(Arc::new(Event {
        id,
        tenant: TenantNo(uno(row.try_get(2)?)),
        accepted_at: row.try_get::<_, Option<i64>>(5)?.map_or(id.key().time(), time),
        content,
    }))
}

/// The columns of [`head`], of a row named `e`.
pub(crate) const HEAD_COLUMNS: &str = "e.key, e.node, e.tenant, e.type, e.accepted_ms, e.source,
    e.targets, octet_length(e.data) + coalesce(octet_length(e.extra), 0)";

/// How many those are.
pub(crate) const HEAD_COLUMNS_LEN: usize = 8;

/// The head of a row that begins with [`HEAD_COLUMNS`].
pub(crate) fn head(row: &Row) -> Result<Head> {
    let place = Place { key: row.try_get(0)?, node: row.try_get(1)? };
    let id = place.id();
    let bad = |column| corrupt("event", column, id);
    Ok(Head {
        place,
        tenant: TenantNo(uno(row.try_get(2)?)),
        event_type: row.try_get::<_, &str>(3)?.parse().map_err(|_| bad("type"))?,
        accepted_at: row.try_get::<_, Option<i64>>(4)?.map_or(id.key().time(), time),
        source: row.try_get::<_, Option<Uid>>(5)?.map(|it| SourceId::from_u128(it.0)),
        targets: codec::targets(row.try_get(6)?).ok_or_else(|| bad("targets"))?,
        bytes: u64::from(uno(row.try_get(7)?)),
    })
}

/// The head of an event by its id, if the tenant owns it.
pub(crate) async fn own_head(
    db: &impl GenericClient,
    tenant: TenantNo,
    id: EventId,
) -> Result<Option<Head>> {
    let Some(place) = Place::of(id) else { return Ok(None) };
    let sql = format!(
        "SELECT {HEAD_COLUMNS} FROM event e WHERE e.tenant = $1 AND e.key = $2 AND e.node = $3"
    );
    let row = query_opt(db, &sql, &[&codec::no(tenant.0), &place.key, &place.node]).await?;
    row.as_ref().map(head).transpose()
}

/// The heads of these events of a tenant, in any order; those that are gone are left out.
pub(crate) async fn heads(
    db: &impl GenericClient,
    tenant: TenantNo,
    places: &[Place],
) -> Result<Vec<Head>> {
    let ((keys, nodes), (low, high)) = (columns(places), bounds(places));
    let sql = format!(
        "SELECT e.* FROM unnest($2::int8[], $3::int2[]) AS u (key, node) CROSS JOIN LATERAL (
            SELECT {HEAD_COLUMNS} FROM event e
            WHERE e.tenant = $1 AND e.key = u.key AND e.node = u.node
                AND e.key BETWEEN $4 AND $5 OFFSET 0
         ) e"
    );
    query(db, &sql, &[&codec::no(tenant.0), &keys, &nodes, &low, &high])
        .await?
        .iter()
        .map(head)
        .collect()
}

/// These events of a tenant, in any order; those that are gone are left out.
pub(crate) async fn load(
    db: &impl GenericClient,
    tenant: TenantNo,
    places: &[Place],
) -> Result<Vec<Arc<Event>>> {
    load_columns(db, tenant, places, COLUMNS).await
}

/// The same without what they carry.
pub(crate) async fn load_bare(
    db: &impl GenericClient,
    tenant: TenantNo,
    places: &[Place],
) -> Result<Vec<Arc<Event>>> {
    let columns = COLUMNS.replace("e.extra", "NULL::bytea").replace("e.data", "''::bytea");
    load_columns(db, tenant, places, &columns).await
}

async fn load_columns(
    db: &impl GenericClient,
    tenant: TenantNo,
    places: &[Place],
    selected: &str,
) -> Result<Vec<Arc<Event>>> {
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let ((keys, nodes), (low, high)) = (columns(places), bounds(places));
    let sql = format!(
        "SELECT e.* FROM unnest($2::int8[], $3::int2[]) AS u (key, node) CROSS JOIN LATERAL (
            SELECT {selected} FROM event e
            WHERE e.tenant = $1 AND e.key = u.key AND e.node = u.node
                AND e.key BETWEEN $4 AND $5 OFFSET 0
         ) e"
    );
    query(db, &sql, &[&codec::no(tenant.0), &keys, &nodes, &low, &high])
        .await?
        .iter()
        .map(read)
        .collect()
}

/// The first key at or after a time.
pub(crate) fn key_at(at: Timestamp) -> i64 {
    int(EventKey::at(at).0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_is_no_events_has_no_place() {
        let id = EventId::of(EventKey(77), 5);
        assert_eq!(Place::of(id), Some(Place { key: 77, node: 5 }));
        assert_eq!(Place::of(EventId::of(EventKey(77), u16::MAX)), None);
        assert_eq!(Place::of(EventId::from_u128(id.as_u128() | 1)), None);
        assert_eq!(Place::of(EventId::from_u128(77)), None);
    }

    #[test]
    fn torn_extras_are_told_from_good_ones() {
        assert!(extra(&[9]).is_none());
        assert!(extra(&[2, 200]).is_none());
        assert!(extra(&[]).is_some());
    }
}
