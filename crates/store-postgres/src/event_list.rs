//! Lists of events, newest first.

use hookyard_domain::event::Event;
use hookyard_domain::page::{Cursor, Page, PageRequest};
use hookyard_domain::subscription::Pattern;
use hookyard_domain::tenant::TenantNo;
use hookyard_store::history::{EventFilter, ListedEvent};
use tokio_postgres::Row;

use crate::codec::{int, no, uint};
use crate::db::{GenericClient, Uid, query, query_opt};
use crate::error::Result;
use crate::events::{self, Place, key_at};

/// Events one page looks at, at most.
const SCAN_MAX: i64 = 20_000;
/// Payload bytes one page searches through, at most.
const SEARCH_BYTES_MAX: i64 = 64 * 1024 * 1024;

/// How many deliveries an event has: its targets, and those added by replays.
const DELIVERIES: &str = "e.fan_out + (SELECT count(*) FROM delivery d WHERE d.tenant = e.tenant
    AND d.key = e.key AND d.node = e.node AND d.target >= e.fan_out)";

/// A type or prefix as the two parameters of a condition.
pub(crate) fn type_params(pattern: Option<&Pattern>) -> (Option<&str>, Option<&str>) {
    match pattern {
        None | Some(Pattern::Any) => (None, None),
        Some(Pattern::Below(prefix)) => (None, Some(prefix)),
        Some(Pattern::Exact(exact)) => (Some(exact.as_str()), None),
    }
}

fn listed(row: &Row) -> Result<ListedEvent> {
    let event = events::read(row)?;
    let deliveries: i64 = row.try_get(events::COLUMNS_LEN)?;
    Ok(ListedEvent {
        event: std::sync::Arc::unwrap_or_clone(event),
        deliveries: u32::try_from(deliveries).unwrap_or(u32::MAX),
    })
}

/// One event, if the tenant owns it.
pub(crate) async fn one(
    db: &impl GenericClient,
    tenant: TenantNo,
    place: Place,
) -> Result<Option<ListedEvent>> {
    let sql = format!(
        "SELECT {columns}, {DELIVERIES} FROM event e
         WHERE e.tenant = $1 AND e.key = $2 AND e.node = $3",
        columns = events::COLUMNS
    );
    let row = query_opt(db, &sql, &[&no(tenant.0), &place.key, &place.node]).await?;
    row.as_ref().map(listed).transpose()
}

/// What part of a tenant's events a page is about.
struct Span {
    tenant: i32,
    /// Strictly below it.
    below: Place,
    since: i64,
    source: Option<Uid>,
}

impl Span {
    /// The condition, over parameters 1 to 5.
    fn condition(&self) -> &'static str {
        if self.source.is_some() {
            "e.tenant = $1 AND (e.key, e.node) < ($2, $3) AND e.key >= $4 AND e.source = $5"
        } else {
            "e.tenant = $1 AND (e.key, e.node) < ($2, $3) AND e.key >= $4 AND $5::uuid IS NULL"
        }
    }

    /// The first event that this page does not look at any more; `None` when it looks at all.
    async fn floor(&self, db: &impl GenericClient, searches: bool) -> Result<Option<Place>> {
        let condition = self.condition();
        let sql = if searches {
            format!(
                "SELECT key, node FROM (
                    SELECT e.key, e.node, row_number() OVER w AS at,
                        sum(octet_length(e.data)) OVER w AS bytes
                    FROM event e WHERE {condition}
                    WINDOW w AS (ORDER BY e.key DESC, e.node DESC)
                    ORDER BY e.key DESC, e.node DESC LIMIT $6::int8 + 1
                 ) e WHERE at > $6::int8 OR (bytes > $7::int8 AND at > 1) ORDER BY at LIMIT 1"
            )
        } else {
            format!(
                "SELECT e.key, e.node FROM event e WHERE {condition} AND $7::int8 > 0
                 ORDER BY e.key DESC, e.node DESC OFFSET $6 LIMIT 1"
            )
        };
        let Self { tenant, below, since, source } = self;
        let row = query_opt(
            db,
            &sql,
            &[tenant, &below.key, &below.node, since, source, &SCAN_MAX, &SEARCH_BYTES_MAX],
        )
        .await?;
        row.map(|row| Ok(Place { key: row.try_get(0)?, node: row.try_get(1)? })).transpose()
    }
}

/// A page of a tenant's events.
pub(crate) async fn events(
    db: &impl GenericClient,
    tenant: TenantNo,
    filter: &EventFilter,
    request: &PageRequest,
) -> Result<Page<ListedEvent>> {
    let until = Place { key: filter.until.map_or(i64::MAX, key_at), node: 0 };
    let span = Span {
        tenant: no(tenant.0),
        below: request.cursor.map_or(until, |cursor| place_of(cursor).min(until)),
        since: filter.since.map_or(0, key_at),
        source: filter.source.map(|it| Uid(it.as_u128())),
    };
    let (exact, prefix) = type_params(filter.event_type.as_ref());
    let scope = filter.scope.as_ref().map(|it| it.as_str());
    let text = filter.text.as_ref().map(String::as_bytes);
    let is_rare = exact.is_some() || prefix.is_some() || scope.is_some() || text.is_some();
    let floor = if is_rare { span.floor(db, text.is_some()).await? } else { None };
    let from = floor.unwrap_or(Place { key: -1, node: 0 });
    let sql = format!(
        "SELECT {columns}, {DELIVERIES} FROM event e WHERE {condition}
            AND (e.key, e.node) > ($6, $7) AND ($8::text IS NULL OR e.type = $8)
            AND ($9::text IS NULL OR starts_with(e.type, $9))
            AND ($10::text IS NULL OR e.scope = $10)
            AND ($11::bytea IS NULL OR e.publisher_id = $11 OR position($11 in e.data) > 0)
         ORDER BY e.key DESC, e.node DESC LIMIT $12",
        columns = events::COLUMNS,
        condition = span.condition()
    );
    let limit = request.limit as usize;
    let Span { tenant, below, since, source } = &span;
    let rows = query(
        db,
        &sql,
        &[
            tenant,
            &below.key,
            &below.node,
            since,
            source,
            &from.key,
            &from.node,
            &exact,
            &prefix,
            &scope,
            &text,
            &int(limit as u64 + 1),
        ],
    )
    .await?;
    let kept = rows.iter().take(limit).map(listed).collect::<Result<Vec<_>>>()?;
    let next = if rows.len() > limit {
        kept.last().map(|row| cursor_below(&row.event))
    } else {
        // The floor itself has not been looked at.
        floor.map(|floor| Cursor(uint(floor.key), u64::from(floor.node.unsigned_abs()) + 1))
    };
    Ok(Page { rows: kept, next })
}

fn cursor_below(event: &Event) -> Cursor {
    Cursor(event.id.key().0, u64::from(event.id.node()))
}

fn place_of(cursor: Cursor) -> Place {
    Place { key: int(cursor.0), node: i16::try_from(cursor.1).unwrap_or(i16::MAX) }
}
