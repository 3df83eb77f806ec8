//! Brings into the lanes what only the store holds: retries that are due, what was beyond a lane's bound or held, and what a
//! restart found owed.

use std::sync::Arc;
use std::time::Duration;

use hookyard_store::Store;

use crate::lane::{DUE_MAX, HELD_MAX};
use crate::lanes::{Fetch, Lanes};

/// Fetches at the same time, so that one slow answer does not hold up every lane.
pub(crate) const TASKS: usize = 2;
/// Bytes of payload that one refill brings, about.
const BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Pause after the store could not be reached.
const PAUSE: Duration = Duration::from_millis(500);

/// The life of one refill task.
pub(crate) async fn run(store: Arc<dyn Store>, lanes: Arc<Lanes>) {
    loop {
        match lanes.next_fetch().await {
            Fetch::Owed { tenant, endpoint, from } => {
                let limit = u32::try_from(HELD_MAX / 2).unwrap_or(u32::MAX);
                let answer = store.refill(tenant, endpoint, from, limit, BYTES_MAX).await;
                let answer = settled(answer, "what an endpoint is owed").await;
                lanes.refilled(endpoint, answer);
            }
            Fetch::Due { tenant, endpoint, until, skip } => {
                let limit = u32::try_from(DUE_MAX).unwrap_or(u32::MAX);
                let answer = store.due(tenant, endpoint, until, limit, &skip).await;
                let answer = settled(answer, "what is due of an endpoint").await;
                lanes.claimed(endpoint, answer);
            }
        }
    }
}

async fn settled<T>(answer: Result<T, hookyard_store::StoreError>, what: &str) -> Option<T> {
    match answer {
        Ok(answer) => Some(answer),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                what,
                "the store could not be read"
            );
            tokio::time::sleep(PAUSE).await;
            None
        }
    }
}
