//! What an operator and whoever looks after the database want to know of it.

use deadpool_postgres::Client;
use hookyard_domain::time::Timestamp;
use hookyard_store::StoreError;

use crate::codec::time;
use crate::db::{query, query_opt};
use crate::error::{Fault, Result, unavailable};
use crate::open::{self, Settings};

/// A server that follows this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standby {
    /// Its name.
    pub name: String,
    /// Commits wait for it.
    pub is_synchronous: bool,
    /// Bytes of the log that it has not written yet.
    pub lag_bytes: i64,
}

/// Days of history, each with partitions of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Days {
    /// How many partitions each table has.
    pub spans: i64,
    /// Days from today on that have partitions.
    pub ahead: i32,
    /// Days that could not be given any.
    pub unmade: i64,
}

/// What can be seen of a database that is served from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Nodes that are alive, by the database's own clock, within the last minute.
    pub nodes_alive: i64,
    /// Since when the delivery that is due longest is due.
    pub oldest_due: Option<Timestamp>,
    /// Its partitions.
    pub days: Days,
    /// Who follows it.
    pub standbys: Vec<Standby>,
    /// Commits wait for a standby, whether there is one or not.
    pub waits_for_standbys: bool,
    /// `max_locks_per_transaction`.
    pub locks: i64,
    /// `max_connections`.
    pub connections: i64,
    /// Settings that should be on and are not.
    pub off: Vec<String>,
    /// Bytes of the whole database.
    pub bytes: i64,
}

/// Looks, and changes nothing. The schema must be this binary's.
///
/// # Errors
/// When the database cannot be reached.
pub async fn health(settings: &Settings) -> std::result::Result<Health, StoreError> {
    let client = open::pool(settings, 1)?.get().await.map_err(Fault::from)?;
    Ok(look(&client).await?)
}

async fn look(client: &Client) -> Result<Health> {
    const NODES: &str = "SELECT count(*) FROM node WHERE status = 0
        AND beat_ms > (extract(epoch from clock_timestamp()) * 1000)::int8 - 60000";
    // Each endpoint's first by the index that its lane uses; never a walk over what waits.
    const DUE: &str = "SELECT min(d.due_ms) FROM endpoint e CROSS JOIN node n CROSS JOIN LATERAL (
            SELECT due_ms FROM delivery WHERE tenant = e.tenant AND endpoint = e.no AND owner = n.no
                AND due_ms IS NOT NULL ORDER BY due_ms LIMIT 1) d";
    const DAYS: &str = "SELECT count(*) FILTER (WHERE made),
        coalesce(max(no + days) - floor(extract(epoch from clock_timestamp()) / 86400)::int4, 0),
        count(*) FILTER (WHERE NOT made) FROM day";
    const STANDBYS: &str =
        "SELECT coalesce(application_name, ''), sync_state IN ('sync', 'quorum'),
        coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), flush_lsn), 0)::int8
        FROM pg_stat_replication WHERE state = 'streaming' ORDER BY 1";
    const SETTINGS: &str = "SELECT current_setting('max_locks_per_transaction')::int8,
        current_setting('max_connections')::int8,
        current_setting('synchronous_standby_names') <> '',
        pg_database_size(current_database())";
    const OFF: &str = "SELECT name FROM pg_settings WHERE setting = 'off'
        AND name IN ('fsync', 'full_page_writes', 'synchronous_commit', 'autovacuum') ORDER BY name";
    let one = async |sql| -> Result<tokio_postgres::Row> {
        let row = query_opt(client, sql, &[]).await?;
        Ok(row.ok_or_else(|| unavailable("the database says nothing of itself"))?)
    };
    let (nodes, due, days, set) =
        (one(NODES).await?, one(DUE).await?, one(DAYS).await?, one(SETTINGS).await?);
    let mut standbys = Vec::new();
    for row in query(client, STANDBYS, &[]).await? {
        standbys.push(Standby {
            name: row.try_get(0)?,
            is_synchronous: row.try_get(1)?,
            lag_bytes: row.try_get(2)?,
        });
    }
    let mut off = Vec::new();
    for row in query(client, OFF, &[]).await? {
        off.push(row.try_get(0)?);
    }
    Ok(Health {
        nodes_alive: nodes.try_get(0)?,
        oldest_due: due.try_get::<_, Option<i64>>(0)?.map(time),
        days: Days { spans: days.try_get(0)?, ahead: days.try_get(1)?, unmade: days.try_get(2)? },
        standbys,
        locks: set.try_get(0)?,
        connections: set.try_get(1)?,
        waits_for_standbys: set.try_get(2)?,
        bytes: set.try_get(3)?,
        off,
    })
}
