//! Schema versions: numbered, forward only, each in a transaction of its own, one process at a time.

use deadpool_postgres::Client;
use hookyard_store::StoreError;

use crate::db::{execute, query_opt};
use crate::error::Result;
use crate::locks;

const MIGRATIONS: [&str; 5] = [
    include_str!("../migrations/0001_first.sql"),
    include_str!("../migrations/0002_sources.sql"),
    include_str!("../migrations/0003_tallies.sql"),
    include_str!("../migrations/0004_feed.sql"),
    include_str!("../migrations/0005_nodes.sql"),
];

/// The newest version this binary knows.
pub(crate) const KNOWN: i32 = MIGRATIONS.len() as i32;

/// Brings the store to the newest version; refuses one that a newer binary has made.
pub(crate) async fn migrate(client: &mut Client) -> Result<()> {
    for (version, sql) in (1..).zip(MIGRATIONS) {
        let tx = client.transaction().await?;
        locks::alone(&tx, locks::SCHEMA).await?;
        // It may take as long as it needs.
        tx.batch_execute("SET LOCAL statement_timeout = 0").await?;
        // Read under the lock: somebody else may have been at it.
        tx.batch_execute("CREATE TABLE IF NOT EXISTS schema_version (version integer NOT NULL)")
            .await?;
        let row = query_opt(&tx, "SELECT version FROM schema_version", &[]).await?;
        let found: i32 = row.map(|row| row.try_get(0)).transpose()?.unwrap_or(0);
        if found > KNOWN {
            tx.rollback().await?;
            let (found, known) = (found.unsigned_abs(), KNOWN.unsigned_abs());
            return Err(StoreError::TooNew { found, known }.into());
        }
        if found < version {
            tx.batch_execute(sql).await?;
            execute(&tx, "DELETE FROM schema_version", &[]).await?;
            execute(&tx, "INSERT INTO schema_version (version) VALUES ($1)", &[&version]).await?;
            tx.commit().await?;
            tracing::info!(schema.version = version, "the store's schema was brought up to date");
        }
    }
    Ok(())
}
