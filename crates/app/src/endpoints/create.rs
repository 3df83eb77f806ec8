//! Making an endpoint.

use std::collections::BTreeSet;

use hookyard_domain::endpoint::{Activity, DisabledReason, Endpoint, EndpointNo, EndpointStatus};
use hookyard_domain::event_type::EventType;
use hookyard_domain::limit::{self, PAGE_MAX};
use hookyard_domain::page::PageRequest;
use hookyard_domain::profile::Profile;
use hookyard_domain::retry::Verify;
use hookyard_domain::secret::{SealedSecrets, Secret};
use hookyard_domain::subscription::Pattern;
use hookyard_domain::tenant::{Tenant, TenantNo};
use hookyard_rules::{profiles, signing};
use hookyard_store::StoreError;

use super::input::{Bounds, NewEndpoint, within_limits};
use super::{EndpointMade, names};
use crate::audit::{self, Act};
use crate::checks::Checks;
use crate::powers::Power;
use crate::{App, AppError, Caller, Who, catalogue};

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
        let own_types = self.own_types(no, caller.surface, Some(&new.events)).await?;
        let (egress, surface) = (&self.0.parts.egress, caller.surface);
        let bounds = Bounds { tenant, egress, surface, own_types: &own_types };
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
        let room = self.room(tenant, profile).await?;
        let made = self.store().create_endpoint(endpoint, room.most(), entry).await;
        let endpoint = made.map_err(|error| room.told(error))?;
        self.engine().config_changed(no).await;
        let endpoint = self.challenged(caller, endpoint).await;
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
    pub(super) async fn challenged(&self, caller: &Caller, endpoint: Endpoint) -> Endpoint {
        if endpoint.status != EndpointStatus::Pending {
            return endpoint;
        }
        match self.engine().verify(endpoint.tenant, endpoint.id).await {
            Ok(verified) if verified.passed => verified.endpoint,
            Ok(verified) => self.unproved(caller, verified.endpoint).await,
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

/// How many endpoints a tenant may have.
pub(super) struct Room {
    /// Of all profiles together.
    of_tenant: Option<u32>,
    /// Of the profile in question.
    of_profile: Option<u32>,
    /// There are of other profiles.
    others: u32,
}

impl Room {
    /// Endpoints that may be there before one more is made.
    fn most(&self) -> Option<u32> {
        let with_others = self.of_profile.map(|it| it.saturating_add(self.others));
        [self.of_tenant, with_others].into_iter().flatten().min()
    }

    /// A refusal of the store, which counts the others too, with the limit that is meant.
    fn told(&self, error: StoreError) -> AppError {
        if let (StoreError::Full { what, limit }, Some(most)) = (&error, self.of_profile)
            && self.of_tenant != Some(*limit)
        {
            return AppError::LimitReached { what, limit: most };
        }
        error.into()
    }
}

impl App {
    /// How many endpoints a tenant may have, as it makes one of that profile.
    async fn room(&self, tenant: &Tenant, profile: Profile) -> Result<Room, AppError> {
        let of_tenant = Some(tenant.limits.endpoints.unwrap_or(limit::ENDPOINTS_DEFAULT));
        let of_profile = profiles::of(profile).endpoints_max;
        let mut room = Room { of_tenant, of_profile, others: 0 };
        if of_profile.is_some() {
            let config = self.store().tenant_config(tenant.no).await?;
            let all = config.map(|it| it.endpoints).unwrap_or_default();
            let others = all.iter().filter(|it| it.settings.profile != profile).count();
            room.others = u32::try_from(others).unwrap_or(u32::MAX);
        }
        Ok(room)
    }

    /// The tenant's own event types, where the catalogue of a surface may not have all of those; `None`: some that are not
    /// known here.
    pub(super) async fn own_types(
        &self,
        no: TenantNo,
        surface: Option<Profile>,
        wanted: Option<&[String]>,
    ) -> Result<BTreeSet<EventType>, AppError> {
        let mut own = BTreeSet::new();
        let Some(vendor) = surface else { return Ok(own) };
        let offered = |text: &String| {
            let pattern = text.parse::<Pattern>();
            pattern.is_ok_and(|it| catalogue::offers(vendor, &BTreeSet::new(), &it))
        };
        if wanted.is_some_and(|them| them.iter().all(offered)) {
            return Ok(own);
        }
        let mut request = PageRequest::first(PAGE_MAX);
        loop {
            let page = self.store().event_types(no, request.clone()).await?;
            own.extend(page.rows.into_iter().map(|it| it.name));
            if page.next.is_none() {
                return Ok(own);
            }
            request.cursor = page.next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_s_limit_counts_its_own_and_a_tenant_s_counts_all() {
        let room = |of_tenant, of_profile, others| Room { of_tenant, of_profile, others };
        assert_eq!(room(None, None, 7).most(), None);
        assert_eq!(room(None, Some(50), 7).most(), Some(57));
        assert_eq!(room(Some(52), Some(50), 7).most(), Some(52));
        assert_eq!(room(Some(100), Some(50), 0).most(), Some(50));
        let full = |limit| StoreError::Full { what: "endpoints", limit };
        let told = |room: Room, limit| room.told(full(limit)).to_string();
        assert_eq!(told(room(None, Some(50), 7), 57), "the limit of 50 endpoints is reached");
        assert_eq!(told(room(Some(52), Some(50), 7), 52), "the limit of 52 endpoints is reached");
    }
}
