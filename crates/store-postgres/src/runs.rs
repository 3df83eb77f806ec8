//! Which events name an endpoint: runs of keys, one row for each endpoint of a commit.
//!
//! An index entry for each delivery would cost what "no row until something happens" saves. A run's keys share one
//! millisecond, so a run that holds a key below some bound ends at the latest with the bound's own millisecond.

use std::collections::{BTreeMap, BTreeSet};

use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::tenant::TenantNo;

use crate::codec::{self, int, no, uint};
use crate::db::{GenericClient, query};
use crate::error::{Result, corrupt};
use crate::events::Place;

/// Bits of a key below its millisecond.
const MS_BITS: u32 = 12;
/// Rows read at once.
const ROWS: i64 = 128;

/// The last key that shares a key's millisecond.
pub(crate) fn end_of_ms(key: i64) -> i64 {
    key | ((1 << MS_BITS) - 1)
}

/// Whose runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Lane {
    pub(crate) tenant: TenantNo,
    pub(crate) endpoint: EndpointNo,
}

/// The runs of one commit in the making.
#[derive(Default)]
pub(crate) struct Draft(BTreeMap<(Lane, i64), Vec<u64>>);

impl Draft {
    /// Adds an event to an endpoint's run; keys only grow.
    pub(crate) fn append(&mut self, lane: Lane, key: i64) {
        let keys = self.0.entry((lane, key >> MS_BITS)).or_default();
        if keys.last() != Some(&uint(key)) {
            keys.push(uint(key));
        }
    }

    /// Tenant, endpoint, last key and keys of each run.
    pub(crate) fn columns(&self) -> (Vec<i32>, Vec<i32>, Vec<i64>, Vec<Vec<u8>>) {
        let mut columns = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for ((lane, _), keys) in &self.0 {
            columns.0.push(no(lane.tenant.0));
            columns.1.push(no(lane.endpoint.0));
            columns.2.push(int(keys.last().copied().unwrap_or_default()));
            columns.3.push(codec::keys_to_bytes(keys));
        }
        columns
    }
}

/// The keys of a run as it is kept.
pub(crate) fn keys(bytes: &[u8], last: i64) -> Result<Vec<u64>> {
    codec::keys(bytes).ok_or_else(|| corrupt("run", "keys", last))
}

/// Keys of one node's events for an endpoint from `from` on, ascending: at least `wanted` unless there are no more.
/// The second is whether there are.
pub(crate) async fn up(
    db: &impl GenericClient,
    lane: Lane,
    node: i16,
    (from, wanted): (i64, usize),
) -> Result<(Vec<u64>, bool)> {
    let mut found = Vec::new();
    let mut above = from - 1;
    loop {
        let sql = "SELECT key, keys FROM run WHERE tenant = $1 AND endpoint = $2 AND key > $3
            AND node = $4 ORDER BY key LIMIT $5";
        let (tenant, endpoint) = (no(lane.tenant.0), no(lane.endpoint.0));
        let rows = query(db, sql, &[&tenant, &endpoint, &above, &node, &ROWS]).await?;
        for row in &rows {
            above = row.try_get(0)?;
            found.extend(keys(row.try_get(1)?, above)?.into_iter().filter(|it| int(*it) >= from));
        }
        let all = (rows.len() as i64) < ROWS;
        if all || found.len() >= wanted {
            return Ok((found, !all));
        }
    }
}

/// Reads an endpoint's events downwards, those of every node, and those replayed to it.
pub(crate) struct Down {
    lane: Lane,
    /// No place above this one is wanted.
    top: Place,
    /// Everything above it has been read; `None` when all has been.
    runs: Option<Place>,
    replayed: Option<Place>,
    read: BTreeSet<Place>,
}

impl Down {
    /// From `top` on, which is included.
    pub(crate) fn new(lane: Lane, top: Place) -> Self {
        let above_all = Place { key: end_of_ms(top.key), node: i16::MAX };
        Self { lane, top, runs: Some(above_all), replayed: Some(above_all), read: BTreeSet::new() }
    }

    /// The next places, descending, `wanted` at most; fewer only at the end.
    pub(crate) async fn next(
        &mut self,
        db: &impl GenericClient,
        wanted: usize,
    ) -> Result<Vec<Place>> {
        let mut places = Vec::new();
        loop {
            // What is not read yet stands at or below this.
            let open = self.runs.max(self.replayed);
            while places.len() < wanted
                && self.read.last().is_some_and(|last| open.is_none_or(|open| *last > open))
            {
                places.extend(self.read.pop_last());
            }
            if places.len() == wanted || open.is_none() {
                return Ok(places);
            }
            if self.runs == open {
                self.runs = self.read_runs(db, open).await?;
            }
            if self.replayed == open {
                self.replayed = self.read_replayed(db, open).await?;
            }
        }
    }

    async fn read_runs(
        &mut self,
        db: &impl GenericClient,
        open: Option<Place>,
    ) -> Result<Option<Place>> {
        const SQL: &str = "SELECT key, node, keys FROM run WHERE tenant = $1 AND endpoint = $2
            AND (key, node) <= ($3, $4) ORDER BY key DESC, node DESC LIMIT $5";
        let Some(below) = open else { return Ok(None) };
        let (tenant, endpoint) = (no(self.lane.tenant.0), no(self.lane.endpoint.0));
        let rows = query(db, SQL, &[&tenant, &endpoint, &below.key, &below.node, &ROWS]).await?;
        let mut last = None;
        for row in &rows {
            let place = Place { key: row.try_get(0)?, node: row.try_get(1)? };
            last = before(place);
            for key in keys(row.try_get(2)?, place.key)? {
                let place = Place { key: int(key), node: place.node };
                if place <= self.top {
                    self.read.insert(place);
                }
            }
        }
        Ok(last.filter(|_| rows.len() as i64 == ROWS))
    }

    async fn read_replayed(
        &mut self,
        db: &impl GenericClient,
        open: Option<Place>,
    ) -> Result<Option<Place>> {
        const SQL: &str = "SELECT key, node FROM replayed WHERE tenant = $1 AND endpoint = $2
            AND (key, node) <= ($3, $4) ORDER BY key DESC, node DESC LIMIT $5";
        let Some(below) = open.map(|open| open.min(self.top)) else { return Ok(None) };
        let (tenant, endpoint) = (no(self.lane.tenant.0), no(self.lane.endpoint.0));
        let rows = query(db, SQL, &[&tenant, &endpoint, &below.key, &below.node, &ROWS]).await?;
        let mut last = None;
        for row in &rows {
            let place = Place { key: row.try_get(0)?, node: row.try_get(1)? };
            last = before(place);
            self.read.insert(place);
        }
        Ok(last.filter(|_| rows.len() as i64 == ROWS))
    }
}

/// The place right below another.
pub(crate) fn before(place: Place) -> Option<Place> {
    match (place.node.checked_sub(1), place.key.checked_sub(1)) {
        (Some(node), _) if node >= 0 => Some(Place { node, ..place }),
        (_, Some(key)) if key >= 0 => Some(Place { key, node: i16::MAX }),
        _ => None,
    }
}
