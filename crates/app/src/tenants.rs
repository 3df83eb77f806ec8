//! Tenants: made, changed and taken away by the operator.

use hookyard_domain::limit;
use hookyard_domain::page::Page;
use hookyard_domain::profile::Profile;
use hookyard_domain::tenant::{Tenant, TenantId, TenantLimits, TenantNo};
use hookyard_domain::time::Timestamp;
use hookyard_store::StoreError;

use crate::audit::{self, Act};
use crate::caller::Who;
use crate::checks::Checks;
use crate::error::Needs;
use crate::pages::PageQuery;
use crate::{App, AppError, Caller};

/// How often a change is made anew when the tenant was changed by somebody else in between.
const TRIES: usize = 5;
/// Endpoints a tenant may be allowed at most.
const ENDPOINTS_MAX: i64 = 100_000;
/// Events per second a tenant may be limited to at most.
const PUBLISH_PER_S_MAX: i64 = 1_000_000;

/// Limits as they were written. `None` is left as it is, null is the product's default.
#[derive(Clone, Debug, Default)]
pub struct LimitsInput {
    /// Endpoints at most.
    pub endpoints: Option<Option<i64>>,
    /// Entries of one endpoint's `events` at most.
    pub event_types_per_endpoint: Option<Option<i64>>,
    /// Bytes of one event's `data` at most.
    pub payload_bytes: Option<Option<i64>>,
    /// Events published per second at most.
    pub publish_per_s: Option<Option<i64>>,
}

/// A tenant to be made.
#[derive(Clone, Debug, Default)]
pub struct NewTenant {
    /// The operator's name for it.
    pub id: String,
    /// For people.
    pub name: Option<String>,
    /// The profile of endpoints that name none.
    pub profile: Option<String>,
    /// What it may use.
    pub limits: Option<LimitsInput>,
    /// Days that its events and deliveries are kept.
    pub retention_days: Option<i64>,
}

/// What to change of a tenant.
#[derive(Clone, Debug, Default)]
pub struct TenantPatch {
    /// For people.
    pub name: Option<Option<String>>,
    /// The profile of endpoints that name none.
    pub profile: Option<Option<String>>,
    /// What it may use; only the limits that are named change.
    pub limits: Option<Option<LimitsInput>>,
    /// Days that its events and deliveries are kept.
    pub retention_days: Option<Option<i64>>,
}

impl App {
    /// Makes a tenant.
    pub async fn create_tenant(&self, caller: &Caller, new: NewTenant) -> Result<Tenant, AppError> {
        caller.must_be_operator()?;
        let now = self.now();
        let mut checks = Checks::default();
        let id: Option<TenantId> = checks.parse_required("/id", "bad_tenant_id", &new.id);
        let name = checks.text("/name", new.name, limit::NAME_CHARS_MAX);
        let profile = checks.parse("/profile", "unknown_profile", new.profile.as_deref());
        let limits = new.limits.unwrap_or_default().check(&mut checks, TenantLimits::default());
        let retention_days = retention(&mut checks, new.retention_days);
        let tenant = Tenant {
            no: TenantNo::default(),
            id: checks.done_with(id)?,
            name,
            profile: profile.unwrap_or_default(),
            limits,
            retention_days,
            created_at: now,
            updated_at: now,
        };
        let subject = tenant.id.to_string();
        let act = Act {
            action: "tenant.created",
            subject: &subject,
            after: Some(audit::tenant(&tenant)),
            ..Act::default()
        };
        match self.store().create_tenant(tenant, self.entry(caller, now, act)).await {
            Err(StoreError::Conflict { .. }) => Err(AppError::conflict(
                "tenant_exists",
                format!("a tenant named `{subject}` exists already"),
            )),
            other => Ok(other?),
        }
    }

    /// All tenants, newest first.
    pub async fn tenants(
        &self,
        caller: &Caller,
        page: PageQuery,
    ) -> Result<Page<Tenant>, AppError> {
        caller.must_be_operator()?;
        let mut checks = Checks::default();
        let page = page.check(&mut checks);
        checks.done()?;
        Ok(self.store().tenants(page).await?)
    }

    /// One tenant.
    pub async fn tenant(&self, caller: &Caller, tenant: &str) -> Result<Tenant, AppError> {
        Self::operators_tenant(caller, tenant)?;
        self.load_tenant(tenant).await
    }

    /// Changes a tenant, anew if somebody else changed it in between.
    pub async fn update_tenant(
        &self,
        caller: &Caller,
        tenant: &str,
        patch: TenantPatch,
    ) -> Result<Tenant, AppError> {
        Self::operators_tenant(caller, tenant)?;
        let mut tries = 0;
        loop {
            let old = self.load_tenant(tenant).await?;
            let new = patch.clone().check(&old, self.now())?;
            let act = Act {
                action: "tenant.updated",
                subject: tenant,
                before: Some(audit::tenant(&old)),
                after: Some(audit::tenant(&new)),
            };
            let entry = self.entry(caller, new.updated_at, act);
            match self.store().update_tenant(old, new.clone(), entry).await {
                Ok(true) => {
                    self.engine().config_changed(new.no).await;
                    return Ok(new);
                }
                Ok(false) => return Err(AppError::NotFound { what: "tenant" }),
                Err(StoreError::Conflict { .. }) if tries < TRIES => tries += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Takes a tenant away with its keys, endpoints and catalogue; its events follow.
    pub async fn delete_tenant(&self, caller: &Caller, tenant: &str) -> Result<(), AppError> {
        Self::operators_tenant(caller, tenant)?;
        let old = self.load_tenant(tenant).await?;
        let act = Act {
            action: "tenant.deleted",
            subject: tenant,
            before: Some(audit::tenant(&old)),
            ..Act::default()
        };
        let entry = self.entry(caller, self.now(), act);
        let deleted = self.store().delete_tenant(old.no, entry).await;
        // Forgotten whatever the store said: what it did is not known when it answers with an error.
        self.forget_tenant(old.no);
        let deleted = deleted?;
        self.engine().config_changed(old.no).await;
        if deleted { Ok(()) } else { Err(AppError::NotFound { what: "tenant" }) }
    }

    /// Somebody else's tenant is not found even by who may not change their own.
    fn operators_tenant(caller: &Caller, tenant: &str) -> Result<(), AppError> {
        match &caller.who {
            Who::Operator => Ok(()),
            Who::Key(powers) if powers.tenant.as_str() == tenant => {
                Err(AppError::Forbidden { needs: Needs::Operator })
            }
            Who::Portal(powers) if powers.tenant.as_str() == tenant => {
                Err(AppError::Forbidden { needs: Needs::Operator })
            }
            Who::Key(_) | Who::Portal(_) => Err(AppError::NotFound { what: "tenant" }),
        }
    }

    async fn load_tenant(&self, tenant: &str) -> Result<Tenant, AppError> {
        let none = || AppError::NotFound { what: "tenant" };
        let id: TenantId = tenant.parse().map_err(|_| none())?;
        self.store().tenant(&id).await?.ok_or_else(none)
    }
}

fn retention(checks: &mut Checks, days: Option<i64>) -> u32 {
    let most = i64::from(limit::RETENTION_DAYS_MAX);
    checks.whole("/retention_days", days, 1, most).unwrap_or(limit::RETENTION_DAYS_DEFAULT)
}

impl TenantPatch {
    /// The tenant as it is to be.
    fn check(self, old: &Tenant, now: Timestamp) -> Result<Tenant, AppError> {
        let mut checks = Checks::default();
        let mut new = old.clone();
        new.updated_at = now;
        if let Some(name) = self.name {
            new.name = checks.text("/name", name, limit::NAME_CHARS_MAX);
        }
        if let Some(profile) = self.profile {
            let given = checks.parse("/profile", "unknown_profile", profile.as_deref());
            new.profile = given.unwrap_or(Profile::default());
        }
        if let Some(limits) = self.limits {
            new.limits = match limits {
                Some(limits) => limits.check(&mut checks, old.limits.clone()),
                None => TenantLimits::default(),
            };
        }
        if let Some(days) = self.retention_days {
            new.retention_days = retention(&mut checks, days);
        }
        checks.done()?;
        Ok(new)
    }
}

impl LimitsInput {
    fn check(self, checks: &mut Checks, old: TenantLimits) -> TenantLimits {
        fn one<T: TryFrom<i64>>(
            checks: &mut Checks,
            (name, most): (&str, i64),
            given: Option<Option<i64>>,
            old: Option<T>,
        ) -> Option<T> {
            match given {
                None => old,
                Some(number) => checks.whole(&format!("/limits/{name}"), number, 1, most),
            }
        }
        let patterns = i64::try_from(limit::PATTERNS_MAX).unwrap_or(i64::MAX);
        let bytes = i64::try_from(limit::PAYLOAD_BYTES_MAX).unwrap_or(i64::MAX);
        TenantLimits {
            endpoints: one(checks, ("endpoints", ENDPOINTS_MAX), self.endpoints, old.endpoints),
            event_types_per_endpoint: one(
                checks,
                ("event_types_per_endpoint", patterns),
                self.event_types_per_endpoint,
                old.event_types_per_endpoint,
            ),
            payload_bytes: one(
                checks,
                ("payload_bytes", bytes),
                self.payload_bytes,
                old.payload_bytes,
            ),
            publish_per_s: one(
                checks,
                ("publish_per_s", PUBLISH_PER_S_MAX),
                self.publish_per_s,
                old.publish_per_s,
            ),
        }
    }
}
