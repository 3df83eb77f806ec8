//! Telling lanes of what others made due in the store for them: a retry by hand, a replay, a job, a release, a take-over.
//!
//! Nothing else looks at it before the next start, so nobody is left untold: what cannot be told now is told again soon, and
//! whoever does not know whether the store has done it tells the lane anyway, which costs it one question.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::tenant::TenantNo;

use crate::Engine;

/// What a lane is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cause {
    /// Something is due.
    Due,
    /// The same of what was held on the way to it.
    Released,
}

/// What could not be told.
#[derive(Default)]
pub(crate) struct Untold(Mutex<BTreeSet<(TenantNo, EndpointNo, Cause)>>);

impl Untold {
    fn lock(&self) -> MutexGuard<'_, BTreeSet<(TenantNo, EndpointNo, Cause)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    /// Something of the endpoint was made due, or may have been: a retry by hand, a replay.
    pub async fn requeued(&self, tenant: TenantNo, endpoint: EndpointNo) {
        self.tell(tenant, endpoint, Cause::Due).await;
    }

    /// Tells the lane; later, while the tenant's configuration is not at hand and cannot be read.
    pub(crate) async fn tell(&self, tenant: TenantNo, endpoint: EndpointNo, cause: Cause) {
        // A lane that does not know its endpoint takes it for deleted.
        match (self.snapshot(tenant).await, cause) {
            (Ok(_), Cause::Due) => self.lanes.requeued(tenant, endpoint),
            (Ok(_), Cause::Released) => self.lanes.released(tenant, endpoint),
            (Err(error), _) => {
                self.untold.lock().insert((tenant, endpoint, cause));
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a lane is told later that something is due"
                );
            }
        }
    }

    /// Tells what could not be told when it was made.
    pub(crate) async fn tell_again(&self) {
        let untold = std::mem::take(&mut *self.untold.lock());
        for (tenant, endpoint, cause) in untold {
            self.tell(tenant, endpoint, cause).await;
        }
    }
}
