//! Copies of a store: out of a folder while it is served from, and back into an empty one.

use std::fs::File;
use std::path::{Path, PathBuf};

use hookyard_store::StoreError;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use crate::error::Fault;
use crate::migrate;
use crate::open::{self, Place};

/// Why a copy could not be made or taken back.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is nothing to copy.
    #[error("{} holds no store", .0.display())]
    NoStore(PathBuf),
    /// Something is there already; a restore never overwrites.
    #[error("{} holds a store already; restore into an empty folder", .0.display())]
    HoldsStore(PathBuf),
    /// The file is no copy of a store of ours.
    #[error("{} is not a backup of Hookyard", .0.display())]
    NotABackup(PathBuf),
    /// The file is damaged.
    #[error("{} is damaged: {}", .0.display(), .1)]
    Damaged(PathBuf, String),
    /// A file or folder refused.
    #[error("{} cannot be used", .0.display())]
    Io(PathBuf, #[source] std::io::Error),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

type Result<T> = std::result::Result<T, BackupError>;

impl From<Fault> for BackupError {
    fn from(fault: Fault) -> Self {
        Self::Store(fault.into())
    }
}

fn sqlite(error: rusqlite::Error) -> BackupError {
    BackupError::from(Fault::Sqlite(error))
}

fn io(path: &Path) -> impl Fn(std::io::Error) -> BackupError + '_ {
    move |error| BackupError::Io(path.to_owned(), error)
}

/// Copies the store in folder `dir` to `to`, as it is at one moment, while another process may serve from it.
/// `to` appears whole and synced, or not at all; an older file of that name is replaced.
///
/// # Errors
/// When there is no store, or when a file refuses.
pub fn backup(dir: &Path, to: &Path) -> Result<()> {
    let file = dir.join(open::FILE);
    if !file.exists() {
        return Err(BackupError::NoStore(dir.to_owned()));
    }
    let from = open::reader(&file)?;
    migrate::refuse_newer(&from)?;
    let unfinished = unfinished(to);
    remove(&unfinished)?;
    let copied = copy(&from, &unfinished).and_then(|()| put_in_place(&unfinished, to));
    if copied.is_err() {
        remove(&unfinished)?;
    }
    copied
}

/// Takes a copy back into folder `dir`, which must hold no store.
///
/// # Errors
/// When the folder holds a store, when the file is no intact copy, or when a file refuses.
pub fn restore(file: &Path, dir: &Path) -> Result<()> {
    let to = dir.join(open::FILE);
    for name in [open::FILE, "hookyard.db-wal", "hookyard.db-shm"] {
        if dir.join(name).exists() {
            return Err(BackupError::HoldsStore(dir.to_owned()));
        }
    }
    check(file)?;
    let _place = Place::take(dir)?;
    let unfinished = unfinished(&to);
    remove(&unfinished)?;
    let copied = std::fs::copy(file, &unfinished)
        .map_err(io(&unfinished))
        .and_then(|_| put_in_place(&unfinished, &to));
    if copied.is_err() {
        remove(&unfinished)?;
    }
    copied
}

fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".unfinished");
    PathBuf::from(name)
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io(path)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// All pages in one step: steps of a few pages would begin anew with each commit of the server.
fn copy(from: &Connection, to: &Path) -> Result<()> {
    let mut copy = Connection::open(to).map_err(sqlite)?;
    {
        let backup = Backup::new(from, &mut copy).map_err(sqlite)?;
        if backup.step(-1).map_err(sqlite)? != StepResult::Done {
            return Err(StoreError::Unavailable("the store is locked".into()).into());
        }
    }
    // One plain file that needs no log beside it.
    copy.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(())).map_err(sqlite)?;
    copy.close().map_err(|(_, error)| sqlite(error))
}

fn put_in_place(unfinished: &Path, to: &Path) -> Result<()> {
    File::open(unfinished).and_then(|file| file.sync_all()).map_err(io(unfinished))?;
    std::fs::rename(unfinished, to).map_err(io(to))?;
    let dir = to.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(io(dir))
}

fn check(file: &Path) -> Result<()> {
    File::open(file).map_err(io(file))?;
    let not_ours = |_| BackupError::NotABackup(file.to_owned());
    let conn =
        Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(sqlite)?;
    let id: i32 =
        conn.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(not_ours)?;
    if id != migrate::APPLICATION_ID {
        return Err(BackupError::NotABackup(file.to_owned()));
    }
    migrate::refuse_newer(&conn)?;
    let verdict: String = conn
        .pragma_query_value(None, "integrity_check", |row| row.get(0))
        .map_err(|error| BackupError::Damaged(file.to_owned(), error.to_string()))?;
    if verdict == "ok" { Ok(()) } else { Err(BackupError::Damaged(file.to_owned(), verdict)) }
}
