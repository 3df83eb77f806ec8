//! Doubt: a commit whose answer was lost, and the database with it. Its publishers are told that nothing was accepted, since
//! nobody knows; should it have been written, no lane was told of its events, and whoever repeats one of them meets a
//! duplicate, which is offered to nobody. So it is remembered until the node's row tells what came of it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use hookyard_store::StoreError;

use crate::error::Result;
use crate::node::Node;

/// A commit of which nothing was heard.
#[derive(Clone, Copy)]
struct Doubt {
    node: Node,
    last_key: u64,
}

/// The one commit that is in doubt, if there is one: the next one asks before it writes.
#[derive(Default)]
pub(crate) struct Doubts(Mutex<Option<Doubt>>);

impl Doubts {
    fn lock(&self) -> MutexGuard<'_, Option<Doubt>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It was not found out whether the node's commit that ends with this key is written.
    pub(crate) fn remember(&self, node: Node, last_key: u64) {
        *self.lock() = Some(Doubt { node, last_key });
    }

    /// The node's row tells that it is. Once the node is back, it has read what it owes.
    pub(crate) fn came_true(&self, node: Node, last_key: u64) -> bool {
        self.lock().is_some_and(|it| it.node == node && it.last_key <= last_key)
    }

    /// Asked by whoever holds the node's row, so that nothing of this node is under way.
    ///
    /// # Errors
    /// When the commit is written: the node has to come back, so that its lanes are told.
    pub(crate) fn settle(&self, node: Node, last_key: u64) -> Result<()> {
        if self.came_true(node, last_key) {
            tracing::warn!(
                "a commit is written of which nothing was heard: this node begins anew with what it owes"
            );
            return Err(StoreError::Fenced.into());
        }
        *self.lock() = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: Node = Node { no: 1, incarnation: 7 };

    #[test]
    fn a_written_commit_is_refused_until_the_node_is_back() {
        let doubts = Doubts::default();
        doubts.remember(ME, 30);
        assert!(doubts.settle(ME, 30).is_err() && doubts.settle(ME, 31).is_err());
        let back = Node { incarnation: 8, ..ME };
        assert!(!doubts.came_true(back, 31));
        assert!(doubts.settle(back, 31).is_ok() && doubts.settle(ME, 31).is_ok());
    }

    #[test]
    fn a_commit_that_is_not_written_leaves_nothing_behind() {
        let doubts = Doubts::default();
        doubts.remember(ME, 30);
        assert!(!doubts.came_true(ME, 29));
        assert!(doubts.settle(ME, 29).is_ok() && doubts.settle(ME, 30).is_ok());
    }
}
