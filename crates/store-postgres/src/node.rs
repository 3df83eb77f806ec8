//! Nodes: each process that serves from the store, by its name.

use deadpool_postgres::{Client, GenericClient};

use crate::db::{execute, query_opt};
use crate::error::{Result, unavailable};
use crate::locks;

/// This process as a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    /// Its number, from 1.
    pub(crate) no: i16,
    /// Counts the processes that had its name.
    pub(crate) incarnation: i64,
}

/// Who only looks.
pub(crate) const NOBODY: Node = Node { no: 0, incarnation: 0 };

/// Another process took the node's name.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("another process serves as this node now; nothing more is committed by this one")]
pub(crate) struct Fenced;

/// The database's own time, in milliseconds: nodes' clocks are not compared.
pub(crate) const NOW_MS: &str = "(extract(epoch from clock_timestamp()) * 1000)::bigint";

/// Takes a name; whoever had it is fenced off from then on.
pub(crate) async fn register(client: &mut Client, name: &str) -> Result<Node> {
    let tx = client.transaction().await?;
    locks::alone(&tx, locks::NODES).await?;
    let again = format!(
        "UPDATE node SET incarnation = incarnation + 1, beat_ms = {NOW_MS} WHERE name = $1
         RETURNING no, incarnation"
    );
    let first = format!(
        "INSERT INTO node (no, name, incarnation, last_key, beat_ms)
         SELECT coalesce(max(no), 0::int2) + 1::int2, $1, 1, 0, {NOW_MS} FROM node
         RETURNING no, incarnation"
    );
    let row = match query_opt(&tx, &again, &[&name]).await? {
        Some(row) => Some(row),
        None => query_opt(&tx, &first, &[&name]).await?,
    };
    let row = row.ok_or_else(|| unavailable("the node could not be registered"))?;
    let node = Node { no: row.try_get(0)?, incarnation: row.try_get(1)? };
    tx.commit().await?;
    tracing::info!(node.name = name, node.no, node.incarnation, "serving as this node");
    Ok(node)
}

/// Shows that the node is there; false when it is another process by now.
pub(crate) async fn beat(db: &impl GenericClient, node: Node) -> Result<bool> {
    let sql = format!("UPDATE node SET beat_ms = {NOW_MS} WHERE no = $1 AND incarnation = $2");
    Ok(execute(db, &sql, &[&node.no, &node.incarnation]).await? == 1)
}
