//! Seats: how many streams are open, in all and for each tenant.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hookyard_domain::limit;
use hookyard_domain::tenant::TenantNo;

use crate::streams::StreamError;

/// How many streams are open.
#[derive(Default)]
pub(crate) struct Seats(Arc<Mutex<BTreeMap<TenantNo, u32>>>);

/// One of them; it is free again when this is dropped.
pub(crate) struct Seat {
    taken: Arc<Mutex<BTreeMap<TenantNo, u32>>>,
    tenant: TenantNo,
}

fn lock(taken: &Mutex<BTreeMap<TenantNo, u32>>) -> MutexGuard<'_, BTreeMap<TenantNo, u32>> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Seats {
    /// Takes one for a tenant.
    pub(crate) fn take(&self, tenant: TenantNo) -> Result<Seat, StreamError> {
        let mut taken = lock(&self.0);
        if taken.values().sum::<u32>() >= limit::STREAMS_MAX {
            return Err(StreamError::TooMany { limit: limit::STREAMS_MAX });
        }
        let of_tenant = taken.entry(tenant).or_default();
        if *of_tenant >= limit::STREAMS_PER_TENANT_MAX {
            return Err(StreamError::TooMany { limit: limit::STREAMS_PER_TENANT_MAX });
        }
        *of_tenant += 1;
        drop(taken);
        Ok(Seat { taken: Arc::clone(&self.0), tenant })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        if let Some(many) = taken.get_mut(&self.tenant) {
            *many -= 1;
            if *many == 0 {
                taken.remove(&self.tenant);
            }
        }
    }
}
