//! Hands out everything in a folder as the rows of `store::transfer`, for a move to another store.
//!
//! The folder is held against servers meanwhile. Nothing of it is changed but its schema, which is brought up to date.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hookyard_domain::id::SourceId;
use hookyard_store::StoreError;
use hookyard_store::transfer::{self, Cell, Mark, Piece, Row, Table};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, params_from_iter};

use crate::codec;
use crate::error::{Fault, Result, corrupt};
use crate::events;
use crate::migrate;
use crate::open::{self, FILE, Place};
use crate::writer::number;

/// Bytes of values after which a piece ends.
const PIECE_BYTES: usize = 8 * 1024 * 1024;

/// Why a folder cannot be moved out of.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// There is nothing to move.
    #[error("{} holds no store", .0.display())]
    NoStore(PathBuf),
    /// The store refused; also while another process serves from the folder.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The store in a folder, as it is left.
pub struct Source {
    conn: Mutex<Connection>,
    // Last: the folder is held until the connection is closed.
    _place: Place,
}

/// How a table is read: what its rows are ordered by, their columns, and where they are.
struct Query {
    order: &'static [&'static str],
    columns: &'static str,
    from: &'static str,
}

#[expect(clippy::too_many_lines, reason = "a few lines for each table, and nothing else")]
fn query(table: Table) -> Query {
    let (order, columns, from): (&'static [&'static str], _, _) = match table {
        Table::Fact => {
            (&["name"], "name, value", "(SELECT * FROM meta WHERE name = 'operator_key')")
        }
        Table::Tenant => (
            &["no"],
            "no, id, name, profile, limits, retention_days, created_ms, updated_ms, version, deleted",
            "tenant",
        ),
        Table::ApiKey => (
            &["no"],
            "no, id, tenant, name, scopes, hash, hint, expires_ms, created_ms",
            "api_key",
        ),
        Table::Endpoint => (
            &["no"],
            "no, id, tenant, settings, headers, secret, secret_before, secret_before_until_ms, status,
                disabled_reason, disabled_ms, created_ms, updated_ms, revision, deleted",
            "endpoint",
        ),
        Table::Source => (
            &["no"],
            "no, id, tenant, provider, settings, secret, secret_before, secret_before_until_ms,
                verify_token, status, created_ms, updated_ms, revision, deleted",
            "source",
        ),
        Table::Received => (
            &["no"],
            "id, tenant, event_count, last_event_ms",
            "(SELECT * FROM source WHERE last_event_ms IS NOT NULL)",
        ),
        Table::EventType => (
            &["no"],
            "no, tenant, name, description, \"group\", schema, sample, deprecated, created_ms, updated_ms",
            "event_type",
        ),
        Table::Audit => (
            &["no"],
            "no, tenant, id, at_ms, actor, origin, action, subject, before, after",
            "audit",
        ),
        Table::Reply => {
            (&["owner", "key"], "owner, key, request, taken_ms, incarnation, answer", "reply")
        }
        Table::Event => (
            &["key"],
            "key, tenant, accepted_ms, occurred_ms, 0, type, nullif(scope, ''),
                CAST(publisher_id AS BLOB), source, targets, extra, data",
            "event",
        ),
        Table::Once => (
            &["once.tenant", "once.kind", "once.text"],
            "once.tenant, once.kind, once.text, once.event,
                coalesce(event.accepted_ms, once.event >> 12), once.deliveries, once.content",
            "once LEFT JOIN event ON event.key = once.event",
        ),
        Table::Delivery => (
            &["event", "target"],
            "event, target, tenant, endpoint, status, reason, attempts, set_off, due_ms, created_ms,
                updated_ms, code, first",
            "delivery",
        ),
        Table::Attempt => (
            &["attempt.event", "attempt.target", "attempt.number"],
            "attempt.event, attempt.target, attempt.number, event.tenant, attempt.attempt",
            "attempt JOIN event ON event.key = attempt.event",
        ),
        Table::Lane => (
            &["endpoint"],
            "endpoint, tenant, mark, delivery_count, last_delivery_ms, consecutive_failures,
                failing_since_ms",
            "lane",
        ),
        Table::Replayed => (
            &["replayed.endpoint", "replayed.event"],
            "replayed.endpoint, replayed.event, endpoint.tenant",
            "replayed JOIN endpoint ON endpoint.no = replayed.endpoint",
        ),
        Table::Held => (
            &["held.source", "held.event"],
            "source.id, held.event, source.tenant",
            "held JOIN source ON source.no = held.source",
        ),
        Table::Feed => (&["key"], "key, tenant, ids", "feed"),
        Table::TallyNow => (
            &["minute", "tenant", "endpoint", "incarnation"],
            "minute, incarnation, tenant, endpoint, tally",
            "tally_now",
        ),
        Table::TallyPast => (
            &["tenant", "endpoint", "span_s", "at_s"],
            "at_s, tenant, endpoint, span_s, tally",
            "tally_past",
        ),
        Table::Job => (
            &["no"],
            "no, id, tenant, endpoint, recovery, status, total, done, at_event, at_target, 0, 0 * owner, 0, 0,
                error, created_ms, finished_ms",
            "job",
        ),
    };
    Query { order, columns, from }
}

impl Query {
    /// The statement: what it is ordered by, then the columns, from behind what is given if something is.
    fn sql(&self, goes_on: bool) -> String {
        let order = self.order.join(", ");
        let marks = vec!["?"; self.order.len()].join(", ");
        let bound = if goes_on { format!("WHERE ({order}) > ({marks})") } else { String::new() };
        let Self { columns, from, .. } = self;
        format!("SELECT {order}, {columns} FROM {from} {bound} ORDER BY {order} LIMIT ?")
    }
}

impl Source {
    /// Takes the store in folder `dir`.
    ///
    /// # Errors
    /// When there is none, when another process serves from the folder, or when the disk refuses.
    pub fn open(dir: &Path) -> std::result::Result<Self, SourceError> {
        if !dir.join(FILE).exists() {
            return Err(SourceError::NoStore(dir.to_owned()));
        }
        let opened = || -> Result<Self> {
            let place = Place::take(dir)?;
            let mut conn = open::writer(&place.file(), true)?;
            migrate::migrate(&mut conn)?;
            Ok(Self { conn: Mutex::new(conn), _place: place })
        };
        Ok(opened().map_err(StoreError::from)?)
    }

    fn conn(&self) -> MutexGuard<'_, Connection> {
        self.conn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What tells this state of this store from every other. Each start of a server changes it.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn mark(&self) -> std::result::Result<Mark, StoreError> {
        let conn = self.conn();
        let read = || -> Result<Mark> {
            let mut cells = Vec::new();
            for name in ["incarnation", "high_key", "floor_key"] {
                cells.push(number(&conn, name)?.map_or(Cell::Null, Cell::Int));
            }
            // The first of what makes two stores differ.
            const FIRST: &str = "SELECT (SELECT hex(id) FROM endpoint ORDER BY no LIMIT 1),
                (SELECT hex(id) FROM audit ORDER BY no LIMIT 1), (SELECT max(key) FROM event)";
            let first = conn.query_row(FIRST, [], |row| {
                Ok([cell(row.get_ref(0)?), cell(row.get_ref(1)?), cell(row.get_ref(2)?)])
            })?;
            cells.extend(first.into_iter().flatten());
            Ok(Mark(transfer::to_bytes(&cells)))
        };
        Ok(read()?)
    }

    /// The key of the oldest event, and the last that was given or may have been.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keys(&self) -> std::result::Result<(Option<i64>, i64), StoreError> {
        let conn = self.conn();
        let read = || -> Result<(Option<i64>, i64)> {
            // Notes of the feed draw from the same numbers.
            const SQL: &str = "SELECT (SELECT min(key) FROM event),
                max(coalesce((SELECT max(key) FROM event), 0), coalesce((SELECT max(key) FROM feed), 0))";
            let (first, last): (Option<i64>, Option<i64>) =
                conn.query_row(SQL, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let high = number(&conn, "high_key")?;
            Ok((first, last.max(high).unwrap_or(0)))
        };
        Ok(read()?)
    }

    /// At most `limit` rows of a table, from where the last piece ended.
    ///
    /// # Errors
    /// When the disk refuses, or when a value is none of ours.
    pub fn piece(
        &self,
        table: Table,
        after: Option<&Row>,
        limit: usize,
    ) -> std::result::Result<Piece, StoreError> {
        Ok(self.read_piece(table, after, limit)?)
    }

    fn read_piece(&self, table: Table, after: Option<&Row>, limit: usize) -> Result<Piece> {
        let query = query(table);
        let ordered = query.order.len();
        let width = table.columns().len();
        let mut values: Vec<Value> = after.into_iter().flatten().map(value).collect();
        values.push(Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX)));
        let conn = self.conn();
        let mut find = conn.prepare_cached(&query.sql(after.is_some()))?;
        let mut rows = find.query(params_from_iter(values))?;
        let mut piece = Piece::default();
        let mut bytes = 0;
        while let Some(row) = rows.next()? {
            let read = |at| -> Result<Cell> {
                cell(row.get_ref(at)?).ok_or_else(|| corrupt(table.name(), "a column", at))
            };
            let place = (0..ordered).map(read).collect::<Result<Row>>()?;
            let plain = (ordered..ordered + width).map(read).collect::<Result<Row>>()?;
            bytes += plain.iter().map(size).sum::<usize>();
            piece.rows.push(shared(table, plain)?);
            piece.next = Some(place);
            if bytes >= PIECE_BYTES {
                return Ok(piece);
            }
        }
        if piece.rows.len() < limit {
            piece.next = None;
        }
        Ok(piece)
    }
}

/// A row as all stores share it.
fn shared(table: Table, mut row: Row) -> Result<Row> {
    let bad = |column| corrupt(table.name(), column, "a row");
    match (table, &mut row[..]) {
        (Table::Event, [_, _, _, _, fan_out, _, _, _, _, Cell::Bytes(targets), extra, _]) => {
            let many = codec::targets(targets).ok_or_else(|| bad("targets"))?.len();
            *fan_out = Cell::Int(i64::try_from(many).unwrap_or(i64::MAX));
            if let Cell::Bytes(bytes) = extra {
                let plain = events::shared_extra(bytes).ok_or_else(|| bad("extra"))?;
                *extra = plain.map_or(Cell::Null, Cell::Bytes);
            }
        }
        (Table::Once, [_, Cell::Int(kind), text, ..]) => {
            let Cell::Text(plain) = text else { return Err(bad("text")) };
            let bytes = once_text(*kind, plain).ok_or_else(|| bad("text"))?;
            *text = Cell::Bytes(bytes);
        }
        (Table::Event | Table::Once, _) => return Err(bad("targets")),
        (
            Table::Fact
            | Table::Tenant
            | Table::ApiKey
            | Table::Endpoint
            | Table::Source
            | Table::Received
            | Table::EventType
            | Table::Audit
            | Table::Reply
            | Table::Delivery
            | Table::Attempt
            | Table::Feed
            | Table::TallyNow
            | Table::TallyPast
            | Table::Job
            | Table::Lane
            | Table::Replayed
            | Table::Held,
            _,
        ) => {}
    }
    Ok(row)
}

/// What makes a publish happen once, as all stores share it: of a received request the source's sixteen bytes, then what
/// its sender calls it.
fn once_text(kind: i64, text: &str) -> Option<Vec<u8>> {
    if kind != events::KIND_RECEIVED {
        return Some(text.as_bytes().to_vec());
    }
    let (source, id) = text.split_once(' ')?;
    let source: SourceId = source.parse().ok()?;
    let mut bytes = source.as_u128().to_be_bytes().to_vec();
    bytes.extend_from_slice(id.as_bytes());
    Some(bytes)
}

fn size(cell: &Cell) -> usize {
    match cell {
        Cell::Null | Cell::Int(_) => 8,
        Cell::Text(text) => text.len(),
        Cell::Bytes(bytes) => bytes.len(),
    }
}

/// A value of SQLite's as a cell; none of ours is a fraction.
fn cell(value: ValueRef<'_>) -> Option<Cell> {
    Some(match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Int(number),
        ValueRef::Text(text) => Cell::Text(String::from_utf8(text.to_vec()).ok()?),
        ValueRef::Blob(bytes) => Cell::Bytes(bytes.to_vec()),
        ValueRef::Real(_) => return None,
    })
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Int(number) => Value::Integer(*number),
        Cell::Text(text) => Value::Text(text.clone()),
        Cell::Bytes(bytes) => Value::Blob(bytes.clone()),
    }
}

impl From<Fault> for SourceError {
    fn from(fault: Fault) -> Self {
        Self::Store(fault.into())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Tables that are not handed out: `source`'s counts are, as `received`; lists are derived; the rest is this
    /// adapter's own.
    const OWN: [&str; 2] = ["list_run", "sqlite_sequence"];

    fn names(source: &Source, sql: &str) -> BTreeSet<String> {
        let conn = source.conn();
        let mut find = conn.prepare(sql).unwrap();
        let names = find.query_map([], |row| row.get(0)).unwrap();
        names.map(|it| it.unwrap()).collect()
    }

    #[test]
    fn every_table_of_the_schema_is_handed_out_or_known_to_be_of_no_use_elsewhere() {
        let dir = tempfile::tempdir().unwrap();
        drop(crate::SqliteStore::open(dir.path()).unwrap());
        let source = Source::open(dir.path()).unwrap();
        let found = names(&source, "SELECT name FROM sqlite_schema WHERE type = 'table'");
        let known = Table::ALL.map(Table::name).into_iter().filter(|it| *it != "received");
        let known: BTreeSet<String> = known.chain(OWN).map(str::to_owned).collect();
        assert_eq!(found, known, "name a new table in `store::transfer`, or here");
        for table in Table::ALL {
            assert!(source.piece(table, None, 10).unwrap().next.is_none(), "{table:?}");
        }
    }

    #[test]
    fn every_column_is_handed_out() {
        let dir = tempfile::tempdir().unwrap();
        drop(crate::SqliteStore::open(dir.path()).unwrap());
        let source = Source::open(dir.path()).unwrap();
        for table in Table::ALL {
            let Query { columns, .. } = query(table);
            let many = columns.matches(',').count() + 1
                - columns.matches("nullif").count()
                - columns.matches("coalesce").count();
            assert_eq!(many, table.columns().len(), "{table:?}");
            if table == Table::Received || table == Table::Fact {
                continue;
            }
            let sql = format!("SELECT name FROM pragma_table_info('{}')", table.name());
            for name in names(&source, &sql) {
                let counted = ["event_count", "last_event_ms"].contains(&name.as_str());
                assert!(
                    columns.contains(&name)
                        || (table == Table::Source && counted)
                        || name == "source",
                    "`{name}` of {table:?} is left behind"
                );
            }
        }
    }

    #[test]
    fn a_folder_that_is_served_from_and_one_without_a_store_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(Source::open(dir.path()), Err(SourceError::NoStore(_))));
        let store = crate::SqliteStore::open(dir.path()).unwrap();
        assert!(matches!(Source::open(dir.path()), Err(SourceError::Store(_))));
        drop(store);
        let before = Source::open(dir.path()).unwrap().mark().unwrap();
        assert_eq!(Source::open(dir.path()).unwrap().mark().unwrap(), before);
        drop(crate::SqliteStore::open(dir.path()).unwrap());
        assert_ne!(Source::open(dir.path()).unwrap().mark().unwrap(), before);
    }
}
