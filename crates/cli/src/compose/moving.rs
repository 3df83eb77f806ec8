//! Carries everything from an embedded store into a database, and compares both sides.
//!
//! Which rows there are is told by `store::transfer`, how they are kept by the two adapters; here they are carried, counted
//! and hashed. A hash of a table is the sum of its rows' hashes, so it does not matter in what order they are read.

use std::path::Path;

use anyhow::Context as _;
use hookyard_rules::keys;
use hookyard_store::transfer::{self, Cell, Table};
use hookyard_store_postgres::transfer::{self as incoming, Stage, Target, TargetError};
use hookyard_store_sqlite::transfer::{Source, SourceError};

use super::shared;
use crate::config::settings::Database;
use crate::exit::Exit;
use crate::output;

/// Lists of events stand beside the tables: they are derived, and compared like them.
const LISTS: &str = "lists";

/// How many rows there are, and what they come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows.
    pub rows: u64,
    sum: [u64; 4],
}

impl Tally {
    fn add(&mut self, table: &str, row: &[Cell]) {
        let hash = keys::content_hash(&[table.as_bytes(), &transfer::to_bytes(row)]);
        self.rows += 1;
        for (sum, bytes) in self.sum.iter_mut().zip(hash.chunks_exact(8)) {
            let part = bytes.iter().fold(0, |part, byte| (part << 8) | u64::from(*byte));
            *sum = sum.wrapping_add(part);
        }
    }

    /// The hash as people compare it.
    pub fn hash(&self) -> String {
        self.sum.iter().map(|part| format!("{part:016x}")).collect()
    }
}

/// A table on both sides.
#[derive(Debug)]
pub struct Compared {
    /// Its name.
    pub table: &'static str,
    /// What is in the folder.
    pub left: Tally,
    /// What is in the database.
    pub arrived: Tally,
}

/// What became of a move.
#[derive(Debug)]
pub enum Moved {
    /// It was finished by an earlier run.
    Before,
    /// Everything is there; what was compared.
    Now(Vec<Compared>),
}

/// Moves the store in `folder` into the database, `batch` rows in one transaction.
pub async fn run(folder: &Path, to: &Database, batch: usize) -> anyhow::Result<Moved> {
    let source = Source::open(folder).map_err(left)?;
    let mut target = Target::open(&shared::settings(to)?, source.mark()?).await.map_err(right)?;
    if *target.stage() == Stage::Finished {
        return Ok(Moved::Before);
    }
    carry(&source, &mut target, batch).await?;
    let compared = compare(&source, &target, batch).await?;
    let different: Vec<_> =
        compared.iter().filter(|it| it.left != it.arrived).map(|it| it.table).collect();
    if !different.is_empty() {
        let text = format!(
            "what arrived in the database differs from what is in the folder ({}): nobody serves from it; begin again with \
             an empty database",
            different.join(", ")
        );
        return Err(Exit::Failure.because(text));
    }
    target.finish(source.keys()?.1).await.context("finishing the move")?;
    Ok(Moved::Now(compared))
}

async fn carry(source: &Source, target: &mut Target, batch: usize) -> anyhow::Result<()> {
    let mut told = None;
    let mut rows = 0_usize;
    while let Stage::At(table, after) = target.stage().clone() {
        if told != Some(table) {
            output::talk(format!("moving {}", table.name()));
            (told, rows) = (Some(table), 0);
        }
        if table == Table::Event {
            target.make_days(source.keys()?.0).await.context("making days of history")?;
        }
        let piece = blocking(|| source.piece(table, after.as_ref(), batch))
            .with_context(|| format!("reading {}", table.name()))?;
        rows += piece.rows.len();
        target
            .put(table, &piece.rows, piece.next)
            .await
            .with_context(|| format!("writing {}", table.name()))?;
        if *target.stage() != Stage::Whole && rows > 0 && rows.is_multiple_of(batch * 50) {
            output::talk(format!("moving {}: {rows} rows", table.name()));
        }
    }
    Ok(())
}

async fn compare(source: &Source, target: &Target, batch: usize) -> anyhow::Result<Vec<Compared>> {
    output::talk("comparing both sides");
    let mut all = Vec::new();
    let mut lists = Tally::default();
    for table in Table::ALL {
        let name = table.name();
        let (mut left, mut arrived) = (Tally::default(), Tally::default());
        let mut after = None;
        loop {
            let piece = blocking(|| source.piece(table, after.as_ref(), batch))
                .with_context(|| format!("reading {name}"))?;
            piece.rows.iter().for_each(|row| left.add(name, row));
            if table == Table::Event {
                for (tenant, endpoint, key) in incoming::lists_of(&piece.rows)? {
                    lists.add(LISTS, &entry(tenant, endpoint, key));
                }
            }
            after = piece.next;
            if after.is_none() {
                break;
            }
        }
        let read = target.look(table, |row| arrived.add(name, &row));
        read.await.with_context(|| format!("reading {name} back"))?;
        all.push(Compared { table: name, left, arrived });
    }
    let mut arrived = Tally::default();
    let see = |tenant, endpoint, key| arrived.add(LISTS, &entry(tenant, endpoint, key));
    target.look_at_lists(see).await.context("reading the lists back")?;
    all.push(Compared { table: LISTS, left: lists, arrived });
    Ok(all)
}

fn entry(tenant: i64, endpoint: i64, key: i64) -> [Cell; 3] {
    [Cell::Int(tenant), Cell::Int(endpoint), Cell::Int(key)]
}

/// Reads the folder where that holds nobody up.
fn blocking<T>(work: impl FnOnce() -> T) -> T {
    tokio::task::block_in_place(work)
}

fn left(error: SourceError) -> anyhow::Error {
    match error {
        SourceError::NoStore(_) => Exit::Usage.because(error.to_string()),
        SourceError::Store(error) => {
            anyhow::Error::from(error).context("opening the folder's store")
        }
    }
}

fn right(error: TargetError) -> anyhow::Error {
    match error {
        TargetError::HoldsSomething(_) | TargetError::AnotherMove => {
            Exit::Refused.because(error.to_string())
        }
        TargetError::Store(error) => anyhow::Error::from(error).context("opening the database"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_tells_other_rows_and_other_tables_but_not_another_order() {
        let (one, two) = ([Cell::Int(1)], [Cell::Int(2)]);
        let of = |rows: &[(&str, &[Cell])]| {
            let mut tally = Tally::default();
            rows.iter().for_each(|(table, row)| tally.add(table, row));
            tally
        };
        assert_eq!(of(&[("a", &one), ("a", &two)]), of(&[("a", &two), ("a", &one)]));
        assert_ne!(of(&[("a", &one), ("a", &two)]), of(&[("a", &one), ("a", &one)]));
        assert_ne!(of(&[("a", &one)]), of(&[("b", &one)]));
        assert_eq!(of(&[("a", &one)]).hash().len(), 64);
    }
}
