//! Looks at a store's folder without serving from it: what self-checks and migrations report.

use std::fs::{File, TryLockError};
use std::path::Path;

use hookyard_store::StoreError;

use crate::error::{Fault, Result};
use crate::migrate;
use crate::open::{self, FILE, LOCK};

/// Who has a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Folder {
    /// It holds no store.
    Empty,
    /// It holds a store that nobody serves from.
    Free,
    /// Another process serves from it.
    InUse,
}

/// Looks who has folder `dir`. Only a look: somebody may take it right after.
///
/// # Errors
/// When the folder cannot be looked into.
pub fn folder(dir: &Path) -> std::result::Result<Folder, StoreError> {
    Ok(look(dir).map_err(Fault::from)?)
}

fn look(dir: &Path) -> std::io::Result<Folder> {
    if !dir.join(FILE).try_exists()? {
        return Ok(Folder::Empty);
    }
    let lock = match File::open(dir.join(LOCK)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Folder::Free),
        opened => opened?,
    };
    match lock.try_lock() {
        Ok(()) => Ok(Folder::Free),
        Err(TryLockError::WouldBlock) => Ok(Folder::InUse),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// The schema version of the store in folder `dir`; 0 where there is none.
///
/// # Errors
/// When the file cannot be read.
pub fn schema_version(dir: &Path) -> std::result::Result<u32, StoreError> {
    let file = dir.join(FILE);
    if !file.exists() {
        return Ok(0);
    }
    Ok(open::reader(&file).and_then(|conn| migrate::found(&conn))?)
}

/// The newest schema version that this binary knows, and brings every store to.
#[must_use]
pub fn schema_version_known() -> u32 {
    migrate::KNOWN
}

/// What SQLite's quick check finds wrong with the store in folder `dir`; nothing when it is whole.
///
/// # Errors
/// When the file cannot be read.
pub fn quick_check(dir: &Path) -> std::result::Result<Vec<String>, StoreError> {
    Ok(problems(&dir.join(FILE))?)
}

fn problems(file: &Path) -> Result<Vec<String>> {
    let conn = open::reader(file)?;
    let mut check = conn.prepare("PRAGMA quick_check(10)")?;
    let rows = check.query_map([], |row| row.get::<_, String>(0))?;
    let found = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(found.into_iter().filter(|it| it != "ok").collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SqliteStore;

    #[test]
    fn a_folder_is_empty_then_in_use_then_free() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(folder(dir.path()).unwrap(), Folder::Empty);
        assert_eq!(schema_version(dir.path()).unwrap(), 0);
        let store = SqliteStore::open(dir.path()).unwrap();
        assert_eq!(folder(dir.path()).unwrap(), Folder::InUse);
        drop(store);
        assert_eq!(folder(dir.path()).unwrap(), Folder::Free);
        assert_eq!(schema_version(dir.path()).unwrap(), migrate::KNOWN);
        assert_eq!(quick_check(dir.path()).unwrap(), Vec::<String>::new());
    }
}
