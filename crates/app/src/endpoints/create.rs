//! Making an endpoint.

use hookyard_domain::endpoint::{Activity, DisabledReason, Endpoint, EndpointNo, EndpointStatus};
use hookyard_domain::limit;
use hookyard_domain::profile::Profile;
use hookyard_domain::retry::Verify;
use hookyard_domain::secret::{SealedSecrets, Secret};
use hookyard_domain::tenant::{Tenant, TenantNo};
use hookyard_rules::{profiles, signing};

use super::input::{Bounds, NewEndpoint, within_limits};
use super::{EndpointMade, names};
use crate::audit::{self, Act};
use crate::checks::Checks;
use crate::powers::Power;
use crate::{App, AppError, Caller, Who};

impl App {
    /// Makes an endpoint. One that must prove itself is challenged at once; if it fails it stays pending.
    pub async fn create_endpoint(
        &self,
        caller: &Caller,
        tenant: &str,
        mut new: NewEndpoint,
    ) -> Result<EndpointMade, AppError> {
        let no = self.tenant_for(caller, tenant, Power::Manage).await?;
        new.scope = caller.own_scope(new.scope)?;
        let snapshot = self.engine().snapshot(no).await?;
        let snapshot = snapshot.ok_or(AppError::NotFound { what: "tenant" })?;
        let tenant = &snapshot.tenant;
        let bounds = Bounds { tenant, egress: &self.0.parts.egress, surface: caller.surface };
        let mut checks = Checks::default();
        let given = new.secret.take().map(Secret::new);
        let off = new.off;
        let checked = new.check(&mut checks, bounds);
        let profile = checked.as_ref().map_or(bounds.profile(), |(it, _)| it.profile);
        let secret = self.secret(&mut checks, profile, given);
        let (settings, headers) = checks.done_with(checked)?;
        within_limits(&settings, tenant)?;
        self.within_portal(caller, no).await?;

        let now = self.now();
        let id = self.fresh_id(now);
        let status = match profiles::verify(&settings) {
            _ if off => EndpointStatus::Disabled,
            Verify::Challenge => EndpointStatus::Pending,
            Verify::None => EndpointStatus::Active,
        };
        let endpoint = Endpoint {
            no: EndpointNo::default(),
            id,
            tenant: no,
            headers: self.seal_headers(id, &headers)?,
            secrets: SealedSecrets {
                current: secret.as_ref().map(|it| self.seal_secret(id, it)),
                previous: None,
            },
            status,
            disabled_reason: off.then_some(DisabledReason::Manual),
            disabled_at: off.then_some(now),
            created_at: now,
            updated_at: now,
            revision: 0,
            settings,
        };
        let subject = id.to_string();
        let act = Act {
            action: "endpoint.created",
            subject: &subject,
            after: Some(audit::endpoint(&endpoint, Some(&names(&headers)))),
            ..Act::default()
        };
        let entry = self.entry(caller, now, act);
        let most = endpoints_max(tenant, profile);
        let endpoint = self.store().create_endpoint(endpoint, most, entry).await?;
        self.engine().config_changed(no).await;
        let endpoint = self.challenged(endpoint).await;
        // Nothing was counted yet, and nothing may fail any more once the secret is made.
        Ok(EndpointMade { details: self.show(endpoint, Activity::default()), secret })
    }

    /// A customer's link makes no more endpoints than a customer needs: those of its tenant are for all of them.
    async fn within_portal(&self, caller: &Caller, no: TenantNo) -> Result<(), AppError> {
        let Who::Portal(powers) = &caller.who else { return Ok(()) };
        let config = self.store().tenant_config(no).await?;
        let all = config.map(|it| it.endpoints).unwrap_or_default();
        let many = all.iter().filter(|it| it.settings.scope == powers.scope).count();
        let limit = limit::ENDPOINTS_BY_PORTAL_MAX;
        if many < usize::try_from(limit).unwrap_or(usize::MAX) {
            return Ok(());
        }
        Err(AppError::LimitReached { what: "endpoints", limit })
    }

    /// The secret to sign with: the caller's own if it will do, else a fresh one.
    pub(super) fn secret(
        &self,
        checks: &mut Checks,
        profile: Profile,
        given: Option<Secret>,
    ) -> Option<Secret> {
        let Some(given) = given else {
            return Some(signing::generate(profile, &self.dice()));
        };
        if given.reveal().is_empty() && !profiles::of(profile).secret_required {
            return None;
        }
        if let Err(bad) = signing::check_secret(profile, given.reveal()) {
            checks.wrong("/secret", "bad_secret", bad.to_string());
        }
        Some(given)
    }

    /// The endpoint after its challenge, if it is pending. What went wrong with the challenge is no error of the request:
    /// the endpoint stays pending and can be asked to verify again.
    pub(super) async fn challenged(&self, endpoint: Endpoint) -> Endpoint {
        if endpoint.status != EndpointStatus::Pending {
            return endpoint;
        }
        match self.engine().verify(endpoint.tenant, endpoint.id).await {
            Ok(verified) => verified.endpoint,
            Err(error) => {
                tracing::warn!(
                    endpoint.id = %endpoint.id,
                    error = &error as &dyn std::error::Error,
                    "an endpoint could not be challenged and stays pending"
                );
                endpoint
            }
        }
    }
}

/// Endpoints that a tenant may have, as it makes one of that profile.
pub(crate) fn endpoints_max(tenant: &Tenant, profile: Profile) -> Option<u32> {
    let own = tenant.limits.endpoints.unwrap_or(limit::ENDPOINTS_DEFAULT);
    Some(profiles::of(profile).endpoints_max.map_or(own, |it| it.min(own)))
}
