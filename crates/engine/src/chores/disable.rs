//! Switches off endpoints whose receiver is gone or does nothing but fail, as soon as an attempt shows it.

use std::sync::Arc;

use hookyard_domain::audit::AuditEntry;
use hookyard_domain::delivery::EndReason;
use hookyard_domain::endpoint::{DisabledReason, EndpointStatus};
use hookyard_domain::id::AuditId;
use hookyard_store::StoreError;
use hookyard_store::endpoints::StatusChange;
use tokio::sync::mpsc;

use super::health;
use crate::Engine;
use crate::attempt::Disable;

/// Does what the attempts ask for, one after the other.
pub(crate) async fn run(engine: Arc<Engine>, mut asked: mpsc::UnboundedReceiver<Disable>) {
    while let Some(mut disable) = asked.recv().await {
        // An error means that the node is stopping: it is switched off all the same.
        let _ = (&mut disable.recorded).await;
        if let Err(error) = run_once(&engine, disable).await {
            // The next failing attempt asks again.
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "an endpoint could not be switched off"
            );
        }
    }
}

async fn run_once(engine: &Engine, disable: Disable) -> Result<(), StoreError> {
    let only_fails = disable.reason == DisabledReason::Failures;
    if only_fails && !health::agrees(engine, disable.tenant, disable.endpoint).await? {
        return Ok(());
    }
    let now = engine.clock.now();
    let change = StatusChange {
        from: Some(EndpointStatus::Active),
        url: Some(disable.url),
        to: EndpointStatus::Disabled,
        reason: Some(disable.reason),
        at: now,
    };
    let mut random = [0; 10];
    engine.chance.fill(&mut random);
    let audit = AuditEntry {
        id: AuditId::new(now, random),
        at: now,
        actor: "hookyard".to_owned(),
        origin: None,
        action: "endpoint.disabled".to_owned(),
        subject: engine.endpoint_id(disable.tenant, disable.endpoint).await?,
        before: Some(r#"{"status":"active"}"#.to_owned()),
        after: Some(format!(
            r#"{{"status":"disabled","disabled_reason":"{}"}}"#,
            disable.reason.as_str()
        )),
    };
    let changed =
        engine.store.set_endpoint_status(disable.tenant, disable.endpoint, change, audit).await?;
    let Some(endpoint) = changed else { return Ok(()) };
    engine.config_changed(disable.tenant).await;
    engine
        .store
        .discard_waiting(disable.tenant, disable.endpoint, EndReason::EndpointDisabled, now)
        .await?;
    engine.metrics.disabled.increment(1);
    tracing::warn!(
        endpoint.id = %endpoint.id,
        reason = disable.reason.as_str(),
        "an endpoint was switched off"
    );
    Ok(())
}
