//! Lists of event keys without the cost of an index.
//!
//! Each tenant, each endpoint and each source has a list of the events that concern it, ascending. Its newest keys stand
//! in memory (the *tail*); every few hundred keys they are written out as one row (a *run*). Tails are lost with the
//! process and built again from the events above the persisted floor. Readers copy a tail *before* they open their
//! snapshot: whatever was written out in between then stands in both, never in none.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::tenant::TenantNo;
use rusqlite::{Connection, OptionalExtension, params};

use crate::codec::{self, int, uint};
use crate::error::{Result, corrupt};
use crate::sources::SourceNo;

/// Keys after which a tail is written out.
const RUN_KEYS: usize = 512;
/// Keys in all tails together after which all are written out.
const TAILS_KEYS_MAX: usize = 200_000;

/// The number of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ListNo(i64);

impl ListNo {
    pub(crate) fn of_tenant(tenant: TenantNo) -> Self {
        Self(i64::from(tenant.0) * 2)
    }

    pub(crate) fn of_endpoint(endpoint: EndpointNo) -> Self {
        Self(i64::from(endpoint.0) * 2 + 1)
    }

    pub(crate) fn of_source(source: SourceNo) -> Self {
        Self(-i64::from(source.0))
    }
}

#[derive(Default)]
struct Tails {
    by_list: HashMap<ListNo, Vec<u64>>,
    keys: usize,
    /// The last key that was given when they were published.
    last_key: u64,
}

/// The tails of all lists. Changed by the writer alone, and only after its transaction is on disk.
#[derive(Default)]
pub(crate) struct Lists(RwLock<Tails>);

impl Lists {
    fn read(&self) -> RwLockReadGuard<'_, Tails> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Tails> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy of a tail; take it before the snapshot is opened.
    pub(crate) fn tail(&self, list: ListNo) -> Vec<u64> {
        self.read().by_list.get(&list).cloned().unwrap_or_default()
    }

    /// The same, and the last key that was given by then: no key up to it comes into the list any more.
    pub(crate) fn tail_to_the_end(&self, list: ListNo) -> (Vec<u64>, u64) {
        let tails = self.read();
        (tails.by_list.get(&list).cloned().unwrap_or_default(), tails.last_key)
    }

    /// The last key that was given.
    pub(crate) fn last_key(&self) -> u64 {
        self.read().last_key
    }

    /// The last key of each tail.
    pub(crate) fn last_keys(&self) -> HashMap<ListNo, u64> {
        self.ends().into_iter().map(|(list, (_, last))| (list, last)).collect()
    }

    /// The first and the last key of each tail.
    pub(crate) fn ends(&self) -> HashMap<ListNo, (u64, u64)> {
        let tails = self.read();
        let ends = |tail: &Vec<u64>| Some((*tail.first()?, *tail.last()?));
        tails.by_list.iter().filter_map(|(list, tail)| Some((*list, ends(tail)?))).collect()
    }
}

/// What one transaction does to lists; published when it is on disk, forgotten when it is not.
#[derive(Default)]
pub(crate) struct ListDraft {
    appended: HashMap<ListNo, Vec<u64>>,
    removed: HashMap<ListNo, BTreeSet<u64>>,
    written: HashSet<ListNo>,
}

impl ListDraft {
    /// Appends a key, higher than all before.
    pub(crate) fn append(&mut self, list: ListNo, key: u64) {
        let keys = self.appended.entry(list).or_default();
        // An event may name an endpoint twice.
        if keys.last() != Some(&key) {
            keys.push(key);
        }
    }

    /// Takes a key out.
    pub(crate) fn remove(&mut self, list: ListNo, key: u64) {
        self.removed.entry(list).or_default().insert(key);
    }

    /// All tails together are too long.
    pub(crate) fn is_crowded(&self, lists: &Lists) -> bool {
        lists.read().keys + self.appended.values().map(Vec::len).sum::<usize>() > TAILS_KEYS_MAX
    }

    /// Writes out the tails that have become long.
    pub(crate) fn write_long(&mut self, tx: &Connection, lists: &Lists) -> Result<()> {
        let tails = lists.read();
        for (list, appended) in &self.appended {
            let tail = tails.by_list.get(list).map_or(&[][..], Vec::as_slice);
            if tail.len() + appended.len() >= RUN_KEYS {
                let keys: Vec<u64> = tail.iter().chain(appended).copied().collect();
                insert_run(tx, *list, &keys)?;
                self.written.insert(*list);
            }
        }
        Ok(())
    }

    /// Writes out every tail.
    pub(crate) fn write_all(&mut self, tx: &Connection, lists: &Lists) -> Result<()> {
        let tails = lists.read();
        let all: BTreeSet<ListNo> =
            tails.by_list.keys().chain(self.appended.keys()).copied().collect();
        for list in all {
            let tail = tails.by_list.get(&list).into_iter().flatten();
            let appended = self.appended.get(&list).into_iter().flatten();
            let keys: Vec<u64> = tail.chain(appended).copied().collect();
            write_run(tx, list, keys)?;
            self.written.insert(list);
        }
        Ok(())
    }

    /// Takes the removed keys out of the written runs.
    pub(crate) fn write_removed(&self, tx: &Connection) -> Result<()> {
        for (list, keys) in &self.removed {
            remove_from_runs(tx, *list, keys)?;
        }
        Ok(())
    }

    /// Shows readers what is on disk by now; `last_key` is the last that was given.
    pub(crate) fn publish(self, lists: &Lists, last_key: u64) {
        let mut tails = lists.write();
        let tails = &mut *tails;
        tails.last_key = last_key;
        for list in &self.written {
            if let Some(tail) = tails.by_list.remove(list) {
                tails.keys -= tail.len();
            }
        }
        for (list, keys) in self.appended {
            if !self.written.contains(&list) {
                tails.keys += keys.len();
                tails.by_list.entry(list).or_default().extend(keys);
            }
        }
        for (list, gone) in self.removed {
            if let Some(tail) = tails.by_list.get_mut(&list) {
                let before = tail.len();
                tail.retain(|key| !gone.contains(key));
                tails.keys -= before - tail.len();
                if tail.is_empty() {
                    tails.by_list.remove(&list);
                }
            }
        }
    }
}

fn insert_run(tx: &Connection, list: ListNo, keys: &[u64]) -> Result<()> {
    if let Some(last) = keys.last() {
        tx.prepare_cached("INSERT INTO list_run (list, last_key, keys) VALUES (?1, ?2, ?3)")?
            .execute(params![list.0, int(*last), codec::keys_to_bytes(keys)])?;
    }
    Ok(())
}

/// Writes a tail of any length; a short run before it is taken in, so that a slow list does not become many rows.
fn write_run(tx: &Connection, list: ListNo, mut keys: Vec<u64>) -> Result<()> {
    if keys.len() < RUN_KEYS
        && let Some((last, before)) = run_below(tx, list, u64::MAX)?
        && before.len() < RUN_KEYS
    {
        delete_run(tx, list, last)?;
        let mut joined = before;
        joined.append(&mut keys);
        keys = joined;
    }
    insert_run(tx, list, &keys)
}

fn delete_run(tx: &Connection, list: ListNo, last: u64) -> Result<()> {
    tx.prepare_cached("DELETE FROM list_run WHERE list = ?1 AND last_key = ?2")?
        .execute(params![list.0, int(last)])?;
    Ok(())
}

type Run = Option<(u64, Vec<u64>)>;

fn run(conn: &Connection, sql: &str, list: ListNo, bound: u64) -> Result<Run> {
    let row = conn
        .prepare_cached(sql)?
        .query_row(params![list.0, int(bound)], |row| {
            Ok((uint(row.get(0)?), codec::keys(row.get_ref(1)?.as_blob()?)))
        })
        .optional()?;
    match row {
        None => Ok(None),
        Some((last, Some(keys))) => Ok(Some((last, keys))),
        Some((last, None)) => Err(corrupt("list_run", "keys", format_args!("{}/{last}", list.0))),
    }
}

/// The last run that ends below `bound`.
fn run_below(conn: &Connection, list: ListNo, bound: u64) -> Result<Run> {
    const SQL: &str = "SELECT last_key, keys FROM list_run WHERE list = ?1 AND last_key < ?2
        ORDER BY last_key DESC LIMIT 1";
    run(conn, SQL, list, bound)
}

/// The first run that ends at or above `bound`.
fn run_from(conn: &Connection, list: ListNo, bound: u64) -> Result<Run> {
    const SQL: &str = "SELECT last_key, keys FROM list_run WHERE list = ?1 AND last_key >= ?2
        ORDER BY last_key LIMIT 1";
    run(conn, SQL, list, bound)
}

/// The last key that is written out.
pub(crate) fn last_written(conn: &Connection, list: ListNo) -> Result<Option<u64>> {
    const SQL: &str = "SELECT last_key FROM list_run WHERE list = ?1
        ORDER BY last_key DESC LIMIT 1";
    let last: Option<i64> =
        conn.prepare_cached(SQL)?.query_row([list.0], |row| row.get(0)).optional()?;
    Ok(last.map(uint))
}

/// The first key that is written out.
pub(crate) fn first_written(conn: &Connection, list: ListNo) -> Result<Option<u64>> {
    Ok(run_from(conn, list, 0)?.and_then(|(_, keys)| keys.first().copied()))
}

fn remove_from_runs(tx: &Connection, list: ListNo, keys: &BTreeSet<u64>) -> Result<()> {
    let mut from = keys.first().copied();
    while let Some(key) = from {
        let Some((last, run)) = run_from(tx, list, key)? else { return Ok(()) };
        let kept: Vec<u64> = run.iter().copied().filter(|it| !keys.contains(it)).collect();
        if kept.len() < run.len() {
            delete_run(tx, list, last)?;
            insert_run(tx, list, &kept)?;
        }
        from = keys.range(last + 1..).next().copied();
    }
    Ok(())
}

/// A list as of one snapshot.
pub(crate) struct ListReader<'c> {
    conn: &'c Connection,
    list: ListNo,
    tail: Vec<u64>,
}

impl<'c> ListReader<'c> {
    /// `tail` was copied before `conn`'s snapshot was opened.
    pub(crate) fn new(conn: &'c Connection, list: ListNo, mut tail: Vec<u64>) -> Result<Self> {
        if let Some(last) = last_written(conn, list)? {
            tail.retain(|key| *key > last);
        }
        Ok(Self { conn, list, tail })
    }

    /// Keys below `below`, descending.
    pub(crate) fn down(&self, below: u64) -> Down<'_> {
        let below = below.min(i64::MAX as u64);
        let keys = self.tail.iter().copied().filter(|key| *key < below).collect();
        Down { reader: self, keys, bound: below, entered: false }
    }

    /// Keys from `from` on, ascending.
    pub(crate) fn up(&self, from: u64) -> Up<'_> {
        Up { reader: self, keys: Vec::new(), from, stage: Stage::Runs }
    }
}

/// Descending keys; reads a run when it needs one.
pub(crate) struct Down<'r> {
    reader: &'r ListReader<'r>,
    keys: Vec<u64>,
    bound: u64,
    entered: bool,
}

impl Down<'_> {
    pub(crate) fn next(&mut self) -> Result<Option<u64>> {
        loop {
            if let Some(key) = self.keys.pop() {
                return Ok(Some(key));
            }
            if !self.entered {
                // The run that `bound` falls into, if it falls into one.
                self.entered = true;
                if let Some((_, keys)) = run_from(self.reader.conn, self.reader.list, self.bound)? {
                    self.keys = keys;
                    self.keys.retain(|key| *key < self.bound);
                }
                continue;
            }
            match run_below(self.reader.conn, self.reader.list, self.bound)? {
                None => return Ok(None),
                Some((last, keys)) => {
                    self.bound = last;
                    self.keys = keys;
                }
            }
        }
    }
}

#[derive(PartialEq, Eq)]
enum Stage {
    Runs,
    Tail,
    End,
}

/// Ascending keys; reads a run when it needs one.
pub(crate) struct Up<'r> {
    reader: &'r ListReader<'r>,
    /// Descending, so that the next one is popped.
    keys: Vec<u64>,
    from: u64,
    stage: Stage,
}

impl Up<'_> {
    pub(crate) fn next(&mut self) -> Result<Option<u64>> {
        loop {
            if let Some(key) = self.keys.pop() {
                return Ok(Some(key));
            }
            match self.stage {
                Stage::Runs => match run_from(self.reader.conn, self.reader.list, self.from)? {
                    Some((last, keys)) => {
                        self.keys = keys;
                        self.keys.retain(|key| *key >= self.from);
                        self.keys.reverse();
                        self.from = last + 1;
                    }
                    None => self.stage = Stage::Tail,
                },
                Stage::Tail => {
                    self.keys = self.reader.tail.clone();
                    self.keys.retain(|key| *key >= self.from);
                    self.keys.reverse();
                    self.stage = Stage::End;
                }
                Stage::End => return Ok(None),
            }
        }
    }
}

/// Events replayed to an endpoint that was not among their targets, descending.
pub(crate) struct Replayed<'c> {
    conn: &'c Connection,
    endpoint: EndpointNo,
    below: u64,
}

impl<'c> Replayed<'c> {
    pub(crate) fn below(conn: &'c Connection, endpoint: EndpointNo, below: u64) -> Self {
        Self { conn, endpoint, below }
    }

    pub(crate) fn next(&mut self) -> Result<Option<u64>> {
        const SQL: &str = "SELECT event FROM replayed WHERE endpoint = ?1 AND event < ?2
            ORDER BY event DESC LIMIT 1";
        let key: Option<i64> = self
            .conn
            .prepare_cached(SQL)?
            .query_row(params![self.endpoint.0, int(self.below)], |row| row.get(0))
            .optional()?;
        if let Some(key) = key {
            self.below = uint(key);
        }
        Ok(key.map(uint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: ListNo = ListNo(3);

    fn with_runs(runs: &[&[u64]]) -> Connection {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(include_str!("../migrations/0001_first.sql")).unwrap();
        runs.iter().for_each(|keys| insert_run(&conn, LIST, keys).unwrap());
        conn
    }

    fn up(reader: &ListReader<'_>, from: u64) -> Vec<u64> {
        let mut keys = reader.up(from);
        std::iter::from_fn(|| keys.next().unwrap()).collect()
    }

    fn down(reader: &ListReader<'_>, below: u64) -> Vec<u64> {
        let mut keys = reader.down(below);
        std::iter::from_fn(|| keys.next().unwrap()).collect()
    }

    #[test]
    fn a_tail_written_out_meanwhile_is_not_read_twice() {
        let conn = with_runs(&[&[1, 2, 3], &[5, 7]]);
        let reader = ListReader::new(&conn, LIST, vec![5, 7, 9]).unwrap();
        assert_eq!(up(&reader, 0), [1, 2, 3, 5, 7, 9]);
        assert_eq!(down(&reader, u64::MAX), [9, 7, 5, 3, 2, 1]);
    }

    #[test]
    fn reading_may_begin_anywhere() {
        let all = [1, 2, 3, 5, 7, 9, 12];
        let conn = with_runs(&[&all[..3], &all[3..5]]);
        let reader = ListReader::new(&conn, LIST, all[5..].to_vec()).unwrap();
        for at in 0..14 {
            let from: Vec<u64> = all.into_iter().filter(|key| *key >= at).collect();
            assert_eq!(up(&reader, at), from, "from {at}");
            let below: Vec<u64> = all.into_iter().rev().filter(|key| *key < at).collect();
            assert_eq!(down(&reader, at), below, "below {at}");
        }
    }

    #[test]
    fn keys_leave_runs_and_tails() {
        let conn = with_runs(&[&[1, 2, 3], &[5, 7], &[8]]);
        let lists = Lists::default();
        let mut draft = ListDraft::default();
        [9, 12].into_iter().for_each(|key| draft.append(LIST, key));
        draft.publish(&lists, 0);
        let mut draft = ListDraft::default();
        [1, 3, 4, 8, 12].into_iter().for_each(|key| draft.remove(LIST, key));
        draft.write_removed(&conn).unwrap();
        draft.publish(&lists, 0);
        let reader = ListReader::new(&conn, LIST, lists.tail(LIST)).unwrap();
        assert_eq!(up(&reader, 0), [2, 5, 7, 9]);
        assert_eq!(lists.ends().get(&LIST), Some(&(9, 9)));
    }

    #[test]
    fn a_short_tail_joins_the_short_run_before_it() {
        let conn = with_runs(&[&[1, 2]]);
        let lists = Lists::default();
        let mut draft = ListDraft::default();
        draft.append(LIST, 4);
        draft.write_all(&conn, &lists).unwrap();
        draft.publish(&lists, 0);
        assert_eq!(run_from(&conn, LIST, 0).unwrap(), Some((4, vec![1, 2, 4])));
        assert!(lists.tail(LIST).is_empty());
    }
}
