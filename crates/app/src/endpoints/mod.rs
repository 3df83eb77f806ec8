//! Endpoints: outbound subscriptions, looked at here; made, changed and proved in the files beside.

mod change;
mod create;
pub mod input;
pub mod probe;
pub mod secrets;
mod states;

use hookyard_domain::endpoint::{Activity, Endpoint, EndpointSettings};
use hookyard_domain::headers::Headers;
use hookyard_domain::id::EndpointId;
use hookyard_domain::key::KeyScope;
use hookyard_domain::limit;
use hookyard_domain::page::Page;
use hookyard_domain::retry::{AutoDisable, RateLimit, RetryPolicy, Verify};
use hookyard_domain::secret::{Sealed, Secret};
use hookyard_domain::tenant::TenantNo;
use hookyard_rules::{profiles, redact};

pub(crate) use states::off;

use crate::checks::{Checks, path_id};
use crate::pages::PageQuery;
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
    /// Its custom headers; values that may be credentials read [`MASKED`].
    pub headers: Headers,
    /// What is in force, its own or its profile's.
    pub policy: Policy,
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
        let no = self.tenant_for(caller, tenant, KeyScope::Read).await?;
        let mut checks = Checks::default();
        let page = page.check(&mut checks);
        checks.done()?;
        let page = self.store().endpoints(no, page).await?;
        let numbers: Vec<_> = page.rows.iter().map(|it| it.no).collect();
        let activities = self.store().activity(no, &numbers).await?;
        let rows = page.rows.into_iter().zip(activities);
        let rows = rows.map(|(endpoint, activity)| self.show(endpoint, activity));
        Ok(Page { rows: rows.collect::<Result<_, _>>()?, next: page.next })
    }

    /// One endpoint.
    pub async fn endpoint(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
    ) -> Result<EndpointDetails, AppError> {
        let no = self.tenant_for(caller, tenant, KeyScope::Read).await?;
        let endpoint = self.load_endpoint(no, id).await?;
        self.details(endpoint).await
    }

    async fn load_endpoint(&self, no: TenantNo, id: &str) -> Result<Endpoint, AppError> {
        let id: EndpointId = path_id(id, "endpoint")?;
        self.store().endpoint(no, id).await?.ok_or(NONE)
    }

    async fn details(&self, endpoint: Endpoint) -> Result<EndpointDetails, AppError> {
        let activity = self.store().activity(endpoint.tenant, &[endpoint.no]).await?;
        self.show(endpoint, activity.first().copied().unwrap_or_default())
    }

    fn show(&self, endpoint: Endpoint, activity: Activity) -> Result<EndpointDetails, AppError> {
        let headers = redact::headers(self.open_headers(&endpoint)?);
        let policy = Policy::of(&endpoint.settings);
        Ok(EndpointDetails { endpoint, activity, headers, policy })
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
