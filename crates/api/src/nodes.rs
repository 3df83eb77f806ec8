//! Nodes: the processes that serve from one store.

use hookyard_domain::node as domain;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

mirror! {
    /// What a node is doing.
    NodeStatus = domain::NodeStatus {
        /// It serves.
        Serving,
        /// It has stopped in good order; what it owed is being taken over.
        Left,
        /// It was silent for too long; what it owed is being taken over.
        Lost,
        /// It is not there any more and owes nothing; a new node may get its number.
        Gone,
    }
}

/// A node: a process that serves from the store.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Node {
    /// `node_` and its number, which the ids of the events it accepted hold.
    #[schema(example = "node_1")]
    pub id: String,
    /// Its name, by which the logs call it too; `null` for a process that has its store for itself.
    #[schema(example = "gateway-a:8080")]
    pub name: Option<String>,
    /// What it is doing. One that serves and has been silent for longer than the others' `--node-lease` becomes `lost`.
    pub status: NodeStatus,
    /// It is the one that answers this request.
    pub answering: bool,
    /// When its process began to serve, or came back after others had taken over from it.
    #[schema(format = "date-time", example = "2026-05-19T08:35:14.000Z")]
    pub started_at: String,
    /// Its last sign of life, by the store's own clock.
    #[schema(format = "date-time", example = "2026-05-19T08:35:14.000Z")]
    pub heartbeat_at: String,
    /// How long ago that was, by the same clock.
    pub silent_ms: u64,
}

/// Every node.
pub type NodePage = crate::page::Page<Node>;

impl From<domain::Node> for Node {
    fn from(it: domain::Node) -> Self {
        Self {
            id: format!("node_{}", it.no),
            name: it.name,
            status: it.status.into(),
            answering: it.is_teller,
            started_at: it.started_at.to_string(),
            heartbeat_at: it.beat_at.to_string(),
            silent_ms: u64::try_from(it.silent_for.as_millis()).unwrap_or(u64::MAX),
        }
    }
}
