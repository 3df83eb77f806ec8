//! The one that writes: a connection, what it knows by heart, and the order of things inside a commit.

use std::collections::HashMap;
use std::sync::Arc;

use hookyard_domain::id::{EventKey, SourceId};
use hookyard_domain::tenant::TenantNo;
use hookyard_store::ledger::{Batch, LaneNote, Receipt};
use hookyard_store::statistics::Counting;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use crate::codec::{self, int, short, uint};
use crate::error::{Result, corrupt};
use crate::open::Place;
use crate::runs::{ListDraft, ListNo, Lists, last_written};
use crate::sources::{SourceNo, no_of};
use crate::{accept, events, feed, record, statistics};

/// Events after which every tail is written out, so that a start never reads more than this many again.
const FLOOR_EVENTS_MAX: usize = 200_000;
/// The same, in an idle moment.
const FLOOR_EVENTS_IDLE: usize = 50_000;

/// What the writer knows by heart.
pub(crate) struct State {
    /// The last key that was given.
    pub(crate) last_key: u64,
    /// Tails of the lists; shared with readers.
    pub(crate) lists: Arc<Lists>,
    /// Counts the processes that opened this store.
    pub(crate) incarnation: i64,
    /// Configuration versions of living tenants; forgotten whenever anything is configured.
    versions: HashMap<TenantNo, u64>,
    /// Numbers of sources that were asked for; forgotten with the versions.
    sources: HashMap<(TenantNo, SourceId), SourceNo>,
    /// Where events may be gone, so that a late record asks first.
    pub(crate) pruned_below: HashMap<TenantNo, u64>,
    since_floor: usize,
    /// What was counted in the minute under way.
    counting: Counting,
}

/// What one commit will have changed in [`State`].
pub(crate) struct Draft {
    pub(crate) last_key: u64,
    pub(crate) events: usize,
    pub(crate) lists: ListDraft,
}

/// The writing connection with its state.
pub(crate) struct Writer {
    conn: Connection,
    pub(crate) state: State,
    // After the connection, so that nobody else gets the folder before it is closed.
    place: Place,
}

impl Writer {
    /// Takes over a migrated store.
    pub(crate) fn new(conn: Connection, place: Place) -> Result<Self> {
        let incarnation = number(&conn, "incarnation")?.unwrap_or(0) + 1;
        set_number(&conn, "incarnation", incarnation)?;
        let newest: Option<i64> =
            conn.query_row("SELECT max(key) FROM event", [], |row| row.get(0))?;
        let noted: Option<i64> =
            conn.query_row("SELECT max(key) FROM feed", [], |row| row.get(0))?;
        let high = number(&conn, "high_key")?;
        let last_key = newest.max(noted).max(high).map_or(0, uint);
        let lists = Arc::new(Lists::default());
        let since_floor = rebuild(&conn, &lists, last_key)?;
        let state = State {
            last_key,
            lists,
            incarnation,
            versions: HashMap::new(),
            sources: HashMap::new(),
            pruned_below: HashMap::new(),
            since_floor,
            counting: Counting::default(),
        };
        Ok(Self { conn, state, place })
    }

    /// Calls `told` with the length of the log after each commit.
    pub(crate) fn on_commit(&mut self, told: impl Fn(u32) + Send + 'static) -> Result<()> {
        let hook = move |_: &mut rusqlite::hooks::Wal, pages: i32| {
            told(u32::try_from(pages).unwrap_or(0));
            Ok(())
        };
        Ok(self.conn.wal_hook(Some(hook))?)
    }

    /// One batch: events first, so that what is recorded may be of them, then what happened, where lanes stand, and the
    /// numbers that all of it makes.
    pub(crate) fn commit(&mut self, batch: &Batch) -> Result<Vec<Receipt>> {
        if batch.accepts.is_empty() && batch.records.is_empty() && batch.notes.is_empty() {
            return Ok(Vec::new());
        }
        let Self { conn, state, .. } = self;
        let tx = begin(conn)?;
        let mut draft = Draft { last_key: state.last_key, events: 0, lists: ListDraft::default() };
        let receipts = accept::accept(&tx, state, &mut draft, batch)?;
        record::record(&tx, state, &batch.records)?;
        feed::append(&tx, &mut draft, batch)?;
        note(&tx, &batch.notes)?;
        let counted = state.counting.with(batch, &receipts);
        statistics::put(&tx, state.incarnation, &counted)?;
        let mut since_floor = state.since_floor + draft.events;
        if since_floor > FLOOR_EVENTS_MAX || draft.lists.is_crowded(&state.lists) {
            draft.lists.write_all(&tx, &state.lists)?;
            set_number(&tx, "floor_key", int(draft.last_key))?;
            since_floor = 0;
        } else {
            draft.lists.write_long(&tx, &state.lists)?;
        }
        tx.commit()?;
        state.last_key = draft.last_key;
        state.since_floor = since_floor;
        state.counting.keep(counted);
        draft.lists.publish(&state.lists, state.last_key);
        Ok(receipts)
    }

    /// A change of anything but the flow, as one transaction.
    pub(crate) fn change<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>, &State) -> Result<T>,
    ) -> Result<T> {
        let Self { conn, state, .. } = self;
        state.versions.clear();
        state.sources.clear();
        let tx = begin(conn)?;
        let done = work(&tx, state)?;
        tx.commit()?;
        Ok(done)
    }

    /// A change that nothing known by heart is touched by.
    pub(crate) fn keep_house<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        let tx = begin(&mut self.conn)?;
        let done = work(&tx)?;
        tx.commit()?;
        Ok(done)
    }

    /// A change that takes keys out of lists.
    pub(crate) fn change_lists<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>, &mut State, &mut ListDraft) -> Result<T>,
    ) -> Result<T> {
        let Self { conn, state, .. } = self;
        let tx = begin(conn)?;
        let mut lists = ListDraft::default();
        let done = work(&tx, state, &mut lists)?;
        lists.write_removed(&tx)?;
        tx.commit()?;
        lists.publish(&state.lists, state.last_key);
        Ok(done)
    }

    /// Writes every tail out if a start would have to read many events again.
    pub(crate) fn settle_lists(&mut self) -> Result<()> {
        if self.state.since_floor < FLOOR_EVENTS_IDLE { Ok(()) } else { self.write_lists() }
    }

    fn write_lists(&mut self) -> Result<()> {
        let Self { conn, state, .. } = self;
        let tx = begin(conn)?;
        let mut lists = ListDraft::default();
        lists.write_all(&tx, &state.lists)?;
        set_number(&tx, "floor_key", int(state.last_key))?;
        tx.commit()?;
        state.since_floor = 0;
        lists.publish(&state.lists, state.last_key);
        Ok(())
    }

    /// Writes something small, to see that it can.
    pub(crate) fn ping(&mut self) -> Result<()> {
        let tx = begin(&mut self.conn)?;
        set_number(&tx, "ping", int(self.state.last_key))?;
        Ok(tx.commit()?)
    }

    /// Leaves nothing to be built again at the next start.
    pub(crate) fn close(&mut self) -> Result<()> {
        if self.place.is_temporary() {
            return Ok(());
        }
        if self.state.since_floor > 0 {
            self.write_lists()?;
        }
        self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }
}

impl State {
    /// The configuration version of a living tenant.
    pub(crate) fn version(&mut self, tx: &Connection, tenant: TenantNo) -> Result<Option<u64>> {
        if let Some(version) = self.versions.get(&tenant) {
            return Ok(Some(*version));
        }
        let version: Option<i64> = tx
            .prepare_cached("SELECT version FROM tenant WHERE no = ?1 AND deleted = 0")?
            .query_row([tenant.0], |row| row.get(0))
            .optional()?;
        let version = version.map(uint);
        if let Some(version) = version {
            self.versions.insert(tenant, version);
        }
        Ok(version)
    }

    /// The number of a tenant's source.
    pub(crate) fn source(
        &mut self,
        tx: &Connection,
        tenant: TenantNo,
        id: SourceId,
    ) -> Result<Option<SourceNo>> {
        if let Some(no) = self.sources.get(&(tenant, id)) {
            return Ok(Some(*no));
        }
        let no = no_of(tx, tenant, id)?;
        if let Some(no) = no {
            self.sources.insert((tenant, id), no);
        }
        Ok(no)
    }
}

fn begin(conn: &mut Connection) -> Result<Transaction<'_>> {
    if !conn.is_autocommit() {
        // A rollback failed before; nothing can begin until one succeeds.
        conn.execute_batch("ROLLBACK")?;
    }
    Ok(conn.transaction_with_behavior(TransactionBehavior::Immediate)?)
}

fn note(tx: &Connection, notes: &[LaneNote]) -> Result<()> {
    if notes.is_empty() {
        return Ok(());
    }
    let mut put = tx.prepare_cached(
        "INSERT INTO lane (endpoint, tenant, mark, delivery_count, last_delivery_ms,
            consecutive_failures, failing_since_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (endpoint) DO UPDATE SET mark = max(mark, excluded.mark),
            delivery_count = excluded.delivery_count,
            last_delivery_ms = excluded.last_delivery_ms,
            consecutive_failures = excluded.consecutive_failures,
            failing_since_ms = excluded.failing_since_ms",
    )?;
    for note in notes {
        let activity = note.activity;
        put.execute(params![
            note.endpoint.0,
            note.tenant.0,
            int(note.mark.0),
            int(activity.delivery_count),
            activity.last_delivery_at.map(|at| at.as_millis()),
            activity.consecutive_failures,
            activity.failing_since.map(|at| at.as_millis()),
        ])?;
    }
    Ok(())
}

/// A number that stands alone.
pub(crate) fn number(conn: &Connection, name: &str) -> Result<Option<i64>> {
    Ok(conn
        .prepare_cached("SELECT value FROM meta WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?)
}

/// Keeps a number that stands alone.
pub(crate) fn set_number(conn: &Connection, name: &str, value: i64) -> Result<()> {
    conn.prepare_cached("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)")?
        .execute(params![name, value])?;
    Ok(())
}

/// Builds the tails again from the events above the floor; answers how many those are.
fn rebuild(conn: &Connection, lists: &Lists, last_key: u64) -> Result<usize> {
    let floor = number(conn, "floor_key")?.unwrap_or(-1);
    let mut find =
        conn.prepare("SELECT key, tenant, source, targets FROM event WHERE key > ?1 ORDER BY key")?;
    let mut rows = find.query([floor])?;
    let mut written: HashMap<ListNo, Option<u64>> = HashMap::new();
    let mut sources: HashMap<(TenantNo, SourceId), Option<SourceNo>> = HashMap::new();
    let mut draft = ListDraft::default();
    let mut events = 0;
    while let Some(row) = rows.next()? {
        events += 1;
        let key = EventKey(uint(row.get(0)?));
        let tenant = TenantNo(short(row.get(1)?));
        let targets = codec::targets(row.get_ref(3)?.as_blob().map_err(rusqlite::Error::from)?)
            .ok_or_else(|| corrupt("event", "targets", key.0))?;
        let of_endpoints = targets.iter().map(|target| ListNo::of_endpoint(target.endpoint));
        let source = match events::source(row, 2, key.0)? {
            None => None,
            Some(id) => match sources.get(&(tenant, id)) {
                Some(source) => *source,
                None => *sources.entry((tenant, id)).or_insert(no_of(conn, tenant, id)?),
            },
        };
        let of_source = source.map(ListNo::of_source);
        for list in of_endpoints.chain([ListNo::of_tenant(tenant)]).chain(of_source) {
            let last = match written.get(&list) {
                Some(last) => *last,
                None => *written.entry(list).or_insert(last_written(conn, list)?),
            };
            if last.is_none_or(|last| key.0 > last) {
                draft.append(list, key.0);
            }
        }
    }
    draft.publish(lists, last_key);
    Ok(events)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use hookyard_domain::page::PageRequest;
    use hookyard_store::StoreError;
    use hookyard_store::history::{EventFilter, History};
    use hookyard_store::ledger::{Batch, Ledger, Once, Receipt};
    use hookyard_store::tenants::Tenants;
    use hookyard_testkit::make;

    use crate::SqliteStore;

    async fn limit_pages(store: &SqliteStore, pages: u32) {
        let writer = store.writer.lock().await;
        let limited =
            writer.conn.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()));
        limited.unwrap();
    }

    #[tokio::test]
    async fn a_batch_that_does_not_fit_on_the_disk_leaves_no_trace() {
        let store = SqliteStore::in_memory().unwrap();
        let tenant = store.create_tenant(make::tenant("acme"), make::audit("made")).await.unwrap();
        let mut accept = make::accept(tenant.no, 1, &[]);
        accept.once = vec![Once::PublisherId("order-1".into())];
        let mut large = make::accept(tenant.no, 1, &[]);
        large.content.data = Bytes::from(vec![0; 1 << 20]);
        let batch = |accepts| Batch { now: make::NOW, accepts, ..Batch::default() };
        // More than a run's worth, so that a list is written out inside the lost transaction too.
        let mut accepts = vec![accept.clone()];
        accepts.extend(vec![make::accept(tenant.no, 1, &[]); 600]);
        accepts.push(large);
        limit_pages(&store, 60).await;
        let refused = store.commit(&batch(accepts)).await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
        limit_pages(&store, u32::MAX - 1).await;
        let all = PageRequest::first(100);
        let events = store.events(tenant.no, EventFilter::default(), all.clone()).await.unwrap();
        assert!(events.rows.is_empty());
        let receipts = store.commit(&batch(vec![accept])).await.unwrap();
        assert!(matches!(receipts[..], [Receipt::Accepted { .. }]), "{receipts:?}");
        let events = store.events(tenant.no, EventFilter::default(), all).await.unwrap();
        assert_eq!(events.rows.len(), 1);
    }
}
