//! Switching an endpoint on and off, holding it and letting it go.

use hookyard_domain::delivery::EndReason;
use hookyard_domain::endpoint::{DisabledReason, Endpoint, EndpointStatus};
use hookyard_domain::id::EndpointId;
use hookyard_domain::retry::Verify;
use hookyard_rules::profiles;

use super::EndpointDetails;
use super::change::Change;
use crate::checks::path_id;
use crate::powers::Power;
use crate::{App, AppError, Caller};

impl App {
    /// Switches an endpoint on. One that must prove itself is challenged, and pending until it passes.
    pub async fn enable_endpoint(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
    ) -> Result<EndpointDetails, AppError> {
        let endpoint = self
            .switch(caller, tenant, id, "endpoint.enabled", |old| {
                Ok(match (old.status, profiles::verify(&old.settings)) {
                    (EndpointStatus::Active | EndpointStatus::Paused, _) => old.status,
                    (_, Verify::Challenge) => EndpointStatus::Pending,
                    (_, Verify::None) => EndpointStatus::Active,
                })
            })
            .await?;
        let endpoint = self.challenged(caller, endpoint).await;
        self.details(endpoint).await
    }

    /// Switches an endpoint off: what it is owed is discarded, and listed with the reason.
    pub async fn disable_endpoint(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
    ) -> Result<EndpointDetails, AppError> {
        let endpoint = self
            .switch(caller, tenant, id, "endpoint.disabled", |_| Ok(EndpointStatus::Disabled))
            .await?;
        self.discard(&endpoint, EndReason::EndpointDisabled, self.now()).await;
        self.details(endpoint).await
    }

    /// Holds an endpoint: what it is owed waits until it is resumed.
    pub async fn pause_endpoint(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
    ) -> Result<EndpointDetails, AppError> {
        let endpoint = self
            .switch(caller, tenant, id, "endpoint.paused", |old| match old.status {
                EndpointStatus::Active | EndpointStatus::Paused => Ok(EndpointStatus::Paused),
                EndpointStatus::Pending | EndpointStatus::Disabled => Err(off(old)),
            })
            .await?;
        self.details(endpoint).await
    }

    /// Lets a held endpoint go: what it is owed is sent in order. One that must prove itself is challenged first, since
    /// its URL may have been changed while it was held.
    pub async fn resume_endpoint(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
    ) -> Result<EndpointDetails, AppError> {
        let endpoint = self
            .switch(caller, tenant, id, "endpoint.resumed", |old| {
                match (old.status, profiles::verify(&old.settings)) {
                    (EndpointStatus::Paused, Verify::Challenge) => Ok(EndpointStatus::Pending),
                    (EndpointStatus::Active | EndpointStatus::Paused, _) => {
                        Ok(EndpointStatus::Active)
                    }
                    (EndpointStatus::Pending | EndpointStatus::Disabled, _) => Err(off(old)),
                }
            })
            .await?;
        let endpoint = self.challenged(caller, endpoint).await;
        self.details(endpoint).await
    }

    async fn switch(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
        action: &'static str,
        to: impl Fn(&Endpoint) -> Result<EndpointStatus, AppError> + Send + Sync,
    ) -> Result<Endpoint, AppError> {
        let no = self.tenant_for(caller, tenant, Power::Manage).await?;
        let id: EndpointId = path_id(id, "endpoint")?;
        let change = Change { caller, tenant: no, id, action };
        self.change(change, |old, now| {
            let mut new = old.clone();
            new.status = to(old)?;
            if new.status == EndpointStatus::Disabled {
                // One that is off already keeps why and since when.
                let kept = old.disabled_reason.filter(|_| old.status == EndpointStatus::Disabled);
                new.disabled_reason = kept.or(Some(DisabledReason::Manual));
                new.disabled_at = old.disabled_at.or(Some(now));
            } else {
                new.disabled_reason = None;
                new.disabled_at = None;
            }
            Ok(new)
        })
        .await
    }
}

/// An endpoint that is off cannot do what was asked.
pub(crate) fn off(endpoint: &Endpoint) -> AppError {
    match endpoint.status {
        EndpointStatus::Pending => AppError::conflict(
            "endpoint_pending",
            "the endpoint has not passed its challenge yet; verify it first",
        ),
        EndpointStatus::Active | EndpointStatus::Paused | EndpointStatus::Disabled => {
            AppError::conflict("endpoint_disabled", "the endpoint is disabled; enable it first")
        }
    }
}
