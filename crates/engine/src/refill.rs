//! Brings into the lanes what only the store holds: retries that are due, what was beyond a lane's bound or held, and what a
//! restart found owed.

use std::sync::Arc;
use std::time::Duration;

use hookyard_store::Store;
use hookyard_store::ledger::Share;

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
        let (term, fetch) = lanes.next_fetch().await;
        match fetch {
            Fetch::Owed { tenant, endpoint, from, room } => {
                let share = share(HELD_MAX / 2, room);
                let answer = store.refill(tenant, endpoint, from, share).await;
                let answer = settled(answer, "what an endpoint is owed").await;
                lanes.refilled(term, endpoint, answer);
            }
            Fetch::Due { tenant, endpoint, until, skip, in_order, room } => {
                let share = share(DUE_MAX, room);
                let answer = match in_order {
                    true => store.due_in_order(tenant, endpoint, until, share, &skip).await,
                    false => store.due(tenant, endpoint, until, share, &skip).await,
                };
                let answer = settled(answer, "what is due of an endpoint").await;
                lanes.claimed(term, endpoint, answer);
            }
        }
    }
}

fn share(deliveries: usize, room: bool) -> Share {
    let deliveries = if room { u32::try_from(deliveries).unwrap_or(u32::MAX) } else { 1 };
    Share { deliveries, bytes: BYTES_MAX }
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
