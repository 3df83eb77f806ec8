//! Nodes: the processes that serve from one store, for the operator.

use std::time::Duration;

use hookyard_domain::node::{Node, NodeStatus};

use crate::{App, AppError, Caller};

impl App {
    /// Every node, by its number. A process that has its store for itself is the one there is.
    pub async fn nodes(&self, caller: &Caller) -> Result<Vec<Node>, AppError> {
        caller.must_be_operator()?;
        let nodes = self.store().nodes().await?;
        Ok(if nodes.is_empty() { vec![self.alone()] } else { nodes })
    }

    /// This process, of which nobody else knows: its answer is its sign of life.
    fn alone(&self) -> Node {
        Node {
            no: 0,
            name: None,
            status: NodeStatus::Serving,
            is_teller: true,
            started_at: self.0.started_at,
            beat_at: self.now(),
            silent_for: Duration::ZERO,
        }
    }
}
