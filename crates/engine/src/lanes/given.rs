//! What concerns several nodes: what the store gives to the one node that alone sends to an endpoint: it comes by the store and never from memory, so that
//! what several nodes accept stands in one order; and what all of them count of an endpoint.

use std::sync::Arc;

use hookyard_domain::endpoint::{Activity, EndpointNo};
use hookyard_domain::id::EventKey;
use hookyard_domain::tenant::TenantNo;

use super::Lanes;
use crate::lane::{Lane, Mode};
use crate::snapshot::Prepared;

/// A delivery that this node accepted and that had its row at once: the store gave it to somebody, or nobody is to send it.
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
            let lane = state.lane(it.tenant, it.endpoint, now);
            if it.mine {
                lane.given(it.key, now);
                state.revive(it.endpoint, now);
            } else {
                // Nothing else is ever told of it here, and its mark would stay behind all of them.
                lane.passed(it.key);
                state.mark_dirty(it.endpoint);
            }
        }
        self.release(state, 1);
    }

    /// Lanes whose receiver failed the last time, and that send.
    pub(crate) fn failing(&self) -> Vec<(TenantNo, Arc<Prepared>)> {
        let state = self.lock();
        let fails = |it: &&Lane| it.activity.failing_since.is_some() && it.mode() == Mode::Send;
        let failing = state.lanes.values().filter(fails);
        failing.filter_map(|it| Some((it.tenant, Arc::clone(it.prepared.as_ref()?)))).collect()
    }

    /// All nodes together count this of an endpoint: what this one counted before another had a success counts no more.
    pub(crate) fn rebase(&self, endpoint: EndpointNo, all: Activity) {
        let mut guard = self.lock();
        let state = &mut *guard;
        let Some(lane) = state.lanes.get_mut(&endpoint) else { return };
        let own = rebased(lane.activity, all);
        if lane.activity != own {
            lane.activity = own;
            state.dirty.mark(endpoint, lane);
        }
    }
}

/// What a node has counted of an endpoint itself, without the failures from before a success that others saw.
pub(super) fn rebased(own: Activity, all: Activity) -> Activity {
    match own.failing_since {
        Some(since) if all.failing_since.is_none_or(|it| it > since) => Activity {
            failing_since: all.failing_since,
            consecutive_failures: own.consecutive_failures.min(all.consecutive_failures),
            ..own
        },
        _ => own,
    }
}
