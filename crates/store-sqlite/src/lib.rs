//! The embedded store: the port over one SQLite file.
//!
//! Called by nobody by name but `cli`, which opens it. One connection writes (`writer`), a few read, a thread folds the log
//! into the file (`checkpoint`). Lists stand in compact runs instead of indexes (`runs`), since an index would halve the
//! speed of the write path. Start reading at `writer` and `migrations/0001_first.sql`.
//!
//! **Never** here: a decision. No retry arithmetic, no matching.

mod accept;
mod audit;
pub mod backup;
mod checkpoint;
mod codec;
mod deliveries;
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
mod memory;
mod migrate;
mod moves;
mod nodes;
mod open;
mod owed;
mod prune;
mod received;
mod record;
mod runs;
mod sources;
mod statistics;
mod tenants;
pub mod transfer;
mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use hookyard_store::{Answer, Store, StoreError};
use rusqlite::{Connection, Transaction};
use tokio::sync::{Mutex as FairMutex, Semaphore};

use crate::checkpoint::{Checkpointer, Log};
use crate::error::Result;
use crate::open::Place;
use crate::runs::{ListDraft, Lists};
use crate::writer::{State, Writer};

/// Connections that read at once.
const READERS: usize = 4;

/// The embedded store. Dropping it writes out what stands in memory only.
pub struct SqliteStore {
    // In this order: the thread ends first, the folder's lock goes last (it lives in the writer).
    checkpointer: Option<Checkpointer>,
    log: Arc<Log>,
    readers: Arc<Readers>,
    lists: Arc<Lists>,
    writer: Arc<FairMutex<Writer>>,
}

struct Readers {
    file: std::path::PathBuf,
    free: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

impl SqliteStore {
    /// Opens the store in folder `dir`, made and brought up to date if need be.
    ///
    /// # Errors
    /// When another process serves from that folder, when a newer version made the store, or when the disk refuses.
    pub fn open(dir: &Path) -> std::result::Result<Arc<Self>, StoreError> {
        Ok(Self::start(Place::take(dir)?, true)?)
    }

    /// A store for tests: real, but in a folder that goes with it and without waiting for the disk.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn in_memory() -> std::result::Result<Arc<Self>, StoreError> {
        Ok(Self::start(Place::temporary()?, false)?)
    }

    fn start(place: Place, synced: bool) -> Result<Arc<Self>> {
        let file = place.file();
        let mut conn = open::writer(&file, synced)?;
        migrate::migrate(&mut conn)?;
        let mut writer = Writer::new(conn, place)?;
        let log = Arc::new(Log::new(&file, synced)?);
        let told = Arc::clone(&log);
        writer.on_commit(move |pages| told.grown(pages))?;
        let lists = Arc::clone(&writer.state.lists);
        let writer = Arc::new(FairMutex::new(writer));
        let checkpointer = Checkpointer::start(Arc::clone(&log), Arc::clone(&writer))?;
        let readers = Arc::new(Readers {
            file,
            free: Mutex::default(),
            permits: Arc::new(Semaphore::new(READERS)),
        });
        let checkpointer = Some(checkpointer);
        Ok(Arc::new(Self { checkpointer, log, readers, lists, writer }))
    }

    /// Reads on a thread that may block. Copy tails of lists before opening a snapshot.
    fn read<'a, T: Send + 'static>(
        &'a self,
        work: impl FnOnce(&Connection, &Lists) -> Result<T> + Send + 'static,
    ) -> Answer<'a, T> {
        Box::pin(async move {
            let readers = Arc::clone(&self.readers);
            let lists = Arc::clone(&self.lists);
            let permits = Arc::clone(&readers.permits);
            let permit = permits.acquire_owned().await.map_err(unavailable)?;
            blocking(move || {
                let conn = readers.take()?;
                let done = work(&conn, &lists);
                readers.give_back(conn);
                drop(permit);
                done
            })
            .await
        })
    }

    /// Changes something as one transaction, in turn with the committer.
    fn change<'a, T: Send + 'static>(
        &'a self,
        work: impl FnOnce(&Transaction<'_>, &State) -> Result<T> + Send + 'static,
    ) -> Answer<'a, T> {
        self.write(move |writer| writer.change(work))
    }

    /// Changes something that takes keys out of lists.
    fn change_lists<'a, T: Send + 'static>(
        &'a self,
        work: impl FnOnce(&Transaction<'_>, &mut State, &mut ListDraft) -> Result<T> + Send + 'static,
    ) -> Answer<'a, T> {
        self.write(move |writer| writer.change_lists(work))
    }

    fn write<'a, T: Send + 'static>(
        &'a self,
        work: impl FnOnce(&mut Writer) -> Result<T> + Send + 'static,
    ) -> Answer<'a, T> {
        Box::pin(async move {
            let mut writer = Arc::clone(&self.writer).lock_owned().await;
            blocking(move || work(&mut writer)).await
        })
    }
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Unavailable(Box::new(error))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> std::result::Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await.map_err(unavailable)?;
    Ok(done?)
}

impl Readers {
    fn take(&self) -> Result<Connection> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        free.map_or_else(|| open::reader(&self.file), Ok)
    }

    fn give_back(&self, conn: Connection) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(conn);
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.checkpointer = None;
        self.readers.free.lock().unwrap_or_else(PoisonError::into_inner).clear();
        match self.writer.try_lock() {
            Ok(mut writer) => {
                if let Err(error) = writer.close() {
                    tracing::warn!(
                        ?error,
                        "the store was not closed neatly; the next start reads more"
                    );
                }
            }
            // Whoever writes at this moment keeps the connection; the next start reads what is on disk.
            Err(_) => tracing::warn!("the store was dropped while it was written to"),
        }
    }
}

impl Store for SqliteStore {
    fn ping(&self) -> Answer<'_, ()> {
        // A real write: a full disk can still be read from.
        self.write(|writer| writer.ping())
    }
}
