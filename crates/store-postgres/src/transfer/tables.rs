//! Each table of `store::transfer` as PostgreSQL keeps it: statements that take its rows in and read them back.

use hookyard_store::transfer::{Cell, Kind, Row, Table};
use tokio_postgres::types::ToSql;

use super::NODE;
use crate::error::{Result, corrupt};

/// How a column is kept here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// As it comes.
    Same,
    /// In fewer bytes.
    As(&'static str),
    /// Sixteen bytes.
    Uuid,
    /// Yes or no.
    Bool,
}

/// How a column of a table is kept, by its name: the names mean the same in every table but for a few.
fn kept(table: Table, column: &str, kind: Kind) -> Kept {
    match (table, column) {
        (Table::ApiKey | Table::EventType | Table::Audit | Table::Source, "no") => Kept::Same,
        (Table::Job, "no") => Kept::Same,
        (Table::Job, "at_node" | "owner") => Kept::As("int2"),
        (Table::Endpoint | Table::Source, "status") => Kept::As("int2"),
        (_, "id" | "source") if kind == Kind::Bytes => Kept::Uuid,
        (_, "deleted" | "deprecated") => Kept::Bool,
        (_, "status" | "reason" | "set_off" | "disabled_reason" | "kind") => Kept::As("int2"),
        (
            _,
            "no"
            | "tenant"
            | "endpoint"
            | "retention_days"
            | "fan_out"
            | "deliveries"
            | "target"
            | "attempts"
            | "code"
            | "number"
            | "consecutive_failures"
            | "span_s"
            | "at_target",
        ) => Kept::As("int4"),
        _ => Kept::Same,
    }
}

/// Whether rows of a table belong to a node, and to one that makes the next attempt.
fn of_a_node(table: Table) -> &'static [&'static str] {
    match table {
        Table::Fact
        | Table::Tenant
        | Table::ApiKey
        | Table::Endpoint
        | Table::Source
        | Table::EventType
        | Table::Audit
        | Table::TallyPast
        | Table::Job => &[],
        Table::Received
        | Table::Reply
        | Table::Event
        | Table::Once
        | Table::Attempt
        | Table::Lane
        | Table::Replayed
        | Table::Held
        | Table::Feed
        | Table::TallyNow => &["node"],
        Table::Delivery => &["node", "owner"],
    }
}

/// Takes rows in: an array for each column.
pub(super) fn insert(table: Table) -> String {
    let mut names = Vec::new();
    let mut values = Vec::new();
    let mut arrays = Vec::new();
    let mut aliases = Vec::new();
    for (at, (name, kind)) in (1..).zip(table.columns()) {
        names.push(format!("\"{name}\""));
        aliases.push(format!("c{at}"));
        arrays.push(match kind {
            Kind::Int => format!("${at}::int8[]"),
            Kind::Text => format!("${at}::text[]"),
            Kind::Bytes => format!("${at}::bytea[]"),
        });
        values.push(match kept(table, name, *kind) {
            Kept::Same => format!("c{at}"),
            Kept::As(ty) => format!("c{at}::{ty}"),
            Kept::Uuid => format!("encode(c{at}, 'hex')::uuid"),
            Kept::Bool => format!("c{at} <> 0"),
        });
    }
    for name in of_a_node(table) {
        names.push((*name).to_owned());
        values.push(format!("{NODE}::int2"));
    }
    format!(
        "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM unnest({}) AS r ({})",
        table.name(),
        names.join(", "),
        values.join(", "),
        arrays.join(", "),
        aliases.join(", ")
    )
}

/// Reads back what was taken in.
pub(super) fn select(table: Table) -> String {
    let column = |(name, kind): &(&str, Kind)| match kept(table, name, *kind) {
        Kept::Same => format!("\"{name}\""),
        Kept::As(_) => format!("\"{name}\"::int8"),
        Kept::Uuid => format!("uuid_send(\"{name}\")"),
        Kept::Bool => format!("\"{name}\"::int4::int8"),
    };
    let columns: Vec<String> = table.columns().iter().map(column).collect();
    let filter = match (table, of_a_node(table)) {
        (Table::Fact, _) => format!("WHERE name <> '{}'", super::NOTE),
        (_, []) => String::new(),
        (_, _) => format!("WHERE node = {NODE}"),
    };
    format!("SELECT {} FROM {} {filter}", columns.join(", "), table.name())
}

/// The values of one column.
pub(super) enum Column {
    Int(Vec<Option<i64>>),
    Text(Vec<Option<String>>),
    Bytes(Vec<Option<Vec<u8>>>),
}

impl Column {
    pub(super) fn param(&self) -> &(dyn ToSql + Sync) {
        match self {
            Self::Int(values) => values,
            Self::Text(values) => values,
            Self::Bytes(values) => values,
        }
    }
}

/// Rows as columns.
pub(super) fn columns(table: Table, rows: &[Row]) -> Result<Vec<Column>> {
    let column = |(at, (name, kind)): (usize, &(&'static str, Kind))| {
        let mut column = match kind {
            Kind::Int => Column::Int(Vec::with_capacity(rows.len())),
            Kind::Text => Column::Text(Vec::with_capacity(rows.len())),
            Kind::Bytes => Column::Bytes(Vec::with_capacity(rows.len())),
        };
        for row in rows {
            match (&mut column, row.get(at)) {
                (Column::Int(values), Some(Cell::Int(value))) => values.push(Some(*value)),
                (Column::Int(values), Some(Cell::Null)) => values.push(None),
                (Column::Text(values), Some(Cell::Text(value))) => values.push(Some(value.clone())),
                (Column::Text(values), Some(Cell::Null)) => values.push(None),
                (Column::Bytes(values), Some(Cell::Bytes(value))) => {
                    values.push(Some(value.clone()));
                }
                (Column::Bytes(values), Some(Cell::Null)) => values.push(None),
                (Column::Int(_) | Column::Text(_) | Column::Bytes(_), _) => {
                    return Err(corrupt(table.name(), name, "a row"));
                }
            }
        }
        Ok(column)
    };
    table.columns().iter().enumerate().map(column).collect()
}
