//! Changing an endpoint and taking it away.

use std::collections::BTreeSet;

use hookyard_domain::delivery::EndReason;
use hookyard_domain::endpoint::{DisabledReason, Endpoint, EndpointSettings, EndpointStatus};
use hookyard_domain::id::EndpointId;
use hookyard_domain::profile::Profile;
use hookyard_domain::retry::Verify;
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_rules::{profiles, signing};
use hookyard_store::StoreError;

use super::input::{Bounds, EndpointPatch, within_limits};
use super::{EndpointDetails, NONE};
use crate::audit::{self, Act};
use crate::checks::{Checks, path_id};
use crate::powers::Power;
use crate::{App, AppError, Caller};

/// How often a change is made anew when the endpoint was changed by somebody else in between.
const TRIES: usize = 5;

/// One change of an endpoint, whichever it is.
pub(super) struct Change<'a> {
    pub(super) caller: &'a Caller,
    pub(super) tenant: TenantNo,
    pub(super) id: EndpointId,
    pub(super) action: &'static str,
}

impl App {
    /// Changes an endpoint. A new URL must prove itself where the profile or the endpoint asks for that.
    pub async fn update_endpoint(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
        mut patch: EndpointPatch,
    ) -> Result<EndpointDetails, AppError> {
        let no = self.tenant_for(caller, tenant, Power::Manage).await?;
        if let Some(scope) = patch.scope.take() {
            patch.scope = Some(caller.own_scope(scope)?);
        }
        let id: EndpointId = path_id(id, "endpoint")?;
        let snapshot = self.engine().snapshot(no).await?;
        let snapshot = snapshot.ok_or(AppError::NotFound { what: "tenant" })?;
        let egress = &self.0.parts.egress;
        let (tenant, surface) = (&snapshot.tenant, caller.surface);
        let own_types = match (&patch.events, &patch.profile) {
            (None, None) => BTreeSet::new(),
            (events, _) => self.own_types(no, surface, events.as_deref()).await?,
        };
        let bounds = Bounds { tenant, egress, surface, own_types: &own_types };
        let all = match &patch.profile {
            Some(_) => self.store().tenant_config(no).await?.map_or(Vec::new(), |it| it.endpoints),
            None => Vec::new(),
        };
        let change = Change { caller, tenant: no, id, action: "endpoint.updated" };
        let changed = self.change(change, |old, _| {
            unchanged_since(old, patch.if_revision.as_deref())?;
            let new = self.patched(bounds, old, patch.clone())?;
            if new.settings.profile != old.settings.profile {
                within_profile(new.settings.profile, &all)?;
            }
            Ok(new)
        });
        let endpoint = changed.await?;
        let endpoint = self.challenged(caller, endpoint).await;
        self.details(endpoint).await
    }

    fn patched(
        &self,
        bounds: Bounds<'_>,
        old: &Endpoint,
        patch: EndpointPatch,
    ) -> Result<Endpoint, AppError> {
        let mut checks = Checks::default();
        // Those that cannot be opened stay as they are, or are replaced as a whole.
        let old_headers = self.readable_headers(old);
        let are_replaced = patch.headers.is_some();
        let (settings, headers) = patch.check(
            &mut checks,
            bounds,
            old.settings.clone(),
            old_headers.clone().unwrap_or_default(),
        );
        if settings.profile != old.settings.profile {
            self.check_profile(&mut checks, old, &settings)?;
        }
        checks.done()?;
        // What a limit says that was lowered since, is no matter of a change of something else.
        if settings.events != old.settings.events || settings.profile != old.settings.profile {
            within_limits(&settings, bounds.tenant)?;
        }
        let mut new = old.clone();
        if are_replaced && old_headers.as_ref() != Some(&headers) {
            new.headers = self.seal_headers(old.id, &headers)?;
        }
        new.status = status_after(old, &settings);
        if new.status != EndpointStatus::Disabled && new.status != old.status {
            // Whatever came of an earlier challenge is over: another is to come, or none is asked for.
            new.disabled_reason = None;
        }
        new.settings = settings;
        Ok(new)
    }

    /// Another profile signs in another way: the secret that is kept must do for it.
    fn check_profile(
        &self,
        checks: &mut Checks,
        old: &Endpoint,
        settings: &EndpointSettings,
    ) -> Result<(), AppError> {
        let profile = settings.profile;
        let good = match &old.secrets.current {
            None => !profiles::of(profile).secret_required,
            Some(sealed) => {
                let secret = self.open_secret(old.id, sealed)?;
                signing::check_secret(profile, secret.reveal()).is_ok()
            }
        };
        if !good {
            let message = "the endpoint's secret does not suit this profile; make a new endpoint";
            checks.wrong("/profile", "secret_mismatch", message);
        }
        Ok(())
    }

    /// Takes an endpoint away. Its deliveries stay listed; what it was still owed is discarded.
    pub async fn delete_endpoint(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
    ) -> Result<(), AppError> {
        self.delete_endpoint_if(caller, tenant, id, None).await
    }

    /// The same, if its revision is one of these.
    pub async fn delete_endpoint_if(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
        revisions: Option<&[u64]>,
    ) -> Result<(), AppError> {
        let no = self.tenant_for(caller, tenant, Power::Manage).await?;
        let old = self.managed_endpoint(caller, no, path_id(id, "endpoint")?).await?;
        unchanged_since(&old, revisions)?;
        let now = self.now();
        let act = Act {
            action: "endpoint.deleted",
            subject: id,
            before: Some(audit::endpoint(&old, self.header_names(&old).as_deref())),
            ..Act::default()
        };
        let entry = self.entry(caller, now, act);
        if !self.store().delete_endpoint(no, old.id, entry).await? {
            return Err(NONE);
        }
        self.engine().config_changed(no).await;
        self.discard(&old, EndReason::EndpointDeleted, now).await;
        Ok(())
    }

    /// Discards what waits for a retry of an endpoint that went off. The endpoint is off already: if this fails, the
    /// lane discards each of them when it comes due.
    pub(crate) async fn discard(&self, endpoint: &Endpoint, reason: EndReason, now: Timestamp) {
        let discarded =
            self.store().discard_waiting(endpoint.tenant, endpoint.no, reason, now).await;
        if let Err(error) = discarded {
            tracing::warn!(
                endpoint.id = %endpoint.id,
                error = &error as &dyn std::error::Error,
                "waiting deliveries of an endpoint that is off could not be discarded at once"
            );
        }
    }

    /// Keeps that a pending endpoint did not pass its challenge (vendors.md ALV-VER-5): it stays pending, and says why.
    pub(super) async fn unproved(&self, caller: &Caller, endpoint: Endpoint) -> Endpoint {
        let (tenant, id) = (endpoint.tenant, endpoint.id);
        let change = Change { caller, tenant, id, action: "endpoint.verification_failed" };
        let noted = self.change(change, |old, _| {
            let mut new = old.clone();
            // Nobody else's change is overwritten, and what another URL did says nothing of this one.
            if old.status == EndpointStatus::Pending && old.settings.url == endpoint.settings.url {
                new.disabled_reason = Some(DisabledReason::VerificationFailed);
            }
            Ok(new)
        });
        match noted.await {
            Ok(noted) => noted,
            Err(error) => {
                tracing::warn!(
                    endpoint.id = %id,
                    error = &error as &dyn std::error::Error,
                    "it could not be noted that an endpoint did not pass its challenge"
                );
                endpoint
            }
        }
    }

    /// Reads an endpoint, changes it and writes it back, again if somebody else was in between. A change that changes
    /// nothing is not written.
    pub(super) async fn change(
        &self,
        change: Change<'_>,
        apply: impl Fn(&Endpoint, Timestamp) -> Result<Endpoint, AppError> + Send + Sync,
    ) -> Result<Endpoint, AppError> {
        let mut tries = 0;
        loop {
            let old = self.managed_endpoint(change.caller, change.tenant, change.id).await?;
            let now = self.now();
            let mut new = apply(&old, now)?;
            if new == old {
                return Ok(old);
            }
            new.updated_at = now;
            let subject = change.id.to_string();
            let shown = |it: &Endpoint| Some(audit::endpoint(it, self.header_names(it).as_deref()));
            let act = Act {
                action: change.action,
                subject: &subject,
                before: shown(&old),
                after: shown(&new),
            };
            let entry = self.entry(change.caller, now, act);
            match self.store().update_endpoint(new, entry).await {
                Ok(Some(endpoint)) => {
                    self.engine().config_changed(change.tenant).await;
                    return Ok(endpoint);
                }
                Ok(None) => return Err(NONE),
                Err(StoreError::Conflict { .. }) if tries < TRIES => tries += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Refuses a profile that does not allow its tenant one more endpoint.
fn within_profile(profile: Profile, all: &[Endpoint]) -> Result<(), AppError> {
    let its_own = all.iter().filter(|it| it.settings.profile == profile).count();
    match profiles::of(profile).endpoints_max {
        Some(limit) if its_own >= usize::try_from(limit).unwrap_or(usize::MAX) => {
            Err(AppError::LimitReached { what: "endpoints", limit })
        }
        _ => Ok(()),
    }
}

/// Refuses a change that was decided on by looking at another revision.
fn unchanged_since(endpoint: &Endpoint, revisions: Option<&[u64]>) -> Result<(), AppError> {
    if revisions.is_none_or(|them| them.contains(&endpoint.revision)) {
        return Ok(());
    }
    let message = "the endpoint is not what it was any more; read it again";
    Err(AppError::conflict("revision_mismatch", message))
}

/// A URL that has not proved itself, where it must, gets nothing until it has (vendors.md ALV-VER-7): a held endpoint
/// stays held, and proves itself when it is resumed. Where it need not any more, it need not wait.
fn status_after(old: &Endpoint, settings: &EndpointSettings) -> EndpointStatus {
    let asked = profiles::verify(&old.settings);
    let asks = profiles::verify(settings);
    let unproved = old.settings.url != settings.url || asked == Verify::None;
    match (old.status, asks) {
        (EndpointStatus::Active, Verify::Challenge) if unproved => EndpointStatus::Pending,
        (EndpointStatus::Pending, Verify::None) => EndpointStatus::Active,
        (status, _) => status,
    }
}
