//! What SQLite tells, as the port's errors.

use hookyard_store::StoreError;
use rusqlite::ErrorCode;

/// An error on its way out: SQLite's own, or one of the port already.
#[derive(Debug)]
pub(crate) enum Fault {
    Sqlite(rusqlite::Error),
    Store(StoreError),
}

/// The result of everything inside this room.
pub(crate) type Result<T> = std::result::Result<T, Fault>;

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Self::Store(StoreError::Unavailable(Box::new(error)))
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Store(error) => error,
            Fault::Sqlite(rusqlite::Error::InvalidColumnType(_, column, _)) => {
                Self::Corrupt { table: "a table", column: "a column", row: column }
            }
            Fault::Sqlite(error) => Self::Unavailable(Box::new(error)),
        }
    }
}

/// A value that no version of ours has written.
pub(crate) fn corrupt(
    table: &'static str,
    column: &'static str,
    row: impl std::fmt::Display,
) -> Fault {
    Fault::Store(StoreError::Corrupt { table, column, row: row.to_string() })
}

/// Somebody else was first.
pub(crate) fn conflict(what: &'static str) -> Fault {
    Fault::Store(StoreError::Conflict { what })
}

/// Turns a broken uniqueness into "somebody else was first".
pub(crate) fn or_conflict<T>(result: rusqlite::Result<T>, what: &'static str) -> Result<T> {
    result.map_err(|error| match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => conflict(what),
        _ => Fault::Sqlite(error),
    })
}
