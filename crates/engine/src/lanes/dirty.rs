//! Lanes that have something to note, each listed once.

use hookyard_domain::endpoint::EndpointNo;

use crate::lane::Lane;

#[derive(Default)]
pub(super) struct Dirty(Vec<EndpointNo>);

impl Dirty {
    /// The one way to mark a lane: one that were marked and not listed would never be noted again.
    pub(super) fn mark(&mut self, endpoint: EndpointNo, lane: &mut Lane) {
        if lane.mark_dirty() {
            self.0.push(endpoint);
        }
    }

    /// Empties the list. The lanes are still marked.
    pub(super) fn take(&mut self) -> Vec<EndpointNo> {
        std::mem::take(&mut self.0)
    }
}
