//! Periodic duties: each has a period and a `run_once`, is bounded, and may be late without harm.

mod disable;
mod health;
mod hear;
mod jobs;
mod overdue;
mod release;
mod retention;
mod rollup;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::Engine;
use crate::attempt::Disable;

/// Idle connections and lanes' notes.
const SWEEP_EVERY: Duration = Duration::from_secs(5);
/// The store's own work for idle moments.
const TIDY_EVERY: Duration = Duration::from_secs(1);

/// Starts them all; they end with the set.
pub(crate) fn start(
    engine: &Arc<Engine>,
    tasks: &mut JoinSet<()>,
    disables: mpsc::UnboundedReceiver<Disable>,
) {
    tasks.spawn(disable::run(Arc::clone(engine), disables));
    tasks.spawn(release::run(Arc::clone(engine)));
    tasks.spawn(jobs::run(Arc::clone(engine)));
    tasks.spawn(overdue::run(Arc::clone(engine)));
    tasks.spawn(retention::run(Arc::clone(engine)));
    tasks.spawn(crate::nodes::run(Arc::clone(engine)));
    if engine.is_shared() {
        tasks.spawn(health::run(Arc::clone(engine)));
    }
    tasks.spawn(hear::listen(Arc::clone(engine)));
    tasks.spawn(hear::look(Arc::clone(engine)));
    let this = Arc::clone(engine);
    tasks.spawn(async move {
        let mut tick = tokio::time::interval(SWEEP_EVERY);
        loop {
            tick.tick().await;
            this.transport.drop_idle();
            this.lanes.sweep();
            this.reread().await;
            this.tell_again().await;
            this.committer.nudge();
        }
    });
    let this = Arc::clone(engine);
    tasks.spawn(async move {
        let mut tick = tokio::time::interval(TIDY_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            if let Err(error) = this.store.tidy().await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the store could not be tidied"
                );
            }
        }
    });
    let this = Arc::clone(engine);
    tasks.spawn(async move {
        let mut tick = tokio::time::interval(rollup::EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            if let Err(error) = rollup::run_once(&*this.store, this.clock.now()).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "old numbers could not be folded"
                );
            }
        }
    });
}
