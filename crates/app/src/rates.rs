//! How many events a tenant may publish per second: one bucket of tokens for each tenant that has a limit.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;

use crate::error::AppError;

/// The buckets. Tenants without a limit have none.
#[derive(Default)]
pub(crate) struct Rates(Mutex<HashMap<TenantNo, Bucket>>);

struct Bucket {
    tokens: f64,
    at: Timestamp,
}

impl Rates {
    /// Takes `events` tokens. A batch larger than the bucket is let through when the bucket is full, and paid off after.
    pub(crate) fn take(
        &self,
        tenant: TenantNo,
        per_s: Option<u32>,
        events: usize,
        now: Timestamp,
    ) -> Result<(), AppError> {
        let Some(per_s) = per_s else { return Ok(()) };
        let size = f64::from(per_s.max(1));
        let wanted = f64::from(u32::try_from(events).unwrap_or(u32::MAX));
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry(tenant).or_insert(Bucket { tokens: size, at: now });
        let gained = now.since(bucket.at).as_secs_f64() * size;
        bucket.tokens = (bucket.tokens + gained).min(size);
        bucket.at = bucket.at.max(now);
        let lacking = wanted.min(size) - bucket.tokens;
        // Floating point: a token that is there to nine digits is there.
        if lacking > 1e-9 {
            return Err(AppError::TooMany {
                retry_after: Duration::from_secs_f64((lacking / size).min(3600.0)),
            });
        }
        bucket.tokens -= wanted;
        Ok(())
    }

    pub(crate) fn forget(&self, tenant: TenantNo) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&tenant);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: TenantNo = TenantNo(1);

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    #[test]
    fn a_second_holds_as_many_as_the_limit_says() {
        let rates = Rates::default();
        let passed = (0..50).filter(|_| rates.take(T, Some(10), 1, at(0)).is_ok()).count();
        assert_eq!(passed, 10);
        let passed = (0..50).filter(|_| rates.take(T, Some(10), 1, at(500)).is_ok()).count();
        assert_eq!(passed, 5);
    }

    #[test]
    fn who_is_refused_is_told_when_to_come_back() {
        let rates = Rates::default();
        assert!(rates.take(T, Some(2), 2, at(0)).is_ok());
        let Err(AppError::TooMany { retry_after }) = rates.take(T, Some(2), 1, at(0)) else {
            panic!("refused")
        };
        assert_eq!(retry_after, Duration::from_millis(500));
        assert!(rates.take(T, Some(2), 1, at(500)).is_ok());
    }

    #[test]
    fn a_batch_larger_than_the_bucket_passes_once_and_is_paid_off() {
        let rates = Rates::default();
        assert!(rates.take(T, Some(10), 30, at(0)).is_ok());
        assert!(rates.take(T, Some(10), 1, at(1_900)).is_err());
        assert!(rates.take(T, Some(10), 1, at(2_100)).is_ok());
    }

    #[test]
    fn no_limit_is_no_limit_and_tenants_do_not_share_theirs() {
        let rates = Rates::default();
        assert!((0..1000).all(|_| rates.take(T, None, 100, at(0)).is_ok()));
        assert!(rates.take(T, Some(1), 1, at(0)).is_ok());
        assert!(rates.take(TenantNo(2), Some(1), 1, at(0)).is_ok());
    }
}
