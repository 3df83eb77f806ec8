//! Overdue: finds what is due and waits for a lane that was never told, since an answer of the store was lost at the wrong
//! moment. A lane that is at it already asks the store once more than it had to.

use std::sync::Arc;
use std::time::Duration;

use hookyard_store::StoreError;
use tokio::time::{MissedTickBehavior, interval};

use crate::Engine;

/// How long such a delivery waits at most, beyond [`LATE`].
const EVERY: Duration = Duration::from_secs(15);
/// What is due for less long is about to be told of.
const LATE: Duration = Duration::from_secs(15);
/// Endpoints looked at in one go, which costs the database about a quarter of a second, and the pause before the next ones.
const PAGE: u32 = 1000;
const PAUSE: Duration = Duration::from_secs(5);

/// Runs for ever.
pub(crate) async fn run(engine: Arc<Engine>) {
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Err(error) = run_once(&engine).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "what is overdue cannot be looked for at the moment"
            );
        }
    }
}

/// One look at all that waits for this node.
async fn run_once(engine: &Engine) -> Result<(), StoreError> {
    let before = engine.clock.now().minus(LATE);
    let mut after = None;
    let mut failed = None;
    // While it is not back nothing is this node's.
    while !engine.committer.is_suspended() {
        let page = engine.store.overdue(before, after, PAGE).await?;
        for (tenant, endpoint) in page.lanes {
            if let Err(error) = engine.given(tenant, endpoint).await {
                failed = failed.or(Some(error));
            }
        }
        after = page.next;
        if after.is_none() {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    failed.map_or(Ok(()), Err)
}
