//! Endpoints: outbound subscriptions, looked at here; made, changed and proved in the files beside.

mod change;
mod create;
pub mod input;
pub mod probe;
pub mod secrets;
mod states;

use std::error::Error;

use hookyard_domain::endpoint::{Activity, Endpoint, EndpointSettings};
use hookyard_domain::headers::Headers;
use hookyard_domain::id::EndpointId;
use hookyard_domain::key::KeyScope;
use hookyard_domain::limit;
use hookyard_domain::page::{Page, PageRequest};
use hookyard_domain::retry::{AutoDisable, RateLimit, RetryPolicy, Verify};
use hookyard_domain::scheme::Scheme;
use hookyard_domain::secret::{Sealed, Secret};
use hookyard_domain::subscription::Scope;
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_rules::{profiles, redact, signing};

pub(crate) use states::off;

use crate::checks::{Checks, path_id};
use crate::pages::PageQuery;
use crate::powers::Power;
use crate::{App, AppError, Caller};

const NONE: AppError = AppError::NotFound { what: "endpoint" };

/// What stands in the place of a header's value that may be a credential.
pub const MASKED: &str = redact::REDACTED;

/// An endpoint as it is shown.
#[derive(Clone, Debug)]
pub struct EndpointDetails {
    /// What is kept of it.
    pub endpoint: Endpoint,
    /// What is counted of it.
    pub activity: Activity,
    /// Its custom headers; values that may be credentials read [`MASKED`]. `None` when they cannot be opened.
    pub headers: Option<Headers>,
    /// What is in force, its own or its profile's.
    pub policy: Policy,
    /// Until when the secret before the last rotation signs too.
    pub overlap_until: Option<Timestamp>,
    /// What its receiver checks signatures with, where that is no secret: the secret in force is a `whsk_` one.
    pub public_key: Option<String>,
}

/// What is in force for an endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// When to try again.
    pub retry: RetryPolicy,
    /// Seconds one attempt may take.
    pub timeout_s: u32,
    /// How fast it may be called.
    pub rate_limit: Option<RateLimit>,
    /// Attempts at once.
    pub max_in_flight: u32,
    /// When it is switched off by itself.
    pub auto_disable: AutoDisable,
    /// Whether it must prove itself.
    pub verify: Verify,
}

/// An endpoint with the one chance to see its secret: at creation and rotation.
#[derive(Clone, Debug)]
pub struct EndpointMade {
    /// The endpoint.
    pub details: EndpointDetails,
    /// Its secret; `None` where the profile allows none and none was given.
    pub secret: Option<Secret>,
}

impl Policy {
    fn of(settings: &EndpointSettings) -> Self {
        Self {
            retry: profiles::retry_policy(settings),
            timeout_s: u32::try_from(profiles::timeout(settings).as_secs()).unwrap_or(u32::MAX),
            rate_limit: settings.rate_limit,
            max_in_flight: settings.max_in_flight.unwrap_or(limit::IN_FLIGHT_PER_ENDPOINT_DEFAULT),
            auto_disable: profiles::auto_disable(settings),
            verify: profiles::verify(settings),
        }
    }
}

impl App {
    /// A tenant's endpoints, newest first.
    pub async fn endpoints(
        &self,
        caller: &Caller,
        tenant: &str,
        page: PageQuery,
    ) -> Result<Page<EndpointDetails>, AppError> {
        self.endpoints_of(caller, tenant, None, page).await
    }

    /// The same, of one scope of the tenant alone.
    pub async fn endpoints_of(
        &self,
        caller: &Caller,
        tenant: &str,
        scope: Option<&str>,
        page: PageQuery,
    ) -> Result<Page<EndpointDetails>, AppError> {
        let no = self.tenant_for(caller, tenant, Power::Look).await?;
        let mut checks = Checks::default();
        let page = page.check(&mut checks);
        let scope: Option<Scope> = checks.parse("scope", "bad_scope", scope);
        checks.done()?;
        let page = self.endpoints_seen(caller, no, scope.as_ref(), page).await?;
        let numbers: Vec<_> = page.rows.iter().map(|it| it.no).collect();
        let activities = self.store().activity(no, &numbers).await?;
        let rows = page.rows.into_iter().zip(activities);
        let rows = rows.map(|(endpoint, activity)| self.show(endpoint, activity));
        Ok(Page { rows: rows.collect(), next: page.next })
    }

    /// One endpoint.
    pub async fn endpoint(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
    ) -> Result<EndpointDetails, AppError> {
        let no = self.tenant_for(caller, tenant, Power::Look).await?;
        let endpoint = self.load_endpoint(caller, no, id).await?;
        self.details(endpoint).await
    }

    /// A page of those the caller sees; the place it ends at is the store's own.
    async fn endpoints_seen(
        &self,
        caller: &Caller,
        no: TenantNo,
        of: Option<&Scope>,
        wanted: PageRequest,
    ) -> Result<Page<Endpoint>, AppError> {
        let most = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
        let mut rows = Vec::new();
        let mut cursor = wanted.cursor;
        loop {
            // Never more than are missing, so that the page ends where the last row looked at ends.
            let limit = u32::try_from(most.saturating_sub(rows.len())).unwrap_or(u32::MAX);
            let page = self.store().endpoints(no, PageRequest { limit, cursor }).await?;
            rows.extend(
                page.rows
                    .into_iter()
                    .filter(|it| caller.sees(it.settings.profile, it.settings.scope.as_ref()))
                    .filter(|it| of.is_none() || it.settings.scope.as_ref() == of),
            );
            if page.next.is_none() || rows.len() >= most {
                return Ok(Page { rows, next: page.next });
            }
            cursor = page.next;
        }
    }

    pub(crate) async fn load_endpoint(
        &self,
        caller: &Caller,
        no: TenantNo,
        id: &str,
    ) -> Result<Endpoint, AppError> {
        self.seen_endpoint(caller, no, path_id(id, "endpoint")?).await
    }

    async fn seen_endpoint(
        &self,
        caller: &Caller,
        no: TenantNo,
        id: EndpointId,
    ) -> Result<Endpoint, AppError> {
        let found = self.store().endpoint(no, id).await?;
        found.filter(|it| caller.sees(it.settings.profile, it.settings.scope.as_ref())).ok_or(NONE)
    }

    /// One that the caller may change. What a source forwards is signed with the source's own secret: whoever may not manage
    /// sources shall neither learn it here nor have anything signed with it.
    async fn managed_endpoint(
        &self,
        caller: &Caller,
        no: TenantNo,
        id: EndpointId,
    ) -> Result<Endpoint, AppError> {
        let endpoint = self.seen_endpoint(caller, no, id).await?;
        let forwards = endpoint.settings.source.is_some();
        match Power::Whole(KeyScope::Write).missing(&caller.who).filter(|_| forwards) {
            Some(needs) => Err(AppError::Forbidden { needs }),
            None => Ok(endpoint),
        }
    }

    async fn details(&self, endpoint: Endpoint) -> Result<EndpointDetails, AppError> {
        let activity = self.store().activity(endpoint.tenant, &[endpoint.no]).await?;
        Ok(self.show(endpoint, activity.first().copied().unwrap_or_default()))
    }

    fn show(&self, endpoint: Endpoint, activity: Activity) -> EndpointDetails {
        let headers = self.readable_headers(&endpoint).map(redact::headers);
        let policy = Policy::of(&endpoint.settings);
        let overlap_until = endpoint.secrets.overlap_at(self.now());
        let public_key = self.public_key(&endpoint);
        EndpointDetails { endpoint, activity, headers, policy, overlap_until, public_key }
    }

    /// `None` as well when the secret cannot be opened: as with headers, that must not keep it from being shown.
    fn public_key(&self, endpoint: &Endpoint) -> Option<String> {
        if profiles::of(endpoint.settings.profile).scheme != Scheme::Standard {
            return None;
        }
        match self.open_secret(endpoint.id, endpoint.secrets.current.as_ref()?) {
            Ok(secret) => signing::public_key(&secret),
            Err(error) => {
                let error = error.source();
                tracing::error!(endpoint.id = %endpoint.id, error, "an endpoint's secret cannot be opened");
                None
            }
        }
    }

    /// The custom headers in the open, if they can be opened. One endpoint's damage, or a master key that was taken away
    /// too early, must not keep the others from being shown, nor this one from being mended.
    fn readable_headers(&self, endpoint: &Endpoint) -> Option<Headers> {
        match self.open_headers(endpoint) {
            Ok(headers) => Some(headers),
            Err(error) => {
                let error = error.source();
                tracing::error!(endpoint.id = %endpoint.id, error, "an endpoint's headers cannot be opened");
                None
            }
        }
    }

    /// The names of the custom headers, for the audit log.
    fn header_names(&self, endpoint: &Endpoint) -> Option<Vec<String>> {
        self.readable_headers(endpoint).as_ref().map(names)
    }

    /// The custom headers in the open.
    fn open_headers(&self, endpoint: &Endpoint) -> Result<Headers, AppError> {
        let Some(sealed) = &endpoint.headers else { return Ok(Headers::default()) };
        let plain = self
            .0
            .parts
            .keyring
            .open(sealed, headers_place(endpoint.id).as_bytes())
            .map_err(|error| AppError::Internal(error.into()))?;
        serde_json::from_slice(&plain).map_err(|error| AppError::Internal(error.into()))
    }

    fn seal_headers(&self, id: EndpointId, headers: &Headers) -> Result<Option<Sealed>, AppError> {
        if headers.0.is_empty() {
            return Ok(None);
        }
        let plain =
            serde_json::to_vec(headers).map_err(|error| AppError::Internal(error.into()))?;
        Ok(Some(self.seal(&plain, headers_place(id).as_bytes())))
    }

    fn seal_secret(&self, id: EndpointId, secret: &Secret) -> Sealed {
        self.seal(secret.reveal().as_bytes(), id.to_string().as_bytes())
    }

    pub(crate) fn seal(&self, plain: &[u8], place: &[u8]) -> Sealed {
        self.0.parts.keyring.seal(plain, place, self.dice())
    }
}

/// Where sealed headers belong; sealed anywhere else they do not open.
fn headers_place(id: EndpointId) -> String {
    format!("{id}.headers")
}

fn names(headers: &Headers) -> Vec<String> {
    headers.0.iter().map(|(name, _)| name.clone()).collect()
}
