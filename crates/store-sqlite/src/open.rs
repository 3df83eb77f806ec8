//! The folder of a store, its lock, and connections to its file.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use hookyard_store::StoreError;
use rusqlite::{Connection, OpenFlags};

use crate::error::Result;

/// The database's name in its folder.
pub(crate) const FILE: &str = "hookyard.db";
pub(crate) const LOCK: &str = "hookyard.lock";

/// How long to wait for a stranger's lock on the file (an `sqlite3` shell, say).
const BUSY: Duration = Duration::from_secs(5);
/// The write-ahead log is cut back to this after a burst.
const WAL_KEPT_BYTES: i64 = 128 * 1024 * 1024;
/// Room for every statement of ours.
const STATEMENTS: usize = 128;

/// The folder is in use.
#[derive(Debug, thiserror::Error)]
#[error("another Hookyard serves from {}", .0.display())]
struct InUse(PathBuf);

/// A store's folder, held against other servers for as long as this lives.
pub(crate) struct Place {
    dir: PathBuf,
    _lock: File,
    temporary: bool,
}

impl Place {
    /// Takes the folder, made if need be; refused while another process has it.
    pub(crate) fn take(dir: &Path) -> Result<Self> {
        std::fs::create_dir_all(dir)?;
        let lock = File::options().create(true).truncate(false).write(true).open(dir.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Unavailable(Box::new(InUse(dir.to_owned()))).into());
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        Ok(Self { dir: dir.to_owned(), _lock: lock, temporary: false })
    }

    /// A folder of its own that goes when it is dropped.
    pub(crate) fn temporary() -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("hookyard-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let dir = std::env::temp_dir().join(name);
        // What an ended process of the same number may have left behind.
        if dir.exists() {
            std::fs::remove_dir_all(&dir)?;
        }
        let mut place = Self::take(&dir)?;
        place.temporary = true;
        Ok(place)
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.dir.join(FILE)
    }

    pub(crate) fn is_temporary(&self) -> bool {
        self.temporary
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.temporary
            && let Err(error) = std::fs::remove_dir_all(&self.dir)
        {
            tracing::warn!(%error, "a temporary store could not be removed");
        }
    }
}

/// The one connection that writes.
pub(crate) fn writer(file: &Path, synced: bool) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(file, flags)?;
    conn.busy_timeout(BUSY)?;
    // Counts only until the first page is written.
    conn.pragma_update(None, "page_size", 8192)?;
    let mode: String =
        conn.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        let why = format!("the folder's file system cannot hold a write-ahead log ({mode})");
        return Err(StoreError::Unavailable(why.into()).into());
    }
    conn.pragma_update(None, "synchronous", if synced { "FULL" } else { "OFF" })?;
    conn.pragma_update(None, "wal_autocheckpoint", 0)?;
    conn.pragma_update(None, "journal_size_limit", WAL_KEPT_BYTES)?;
    settle(&conn, 32 * 1024)?;
    Ok(conn)
}

/// A connection that folds the log into the file.
pub(crate) fn checkpointer(file: &Path, synced: bool) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(file, flags)?;
    // Readers hold their snapshots for milliseconds; the next round tries again.
    conn.busy_timeout(Duration::from_millis(100))?;
    conn.pragma_update(None, "synchronous", if synced { "FULL" } else { "OFF" })?;
    conn.pragma_update(None, "wal_autocheckpoint", 0)?;
    Ok(conn)
}

/// A connection that only reads.
pub(crate) fn reader(file: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(file, flags)?;
    conn.busy_timeout(BUSY)?;
    settle(&conn, 8 * 1024)?;
    Ok(conn)
}

fn settle(conn: &Connection, cache_kib: i64) -> Result<()> {
    conn.pragma_update(None, "cache_size", -cache_kib)?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.pragma_update(None, "mmap_size", 0)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}
