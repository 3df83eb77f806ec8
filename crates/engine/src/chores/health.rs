//! Endpoints that only fail, when several nodes try them: what one node has counted says little, so what all have counted is
//! looked at, before an endpoint is switched off and every now and then while it fails.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hookyard_domain::endpoint::{Activity, DisabledReason, EndpointNo};
use hookyard_domain::tenant::TenantNo;
use hookyard_rules::health;
use hookyard_store::StoreError;
use tokio::sync::oneshot;

use crate::Engine;
use crate::attempt::Disable;
use crate::snapshot::Prepared;

/// How long failures that are spread over nodes go unseen.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Runs for ever.
pub(crate) async fn run(engine: Arc<Engine>) {
    let mut tick = tokio::time::interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Err(error) = look(&engine).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "what other nodes count of failing endpoints cannot be read"
            );
        }
    }
}

async fn look(engine: &Engine) -> Result<(), StoreError> {
    let mut by_tenant: BTreeMap<TenantNo, Vec<Arc<Prepared>>> = BTreeMap::new();
    for (tenant, prepared) in engine.lanes.failing() {
        by_tenant.entry(tenant).or_default().push(prepared);
    }
    for (tenant, all) in by_tenant {
        for prepared in all {
            if is_hopeless(engine, tenant, &prepared).await? {
                // Nothing is waited for: what asks for it is on disk.
                let (_, recorded) = oneshot::channel();
                let (endpoint, url) =
                    (prepared.endpoint.no, prepared.endpoint.settings.url.clone());
                let reason = DisabledReason::Failures;
                // The receiving end lives as long as the engine.
                let _ =
                    engine.tools.disable.send(Disable { tenant, endpoint, url, reason, recorded });
            }
        }
    }
    Ok(())
}

/// Whether all nodes together say that the endpoint is to be switched off. What this node counted before another one had a
/// success is forgotten.
async fn is_hopeless(
    engine: &Engine,
    tenant: TenantNo,
    prepared: &Prepared,
) -> Result<bool, StoreError> {
    let endpoint = prepared.endpoint.no;
    let counted = counted(engine, tenant, endpoint).await?;
    engine.lanes.rebase(endpoint, counted);
    Ok(health::is_hopeless(&counted, prepared.auto_disable, engine.clock.now()))
}

async fn counted(
    engine: &Engine,
    tenant: TenantNo,
    endpoint: EndpointNo,
) -> Result<Activity, StoreError> {
    let counted = engine.store.activity(tenant, &[endpoint]).await?;
    Ok(counted.first().copied().unwrap_or_default())
}

/// Whether an endpoint that this node wants to switch off since it only fails is to be, by what all have counted.
pub(crate) async fn agrees(
    engine: &Engine,
    tenant: TenantNo,
    endpoint: EndpointNo,
) -> Result<bool, StoreError> {
    if !engine.is_shared() {
        return Ok(true);
    }
    let snapshot = engine.snapshot(tenant).await?;
    let found = snapshot
        .and_then(|it| it.endpoints.iter().find(|it| it.endpoint.no == endpoint).map(Arc::clone));
    match found {
        Some(prepared) => is_hopeless(engine, tenant, &prepared).await,
        None => Ok(false),
    }
}
