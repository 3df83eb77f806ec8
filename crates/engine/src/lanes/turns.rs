//! Whose turn it is: a ring of tenants, each with a ring of its ready lanes.

use std::collections::{HashMap, VecDeque};

use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::tenant::TenantNo;

/// Ready lanes.
#[derive(Default)]
pub(super) struct Turns {
    tenants: VecDeque<TenantNo>,
    lanes: HashMap<TenantNo, VecDeque<EndpointNo>>,
}

impl Turns {
    pub(super) fn push(&mut self, tenant: TenantNo, endpoint: EndpointNo) {
        let ring = self.lanes.entry(tenant).or_default();
        if ring.is_empty() {
            self.tenants.push_back(tenant);
        }
        ring.push_back(endpoint);
    }

    pub(super) fn pop(&mut self) -> Option<EndpointNo> {
        let tenant = self.tenants.pop_front()?;
        let ring = self.lanes.get_mut(&tenant)?;
        let endpoint = ring.pop_front();
        if ring.is_empty() {
            self.lanes.remove(&tenant);
        } else {
            self.tenants.push_back(tenant);
        }
        endpoint
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tenants.is_empty()
    }
}
