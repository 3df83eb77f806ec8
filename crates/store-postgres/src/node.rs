//! Nodes: each process that serves from the store, by its name.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use deadpool_postgres::{Client, Transaction};
use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::node::{Node as Listed, NodeStatus};
use hookyard_domain::tenant::TenantNo;
use hookyard_store::nodes::{Moved, Nodes, Signal, TakenOver};
use hookyard_store::{Answer, StoreError};

use crate::codec::{time, uint};
use crate::db::{GenericClient, Uid, execute, query, query_opt};
use crate::error::{Result, corrupt, unavailable};
use crate::{PostgresStore, listen, locks, read, takeover};

/// This process as a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    /// Its number, from 1.
    pub(crate) no: i16,
    /// Counts who had the number, and how often the others took over.
    pub(crate) incarnation: i64,
}

/// Who only looks.
pub(crate) const NOBODY: Node = Node { no: 0, incarnation: 0 };

/// The database's own time, in milliseconds: nodes' clocks are not compared.
pub(crate) const NOW_MS: &str = "(extract(epoch from clock_timestamp()) * 1000)::bigint";

/// How often a piece is tried to be taken over when other nodes are in its way.
const TAKE_TRIES: usize = 4;

/// Codes of `node.status`.
pub(crate) const SERVING: i16 = 0;
pub(crate) const LEFT: i16 = 1;
pub(crate) const LOST: i16 = 2;
pub(crate) const GONE: i16 = 3;

/// The node this process is, which may change when others took over.
pub(crate) struct Identity {
    name: String,
    process: Uid,
    node: RwLock<Node>,
}

impl Identity {
    pub(crate) fn new(name: &str, process: Uid, node: Node) -> Self {
        Self { name: name.to_owned(), process, node: RwLock::new(node) }
    }

    pub(crate) fn node(&self) -> Node {
        *self.node.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, node: Node) {
        *self.node.write().unwrap_or_else(PoisonError::into_inner) = node;
    }
}

/// A number that no other process has.
pub(crate) async fn process(db: &impl GenericClient) -> Result<Uid> {
    let row = query_opt(db, "SELECT gen_random_uuid()", &[]).await?;
    Ok(row.ok_or_else(|| unavailable("the database makes no ids"))?.try_get(0)?)
}

/// Takes a name; whoever had it is fenced off from then on. A new name takes the number of a node that owes nothing any
/// more, since there are no more numbers than an id has room for.
pub(crate) async fn register(client: &mut Client, name: &str, process: Uid) -> Result<Node> {
    let tx = client.transaction().await?;
    locks::alone(&tx, locks::NODES).await?;
    let node = take_name(&tx, name, process).await?;
    tx.commit().await?;
    tracing::info!(node.name = name, node.no, node.incarnation, "serving as this node");
    Ok(node)
}

async fn take_name(tx: &Transaction<'_>, name: &str, process: Uid) -> Result<Node> {
    let set = format!(
        "incarnation = incarnation + 1, status = {SERVING}, taken = 0, process = $2,
         beat_ms = {NOW_MS}, started_ms = {NOW_MS}"
    );
    let again = format!("UPDATE node SET {set} WHERE name = $1 RETURNING no, incarnation");
    let after = format!(
        "UPDATE node SET name = $1, {set} WHERE no = (
            SELECT no FROM node WHERE status = {GONE} ORDER BY no LIMIT 1
         ) RETURNING no, incarnation"
    );
    let first = format!(
        "INSERT INTO node (no, name, incarnation, last_key, beat_ms, started_ms, process)
         SELECT coalesce(max(no), 0::int2) + 1::int2, $1, 1, 0, {NOW_MS}, {NOW_MS}, $2 FROM node
         RETURNING no, incarnation"
    );
    for sql in [again, after, first] {
        if let Some(row) = query_opt(tx, &sql, &[&name, &process]).await? {
            return Ok(Node { no: row.try_get(0)?, incarnation: row.try_get(1)? });
        }
    }
    Err(unavailable("the node could not be registered").into())
}

/// Shows that the node is there; answers the last key it gave, `None` when others took over.
pub(crate) async fn beat(db: &impl GenericClient, node: Node) -> Result<Option<u64>> {
    let sql = format!(
        "UPDATE node SET beat_ms = {NOW_MS} WHERE no = $1 AND incarnation = $2 RETURNING last_key"
    );
    let row = query_opt(db, &sql, &[&node.no, &node.incarnation]).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?.map(uint))
}

/// Has whoever would take over from this node pass it by until the transaction ends: what is given to it meanwhile is found
/// by the next. Refused when others took over already.
pub(crate) async fn hold(tx: &Transaction<'_>, node: Node) -> Result<()> {
    const SQL: &str = "SELECT 1 FROM node WHERE no = $1 AND incarnation = $2 FOR KEY SHARE";
    match query_opt(tx, SQL, &[&node.no, &node.incarnation]).await? {
        Some(_) => Ok(()),
        None => Err(StoreError::Fenced.into()),
    }
}

/// How many nodes showed that they are there within so many milliseconds.
async fn serving(db: &impl GenericClient, silent_ms: i64) -> Result<u32> {
    let sql = format!(
        "SELECT count(*)::int4 FROM node WHERE status = {SERVING} AND beat_ms >= {NOW_MS} - $1::int8"
    );
    let row = query_opt(db, &sql, &[&silent_ms]).await?;
    Ok(row.map(|row| row.try_get::<_, i32>(0)).transpose()?.unwrap_or(0).unsigned_abs())
}

/// The node with the lowest number does what one is enough for. One that is silent for so long has lost that.
const FIRST_SILENT: Duration = Duration::from_secs(60);

/// Whether this node is the one that does what one node is enough for.
pub(crate) async fn is_first(db: &impl GenericClient, node: Node) -> Result<bool> {
    let sql = format!(
        "SELECT 1 FROM node WHERE status = {SERVING} AND no < $1 AND beat_ms >= {NOW_MS} - $2::int8
         LIMIT 1"
    );
    Ok(query_opt(db, &sql, &[&node.no, &millis(FIRST_SILENT)]).await?.is_none())
}

/// All of them, told by the node of that number.
async fn all(db: &impl GenericClient, teller: i16) -> Result<Vec<Listed>> {
    // Signs of life that commit while this reads may be later than its clock.
    let sql = format!(
        "SELECT no, name, status, started_ms, beat_ms, greatest({NOW_MS} - beat_ms, 0)
         FROM node ORDER BY no"
    );
    let mut all = Vec::new();
    for row in query(db, &sql, &[]).await? {
        let no: i16 = row.try_get(0)?;
        let status = match row.try_get::<_, i16>(2)? {
            SERVING => NodeStatus::Serving,
            LEFT => NodeStatus::Left,
            LOST => NodeStatus::Lost,
            GONE => NodeStatus::Gone,
            _ => return Err(corrupt("node", "status", no)),
        };
        all.push(Listed {
            no: no.unsigned_abs(),
            name: Some(row.try_get(1)?),
            status,
            is_teller: no == teller,
            started_at: time(row.try_get(3)?),
            beat_at: time(row.try_get(4)?),
            silent_for: Duration::from_millis(uint(row.try_get(5)?)),
        });
    }
    Ok(all)
}

/// Comes back under the number it had, or under the one its name has a right to.
async fn rejoin(client: &mut Client, identity: &Identity) -> Result<Option<Node>> {
    let back = format!(
        "UPDATE node SET incarnation = incarnation + 1, status = {SERVING}, taken = 0,
            beat_ms = {NOW_MS}, started_ms = {NOW_MS}
         WHERE no = $1 AND process = $2 RETURNING no, incarnation"
    );
    let tx = client.transaction().await?;
    locks::alone(&tx, locks::NODES).await?;
    let row = query_opt(&tx, &back, &[&identity.node().no, &identity.process]).await?;
    let node = match row {
        Some(row) => Node { no: row.try_get(0)?, incarnation: row.try_get(1)? },
        None => {
            let taken = "SELECT 1 FROM node WHERE name = $1";
            if query_opt(&tx, taken, &[&identity.name]).await?.is_some() {
                return Ok(None);
            }
            take_name(&tx, &identity.name, identity.process).await?
        }
    };
    tx.commit().await?;
    tracing::info!(node.name = identity.name, node.no, node.incarnation, "back as this node");
    Ok(Some(node))
}

/// A span in milliseconds.
pub(crate) fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX / 2)
}

impl Nodes for PostgresStore {
    fn beat(&self, silent: Duration) -> Answer<'_, u32> {
        Box::pin(async move {
            let client = self.pulse.get().await.map_err(crate::error::Fault::from)?;
            let me = self.node();
            let last_key = beat(&client, me).await?.ok_or(StoreError::Fenced)?;
            // Without waiting for the next commit, which may be long in coming.
            if self.doubts.came_true(me, last_key) {
                return Err(StoreError::Fenced);
            }
            Ok(serving(&client, millis(silent)).await?)
        })
    }

    fn take_over(&self, silent: Option<Duration>, limit: u32) -> Answer<'_, TakenOver> {
        Box::pin(async move {
            let mut client = self.client().await?;
            // Two that take over from two nodes at once may wait for each other's senders: one of them begins again.
            for _ in 1..TAKE_TRIES {
                match takeover::take_over(&mut client, self.node(), silent, limit).await {
                    Err(fault) if fault.may_work_again() => {}
                    taken => return Ok(taken?),
                }
            }
            Ok(takeover::take_over(&mut client, self.node(), silent, limit).await?)
        })
    }

    fn rejoin(&self) -> Answer<'_, bool> {
        Box::pin(async move {
            let mut client = self.client().await?;
            let Some(node) = rejoin(&mut client, &self.identity).await? else { return Ok(false) };
            self.identity.set(node);
            Ok(true)
        })
    }

    fn leave(&self) -> Answer<'_, ()> {
        let sql = format!(
            "UPDATE node SET status = {LEFT}, incarnation = incarnation + 1
             WHERE no = $1 AND incarnation = $2"
        );
        Box::pin(async move {
            let node = self.node();
            let client = self.client().await?;
            execute(&client, &sql, &[&node.no, &node.incarnation]).await?;
            Ok(listen::say(&client, "n").await?)
        })
    }

    fn next_signal(&self) -> Answer<'_, Signal> {
        Box::pin(self.ear.next(|| self.node().no))
    }

    fn moved(&self, within: Duration) -> Answer<'_, Vec<Moved>> {
        read!(self, |db| listen::moved(db, millis(within)))
    }

    fn sends_alone(&self, endpoint: EndpointNo) -> Option<bool> {
        Some(self.senders.node(endpoint) == Some(self.node().no))
    }

    fn given(&self) -> Answer<'_, Vec<(TenantNo, EndpointNo)>> {
        let node = self.node().no;
        read!(self, |db| listen::given(db, node))
    }

    fn nodes(&self) -> Answer<'_, Vec<Listed>> {
        let teller = self.node().no;
        read!(self, |db| all(db, teller))
    }
}
