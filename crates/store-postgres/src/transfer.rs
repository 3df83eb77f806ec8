//! Takes in everything that another store hands out as the rows of `store::transfer`, and reads it back for comparison.
//!
//! What comes in is the work of a node of its own, number 0, under which ids and keys stay as they were; living nodes take
//! over what it still owed as they do from any node that is gone. Each piece is one transaction that also notes how far the
//! move is, so it goes on after an end at any moment. Until it is finished nobody serves from the database.

mod tables;

use std::collections::BTreeSet;

use deadpool_postgres::{Pool, Transaction};
use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::tenant::TenantNo;
use hookyard_store::StoreError;
use hookyard_store::transfer::{self, Cell, Kind, Mark, Row, Table};
use tokio_postgres::types::ToSql;

use crate::codec::{self, int, no};
use crate::db::{GenericClient, execute, is_nameless, query_opt};
use crate::error::{Fault, Result, corrupt, unavailable};
use crate::open::{self, Settings};
use crate::runs::{self, Lane};
use crate::{accept, days, locks, migrate, node};

/// The number of the node that what was moved belongs to, and its name.
const NODE: i16 = 0;
const NODE_NAME: &str = "embedded";
/// The note on how far a move is, among the facts that stand alone.
const NOTE: &str = "move";
/// A node that was heard of this lately may be serving.
const ALIVE_MS: i64 = 60_000;

/// Why nothing can be moved into a database.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// Something that did not come by this move is there.
    #[error("the database holds {0} already; move into an empty one")]
    HoldsSomething(&'static str),
    /// It was begun from another folder, or the folder was served from since.
    #[error(
        "a move into this database was begun from another store, or that store was served from since; begin again with an \
         empty database"
    )]
    AnotherMove,
    /// The database refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Fault> for TargetError {
    fn from(fault: Fault) -> Self {
        Self::Store(fault.into())
    }
}

impl From<tokio_postgres::Error> for TargetError {
    fn from(error: tokio_postgres::Error) -> Self {
        Fault::from(error).into()
    }
}

/// How far a move is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The next piece is this table's, from there on.
    At(Table, Option<Row>),
    /// Everything is there; it remains to be compared.
    Whole,
    /// It was finished.
    Finished,
}

/// The note as it is kept.
#[derive(Clone, Debug)]
struct Note {
    mark: Mark,
    stage: Stage,
}

impl Note {
    fn to_bytes(&self) -> Vec<u8> {
        let (word, place) = match &self.stage {
            Stage::At(table, after) => (table.name(), after.as_ref()),
            Stage::Whole => ("", None),
            Stage::Finished => ("finished", None),
        };
        let place = place.map_or(Cell::Null, |place| Cell::Bytes(transfer::to_bytes(place)));
        transfer::to_bytes(&[Cell::Bytes(self.mark.0.clone()), Cell::Text(word.into()), place])
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut row = transfer::from_bytes(bytes)?;
        let [Cell::Bytes(mark), Cell::Text(word), place] = &mut row[..] else { return None };
        let after = match place {
            Cell::Bytes(bytes) => Some(transfer::from_bytes(bytes)?),
            Cell::Null => None,
            Cell::Int(_) | Cell::Text(_) => return None,
        };
        let stage = match word.as_str() {
            "" => Stage::Whole,
            "finished" => Stage::Finished,
            name => Stage::At(Table::named(name)?, after),
        };
        Some(Self { mark: Mark(std::mem::take(mark)), stage })
    }
}

async fn note(db: &impl GenericClient) -> Result<Option<Note>> {
    let row = query_opt(db, "SELECT value FROM meta WHERE name = $1", &[&NOTE]).await?;
    let Some(row) = row else { return Ok(None) };
    let bytes: Vec<u8> = row.try_get(0)?;
    Ok(Some(Note::from_bytes(&bytes).ok_or_else(|| corrupt("meta", "value", NOTE))?))
}

/// Refuses to go on where a move into the database has not come to its end.
pub(crate) async fn refuse_half_moved(db: &impl GenericClient) -> Result<()> {
    match note(db).await?.map(|note| note.stage) {
        None | Some(Stage::Finished) => Ok(()),
        Some(Stage::At(..) | Stage::Whole) => Err(unavailable(
            "a move into this database is not finished; run `hookyard migrate --from …` again, to its end",
        )
        .into()),
    }
}

/// A database that a store is moved into.
pub struct Target {
    pool: Pool,
    mark: Mark,
    /// The note that is kept, as far as this process knows.
    known: Vec<u8>,
    stage: Stage,
}

impl Target {
    /// Begins to move the store of this mark into the database, or goes on with it.
    ///
    /// # Errors
    /// When something else is there, or when the database cannot be reached.
    pub async fn open(settings: &Settings, mark: Mark) -> std::result::Result<Self, TargetError> {
        let pool = open::pool(settings, 2)?;
        let mut client = pool.get().await.map_err(Fault::from)?;
        migrate::migrate(&mut client).await?;
        let tx = client.transaction().await?;
        locks::alone(&tx, locks::NODES).await?;
        let found = note(&tx).await?;
        let note = match found {
            Some(note) if note.mark == mark || note.stage == Stage::Finished => note,
            Some(_) => return Err(TargetError::AnotherMove),
            None => {
                if let Some(what) = something(&tx).await? {
                    return Err(TargetError::HoldsSomething(what));
                }
                let note = Note { mark: mark.clone(), stage: Stage::At(Table::ALL[0], None) };
                const SQL: &str = "INSERT INTO meta (name, value) VALUES ($1, $2)";
                execute(&tx, SQL, &[&NOTE, &note.to_bytes()]).await?;
                note
            }
        };
        tx.commit().await?;
        if note.stage == Stage::Finished && note.mark != mark {
            return Err(TargetError::AnotherMove);
        }
        drop(client);
        Ok(Self { pool, mark, known: note.to_bytes(), stage: note.stage })
    }

    /// How far the move is.
    #[must_use]
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// Takes in rows of a table, and notes where the next ones begin: `after`, or with the next table.
    ///
    /// # Errors
    /// When the database cannot be reached, or another process moves as well. Nothing was taken in then.
    pub async fn put(
        &mut self,
        table: Table,
        rows: &[Row],
        after: Option<Row>,
    ) -> std::result::Result<(), StoreError> {
        let next = match after {
            Some(after) => Stage::At(table, Some(after)),
            None => match Table::ALL.into_iter().find(|it| *it > table) {
                Some(next) => Stage::At(next, None),
                None => Stage::Whole,
            },
        };
        Ok(self
            .step(next, async |tx| {
                // If it were lost, so would be the note: the last step waits for the disk, and for all before it.
                tx.batch_execute("SET LOCAL synchronous_commit = off").await?;
                take_in(tx, table, rows).await
            })
            .await?)
    }

    /// Makes the days that events from `oldest` on belong to, as far as anybody's retention reaches back.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn make_days(&self, oldest: Option<i64>) -> std::result::Result<(), StoreError> {
        let Some(oldest) = oldest else { return Ok(()) };
        let mut client = self.pool.get().await.map_err(Fault::from)?;
        Ok(days::make_back(&mut client, oldest).await?)
    }

    /// Finishes the move: whoever comes next may serve. `last_key` is the last key that the store has given.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn finish(&mut self, last_key: i64) -> std::result::Result<(), StoreError> {
        let done = self.step(Stage::Finished, async |tx| {
            // Later than every process that took a key for a reply, since none of them will answer it, and than every
            // one that counted: what it counted is its own.
            const PUT: &str = "INSERT INTO node (no, name, incarnation, last_key, beat_ms, status)
                SELECT $1, $2, coalesce(max(incarnation), 0), $3, 0, $4 FROM (
                    SELECT incarnation FROM reply WHERE node = $1
                    UNION ALL SELECT incarnation FROM tally_now WHERE node = $1
                ) AS processes";
            execute(tx, PUT, &[&NODE, &NODE_NAME, &last_key, &node::LEFT]).await?;
            for table in ["tenant", "api_key", "endpoint", "source", "event_type", "audit", "job"] {
                let sql = format!(
                    "SELECT setval(pg_get_serial_sequence('{table}', 'no'), greatest(max(no), 1), \
                     max(no) IS NOT NULL) FROM {table}"
                );
                tx.batch_execute(&sql).await?;
            }
            Ok(())
        });
        done.await?;
        let client = self.pool.get().await.map_err(Fault::from)?;
        // What was never looked at is planned badly.
        client.batch_execute("ANALYZE").await.map_err(Fault::from)?;
        Ok(())
    }

    /// Hands every row that was taken in to `see`, in no order.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn look(
        &self,
        table: Table,
        mut see: impl FnMut(Row),
    ) -> std::result::Result<(), StoreError> {
        Ok(self.read_back(table, &mut see).await?)
    }

    async fn read_back(&self, table: Table, see: &mut impl FnMut(Row)) -> Result<()> {
        let kinds = table.columns();
        self.each(&tables::select(table), |row| {
            let mut cells = Row::with_capacity(kinds.len());
            for (at, (_, kind)) in kinds.iter().enumerate() {
                cells.push(match kind {
                    Kind::Int => row.try_get::<_, Option<i64>>(at)?.map_or(Cell::Null, Cell::Int),
                    Kind::Text => row.try_get::<_, Option<_>>(at)?.map_or(Cell::Null, Cell::Text),
                    Kind::Bytes => row.try_get::<_, Option<_>>(at)?.map_or(Cell::Null, Cell::Bytes),
                });
            }
            see(cells);
            Ok(())
        })
        .await
    }

    /// Hands every entry of the lists of events to `see`, in no order: tenant, endpoint, key.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn look_at_lists(
        &self,
        mut see: impl FnMut(i64, i64, i64),
    ) -> std::result::Result<(), StoreError> {
        let sql = format!("SELECT tenant, endpoint, key, keys FROM run WHERE node = {NODE}");
        let done = self.each(&sql, |row| {
            let (tenant, endpoint): (i32, i32) = (row.try_get(0)?, row.try_get(1)?);
            for key in runs::keys(row.try_get(3)?, row.try_get(2)?)? {
                see(i64::from(tenant), i64::from(endpoint), int(key));
            }
            Ok(())
        });
        Ok(done.await?)
    }

    async fn each(
        &self,
        sql: &str,
        mut see: impl FnMut(&tokio_postgres::Row) -> Result<()>,
    ) -> Result<()> {
        const PAGE: i32 = 2000;
        let mut client = self.pool.get().await?;
        let tx = client.transaction().await?;
        tx.batch_execute("SET LOCAL statement_timeout = 0; SET LOCAL enable_seqscan = on").await?;
        if is_nameless() {
            // The one statement with a name, on a connection that may know that name already.
            tx.batch_execute("DEALLOCATE ALL").await?;
        }
        let nothing: &[&(dyn ToSql + Sync)] = &[];
        let portal = tx.bind(sql, nothing).await?;
        loop {
            let rows = tx.query_portal(&portal, PAGE).await?;
            for row in &rows {
                see(row)?;
            }
            if rows.is_empty() {
                return Ok(());
            }
        }
    }

    /// One transaction, which moves the note on as well.
    async fn step(
        &mut self,
        stage: Stage,
        work: impl AsyncFnOnce(&Transaction<'_>) -> Result<()>,
    ) -> Result<()> {
        let note = Note { mark: self.mark.clone(), stage };
        let bytes = note.to_bytes();
        let mut client = self.pool.get().await?;
        let tx = client.transaction().await?;
        tx.batch_execute("SET LOCAL statement_timeout = 0").await?;
        const SQL: &str = "UPDATE meta SET value = $3 WHERE name = $1 AND value = $2";
        if execute(&tx, SQL, &[&NOTE, &self.known, &bytes]).await? != 1 {
            return Err(unavailable("another process moves into this database").into());
        }
        work(&tx).await?;
        tx.commit().await?;
        self.known = bytes;
        self.stage = note.stage;
        Ok(())
    }
}

/// What is there that did not come by a move.
async fn something(db: &impl GenericClient) -> Result<Option<&'static str>> {
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM tenant), EXISTS (SELECT 1 FROM event),
        EXISTS (SELECT 1 FROM meta), EXISTS (SELECT 1 FROM node WHERE no = $2 OR name = $3),
        EXISTS (SELECT 1 FROM node WHERE beat_ms > NOW - $1)";
    let sql = SQL.replace("NOW", node::NOW_MS);
    let row = query_opt(db, &sql, &[&ALIVE_MS, &NODE, &NODE_NAME]).await?;
    let row = row.ok_or_else(|| unavailable("the database answers nothing"))?;
    let all = [
        "tenants",
        "events",
        "an operator's key",
        "a node named `embedded`",
        "a node that serves, or served a minute ago,",
    ];
    for (at, what) in all.into_iter().enumerate() {
        if row.try_get(at)? {
            return Ok(Some(what));
        }
    }
    Ok(None)
}

async fn take_in(tx: &Transaction<'_>, table: Table, rows: &[Row]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let columns = tables::columns(table, rows)?;
    let params: Vec<&(dyn ToSql + Sync)> = columns.iter().map(tables::Column::param).collect();
    execute(tx, &tables::insert(table), &params).await?;
    if table == Table::Event {
        put_lists(tx, rows).await?;
    }
    Ok(())
}

/// The lists are derived from the events.
async fn put_lists(tx: &Transaction<'_>, rows: &[Row]) -> Result<()> {
    let mut lists = runs::Draft::default();
    for row in rows {
        for (tenant, endpoint, key) in listed(row)? {
            let lane = Lane { tenant, endpoint };
            lists.append(lane, key);
        }
    }
    let (tenants, endpoints, keys, bytes) = lists.columns();
    execute(tx, accept::PUT_RUNS, &[&tenants, &endpoints, &keys, &bytes, &NODE]).await?;
    Ok(())
}

/// The entries of lists that an event makes.
fn listed(row: &Row) -> Result<Vec<(TenantNo, EndpointNo, i64)>> {
    let bad = || corrupt("event", "targets", "a row");
    let [Cell::Int(key), Cell::Int(tenant), _, _, _, _, _, _, _, Cell::Bytes(targets), ..] =
        &row[..]
    else {
        return Err(bad());
    };
    let tenant = TenantNo(u32::try_from(*tenant).map_err(|_| bad())?);
    let endpoints: BTreeSet<EndpointNo> =
        codec::targets(targets).ok_or_else(bad)?.iter().map(|target| target.endpoint).collect();
    Ok(endpoints.into_iter().map(|endpoint| (tenant, endpoint, *key)).collect())
}

/// The entries of lists that the events of a piece make, as [`Target::look_at_lists`] finds them.
///
/// # Errors
/// When a row is none of an event.
pub fn lists_of(rows: &[Row]) -> std::result::Result<Vec<(i64, i64, i64)>, StoreError> {
    let mut all = Vec::new();
    for row in rows {
        let entries = listed(row)?;
        all.extend(entries.iter().map(|(tenant, endpoint, key)| {
            (i64::from(no(tenant.0)), i64::from(no(endpoint.0)), *key)
        }));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_reads_back() {
        let after = vec![Cell::Int(7), Cell::Text("x".into())];
        let stages = [
            Stage::At(Table::Fact, None),
            Stage::At(Table::Once, Some(after)),
            Stage::Whole,
            Stage::Finished,
        ];
        for stage in stages {
            let note = Note { mark: Mark(vec![1, 2]), stage };
            let back = Note::from_bytes(&note.to_bytes()).unwrap();
            assert_eq!((back.mark, back.stage), (note.mark, note.stage));
        }
        assert!(Note::from_bytes(&[1]).is_none());
    }
}
