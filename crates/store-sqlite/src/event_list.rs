//! Pages of events, newest first: of a tenant, or of one of its sources.

use hookyard_domain::page::{Cursor, Page, PageRequest};
use hookyard_domain::tenant::TenantNo;
use hookyard_store::history::{EventFilter, ListedEvent};
use rusqlite::{Connection, OptionalExtension};

use crate::codec::int;
use crate::deliveries;
use crate::error::{Result, corrupt};
use crate::events::{self, StoredEvent};
use crate::history::{SCAN_MAX, bounds, means};
use crate::runs::{ListNo, ListReader, Lists};
use crate::sources;

/// Payload bytes one page searches through, at most.
const SEARCH_BYTES_MAX: usize = 64 * 1024 * 1024;

/// An event with the number of its deliveries.
pub(crate) fn listed(conn: &Connection, stored: StoredEvent) -> Result<ListedEvent> {
    let key = int(stored.event.id.key().0);
    let replays = deliveries::replays(conn, key, stored.targets.len())?;
    let deliveries = stored.targets.len() as u32 + replays;
    Ok(ListedEvent { event: std::sync::Arc::unwrap_or_clone(stored.event), deliveries })
}

/// Whether an event passes what can be seen without its payload.
fn passes(conn: &Connection, filter: &EventFilter, key: u64) -> Result<bool> {
    let EventFilter { event_type, scope, .. } = filter;
    if event_type.is_none() && scope.is_none() {
        return Ok(true);
    }
    let row: Option<(String, Option<String>)> = conn
        .prepare_cached("SELECT type, scope FROM event WHERE key = ?1")?
        .query_row([int(key)], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((found_type, found_scope)) = row else { return Ok(false) };
    let found_type = found_type.parse().map_err(|_| corrupt("event", "type", key))?;
    Ok(means(event_type.as_ref(), &found_type)
        && scope.as_ref().is_none_or(|it| found_scope.as_deref() == Some(it.as_str())))
}

fn has_text(stored: &StoredEvent, text: &str) -> bool {
    let content = &stored.event.content;
    content.publisher_id.as_deref() == Some(text)
        || match std::str::from_utf8(&content.data) {
            Ok(data) => data.contains(text),
            Err(_) => content.data.windows(text.len().max(1)).any(|it| it == text.as_bytes()),
        }
}

/// The list to walk; `None` when the filter names a source that the tenant does not have.
fn list(conn: &Connection, tenant: TenantNo, filter: &EventFilter) -> Result<Option<ListNo>> {
    let Some(source) = filter.source else { return Ok(Some(ListNo::of_tenant(tenant))) };
    Ok(sources::no_of(conn, tenant, source)?.map(ListNo::of_source))
}

/// A page of the events that pass a filter.
pub(crate) fn page(
    conn: &Connection,
    lists: &Lists,
    tenant: TenantNo,
    filter: &EventFilter,
    request: &PageRequest,
) -> Result<Page<ListedEvent>> {
    let mut page: Page<ListedEvent> = Page { rows: Vec::new(), next: None };
    let Some(list) = list(conn, tenant, filter)? else { return Ok(page) };
    let tail = lists.tail(list);
    let tx = conn.unchecked_transaction()?;
    let reader = ListReader::new(&tx, list, tail)?;
    let (since, until) = bounds(filter.since, filter.until);
    let below = request.cursor.map_or(until, |cursor| cursor.0.min(until));
    let mut keys = reader.down(below);
    let mut searched = 0;
    let mut last = below;
    let mut looked_at = 0;
    while let Some(key) = keys.next()?.filter(|key| *key >= since) {
        if looked_at == SCAN_MAX || searched >= SEARCH_BYTES_MAX {
            page.next = Some(Cursor(last, 0));
            break;
        }
        looked_at += 1;
        last = key;
        if !passes(&tx, filter, key)? {
            continue;
        }
        let Some(stored) = events::load(&tx, key)? else { continue };
        if let Some(text) = &filter.text {
            searched += stored.event.content.data.len();
            if !has_text(&stored, text) {
                continue;
            }
        }
        if page.rows.len() == request.limit as usize {
            page.next = page.rows.last().map(|row| Cursor(row.event.id.key().0, 0));
            break;
        }
        page.rows.push(listed(&tx, stored)?);
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use hookyard_domain::page::PageRequest;
    use hookyard_store::history::{EventFilter, History};
    use hookyard_store::ledger::{Batch, Ledger};
    use hookyard_store::sources::{Forward, Sources};
    use hookyard_store::tenants::Tenants;
    use hookyard_testkit::make;

    use super::SCAN_MAX;
    use crate::SqliteStore;

    #[tokio::test]
    async fn a_sources_events_are_found_at_once_below_any_number_of_others() {
        let store = SqliteStore::in_memory().unwrap();
        let tenant = store.create_tenant(make::tenant("acme"), make::audit("made")).await.unwrap();
        let source = make::source(tenant.no);
        store.create_source(source.clone(), Forward::Keep, 1, make::audit("made")).await.unwrap();
        let published = make::accept(tenant.no, 2, &[]);
        let mut received = published.clone();
        received.content.source = Some(source.id);
        for accepts in [vec![received; 3], vec![published; SCAN_MAX as usize + 1]] {
            let batch = Batch { now: make::NOW, accepts, ..Batch::default() };
            store.commit(&batch).await.unwrap();
        }
        let filter = EventFilter { source: Some(source.id), ..EventFilter::default() };
        let page = store.events(tenant.no, filter, PageRequest::first(10)).await.unwrap();
        assert_eq!((page.rows.len(), page.next), (3, None));
    }
}
