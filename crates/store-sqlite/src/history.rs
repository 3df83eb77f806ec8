//! What people look at, newest first: lists of keys walked downwards, rows looked up as a page needs them. Deliveries
//! here, events in `event_list`.

use std::collections::HashMap;

use hookyard_domain::attempt::Attempt;
use hookyard_domain::delivery::{Delivery, DeliveryStatus};
use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::event_type::EventType;
use hookyard_domain::id::{DeliveryId, EventId};
use hookyard_domain::page::{Cursor, Page, PageRequest};
use hookyard_domain::subscription::Pattern;
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_store::Answer;
use hookyard_store::history::{DeliveryFilter, EventFilter, History, ListedEvent};
use rusqlite::{Connection, OptionalExtension, params};

use crate::codec::{self, int, uint};
use crate::deliveries::{self, Owner, Teller};
use crate::error::{Result, corrupt};
use crate::events::{self, Head};
use crate::runs::{Down, ListNo, ListReader, Lists, Replayed, first_written, last_written};
use crate::{SqliteStore, event_list, record};

/// Events one page looks at, at most.
pub(crate) const SCAN_MAX: u32 = 20_000;

/// Whether a pattern means a type.
pub(crate) fn means(pattern: Option<&Pattern>, event_type: &EventType) -> bool {
    match pattern {
        None | Some(Pattern::Any) => true,
        Some(Pattern::Below(prefix)) => event_type.as_str().starts_with(prefix.as_str()),
        Some(Pattern::Exact(exact)) => exact == event_type,
    }
}

/// Keys at or above the first and below the second.
pub(crate) fn bounds(since: Option<Timestamp>, until: Option<Timestamp>) -> (u64, u64) {
    (since.map_or(0, events::key_at), until.map_or(i64::MAX as u64, events::key_at))
}

/// Where a delivery stands in a list: event key, target.
type Spot = (u64, u64);

fn spot(delivery: &Delivery) -> Spot {
    let target = delivery.id.target().map_or(0, |target| u64::from(target.0));
    (delivery.id.event().key().0, target)
}

/// A page of deliveries in the making.
struct Gathered {
    rows: Vec<Delivery>,
    limit: usize,
}

impl Gathered {
    fn is_over(&self) -> bool {
        self.rows.len() > self.limit
    }

    /// Cuts what is too much; `stopped` is where the walk gave up, if it did.
    fn page(mut self, stopped: Option<Spot>) -> Page<Delivery> {
        if self.is_over() {
            self.rows.truncate(self.limit);
            let next = self.rows.last().map(spot).map(|(key, target)| Cursor(key, target));
            return Page { rows: self.rows, next };
        }
        Page { rows: self.rows, next: stopped.map(|(key, target)| Cursor(key, target)) }
    }
}

/// A question for deliveries, with the snapshot it is answered from.
struct Question<'a> {
    conn: &'a Connection,
    reader: ListReader<'a>,
    /// First and last keys of the tails, as of the snapshot or before.
    ends: HashMap<ListNo, (u64, u64)>,
    tenant: TenantNo,
    filter: &'a DeliveryFilter,
    limit: usize,
    /// Rows must stand below this.
    below: Spot,
    since: u64,
}

impl Question<'_> {
    fn head(&self, key: u64) -> Result<Option<Head>> {
        let head = events::head(self.conn, key)?.filter(|head| head.tenant == self.tenant);
        Ok(head.filter(|head| means(self.filter.event_type.as_ref(), &head.event_type)))
    }

    /// The targets of event `key` must stay below this.
    fn targets_below(&self, key: u64) -> u64 {
        if key == self.below.0 { self.below.1 } else { u64::MAX }
    }

    /// Walks the list and tells every delivery that passes.
    fn walk(&self) -> Result<Page<Delivery>> {
        let mut gathered = Gathered { rows: Vec::new(), limit: self.limit };
        let mut teller = Teller::new(self.conn);
        let mut keys = Merged::new(self);
        let mut looked_at = 0;
        let mut last = self.below.0;
        while let Some(key) = keys.next()?.filter(|key| *key >= self.since) {
            if looked_at == SCAN_MAX {
                return Ok(gathered.page(Some((last, 0))));
            }
            looked_at += 1;
            last = key;
            let Some(head) = self.head(key)? else { continue };
            let rows = teller.of_event(&head, self.filter.endpoint, self.targets_below(key))?;
            let passes = |row: &Delivery| self.filter.status.is_none_or(|it| it == row.status);
            gathered.rows.extend(rows.into_iter().filter(passes));
            if gathered.is_over() {
                break;
            }
        }
        Ok(gathered.page(None))
    }

    /// Rows in one state, through its partial index; and where the walk gave up, if it did.
    fn recorded(&self, status: i64) -> Result<(Vec<Delivery>, Option<Spot>)> {
        let owner = match self.filter.endpoint {
            Some(endpoint) => Owner::Endpoint(endpoint),
            None => Owner::Tenant(self.tenant),
        };
        let scan_max = if self.filter.event_type.is_some() { SCAN_MAX as usize } else { 0 };
        let many = (self.limit + 1).max(scan_max);
        let bounds = (self.below, self.since);
        let places = deliveries::places_in_state(self.conn, owner, status, bounds, many)?;
        let mut teller = Teller::new(self.conn);
        let mut told = Vec::new();
        for (key, target) in &places {
            let Some(head) = self.head(*key)? else { continue };
            if let Some(row) = deliveries::row(self.conn, int(*key), *target)? {
                told.push(teller.recorded(&head, &row)?);
            }
            if told.len() > self.limit {
                break;
            }
        }
        let exhausted = places.len() == many && told.len() <= self.limit;
        let last = places.last().filter(|_| exhausted);
        Ok((told, last.map(|(key, target)| (*key, u64::from(target.0)))))
    }

    /// Deliveries that have no row yet: those of events at or above the mark; and where the walk gave up, if it did.
    fn derived(&self) -> Result<(Vec<Delivery>, Option<Spot>)> {
        let Some(mark) = self.lowest_owed()? else { return Ok((Vec::new(), None)) };
        let from = mark.max(self.since);
        let mut teller = Teller::new(self.conn);
        let mut keys = self.reader.down(self.below.0.saturating_add(1));
        let mut told = Vec::new();
        let mut looked_at = 0;
        let mut last = self.below.0;
        while let Some(key) = keys.next()?.filter(|key| *key >= from) {
            if looked_at == SCAN_MAX {
                return Ok((told, Some((last, 0))));
            }
            looked_at += 1;
            last = key;
            let Some(head) = self.head(key)? else { continue };
            told.extend(teller.owed_of(&head, self.filter.endpoint, self.targets_below(key))?);
            if told.len() > self.limit {
                break;
            }
        }
        Ok((told, None))
    }

    /// Waiting rows and derived ones, merged.
    fn pending(&self) -> Result<Page<Delivery>> {
        let (mut rows, stopped) = self.recorded(codec::PENDING)?;
        let (derived, gave_up) = self.derived()?;
        rows.extend(derived);
        rows.sort_by_key(|row| std::cmp::Reverse(row.id));
        rows.dedup_by_key(|row| row.id);
        // Below where either source gave up, the other one's rows would hide what was not looked at.
        let floor = stopped.max(gave_up);
        if let Some(floor) = floor {
            rows.retain(|row| spot(row) >= floor);
        }
        Ok(Gathered { rows, limit: self.limit }.page(floor))
    }

    /// The lowest event that may still be owed to one of the endpoints asked for.
    fn lowest_owed(&self) -> Result<Option<u64>> {
        if let Some(endpoint) = self.filter.endpoint {
            return Ok(Some(mark(self.conn, endpoint)?));
        }
        let mut find = self.conn.prepare_cached("SELECT no FROM endpoint WHERE tenant = ?1")?;
        let mut rows = find.query([self.tenant.0])?;
        let mut lowest: Option<u64> = None;
        while let Some(row) = rows.next()? {
            let endpoint = EndpointNo(row.get(0)?);
            let list = ListNo::of_endpoint(endpoint);
            let tail = self.ends.get(&list);
            let last = match tail {
                Some((_, last)) => Some(*last),
                None => last_written(self.conn, list)?,
            };
            let mut from = mark(self.conn, endpoint)?;
            if last.is_none_or(|last| last < from) {
                continue;
            }
            if from == 0 {
                // Nothing was noted of it yet: what it is owed begins with its first event.
                let first = first_written(self.conn, list)?;
                from = first.or(tail.map(|(first, _)| *first)).unwrap_or(0);
            }
            lowest = Some(lowest.map_or(from, |lowest| lowest.min(from)));
        }
        Ok(lowest)
    }
}

fn mark(conn: &Connection, endpoint: EndpointNo) -> Result<u64> {
    let mark: Option<i64> = conn
        .prepare_cached("SELECT mark FROM lane WHERE endpoint = ?1")?
        .query_row([endpoint.0], |row| row.get(0))
        .optional()?;
    Ok(mark.map_or(0, uint))
}

/// The keys of a list, and with an endpoint those replayed to it, each once, descending.
struct Merged<'r> {
    list: Down<'r>,
    replayed: Option<Replayed<'r>>,
    next_listed: Option<u64>,
    next_replayed: Option<u64>,
    started: bool,
}

impl<'r> Merged<'r> {
    fn new(question: &'r Question<'_>) -> Self {
        let below = question.below.0.saturating_add(1);
        let replayed = question.filter.endpoint.map(|it| Replayed::below(question.conn, it, below));
        let list = question.reader.down(below);
        Self { list, replayed, next_listed: None, next_replayed: None, started: false }
    }

    fn pull_replayed(&mut self) -> Result<()> {
        self.next_replayed = match &mut self.replayed {
            Some(replayed) => replayed.next()?,
            None => None,
        };
        Ok(())
    }

    fn next(&mut self) -> Result<Option<u64>> {
        if !self.started {
            self.started = true;
            self.next_listed = self.list.next()?;
            self.pull_replayed()?;
        }
        let key = self.next_listed.max(self.next_replayed);
        if key.is_some() && key == self.next_listed {
            self.next_listed = self.list.next()?;
        }
        if key.is_some() && key == self.next_replayed {
            self.pull_replayed()?;
        }
        Ok(key)
    }
}

fn deliveries(
    conn: &Connection,
    lists: &Lists,
    tenant: TenantNo,
    filter: &DeliveryFilter,
    request: &PageRequest,
) -> Result<Page<Delivery>> {
    let list = match filter.endpoint {
        Some(endpoint) => ListNo::of_endpoint(endpoint),
        None => ListNo::of_tenant(tenant),
    };
    let tail = lists.tail(list);
    let is_pending = |it| matches!(it, DeliveryStatus::Pending | DeliveryStatus::Sending);
    let wants_ends = filter.endpoint.is_none() && filter.status.is_some_and(is_pending);
    let ends = if wants_ends { lists.ends() } else { HashMap::new() };
    let tx = conn.unchecked_transaction()?;
    let (since, until) = bounds(filter.since, filter.until);
    // Below the first target of `until`, or below where the page before ended.
    let top = (until, 0);
    let below = request.cursor.map_or(top, |cursor| (cursor.0, cursor.1).min(top));
    let reader = ListReader::new(&tx, list, tail)?;
    let limit = request.limit as usize;
    let question = Question { conn: &tx, reader, ends, tenant, filter, limit, below, since };
    match filter.status {
        None | Some(DeliveryStatus::Succeeded) => question.walk(),
        Some(DeliveryStatus::Pending | DeliveryStatus::Sending) => question.pending(),
        Some(
            status @ (DeliveryStatus::Failed
            | DeliveryStatus::Cancelled
            | DeliveryStatus::Discarded),
        ) => {
            let (rows, stopped) = question.recorded(codec::status_code(status))?;
            Ok(Gathered { rows, limit }.page(stopped))
        }
    }
}

fn one(conn: &Connection, tenant: TenantNo, id: DeliveryId) -> Result<Option<Delivery>> {
    let Some((event, target)) = record::place(id) else { return Ok(None) };
    let Some(head) = events::own_head(conn, tenant, id.event())? else { return Ok(None) };
    let mut teller = Teller::new(conn);
    match deliveries::row(conn, event, target)? {
        Some(row) => teller.recorded(&head, &row).map(Some),
        None => teller.derived(&head, target),
    }
}

fn attempts(
    conn: &Connection,
    tenant: TenantNo,
    id: DeliveryId,
    request: &PageRequest,
) -> Result<Option<Page<Attempt>>> {
    let tx = conn.unchecked_transaction()?;
    if one(&tx, tenant, id)?.is_none() {
        return Ok(None);
    }
    let Some((event, target)) = record::place(id) else { return Ok(None) };
    let below = request.cursor.map_or(i64::MAX, |cursor| int(cursor.0));
    let mut find = tx.prepare_cached(
        "SELECT number, attempt FROM attempt WHERE event = ?1 AND target = ?2 AND number < ?3
         UNION ALL
         SELECT 1, first FROM delivery
         WHERE event = ?1 AND target = ?2 AND first IS NOT NULL AND 1 < ?3
         ORDER BY 1 DESC LIMIT ?4",
    )?;
    let limit = request.limit as usize;
    let mut rows = find.query(params![event, target.0, below, int(limit as u64 + 1)])?;
    let mut page = Page { rows: Vec::<Attempt>::new(), next: None };
    while let Some(row) = rows.next()? {
        if page.rows.len() == limit {
            page.next = page.rows.last().map(|row| Cursor(u64::from(row.number), 0));
            break;
        }
        let bytes: Vec<u8> = row.get(1)?;
        page.rows.push(codec::attempt(&bytes).ok_or_else(|| corrupt("attempt", "attempt", id))?);
    }
    Ok(Some(page))
}

fn deliveries_of(
    conn: &Connection,
    tenant: TenantNo,
    event: EventId,
    request: &PageRequest,
) -> Result<Option<Page<Delivery>>> {
    let tx = conn.unchecked_transaction()?;
    let Some(head) = events::own_head(&tx, tenant, event)? else { return Ok(None) };
    let below = request.cursor.map_or(u64::MAX, |cursor| cursor.1);
    let rows = Teller::new(&tx).of_event(&head, None, below)?;
    Ok(Some(Gathered { rows, limit: request.limit as usize }.page(None)))
}

impl History for SqliteStore {
    fn events(
        &self,
        tenant: TenantNo,
        filter: EventFilter,
        page: PageRequest,
    ) -> Answer<'_, Page<ListedEvent>> {
        self.read(move |conn, lists| event_list::page(conn, lists, tenant, &filter, &page))
    }

    fn event(&self, tenant: TenantNo, id: EventId) -> Answer<'_, Option<ListedEvent>> {
        self.read(move |conn, _| {
            let tx = conn.unchecked_transaction()?;
            if events::own_head(&tx, tenant, id)?.is_none() {
                return Ok(None);
            }
            events::load(&tx, id.key().0)?.map(|stored| event_list::listed(&tx, stored)).transpose()
        })
    }

    fn deliveries(
        &self,
        tenant: TenantNo,
        filter: DeliveryFilter,
        page: PageRequest,
    ) -> Answer<'_, Page<Delivery>> {
        self.read(move |conn, lists| deliveries(conn, lists, tenant, &filter, &page))
    }

    fn deliveries_of(
        &self,
        tenant: TenantNo,
        event: EventId,
        page: PageRequest,
    ) -> Answer<'_, Option<Page<Delivery>>> {
        self.read(move |conn, _| deliveries_of(conn, tenant, event, &page))
    }

    fn delivery(&self, tenant: TenantNo, id: DeliveryId) -> Answer<'_, Option<Delivery>> {
        self.read(move |conn, _| {
            let tx = conn.unchecked_transaction()?;
            one(&tx, tenant, id)
        })
    }

    fn attempts(
        &self,
        tenant: TenantNo,
        delivery: DeliveryId,
        page: PageRequest,
    ) -> Answer<'_, Option<Page<Attempt>>> {
        self.read(move |conn, _| attempts(conn, tenant, delivery, &page))
    }
}
