//! Locks that belong to no row: fair, and nothing is written for them.
//!
//! A tenant's lock is shared by commits and by changes of single deliveries, and taken alone by whatever changes the
//! tenant's configuration or prunes its events. So no event is accepted by a version that was moved on before the commit
//! ended, and nothing is recorded of an event while it is pruned. Tenants share a bounded number of locks, since a commit
//! may touch any number of tenants and the server keeps its locks in a table of fixed size.

use deadpool_postgres::{Client, Transaction};
use hookyard_domain::tenant::TenantNo;

use crate::db::execute;
use crate::error::Result;
use crate::node::{self, Node};

/// Sets our locks apart from anybody else's in the same database ("hkyd").
const CLASS: i32 = 0x686b_7964;
/// Locks that all tenants share.
const BUCKETS: u32 = 256;
/// Behind the tenants' locks.
pub(crate) const SCHEMA: i32 = 1000;
pub(crate) const NODES: i32 = 1001;
pub(crate) const DAYS: i32 = 1002;
pub(crate) const TALLIES: i32 = 1010;

/// The lock a tenant shares with others.
pub(crate) fn bucket(tenant: TenantNo) -> i32 {
    (tenant.0 % BUCKETS).cast_signed()
}

/// Takes several shared locks, until the transaction ends: the class, and the locks in ascending order.
pub(crate) const SHARE_ALL: &str =
    "SELECT pg_advisory_xact_lock_shared($1, it) FROM unnest($2::int4[]) WITH ORDINALITY AS b (it, at)
     ORDER BY at";

/// The first parameter of [`SHARE_ALL`].
pub(crate) fn class() -> i32 {
    CLASS
}

/// Takes one lock alone, until the transaction ends.
pub(crate) async fn alone(tx: &Transaction<'_>, lock: i32) -> Result<()> {
    execute(tx, "SELECT pg_advisory_xact_lock($1, $2)", &[&CLASS, &lock]).await?;
    Ok(())
}

/// Begins a transaction that has the tenant's lock alone.
pub(crate) async fn begin(client: &mut Client, tenant: TenantNo) -> Result<Transaction<'_>> {
    let tx = client.transaction().await?;
    alone(&tx, bucket(tenant)).await?;
    Ok(tx)
}

/// Begins a transaction that shares the tenant's lock.
pub(crate) async fn begin_shared(client: &mut Client, tenant: TenantNo) -> Result<Transaction<'_>> {
    let tx = client.transaction().await?;
    share(&tx, tenant).await?;
    Ok(tx)
}

/// The same when something is given to the node. Its row first, as a commit and a take-over do, or two wait for each other.
pub(crate) async fn begin_giving(
    client: &mut Client,
    node: Node,
    tenant: TenantNo,
) -> Result<Transaction<'_>> {
    let tx = client.transaction().await?;
    node::hold(&tx, node).await?;
    share(&tx, tenant).await?;
    Ok(tx)
}

async fn share(tx: &Transaction<'_>, tenant: TenantNo) -> Result<()> {
    execute(tx, "SELECT pg_advisory_xact_lock_shared($1, $2)", &[&CLASS, &bucket(tenant)]).await?;
    Ok(())
}
