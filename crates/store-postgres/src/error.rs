//! What PostgreSQL tells, as the port's errors. Nothing of a row, a parameter or a password goes into their text.

use std::error::Error as _;
use std::fmt::Display;
use std::io;

use deadpool_postgres::PoolError;
use hookyard_store::StoreError;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

/// An error on its way out: PostgreSQL's own, or one of the port already.
#[derive(Debug)]
pub(crate) enum Fault {
    Postgres(Error),
    Store(StoreError),
    /// Another node was first at something that a second try will see.
    Again,
}

/// The result of everything inside this room.
pub(crate) type Result<T> = std::result::Result<T, Fault>;

/// What is told of a failure.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Told(String);

/// An error that says `text`.
pub(crate) fn unavailable(text: impl Display) -> StoreError {
    StoreError::Unavailable(Box::new(Told(text.to_string())))
}

/// The store cannot be reached at the moment, since `error`.
fn told(error: &Error) -> StoreError {
    let text = match error.as_db_error() {
        // Its detail and context may show values.
        Some(said) => return unavailable(format!("{} ({})", said.message(), said.code().code())),
        None => match error.source() {
            Some(why) => format!("{error}: {why}"),
            None => error.to_string(),
        },
    };
    // Told apart from what the server itself says: it was not reached, or not any more.
    StoreError::Unavailable(Box::new(io::Error::new(io::ErrorKind::NotConnected, text)))
}

impl Fault {
    fn code(&self) -> Option<&SqlState> {
        match self {
            Self::Postgres(error) => error.code(),
            Self::Store(_) | Self::Again => None,
        }
    }

    /// Two transactions were in each other's way; the same again may work, or tell who was first.
    pub(crate) fn may_work_again(&self) -> bool {
        let again = [
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::UNIQUE_VIOLATION,
        ];
        matches!(self, Self::Again) || self.code().is_some_and(|code| again.contains(code))
    }

    /// What was asked for contradicts what is there.
    pub(crate) fn is_a_violation(&self) -> bool {
        self.code() == Some(&SqlState::CHECK_VIOLATION)
    }

    /// The server itself has answered this.
    pub(crate) fn is_the_servers(&self) -> bool {
        self.code().is_some()
    }

    /// The connection is of no more use, for a reason that is not the statement's: it is gone, was ended by the server, or
    /// leads to one that became a standby.
    pub(crate) fn is_a_lost_connection(&self) -> bool {
        match self {
            Self::Postgres(error) => error.code().is_none_or(|code| {
                code.code().starts_with("57P")
                    || *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
                    || *code == SqlState::READ_ONLY_SQL_TRANSACTION
            }),
            Self::Store(_) | Self::Again => false,
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Postgres(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<PoolError> for Fault {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => Self::Postgres(error),
            PoolError::Timeout(_) => {
                Self::Store(unavailable("no connection to the database is free"))
            }
            PoolError::Closed | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
                Self::Store(unavailable("the connections to the database are closed"))
            }
        }
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Store(error) => error,
            Fault::Again => unavailable("other nodes were first again and again"),
            Fault::Postgres(error) => told(&error),
        }
    }
}

/// A value that no version of ours has written.
pub(crate) fn corrupt(table: &'static str, column: &'static str, row: impl Display) -> Fault {
    Fault::Store(StoreError::Corrupt { table, column, row: row.to_string() })
}

/// Somebody else was first.
pub(crate) fn conflict(what: &'static str) -> Fault {
    Fault::Store(StoreError::Conflict { what })
}

/// Turns a broken uniqueness into "somebody else was first".
pub(crate) fn or_conflict<T>(result: Result<T>, what: &'static str) -> Result<T> {
    result.map_err(|fault| match fault {
        fault if fault.code() == Some(&SqlState::UNIQUE_VIOLATION) => conflict(what),
        fault => fault,
    })
}
