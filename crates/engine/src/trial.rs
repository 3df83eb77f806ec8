//! What an endpoint's owner sets off by hand: a test request, and the challenge.

use hookyard_domain::attempt::{Attempt, Trigger};
use hookyard_domain::audit::AuditEntry;
use hookyard_domain::delivery::{EndReason, Next};
use hookyard_domain::endpoint::{Endpoint, EndpointStatus};
use hookyard_domain::event::{Event, EventContent};
use hookyard_domain::id::{AuditId, DeliveryId, EndpointId, EventId, TargetNo};
use hookyard_domain::tenant::TenantNo;
use hookyard_store::StoreError;
use hookyard_store::endpoints::StatusChange;
use hookyard_store::ledger::Record;
use std::sync::Arc;

use crate::attempt::attempt;
use crate::handshake::challenge;
use crate::lane::Job;
use crate::snapshot::Prepared;
use crate::{Engine, EngineError};

/// A test request as it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tested {
    /// The event made for it.
    pub event: EventId,
    /// Its only delivery.
    pub delivery: DeliveryId,
    /// Its only attempt.
    pub attempt: Attempt,
}

/// A challenge as it went.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    /// The endpoint echoed it.
    pub passed: bool,
    /// Why not.
    pub reason: Option<String>,
    /// What it answered.
    pub status_code: Option<u16>,
    /// The endpoint as it is after.
    pub endpoint: Endpoint,
}

impl Engine {
    /// Sends one signed request to an endpoint, in whatever state it is; recorded, never tried again.
    ///
    /// # Errors
    /// When there is no such endpoint, or the store cannot be read or written.
    pub async fn test(
        &self,
        tenant: TenantNo,
        endpoint: EndpointId,
        content: EventContent,
    ) -> Result<Tested, EngineError> {
        let prepared = self.prepared(tenant, endpoint).await?;
        let no = prepared.endpoint.no;
        let term = self.lanes.term();
        let id =
            self.accept_for(tenant, no, content.clone()).await?.ok_or(EngineError::NoEndpoint)?;
        let event = Arc::new(Event { id, tenant, accepted_at: self.clock.now(), content });
        let delivery = id.delivery(TargetNo(0));
        let job = Job { event, delivery, attempts: 0, trigger: Trigger::Test, series: None };
        let tried = attempt(&self.tools, &prepared, &job).await;
        let succeeded = tried.attempt.status_code.is_some_and(|it| (200..300).contains(&it));
        self.lanes.began();
        let record = Record {
            tenant,
            endpoint: no,
            delivery,
            attempt: Some(tried.attempt.clone()),
            next: if succeeded { Next::Succeeded } else { Next::Failed(EndReason::Exhausted) },
            at: self.clock.now(),
        };
        match self.committer.record_at_once(term, record) {
            // Either way it will be written.
            Some(written) => drop(written.await),
            // Whoever took it over sends it again.
            None => self.lanes.unrecorded(1),
        }
        Ok(Tested { event: id, delivery, attempt: tried.attempt })
    }

    /// Challenges an endpoint; one that was waiting for it, or off, becomes active when it passes.
    ///
    /// # Errors
    /// When there is no such endpoint, or the store cannot be read or written.
    pub async fn verify(
        &self,
        tenant: TenantNo,
        endpoint: EndpointId,
    ) -> Result<Verified, EngineError> {
        let prepared = self.prepared(tenant, endpoint).await?;
        let challenged = challenge(&self.transport, &prepared, &*self.chance).await;
        if challenged.passed {
            self.activate(tenant, &prepared).await?;
        }
        let endpoint =
            self.store.endpoint(tenant, endpoint).await?.ok_or(EngineError::NoEndpoint)?;
        Ok(Verified {
            passed: challenged.passed,
            reason: challenged.reason,
            status_code: challenged.status_code,
            endpoint,
        })
    }

    async fn activate(&self, tenant: TenantNo, prepared: &Prepared) -> Result<(), StoreError> {
        let before = prepared.endpoint.status;
        if matches!(before, EndpointStatus::Active | EndpointStatus::Paused) {
            return Ok(());
        }
        let now = self.clock.now();
        let change = StatusChange {
            from: Some(before),
            url: Some(prepared.endpoint.settings.url.clone()),
            to: EndpointStatus::Active,
            reason: None,
            at: now,
        };
        let mut random = [0; 10];
        self.chance.fill(&mut random);
        let audit = AuditEntry {
            id: AuditId::new(now, random),
            at: now,
            actor: "hookyard".to_owned(),
            origin: None,
            action: "endpoint.verified".to_owned(),
            subject: prepared.endpoint.id.to_string(),
            before: Some(format!(r#"{{"status":"{}"}}"#, before.as_str())),
            after: Some(r#"{"status":"active"}"#.to_owned()),
        };
        self.store.set_endpoint_status(tenant, prepared.endpoint.no, change, audit).await?;
        self.config_changed(tenant).await;
        Ok(())
    }

    async fn prepared(
        &self,
        tenant: TenantNo,
        endpoint: EndpointId,
    ) -> Result<Arc<Prepared>, EngineError> {
        let snapshot = self.snapshot(tenant).await?;
        snapshot
            .and_then(|it| it.endpoints.iter().find(|it| it.endpoint.id == endpoint).cloned())
            .ok_or(EngineError::NoEndpoint)
    }
}
