//! What the disk or the network did to us.

/// Why a store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached or written to at the moment; nothing was done; asking again later may help.
    #[error("the store cannot be reached")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Nothing was done: other nodes have taken over what this one owed, since it was silent for too long, or something it
    /// could not find out the outcome of was written after all. It has to come back, and to begin with what it owes then.
    #[error("this node has to begin anew with what it owes")]
    Fenced,
    /// Somebody else was first: the name is taken, or the thing was changed meanwhile.
    #[error("{what} exists already or was changed by somebody else")]
    Conflict {
        /// The thing.
        what: &'static str,
    },
    /// A limit of the tenant is reached.
    #[error("the limit of {limit} {what} is reached")]
    Full {
        /// The things counted.
        what: &'static str,
        /// How many may be.
        limit: u32,
    },
    /// A value that no version of ours has written.
    #[error("unreadable value in {table}.{column} of {row}")]
    Corrupt {
        /// Where.
        table: &'static str,
        /// Where.
        column: &'static str,
        /// Which row.
        row: String,
    },
    /// The store was made by a newer version.
    #[error("the store has schema version {found}, this binary knows {known}; use a newer binary")]
    TooNew {
        /// What it has.
        found: u32,
        /// What we know.
        known: u32,
    },
}
