//! Schema versions: numbered, forward only, each in a transaction of its own.

use hookyard_store::StoreError;
use rusqlite::{Connection, TransactionBehavior};

use crate::error::Result;

/// Marks a file as ours ("hkyd").
pub(crate) const APPLICATION_ID: i32 = 0x686b_7964;

const MIGRATIONS: [&str; 1] = [include_str!("../migrations/0001_first.sql")];

/// The newest version this binary knows.
pub(crate) const KNOWN: u32 = MIGRATIONS.len() as u32;

/// The version a store has.
pub(crate) fn found(conn: &Connection) -> Result<u32> {
    Ok(conn.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

/// Refuses a store that a newer binary has made.
pub(crate) fn refuse_newer(conn: &Connection) -> Result<u32> {
    let found = found(conn)?;
    if found > KNOWN {
        return Err(StoreError::TooNew { found, known: KNOWN }.into());
    }
    Ok(found)
}

/// Brings the store to the newest version.
pub(crate) fn migrate(conn: &mut Connection) -> Result<()> {
    let found = refuse_newer(conn)?;
    for (before, sql) in (0_u32..).zip(MIGRATIONS).skip(found as usize) {
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute_batch(sql)?;
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        tx.pragma_update(None, "user_version", before + 1)?;
        tx.commit()?;
        tracing::info!(schema.version = before + 1, "the store's schema was brought up to date");
    }
    Ok(())
}
