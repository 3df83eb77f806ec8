//! Seats: how many streams are open, in all, for each tenant and for each credential.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hookyard_domain::limit;
use hookyard_domain::tenant::TenantNo;

use crate::Who;
use crate::streams::StreamError;

/// Streams that are open in each tenant, by whose they are.
type Taken = BTreeMap<TenantNo, BTreeMap<String, u32>>;

/// How many streams are open.
#[derive(Default)]
pub(crate) struct Seats(Arc<Mutex<Taken>>);

/// One of them; it is free again when this is dropped.
pub(crate) struct Seat {
    taken: Arc<Mutex<Taken>>,
    tenant: TenantNo,
    whose: String,
}

fn lock(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is counted as one reader, and how many streams it may have: one link that was handed out, or one key, shall not take
/// every seat of its tenant. The operator may.
fn reader(who: &Who) -> (String, u32) {
    match who {
        Who::Operator => ("operator".to_owned(), limit::STREAMS_PER_TENANT_MAX),
        Who::Key(powers) => (powers.id.to_string(), limit::STREAMS_PER_READER_MAX),
        Who::Portal(powers) => (powers.owner.clone(), limit::STREAMS_PER_READER_MAX),
    }
}

impl Seats {
    /// Takes one in a tenant.
    pub(crate) fn take(&self, tenant: TenantNo, who: &Who) -> Result<Seat, StreamError> {
        let (whose, most) = reader(who);
        let mut taken = lock(&self.0);
        if taken.values().flat_map(BTreeMap::values).sum::<u32>() >= limit::STREAMS_MAX {
            return Err(StreamError::TooMany { limit: limit::STREAMS_MAX });
        }
        let of_tenant = taken.get(&tenant);
        if of_tenant.is_some_and(|it| it.values().sum::<u32>() >= limit::STREAMS_PER_TENANT_MAX) {
            return Err(StreamError::TooMany { limit: limit::STREAMS_PER_TENANT_MAX });
        }
        if of_tenant.and_then(|it| it.get(&whose)).is_some_and(|it| *it >= most) {
            return Err(StreamError::TooMany { limit: most });
        }
        *taken.entry(tenant).or_default().entry(whose.clone()).or_default() += 1;
        drop(taken);
        Ok(Seat { taken: Arc::clone(&self.0), tenant, whose })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        let Some(of_tenant) = taken.get_mut(&self.tenant) else { return };
        if let Some(many) = of_tenant.get_mut(&self.whose) {
            *many -= 1;
            if *many == 0 {
                of_tenant.remove(&self.whose);
            }
        }
        if of_tenant.is_empty() {
            taken.remove(&self.tenant);
        }
    }
}
