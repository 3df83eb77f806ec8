//! Nodes: processes that serve from one store.

use std::time::Duration;

use crate::time::Timestamp;

/// What a node is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeStatus {
    /// It serves.
    Serving,
    /// It has left in good order; what it owed is being taken over.
    Left,
    /// It was silent for too long; what it owed is being taken over.
    Lost,
    /// It owes nothing any more.
    Gone,
}

/// A node as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its number: it stands in the ids of the events it accepts.
    pub no: u16,
    /// Its name; `None` for a process that has its store for itself.
    pub name: Option<String>,
    /// What it is doing.
    pub status: NodeStatus,
    /// It is the process that tells.
    pub is_teller: bool,
    /// When its process began to serve.
    pub started_at: Timestamp,
    /// Its last sign of life, by the store's own clock.
    pub beat_at: Timestamp,
    /// How long ago that was, by the same clock.
    pub silent_for: Duration,
}
