//! What the lanes hold, as numbers.

use super::Lanes;
use crate::lane::Lane;

/// What the lanes hold at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Nodes that serve from the store, this one included.
    pub nodes: u32,
    /// Lanes.
    pub lanes: usize,
    /// Deliveries held in memory.
    pub queued: usize,
    /// Lanes with more in the store than in memory.
    pub overflowing: usize,
    /// Attempts under way.
    pub in_flight: usize,
    /// Outcomes not yet on disk.
    pub unrecorded: usize,
    /// Bytes held in memory by queued deliveries, about.
    pub held_bytes: u64,
}

impl Lanes {
    pub(crate) fn gauges(&self) -> Gauges {
        let state = self.lock();
        Gauges {
            nodes: 1,
            lanes: state.lanes.len(),
            queued: state.lanes.values().map(Lane::held).sum(),
            overflowing: state.lanes.values().filter(|it| it.overflow.is_some()).count(),
            in_flight: state.sending.len(),
            unrecorded: state.unrecorded,
            held_bytes: state.held_bytes,
        }
    }
}
