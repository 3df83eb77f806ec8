//! Folds the write-ahead log into the file, off the hot path.
//!
//! A thread of its own does most of it beside the writer; only when the log has grown long is the rest done while the
//! writer waits, since only a log without a writer can begin again at its start.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;

use crate::error::Result;
use crate::open;
use crate::writer::Writer;

/// Pages (of 8 KiB) written to the log before the thread is woken: 128 MiB. Folding and syncing the file delay the commits
/// of that moment, by tens of milliseconds on an ordinary disk, so it must be rare enough not to show in the latency of
/// one event in a hundred even where failing receivers fill the log.
const STEP_PAGES: u32 = 16_384;
/// Pages in the log from which on the writer is stopped to let it begin again: 256 MiB.
const RESTART_PAGES: u32 = 32_768;

#[derive(Default)]
struct Asked {
    work: bool,
    stop: bool,
}

/// What the thread, the writer and `tidy` share.
pub(crate) struct Log {
    conn: Mutex<Connection>,
    asked: Mutex<Asked>,
    wake: Condvar,
    pages: AtomicU32,
    folded: AtomicU32,
    /// How long the log was when it was folded in an idle moment last.
    idle_folded: AtomicU32,
    /// How long the log was when an idle moment was looked for last.
    seen: AtomicU32,
    restart_at: AtomicU32,
}

/// The thread; it ends when this is dropped.
pub(crate) struct Checkpointer {
    log: Arc<Log>,
    thread: Option<JoinHandle<()>>,
}

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Log {
    pub(crate) fn new(file: &Path, synced: bool) -> Result<Self> {
        Ok(Self {
            conn: Mutex::new(open::checkpointer(file, synced)?),
            asked: Mutex::default(),
            wake: Condvar::new(),
            pages: AtomicU32::new(0),
            folded: AtomicU32::new(0),
            idle_folded: AtomicU32::new(0),
            seen: AtomicU32::new(0),
            restart_at: AtomicU32::new(RESTART_PAGES),
        })
    }

    /// Told after each commit how long the log is.
    pub(crate) fn grown(&self, pages: u32) {
        self.pages.store(pages, Ordering::Relaxed);
        let folded = self.folded.load(Ordering::Relaxed);
        if pages < folded {
            self.folded.store(0, Ordering::Relaxed);
        } else if pages - folded >= STEP_PAGES {
            self.folded.store(pages, Ordering::Relaxed);
            hold(&self.asked).work = true;
            self.wake.notify_one();
        }
    }

    /// One round, if nothing was written since the last call and something is left to fold.
    pub(crate) fn fold_if_idle(&self, writer: &tokio::sync::Mutex<Writer>) -> Result<()> {
        let pages = self.pages.load(Ordering::Relaxed);
        let is_idle = self.seen.swap(pages, Ordering::Relaxed) == pages;
        if !is_idle || self.idle_folded.swap(pages, Ordering::Relaxed) == pages {
            return Ok(());
        }
        self.fold(writer)
    }

    /// One round.
    pub(crate) fn fold(&self, writer: &tokio::sync::Mutex<Writer>) -> Result<()> {
        if self.pages.load(Ordering::Relaxed) == 0 {
            return Ok(());
        }
        let conn = hold(&self.conn);
        let folded = checkpoint(&conn, "PASSIVE")?;
        if folded.pages < self.restart_at.load(Ordering::Relaxed) {
            return Ok(());
        }
        // What came in during the first pass was much; the second leaves little to wait for.
        checkpoint(&conn, "PASSIVE")?;
        let _writer = writer.blocking_lock();
        let folded = checkpoint(&conn, "RESTART")?;
        // Somebody reads an old snapshot (a backup, say): stopping the writer again soon would only cost it time.
        let next = if folded.is_busy { folded.pages + RESTART_PAGES } else { RESTART_PAGES };
        self.restart_at.store(next, Ordering::Relaxed);
        Ok(())
    }
}

struct Folded {
    is_busy: bool,
    /// Pages in the log.
    pages: u32,
}

fn checkpoint(conn: &Connection, mode: &str) -> Result<Folded> {
    let sql = format!("PRAGMA wal_checkpoint({mode})");
    Ok(conn.query_row(&sql, [], |row| {
        let pages: i64 = row.get(1)?;
        Ok(Folded { is_busy: row.get(0)?, pages: u32::try_from(pages).unwrap_or(0) })
    })?)
}

impl Checkpointer {
    pub(crate) fn start(log: Arc<Log>, writer: Arc<tokio::sync::Mutex<Writer>>) -> Result<Self> {
        let thread = std::thread::Builder::new().name("hookyard-checkpoint".into()).spawn({
            let log = Arc::clone(&log);
            move || serve(&log, &writer)
        })?;
        Ok(Self { log, thread: Some(thread) })
    }
}

fn serve(log: &Log, writer: &tokio::sync::Mutex<Writer>) {
    loop {
        let mut asked = hold(&log.asked);
        while !asked.work && !asked.stop {
            asked = log.wake.wait(asked).unwrap_or_else(PoisonError::into_inner);
        }
        if asked.stop {
            return;
        }
        asked.work = false;
        drop(asked);
        if let Err(error) = log.fold(writer) {
            tracing::warn!(?error, "the write-ahead log could not be folded into the file");
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        hold(&self.log.asked).stop = true;
        self.log.wake.notify_one();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the checkpoint thread panicked");
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use hookyard_store::ledger::{Batch, Ledger};
    use hookyard_store::tenants::Tenants;
    use hookyard_testkit::make;

    use crate::SqliteStore;
    use crate::open::Place;

    #[tokio::test]
    async fn the_log_begins_again_however_much_is_written() {
        const MIB: usize = 1024 * 1024;
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::start(Place::take(dir.path()).unwrap(), false).unwrap();
        let tenant = store.create_tenant(make::tenant("acme"), make::audit("made")).await.unwrap();
        let mut accept = make::accept(tenant.no, 1, &[]);
        accept.content.data = Bytes::from(vec![7; MIB]);
        let batch = Batch { now: make::NOW, accepts: vec![accept; 8], ..Batch::default() };
        // How long it grows until then depends on how soon the thread gets its turn: wait for the fact, up to 1.6 GiB.
        let mut longest = 0;
        let mut began_again = false;
        for _ in 0..200 {
            store.commit(&batch).await.unwrap();
            let log = std::fs::metadata(dir.path().join("hookyard.db-wal")).unwrap().len();
            began_again = log <= longest;
            if began_again {
                break;
            }
            longest = log;
        }
        assert!(began_again, "{longest} bytes of log");
        store.tidy().await.unwrap();
        drop(store);
        assert!(!dir.path().join("hookyard.db-wal").exists());
    }
}
