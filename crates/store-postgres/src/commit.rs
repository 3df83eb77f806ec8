//! The order of things inside a commit, in two round trips.
//!
//! The first takes the node's row, which holds the last key the node gave, shares the locks of all tenants it touches and
//! reads what the decisions need. The second writes everything, each table by one statement over arrays, and commits. What
//! came of a commit whose answer was lost is found out from the node's row, before anybody is told anything.

use std::collections::{BTreeSet, HashMap};
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use deadpool_postgres::{Client, Object};
use hookyard_domain::tenant::TenantNo;
use hookyard_store::StoreError;
use hookyard_store::ledger::{Batch, Receipt};
use hookyard_store::statistics::Counted;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::PostgresStore;
use crate::accept::{self, Draft, EventColumns};
use crate::codec::{no, uint, uno};
use crate::db::{Asked, Pipeline, query_opt};
use crate::deliveries;
use crate::error::{Fault, Result, unavailable};
use crate::feed;
use crate::locks;
use crate::node::{NOW_MS, Node};
use crate::once::{self, Book};
use crate::record::{self, NoteColumns, RecordColumns};
use crate::sender::{self, Senders};
use crate::statistics::{self, Columns, Counts};

/// How often the same batch is tried when other nodes are in its way.
const TRIES: usize = 8;
/// Between two questions what came of a commit.
const DOUBT_PAUSE: Duration = Duration::from_millis(200);

const TAKE_NODE: &str =
    "SELECT last_key FROM node WHERE no = $1 AND incarnation = $2 FOR NO KEY UPDATE";
const VERSIONS: &str = "SELECT no, version FROM tenant WHERE no = ANY($1) AND NOT deleted";

/// Every statement of a commit, prepared on its connection.
struct Statements {
    take_node: Asked,
    share: Asked,
    versions: Asked,
    take_senders: Asked,
    find_senders: Asked,
    find_once: Asked,
    delete_once: Asked,
    put_once: Asked,
    put_events: Asked,
    put_runs: Asked,
    put_deliveries: Asked,
    put_received: Asked,
    put_held: Asked,
    put_records: Asked,
    put_feed: Asked,
    put_notes: Asked,
    put_tallies: Asked,
    give_node: Asked,
}

impl Statements {
    async fn prepare(client: &Client) -> Result<Self> {
        let give = format!("UPDATE node SET last_key = $2, beat_ms = {NOW_MS} WHERE no = $1");
        Ok(Self {
            take_node: Asked::prepare(client, TAKE_NODE).await?,
            share: Asked::prepare(client, locks::SHARE_ALL).await?,
            versions: Asked::prepare(client, VERSIONS).await?,
            take_senders: Asked::prepare(client, sender::TAKE).await?,
            find_senders: Asked::prepare(client, sender::FIND).await?,
            find_once: Asked::prepare(client, once::FIND).await?,
            delete_once: Asked::prepare(client, once::DELETE).await?,
            put_once: Asked::prepare(client, once::PUT).await?,
            put_events: Asked::prepare(client, accept::PUT_EVENTS).await?,
            put_runs: Asked::prepare(client, accept::PUT_RUNS).await?,
            put_deliveries: Asked::prepare(client, deliveries::PUT).await?,
            put_received: Asked::prepare(client, accept::PUT_RECEIVED).await?,
            put_held: Asked::prepare(client, accept::PUT_HELD).await?,
            put_records: Asked::prepare(client, record::PUT_RECORDS).await?,
            put_feed: Asked::prepare(client, feed::PUT).await?,
            put_notes: Asked::prepare(client, record::PUT_NOTES).await?,
            put_tallies: Asked::prepare(client, statistics::PUT).await?,
            give_node: Asked::prepare(client, &give).await?,
        })
    }
}

/// A connection that goes back to its pool only when no transaction is open on it.
struct Lease {
    client: Option<Client>,
    clean: bool,
}

impl Lease {
    fn client(&self) -> Result<&Client> {
        self.client.as_ref().ok_or_else(|| unavailable("the connection is gone").into())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(client) = self.client.take().filter(|_| !self.clean) {
            drop(Object::take(client));
        }
    }
}

/// How a try ended without receipts.
enum Failure {
    /// Nothing was written.
    Nothing(Fault),
    /// The connection was lost while it committed.
    Doubt {
        last_key: u64,
        senders: Senders,
        receipts: Vec<Receipt>,
        counted: Counted,
        fault: Fault,
    },
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Nothing(fault)
    }
}

impl PostgresStore {
    /// Writes a batch whole or not at all.
    pub(crate) async fn commit_batch(&self, batch: &Batch) -> Result<Vec<Receipt>> {
        if batch.accepts.is_empty() && batch.records.is_empty() && batch.notes.is_empty() {
            return Ok(Vec::new());
        }
        // One and the same throughout, whatever becomes of this process as a node meanwhile.
        let me = self.node();
        let mut tries = 1;
        loop {
            match self.try_commit(me, batch).await {
                Ok(receipts) => return Ok(receipts),
                Err(Failure::Nothing(fault)) if tries < TRIES && fault.may_work_again() => {
                    tries += 1;
                }
                Err(Failure::Nothing(fault)) => return Err(fault),
                Err(Failure::Doubt { last_key, senders, receipts, counted, fault }) => {
                    if self.was_committed(me, last_key).await? {
                        self.counts().keep(me, counted);
                        self.senders.see(&senders);
                        return Ok(receipts);
                    }
                    return Err(fault);
                }
            }
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn try_commit(
        &self,
        me: Node,
        batch: &Batch,
    ) -> std::result::Result<Vec<Receipt>, Failure> {
        let mut lease =
            Lease { client: Some(self.committer.get().await.map_err(Fault::from)?), clean: false };
        let statements = Statements::prepare(lease.client()?).await?;
        let read = read(me, lease.client()?, &statements, batch).await;
        let read = read.and_then(|it| self.doubts.settle(me, it.0.last_key).map(|()| it));
        let (mut draft, versions) = match read {
            Ok(read) => read,
            Err(fault) => {
                if fault.is_a_lost_connection() {
                    // Nothing has begun: another connection may do.
                    return Err(Fault::Again.into());
                }
                lease.clean = lease.client()?.batch_execute("ROLLBACK").await.is_ok();
                return Err(fault.into());
            }
        };
        let receipts = draft.accept(batch, &versions);
        let records = record::columns(&batch.records);
        let feed = feed::columns(&batch.records, batch.now, &mut draft.last_key);
        let notes = record::note_columns(&batch.notes);
        let counted = self.counts().with(me, batch, &receipts);
        let tallies = statistics::columns(&counted);
        let writing = Writing { client: lease.client()?, statements: &statements, node: me };
        let facts = Facts {
            draft: &draft,
            records: &records,
            feed: &feed,
            notes: &notes,
            tallies: &tallies,
        };
        let written = writing.write(facts, (batch.now.as_millis(), counted.minute)).await;
        match written {
            Ok(()) => {
                self.counts().keep(me, counted);
                self.senders.see(&draft.senders);
                let hints = draft.senders.hints(me.no);
                lease.clean = hints.is_empty() || hint(lease.client()?, &hints).await;
                Ok(receipts)
            }
            Err((is_certain, fault)) => {
                // What has no events can be written twice.
                if is_certain || draft.is_empty() {
                    // The transaction has ended already; a connection that is of no more use is found out by its pool.
                    lease.clean = lease.client()?.batch_execute("ROLLBACK").await.is_ok();
                    return Err(fault.into());
                }
                let (last_key, senders) = (draft.last_key, draft.senders);
                Err(Failure::Doubt { last_key, senders, receipts, counted, fault })
            }
        }
    }

    /// Whether a commit that ended with this key was written. The question waits for the commit if it is still under way.
    /// It is asked as long as a statement may take; then its publishers are told that the store is away, and the next
    /// commit asks on.
    async fn was_committed(&self, me: Node, last_key: u64) -> Result<bool> {
        let deadline = tokio::time::Instant::now() + self.doubt_max;
        loop {
            match self.ask_last_key(me).await {
                Ok(found) => return Ok(found >= last_key),
                // Whoever took over finds what was written.
                Err(Fault::Store(StoreError::Fenced)) => return Err(StoreError::Fenced.into()),
                Err(fault) if tokio::time::Instant::now() > deadline => {
                    self.doubts.remember(me, last_key);
                    tracing::error!("it was not found out whether a commit was written");
                    return Err(fault);
                }
                Err(_) => tokio::time::sleep(DOUBT_PAUSE).await,
            }
        }
    }

    async fn ask_last_key(&self, me: Node) -> Result<u64> {
        let client = self.committer.get().await?;
        let node: [&(dyn ToSql + Sync); 2] = [&me.no, &me.incarnation];
        let row = query_opt(&client, TAKE_NODE, &node).await?;
        let row = row.ok_or(StoreError::Fenced)?;
        Ok(uint(row.try_get(0)?))
    }
}

/// The first round trip.
async fn read<'b>(
    me: Node,
    client: &Client,
    statements: &Statements,
    batch: &'b Batch,
) -> Result<(Draft<'b>, HashMap<TenantNo, u64>)> {
    let of_accepts = batch.accepts.iter().map(|it| it.tenant);
    let of_records = batch.records.iter().map(|it| it.tenant);
    let locked: BTreeSet<i32> = of_accepts.clone().chain(of_records).map(locks::bucket).collect();
    let locked: Vec<i32> = locked.into_iter().collect();
    let tenants: BTreeSet<i32> = of_accepts.map(|it| no(it.0)).collect();
    let tenants: Vec<i32> = tenants.into_iter().collect();
    let mut book = Book::ask(&batch.accepts);
    let class = locks::class();
    let (asked_tenants, kinds, texts) = book.question();
    let node: [&(dyn ToSql + Sync); 2] = [&me.no, &me.incarnation];
    let share: [&(dyn ToSql + Sync); 2] = [&class, &locked];
    let of: [&(dyn ToSql + Sync); 1] = [&tenants];
    let asked: [&(dyn ToSql + Sync); 3] = [&asked_tenants, &kinds, &texts];

    let singles = sender::Asked::of(batch);
    let take: [&(dyn ToSql + Sync); 3] = [&singles.tenants, &singles.endpoints, &me.no];

    let mut pipeline = Pipeline::default();
    pipeline.push(begin(client));
    pipeline.push(send(client, &statements.take_node, &node));
    if !locked.is_empty() {
        pipeline.push(send(client, &statements.share, &share));
    }
    if !tenants.is_empty() {
        pipeline.push(send(client, &statements.versions, &of));
    }
    if !book.is_empty() {
        pipeline.push(send(client, &statements.find_once, &asked));
    }
    if !singles.is_empty() {
        pipeline.push(send(client, &statements.take_senders, &take));
        pipeline.push(send(client, &statements.find_senders, &take[..2]));
    }
    let mut rows = pipeline.finish().await.map_err(|(_, fault)| fault)?;
    let senders = match singles.is_empty() {
        true => Senders::default(),
        false => Senders::read(&rows.pop().unwrap_or_default())?,
    };
    let mut rows = rows.into_iter().skip(1);
    let node = rows.next().unwrap_or_default();
    let Some(node) = node.first() else { return Err(StoreError::Fenced.into()) };
    let last_key = uint(node.try_get(0)?);
    let mut rows = rows.skip(usize::from(!locked.is_empty()));
    let mut versions = HashMap::new();
    if !tenants.is_empty() {
        for row in rows.next().unwrap_or_default() {
            versions.insert(TenantNo(uno(row.try_get(0)?)), uint(row.try_get(1)?));
        }
    }
    drop((asked_tenants, kinds, texts));
    if !book.is_empty() {
        book.answer(&rows.next().unwrap_or_default())?;
    }
    Ok((Draft::new((me.no, last_key), batch.now, book, senders), versions))
}

/// The second round trip.
struct Writing<'c> {
    client: &'c Client,
    statements: &'c Statements,
    node: Node,
}

/// What it writes.
struct Facts<'f> {
    draft: &'f Draft<'f>,
    records: &'f [RecordColumns],
    feed: &'f feed::NoteColumns,
    notes: &'f NoteColumns,
    tallies: &'f Columns,
}

impl Writing<'_> {
    /// Writes and commits. With a failure comes whether it is certain that nothing was written.
    async fn write(
        &self,
        facts: Facts<'_>,
        (now_ms, minute): (i64, i64),
    ) -> std::result::Result<(), (bool, Fault)> {
        let Self { client, statements, node: Node { no: node, incarnation } } = self;
        let Facts { draft, records, feed, notes, tallies } = facts;
        let events = draft.event_columns();
        let once = draft.book.written();
        let replaced = draft.book.replaced();
        let runs = draft.runs.columns();
        let received = draft.received_columns();
        let held = draft.held_columns();
        let new = deliveries::columns(&draft.deliveries);
        let last_key = crate::codec::int(draft.last_key);

        let ((tenants, kinds, texts), keys, nodes) = &replaced;
        let delete_once: [&(dyn ToSql + Sync); 5] = [tenants, kinds, texts, keys, nodes];
        let ((tenants, kinds, texts), (keys, nodes, at, many, contents)) = &once;
        let put_once: [&(dyn ToSql + Sync); 8] =
            [tenants, kinds, texts, keys, nodes, at, many, contents];
        let put_events: Vec<_> = events.iter().map(|it| event_params(it, node)).collect();
        let put_runs: [&(dyn ToSql + Sync); 5] = [&runs.0, &runs.1, &runs.2, &runs.3, node];
        let put_received: [&(dyn ToSql + Sync); 5] =
            [&received.0, &received.1, &received.2, node, &now_ms];
        let put_held: [&(dyn ToSql + Sync); 4] = [&held.0, &held.1, &held.2, node];
        let put_deliveries = deliveries::params(&new);
        let put_records: Vec<_> = records.iter().map(|it| record_params(it, node)).collect();
        let put_feed: [&(dyn ToSql + Sync); 4] = [&feed.0, &feed.1, &feed.2, node];
        let put_notes = note_params(notes, node);
        let (owners, endpoints) = (&tallies.tenants, &tallies.endpoints);
        let put_tallies: [&(dyn ToSql + Sync); 6] =
            [owners, endpoints, &tallies.tallies, &minute, node, incarnation];
        let give_node: [&(dyn ToSql + Sync); 2] = [node, &last_key];

        let mut pipeline = Pipeline::default();
        for params in &put_events {
            pipeline.push(send(client, &statements.put_events, params));
        }
        for (is_wanted, statement, params) in [
            (!replaced.1.is_empty(), &statements.delete_once, &delete_once[..]),
            (!runs.0.is_empty(), &statements.put_runs, &put_runs),
            (!draft.deliveries.is_empty(), &statements.put_deliveries, &put_deliveries),
            (!received.0.is_empty(), &statements.put_received, &put_received),
            (!held.0.is_empty(), &statements.put_held, &put_held),
        ] {
            if is_wanted {
                pipeline.push(send(client, statement, params));
            }
        }
        if !once.1.0.is_empty() {
            pipeline.push(send(client, &statements.put_once, &put_once));
        }
        for params in &put_records {
            pipeline.push(send(client, &statements.put_records, params));
        }
        if !feed.0.is_empty() {
            pipeline.push(send(client, &statements.put_feed, &put_feed));
        }
        if !notes.marks.is_empty() {
            pipeline.push(send(client, &statements.put_notes, &put_notes));
        }
        if !tallies.tenants.is_empty() {
            pipeline.push(send(client, &statements.put_tallies, &put_tallies));
        }
        pipeline.push(send(client, &statements.give_node, &give_node));
        pipeline.push(end(client));
        let last = pipeline.len() - 1;
        match pipeline.finish().await {
            Ok(_) => Ok(()),
            Err((at, fault)) => Err((at < last && fault.is_the_servers(), fault)),
        }
    }
}

/// Tells other nodes what they were given; false when the connection is of no more use. Apart from the commit: whoever
/// notifies holds up everybody else who does until it is on disk, and a hint need not be there.
async fn hint(client: &Client, hints: &[String]) -> bool {
    // Hints are made of numbers and dots.
    let said: Vec<_> = hints.iter().map(|it| format!("pg_notify('hookyard', '{it}')")).collect();
    let all = said.join(", ");
    let sql = format!("BEGIN; SET LOCAL synchronous_commit = off; SELECT {all}; COMMIT");
    client.batch_execute(&sql).await.is_ok()
}

async fn begin(client: &Client) -> Result<Vec<Row>> {
    client.batch_execute("BEGIN").await?;
    Ok(Vec::new())
}

async fn end(client: &Client) -> Result<Vec<Row>> {
    client.batch_execute("COMMIT").await?;
    Ok(Vec::new())
}

async fn send(
    client: &Client,
    statement: &Asked,
    params: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>> {
    statement.ask(client, params).await
}

fn event_params<'a>(it: &'a EventColumns<'_>, node: &'a i16) -> [&'a (dyn ToSql + Sync); 13] {
    [
        &it.tenants,
        &it.keys,
        &it.types,
        &it.scopes,
        &it.accepted,
        &it.occurred,
        &it.publisher_ids,
        &it.sources,
        &it.fan_outs,
        &it.targets,
        &it.extras,
        &it.data,
        node,
    ]
}

fn record_params<'a>(it: &'a RecordColumns, node: &'a i16) -> [&'a (dyn ToSql + Sync); 16] {
    [
        &it.tenants,
        &it.keys,
        &it.nodes,
        &it.targets,
        &it.endpoints,
        &it.statuses,
        &it.reasons,
        &it.attempts,
        &it.set_offs,
        &it.dues,
        &it.updated,
        &it.codes,
        &it.bodies,
        node,
        &it.lowest,
        &it.highest,
    ]
}

fn note_params<'a>(it: &'a NoteColumns, node: &'a i16) -> [&'a (dyn ToSql + Sync); 8] {
    [&it.tenants, &it.endpoints, &it.marks, &it.counts, &it.last, &it.failures, &it.since, node]
}
