//! What the store gives to the one node that alone sends: it is claimed in order of acceptance, and a retry stands before
//! whatever was claimed behind it.

use hookyard_domain::id::EventKey;
use hookyard_domain::time::Timestamp;

use super::Lane;

impl Lane {
    /// What waits is to be claimed in order of acceptance.
    pub(crate) fn claims_in_order(&self) -> bool {
        self.shared && self.ordered()
    }

    /// The store gave it a delivery of an event that this node accepted.
    pub(crate) fn given(&mut self, key: EventKey, now: Timestamp) {
        self.passed(key);
        self.due_at(Some(now));
    }

    /// An event that this node accepted has its row already: the mark moves past it, or whatever is left in the store
    /// from before is looked through up to it.
    pub(crate) fn passed(&mut self, key: EventKey) {
        if self.overflow.is_none() {
            self.last_offered = self.last_offered.max(key);
        } else {
            self.missed = true;
        }
    }

    /// What was claimed behind a delivery that waits now goes back to the store; answers how many bytes that frees.
    pub(super) fn let_go(&mut self) -> u64 {
        let mut freed = 0;
        for job in std::mem::take(&mut self.due) {
            self.claimed.remove(&job.delivery);
            freed += job.bytes();
        }
        self.void = self.claiming;
        freed
    }
}
