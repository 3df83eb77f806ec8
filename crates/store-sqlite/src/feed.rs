//! The feed: events by their lists, attempts by notes that each commit writes, changes of configuration by the audit log.
//!
//! Notes have keys of the same numbers as events, so one key says how far both have been read. Readers of a tenant walk the
//! notes of all tenants, since an index would cost each commit a page for each tenant in it.

use std::collections::BTreeMap;

use hookyard_domain::attempt::Attempt;
use hookyard_domain::event_type::EventType;
use hookyard_domain::feed::{FeedPlace, FeedPosition};
use hookyard_domain::id::{DeliveryId, EventId, EventKey, TargetNo};
use hookyard_domain::subscription::Scope;
use hookyard_domain::tenant::TenantNo;
use hookyard_store::Answer;
use hookyard_store::feed::{Feed, FeedEntry, FeedFilter, FeedItem, FeedPage};
use hookyard_store::ledger::{Batch, Share};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Rows, params};

use crate::audit::{self, ENTRY};
use crate::codec::{self, Input, int, put, put_signed, short, uint};
use crate::deliveries::{self, Teller};
use crate::error::{Result, corrupt};
use crate::events::{self, Head};
use crate::history::means;
use crate::record::place;
use crate::runs::{ListNo, ListReader, Lists, Up};
use crate::writer::{Draft, set_number};
use crate::{SqliteStore, sources};

/// The only node there is.
const NODE: u16 = 0;
/// Attempts in one note: a reader that stops inside one reads it again.
const NOTE_IDS: usize = 1000;
/// Events and notes one page looks at, at most.
const SCAN_MAX: u32 = 20_000;

/// An attempt's place: event, target, number.
type Spot = (u64, u32, u32);

fn put_spot(out: &mut Vec<u8>, before: u64, (event, target, number): Spot) {
    put_signed(out, int(event) - int(before));
    // So that the note reads the same in a store of several nodes, should it be moved there.
    put(out, u64::from(NODE));
    put(out, u64::from(target));
    put(out, u64::from(number));
}

fn spots(bytes: &[u8]) -> Option<Vec<Spot>> {
    let mut input = Input(bytes);
    let mut spots = Vec::new();
    let mut before = 0_i64;
    while !input.is_empty() {
        before = before.checked_add(input.signed()?)?;
        let _node = input.number()?;
        let target = u32::try_from(input.number()?).ok()?;
        spots.push((uint(before), target, u32::try_from(input.number()?).ok()?));
    }
    Some(spots)
}

/// The notes of one tenant in the making.
#[derive(Default)]
struct Note {
    ids: Vec<u8>,
    many: usize,
    last: u64,
}

/// Notes which attempts of the batch ended, behind its events.
pub(crate) fn append(tx: &Connection, draft: &mut Draft, batch: &Batch) -> Result<()> {
    let mut notes: BTreeMap<TenantNo, Vec<Note>> = BTreeMap::new();
    for record in &batch.records {
        let (Some(attempt), Some((event, target))) = (&record.attempt, place(record.delivery))
        else {
            continue;
        };
        let notes = notes.entry(record.tenant).or_default();
        if notes.last().is_none_or(|note| note.many == NOTE_IDS) {
            notes.push(Note::default());
        }
        if let Some(note) = notes.last_mut() {
            put_spot(&mut note.ids, note.last, (uint(event), target.0, attempt.number));
            note.last = uint(event);
            note.many += 1;
        }
    }
    if notes.is_empty() {
        return Ok(());
    }
    let mut insert =
        tx.prepare_cached("INSERT INTO feed (key, tenant, ids) VALUES (?1, ?2, ?3)")?;
    for (tenant, notes) in notes {
        for note in notes {
            draft.last_key = EventKey::at(batch.now).0.max(draft.last_key + 1);
            insert.execute(params![int(draft.last_key), tenant.0, note.ids])?;
        }
    }
    Ok(())
}

/// Notes up to a key, ascending; those of other tenants are passed over.
struct Notes<'s> {
    rows: Rows<'s>,
    tenant: TenantNo,
    /// Rows looked at.
    passed: u32,
    last: u64,
}

impl Notes<'_> {
    /// The next one. `None` at the end, or when enough was looked at.
    fn next(&mut self) -> Result<Option<(u64, Vec<Spot>)>> {
        while self.passed < SCAN_MAX {
            let Some(row) = self.rows.next()? else { return Ok(None) };
            self.passed += 1;
            self.last = uint(row.get(0)?);
            if short(row.get(1)?) == self.tenant.0 {
                let ids = spots(row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?);
                return Ok(Some((
                    self.last,
                    ids.ok_or_else(|| corrupt("feed", "ids", self.last))?,
                )));
            }
        }
        Ok(None)
    }
}

/// A question for a piece of the feed, with the snapshot it is answered from.
struct Question<'a> {
    conn: &'a Connection,
    tenant: TenantNo,
    filter: &'a FeedFilter,
    share: Share,
}

/// A page in the making.
struct Gathered {
    entries: Vec<FeedEntry>,
    position: FeedPosition,
    bytes: u64,
    looked_at: u32,
}

impl Gathered {
    fn is_full(&self, share: Share) -> bool {
        self.entries.len() >= share.deliveries as usize
            || self.bytes >= share.bytes
            || self.looked_at >= SCAN_MAX
    }

    /// Moves to a place and takes what stood before it.
    fn pass(&mut self, place: FeedPlace, item: Option<FeedItem>) {
        self.looked_at += 1;
        self.position.nodes.insert(NODE, place);
        if let Some(item) = item {
            self.entries.push(FeedEntry { item, position: self.position.clone() });
        }
    }
}

impl Question<'_> {
    fn is_of_type(&self, event_type: &EventType) -> bool {
        let types = &self.filter.types;
        types.is_empty() || types.iter().any(|it| means(Some(it), event_type))
    }

    fn is_of_scope(&self, scope: Option<&Scope>) -> bool {
        self.filter.scope.is_none() || self.filter.scope.as_ref() == scope
    }

    /// The list that holds every event that can pass; `None` when the filter names a source that the tenant does not have.
    fn list(&self) -> Result<Option<ListNo>> {
        match (self.filter.source, self.filter.endpoint) {
            (Some(source), _) => {
                Ok(sources::no_of(self.conn, self.tenant, source)?.map(ListNo::of_source))
            }
            (None, Some(endpoint)) => Ok(Some(ListNo::of_endpoint(endpoint))),
            (None, None) => Ok(Some(ListNo::of_tenant(self.tenant))),
        }
    }

    /// The event at a key, if it passes, and its bytes.
    fn event(&self, key: u64) -> Result<Option<(FeedItem, u64)>> {
        const BYTES: &str =
            "SELECT length(data) + coalesce(length(extra), 0) FROM event WHERE key = ?1";
        let Some(head) = self.head(key)? else { return Ok(None) };
        if self.filter.endpoint.is_some_and(|it| head.targets.iter().all(|to| to.endpoint != it)) {
            return Ok(None);
        }
        let bytes: i64 =
            self.conn.prepare_cached(BYTES)?.query_row([int(key)], |row| row.get(0))?;
        let bytes = uint(bytes);
        let is_whole = self.filter.payload.is_some_and(|most| bytes <= most);
        let load = if is_whole { events::load } else { events::load_bare };
        let Some(stored) = load(self.conn, key)? else { return Ok(None) };
        let event = Box::new(std::sync::Arc::unwrap_or_clone(stored.event));
        if !self.is_of_scope(event.content.scope.as_ref()) {
            return Ok(None);
        }
        let deliveries = u32::try_from(stored.targets.len()).unwrap_or(u32::MAX);
        let carried = if is_whole { bytes } else { 0 };
        Ok(Some((FeedItem::Accepted { event, deliveries, bytes, is_whole }, carried)))
    }

    /// The head of the tenant's event at a key, if its type and source pass.
    fn head(&self, key: u64) -> Result<Option<Head>> {
        let head = events::head(self.conn, key)?.filter(|head| head.tenant == self.tenant);
        Ok(head.filter(|head| {
            self.is_of_type(&head.event_type)
                && self.filter.source.is_none_or(|it| head.source == Some(it))
        }))
    }

    /// The attempt at a place, if it passes.
    fn attempt(&self, teller: &mut Teller<'_>, spot: Spot) -> Result<Option<FeedItem>> {
        let (key, target, _) = spot;
        let Some(row) = deliveries::row(self.conn, int(key), TargetNo(target))? else {
            return Ok(None);
        };
        if self.filter.endpoint.is_some_and(|it| it != row.endpoint) {
            return Ok(None);
        }
        let Some(head) = self.head(key)? else { return Ok(None) };
        if self.filter.scope.is_some() && !self.is_of_scope(self.scope(key)?.as_ref()) {
            return Ok(None);
        }
        let delivery = Box::new(teller.recorded(&head, &row)?);
        let attempt = kept(self.conn, spot)?.map(Box::new);
        Ok(attempt.map(|attempt| FeedItem::Finished { delivery, attempt }))
    }

    fn scope(&self, key: u64) -> Result<Option<Scope>> {
        let scope: Option<String> = self
            .conn
            .prepare_cached("SELECT scope FROM event WHERE key = ?1")?
            .query_row([int(key)], |row| row.get(0))
            .optional()?
            .flatten();
        let bad = |_| corrupt("event", "scope", key);
        scope.map(|it| it.parse().map_err(bad)).transpose()
    }

    /// Walks events and notes together, in the order of their keys, up to `last_key`.
    fn walk(
        &self,
        gathered: &mut Gathered,
        from: FeedPlace,
        (mut keys, mut notes): (Option<Up<'_>>, Option<Notes<'_>>),
        last_key: u64,
    ) -> Result<bool> {
        let mut teller = Teller::new(self.conn);
        let mut next_event = |last_key: u64| -> Result<Option<u64>> {
            match &mut keys {
                None => Ok(None),
                Some(keys) => Ok(keys.next()?.filter(|key| *key <= last_key)),
            }
        };
        let mut next_note = || match &mut notes {
            None => Ok((None, 0)),
            Some(notes) => {
                let next = notes.next()?;
                // Where the walk has to end if the notes were not all looked at.
                let stopped = if notes.passed < SCAN_MAX { 0 } else { notes.last };
                Ok::<_, crate::error::Fault>((next, stopped))
            }
        };
        let mut event = next_event(last_key)?;
        let (mut note, mut stopped) = next_note()?;
        // Of what stood at the place itself, some may have been read.
        if from.done > 0 && event == Some(from.key.0) {
            event = next_event(last_key)?;
        }
        loop {
            let of_note = note.as_ref().map(|(key, _)| *key);
            let at_end = of_note.is_none() && stopped > 0;
            let Some(key) =
                event.into_iter().chain(of_note).min().filter(|key| !at_end || *key < stopped)
            else {
                let end = if at_end { stopped } else { last_key };
                gathered.pass(FeedPlace::behind(EventKey(end)), None);
                return Ok(at_end);
            };
            if gathered.is_full(self.share) {
                return Ok(true);
            }
            if event == Some(key) {
                let found = self.event(key)?;
                gathered.bytes += found.as_ref().map_or(0, |(_, bytes)| *bytes);
                gathered.pass(FeedPlace::behind(EventKey(key)), found.map(|(item, _)| item));
                event = next_event(last_key)?;
                continue;
            }
            let Some((_, spots)) = note.take() else { continue };
            let done = if key == from.key.0 { from.done } else { 0 };
            let many = u32::try_from(spots.len()).unwrap_or(u32::MAX);
            for (at, spot) in (1..).zip(spots).skip(done as usize) {
                if gathered.is_full(self.share) {
                    return Ok(true);
                }
                let item = self.attempt(&mut teller, spot)?;
                let inside = FeedPlace { key: EventKey(key), done: at };
                let place = if at == many { FeedPlace::behind(EventKey(key)) } else { inside };
                gathered.pass(place, item);
            }
            (note, stopped) = next_note()?;
        }
    }

    /// Changes of configuration; whether there are more.
    fn changes(&self, gathered: &mut Gathered) -> Result<bool> {
        let sql = format!(
            "SELECT {ENTRY} FROM audit WHERE tenant = ?1 AND no > ?2
                AND (action LIKE 'endpoint.%' OR action LIKE 'source.%') ORDER BY no LIMIT ?3"
        );
        let mut find = self.conn.prepare_cached(&sql)?;
        let most = i64::from(self.share.deliveries);
        let from = int(gathered.position.changes);
        let mut rows = find.query(params![self.tenant.0, from, most])?;
        let mut read = 0;
        while let Some(row) = rows.next()? {
            read += 1;
            gathered.position.changes = uint(row.get(0)?);
            let entry = audit::entry(row)?;
            if entry.is_of_a_change() {
                let item = FeedItem::Changed(Box::new(entry));
                gathered.entries.push(FeedEntry { item, position: gathered.position.clone() });
            }
        }
        if read < most {
            gathered.position.changes =
                last_change(self.conn, self.tenant)?.max(gathered.position.changes);
        }
        Ok(read == most)
    }
}

fn kept(conn: &Connection, (key, target, number): Spot) -> Result<Option<Attempt>> {
    const SQL: &str = "SELECT attempt FROM attempt WHERE event = ?1 AND target = ?2 AND number = ?3
        UNION ALL
        SELECT first FROM delivery WHERE event = ?1 AND target = ?2 AND ?3 = 1 AND first IS NOT NULL
        LIMIT 1";
    let mut find: CachedStatement<'_> = conn.prepare_cached(SQL)?;
    let mut rows = find.query(params![int(key), target, number])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let bytes = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
    let delivery = || -> DeliveryId { EventId::of(EventKey(key), NODE).delivery(TargetNo(target)) };
    codec::attempt(bytes).map(Some).ok_or_else(|| corrupt("attempt", "attempt", delivery()))
}

fn last_change(conn: &Connection, tenant: TenantNo) -> Result<u64> {
    let last: Option<i64> = conn
        .prepare_cached("SELECT max(no) FROM audit WHERE tenant = ?1")?
        .query_row([tenant.0], |row| row.get(0))?;
    Ok(last.map_or(0, uint))
}

fn page(
    conn: &Connection,
    lists: &Lists,
    tenant: TenantNo,
    filter: &FeedFilter,
    (from, share): (&FeedPosition, Share),
) -> Result<Option<FeedPage>> {
    let Some(place) = from.nodes.get(&NODE).copied().filter(|_| from.nodes.len() == 1) else {
        return Ok(None);
    };
    let asked = Question { conn, tenant, filter, share };
    // A source's number never changes, so its list may be looked up before the snapshot is opened.
    let list = if filter.accepted { asked.list()? } else { None };
    // The tail before the snapshot: what the snapshot has more than the tail stands behind the last key.
    let (tail, last_key) = match list {
        Some(list) => lists.tail_to_the_end(list),
        None => (Vec::new(), lists.last_key()),
    };
    if place.key.0 > last_key + 1 {
        return Ok(None);
    }
    let tx = conn.unchecked_transaction()?;
    if from.changes > last_change(&tx, tenant)? {
        return Ok(None);
    }
    let asked = Question { conn: &tx, ..asked };
    let mut gathered =
        Gathered { entries: Vec::new(), position: from.clone(), bytes: 0, looked_at: 0 };
    let reader = list.map(|list| ListReader::new(&tx, list, tail)).transpose()?;
    let keys = reader.as_ref().map(|reader| reader.up(place.key.0));
    let mut find = tx.prepare_cached(
        "SELECT key, tenant, ids FROM feed WHERE key >= ?1 AND key <= ?2 ORDER BY key",
    )?;
    let notes = match filter.finished {
        false => None,
        true => {
            let rows = find.query(params![int(place.key.0), int(last_key)])?;
            Some(Notes { rows, tenant, passed: 0, last: 0 })
        }
    };
    let mut more = asked.walk(&mut gathered, place, (keys, notes), last_key)?;
    if filter.changed {
        more |= asked.changes(&mut gathered)?;
    } else {
        gathered.position.changes = last_change(&tx, tenant)?;
    }
    Ok(Some(FeedPage { entries: gathered.entries, position: gathered.position, more }))
}

fn forget(tx: &Connection, last_key: u64, before: EventKey, limit: u32) -> Result<u32> {
    let gone = tx
        .prepare_cached(
            "DELETE FROM feed WHERE key IN
                (SELECT key FROM feed WHERE key < ?1 ORDER BY key LIMIT ?2)",
        )?
        .execute(params![int(before.0), limit])?;
    if gone > 0 {
        // The newest note may be among them; its key must not be given again.
        set_number(tx, "high_key", int(last_key))?;
    }
    Ok(u32::try_from(gone).unwrap_or(u32::MAX))
}

impl Feed for SqliteStore {
    fn feed_end(&self, tenant: TenantNo) -> Answer<'_, FeedPosition> {
        self.read(move |conn, lists| {
            let place = FeedPlace::behind(EventKey(lists.last_key()));
            let changes = last_change(conn, tenant)?;
            Ok(FeedPosition {
                changes,
                nodes: BTreeMap::from([(NODE, place)]),
                ..FeedPosition::default()
            })
        })
    }

    fn feed<'a>(
        &'a self,
        tenant: TenantNo,
        filter: &'a FeedFilter,
        from: &'a FeedPosition,
        share: Share,
    ) -> Answer<'a, Option<FeedPage>> {
        let (filter, from) = (filter.clone(), from.clone());
        self.read(move |conn, lists| page(conn, lists, tenant, &filter, (&from, share)))
    }

    fn forget_feed(&self, before: EventKey, limit: u32) -> Answer<'_, u32> {
        self.change_lists(move |tx, state, _| forget(tx, state.last_key, before, limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_attempts_read_back_and_torn_ones_do_not() {
        let some: [Spot; 4] =
            [(7 << 40, 0, 1), ((7 << 40) + 3, 2, 1), (5, 0, 1_000_000), (1 << 62, u32::MAX, 1)];
        let mut bytes = Vec::new();
        let mut before = 0;
        for spot in some {
            put_spot(&mut bytes, before, spot);
            before = spot.0;
        }
        assert_eq!(spots(&bytes), Some(some.to_vec()));
        assert_eq!(spots(&bytes[..bytes.len() - 1]), None);
    }
}
