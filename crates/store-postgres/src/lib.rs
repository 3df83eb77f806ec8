//! The shared store: the port over PostgreSQL, for one node or several.
//!
//! Called by nobody by name but `cli`, which opens it. A node's events are committed by one connection of its own
//! (`commit`), everything else goes through a pool. Start reading at `migrations/0001_first.sql` and `commit`.
//!
//! Who waits for whom: a commit holds its node's row, so a node's keys become visible in their order, and shares a lock
//! with every tenant it touches; a change of a tenant's configuration and a pruning of its events take that lock alone
//! (`locks`). Nothing is decided by a read that such a lock does not cover.
//!
//! **Never** here: a decision. No retry arithmetic, no matching.

mod accept;
mod audit;
mod backlog;
mod codec;
mod commit;
mod days;
mod db;
mod deliveries;
mod doubt;
mod endpoints;
mod error;
mod event_list;
mod event_types;
mod events;
mod feed;
mod held;
mod history;
pub mod inspect;
mod jobs;
mod keys;
mod ledger;
mod listen;
mod locks;
mod memory;
mod migrate;
mod moves;
mod node;
mod once;
mod open;
mod overdue;
mod owed;
mod prune;
mod record;
pub mod rehearsal;
mod runs;
mod sender;
mod sources;
mod statistics;
mod takeover;
mod tenants;
mod tls;
pub mod transfer;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use deadpool_postgres::{Client, Pool};
use hookyard_store::{Answer, Store, StoreError};

use crate::doubt::Doubts;
use crate::error::Result;
pub use crate::inspect::Report;
use crate::listen::Ear;
use crate::node::{Identity, Node};
pub use crate::open::Settings;
use crate::statistics::Counts;

/// Runs `$work` on one connection.
macro_rules! read {
    ($store:expr, |$db:ident| $work:expr) => {
        Box::pin(async move {
            let client = $store.client().await?;
            let $db = &client;
            Ok($work.await?)
        })
    };
}

/// Runs `$work` on one connection, all of it as of one moment.
macro_rules! snapshot {
    ($store:expr, |$tx:ident| $work:expr) => {
        Box::pin(async move {
            let mut client = $store.client().await?;
            let transaction = $crate::db::snapshot(&mut client).await?;
            let $tx = &transaction;
            let done = $work.await?;
            transaction.commit().await.map_err($crate::error::Fault::from)?;
            Ok(done)
        })
    };
}

/// Runs `$work` as one transaction that shares the tenant's lock.
macro_rules! share {
    ($store:expr, $tenant:expr, |$tx:ident| $work:expr) => {
        Box::pin(async move {
            let mut client = $store.client().await?;
            let transaction = $crate::locks::begin_shared(&mut client, $tenant).await?;
            let $tx = &transaction;
            let done = $work.await?;
            transaction.commit().await.map_err($crate::error::Fault::from)?;
            Ok(done)
        })
    };
}

/// Runs `$work`, which gives something to this node, as one transaction that holds the node and shares the tenant's lock.
macro_rules! give {
    ($store:expr, $me:expr, $tenant:expr, |$tx:ident| $work:expr) => {
        Box::pin(async move {
            let mut client = $store.client().await?;
            let transaction = $crate::locks::begin_giving(&mut client, $me, $tenant).await?;
            let $tx = &transaction;
            let done = $work.await?;
            transaction.commit().await.map_err($crate::error::Fault::from)?;
            Ok(done)
        })
    };
}

/// Runs `$work` as one transaction that has the tenant's lock alone.
macro_rules! change {
    ($store:expr, $tenant:expr, |$tx:ident| $work:expr) => {
        Box::pin(async move {
            let mut client = $store.client().await?;
            let transaction = $crate::locks::begin(&mut client, $tenant).await?;
            let $tx = &transaction;
            let done = $work.await?;
            transaction.commit().await.map_err($crate::error::Fault::from)?;
            Ok(done)
        })
    };
}

pub(crate) use {change, give, read, share, snapshot};

/// The shared store, as one node of it.
pub struct PostgresStore {
    /// For everything but commits.
    pool: Pool,
    /// One connection, so that commits never wait for lists.
    committer: Pool,
    /// One connection for signs of life, which must not wait for anything.
    pulse: Pool,
    identity: Identity,
    /// What this process has counted; touched by whoever has the committer's connection.
    counts: Mutex<Counts>,
    doubts: Doubts,
    /// How long it is asked what came of a commit.
    doubt_max: Duration,
    ear: Ear,
    senders: sender::Seen,
}

impl PostgresStore {
    /// Opens the store, brought up to date if need be, as the node of that name. Whoever had the name before commits
    /// nothing any more.
    ///
    /// # Errors
    /// When the database cannot be reached, or when a newer version made the store.
    pub async fn connect(
        settings: &Settings,
        node: &str,
    ) -> std::result::Result<Arc<Self>, StoreError> {
        let pool = open::pool(settings, settings.connections)?;
        let committer = open::pool(settings, 1)?;
        let mut client = pool.get().await.map_err(error::Fault::from)?;
        migrate::migrate(&mut client).await?;
        transfer::refuse_half_moved(&client).await?;
        days::make_ahead(&mut client, days::AHEAD_AT_START).await?;
        let process = node::process(&client).await?;
        let registered = node::register(&mut client, node, process).await?;
        let identity = Identity::new(node, process, registered);
        drop(client);
        let pulse = open::pool(settings, 1)?;
        Ok(Arc::new(Self {
            pool,
            committer,
            pulse,
            identity,
            counts: Mutex::default(),
            doubts: Doubts::default(),
            doubt_max: settings.statement_timeout,
            ear: Ear::new(settings),
            senders: sender::Seen::default(),
        }))
    }

    /// Opens the store to look at it, as no node: what a node alone may do is refused. Nothing is connected to yet, and the
    /// schema is taken as it is.
    ///
    /// # Errors
    /// When the settings cannot be read.
    pub fn visit(settings: &Settings) -> std::result::Result<Arc<Self>, StoreError> {
        let pool = open::pool(settings, settings.connections)?;
        let committer = open::pool(settings, 1)?;
        let pulse = open::pool(settings, 1)?;
        let identity = Identity::new("", db::Uid(0), node::NOBODY);
        Ok(Arc::new(Self {
            pool,
            committer,
            pulse,
            identity,
            counts: Mutex::default(),
            doubts: Doubts::default(),
            doubt_max: settings.statement_timeout,
            ear: Ear::new(settings),
            senders: sender::Seen::default(),
        }))
    }

    /// The number of this node: it stands in the ids of the events it accepts.
    #[must_use]
    pub fn node_no(&self) -> u16 {
        self.node().no.unsigned_abs()
    }

    fn node(&self) -> Node {
        self.identity.node()
    }

    async fn client(&self) -> Result<Client> {
        Ok(self.pool.get().await?)
    }
}

impl Store for PostgresStore {
    fn ping(&self) -> Answer<'_, ()> {
        // A real write: a standby, or a full disk, can still be read from.
        Box::pin(async move {
            let client = self.client().await?;
            if node::beat(&client, self.node()).await?.is_some() {
                return Ok(());
            }
            Err(StoreError::Fenced)
        })
    }
}
