//! Release: what a paused source received is passed on once the source is active again.
//!
//! Each event is matched against the configuration of that moment and gets its deliveries in one fact of the store, which
//! takes it from the held ones too: exactly once, however often it is tried and on however many nodes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::event::Event;
use hookyard_domain::tenant::TenantNo;
use hookyard_store::StoreError;

use crate::telling::Cause;
use crate::{Engine, EngineError};

/// Events taken at once.
const BITE: u32 = 64;
/// How long a change that nobody told of stays unseen: another node's, or one before the last stop.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Runs for ever.
pub(crate) async fn run(engine: Arc<Engine>) {
    loop {
        if let Err(error) = run_once(&engine).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "held events could not be released"
            );
        }
        // Either way it looks again.
        let _ = tokio::time::timeout(LOOK_EVERY, engine.changed.notified()).await;
    }
}

/// Releases what is to be released now. One event that cannot be does not keep the others back.
async fn run_once(engine: &Engine) -> Result<(), EngineError> {
    loop {
        let held = engine.store.held(BITE).await?;
        let mut moved = false;
        let mut failed = None;
        let mut lanes = BTreeSet::new();
        for event in &held {
            match release(engine, event, &mut lanes).await {
                Ok(released) => moved |= released,
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        // Whatever happened: their deliveries are due in the store, and their lanes are to know.
        for (tenant, endpoint) in lanes {
            engine.tell(tenant, endpoint, Cause::Released).await;
        }
        // What was accepted while the last of them were released is looked for once more.
        let more = moved || (held.is_empty() && engine.releasing.end());
        match failed {
            Some(error) => return Err(error),
            None if more => {}
            None => return Ok(()),
        }
    }
}

/// Releases one event; false when that has to wait for a newer configuration.
async fn release(
    engine: &Engine,
    event: &Event,
    lanes: &mut BTreeSet<(TenantNo, EndpointNo)>,
) -> Result<bool, EngineError> {
    let tenant = event.tenant;
    let Some(snapshot) = engine.snapshot(tenant).await? else { return Ok(false) };
    let Some(route) = snapshot.route(&event.content).filter(|it| !it.held) else {
        // The store knows more than this node does yet.
        engine.reload_after(tenant, Some(snapshot.version)).await?;
        return Ok(false);
    };
    let now = engine.clock.now();
    let version = snapshot.version;
    let released = engine.store.release(tenant, event.id, version, &route.targets, now).await;
    // Where it is not known whether it was released, it may have been.
    if matches!(released, Ok(Some(_)) | Err(StoreError::Unavailable(_))) {
        let sent = route.targets.iter().filter(|it| it.discarded.is_none());
        lanes.extend(sent.map(|it| (tenant, it.endpoint)));
    }
    match released {
        Ok(_) => Ok(true),
        Err(StoreError::Conflict { .. }) => {
            engine.reload_after(tenant, Some(version)).await?;
            Ok(true)
        }
        Err(error) => Err(error.into()),
    }
}
