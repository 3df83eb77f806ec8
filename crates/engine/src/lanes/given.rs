//! What the store gives to the one node that alone sends to an endpoint: it comes by the store and never from memory, so that
//! what several nodes accept stands in one order.

use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::id::EventKey;
use hookyard_domain::tenant::TenantNo;

use super::Lanes;

/// A delivery that this node accepted and the store gave to somebody.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given {
    pub tenant: TenantNo,
    pub endpoint: EndpointNo,
    pub key: EventKey,
    /// This node is the one that sends it.
    pub mine: bool,
}

impl Lanes {
    /// Something of the endpoint waits in the store for this node.
    pub(crate) fn given(&self, tenant: TenantNo, endpoint: EndpointNo) {
        let now = self.clock.now();
        let mut state = self.lock();
        state.lane(tenant, endpoint, now).due_at(Some(now));
        state.revive(endpoint, now);
        self.release(state, 1);
    }

    /// The store gave what was accepted in this term.
    pub(crate) fn gave(&self, term: u64, given: &[Given]) {
        if given.is_empty() {
            return;
        }
        let now = self.clock.now();
        let mut state = self.lock();
        if state.term != term {
            return;
        }
        for it in given {
            if it.mine {
                state.lane(it.tenant, it.endpoint, now).given(it.key, now);
                state.revive(it.endpoint, now);
            }
        }
        self.release(state, 1);
    }
}
