//! Who asks, and what they may.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use hookyard_domain::id::KeyId;
use hookyard_domain::key::KeyScope;
use hookyard_domain::profile::Profile;
use hookyard_domain::tenant::{TenantId, TenantNo};
use hookyard_domain::time::Timestamp;
use hookyard_rules::keys;

use crate::App;
use crate::error::{AppError, Needs};

/// Somebody who proved who they are.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who.
    pub who: Who,
    /// From where: their address, when there is one.
    pub origin: Option<String>,
    /// The vendor's surface they ask through: it has only endpoints of its own profile. `None` has all of them.
    pub surface: Option<Profile>,
}

/// Who a caller is.
#[derive(Clone, Debug)]
pub enum Who {
    /// The operator, who may do everything in every tenant.
    Operator,
    /// The bearer of a tenant's key.
    Key(Arc<KeyPowers>),
}

/// What a tenant's key may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPowers {
    /// The key.
    pub id: KeyId,
    /// Whose it is.
    pub tenant: TenantId,
    /// The same by number.
    pub no: TenantNo,
    /// Its powers.
    pub scopes: Vec<KeyScope>,
}

/// A key as it is remembered between requests.
pub(crate) struct KnownKey {
    pub(crate) powers: Arc<KeyPowers>,
    expires_at: Option<Timestamp>,
}

impl Caller {
    /// The operator, calling from inside the process.
    #[must_use]
    pub const fn operator() -> Self {
        Self { who: Who::Operator, origin: None, surface: None }
    }

    /// The same caller, asking through a vendor's surface.
    #[must_use]
    pub fn through(self, surface: Profile) -> Self {
        Self { surface: Some(surface), ..self }
    }

    /// The tenant whose key it is, for surfaces whose paths do not name one.
    pub fn own_tenant(&self) -> Result<&TenantId, AppError> {
        match &self.who {
            Who::Operator => Err(AppError::Forbidden { needs: Needs::OwnTenant }),
            Who::Key(powers) => Ok(&powers.tenant),
        }
    }

    /// Whether endpoints of this profile are there for them.
    pub(crate) fn sees(&self, profile: Profile) -> bool {
        self.surface.is_none_or(|it| it == profile)
    }

    /// As the audit log names them.
    #[must_use]
    pub fn actor(&self) -> String {
        match &self.who {
            Who::Operator => "operator".into(),
            Who::Key(powers) => powers.id.to_string(),
        }
    }

    /// Whose idempotency keys they use.
    #[must_use]
    pub fn owner(&self) -> &str {
        match &self.who {
            Who::Operator => "operator",
            Who::Key(powers) => powers.tenant.as_str(),
        }
    }

    pub(crate) fn must_be_operator(&self) -> Result<(), AppError> {
        match self.who {
            Who::Operator => Ok(()),
            Who::Key(_) => Err(AppError::Forbidden { needs: Needs::Operator }),
        }
    }
}

impl KeyPowers {
    fn may(&self, needs: KeyScope) -> bool {
        self.scopes.iter().any(|it| *it == needs || *it == KeyScope::Admin)
    }
}

impl App {
    /// The caller behind a bearer key.
    pub async fn authenticate(
        &self,
        bearer: Option<&str>,
        origin: Option<String>,
    ) -> Result<Caller, AppError> {
        let text = bearer.map(str::trim).filter(|it| !it.is_empty());
        let hash = keys::hash(text.ok_or(AppError::Unauthenticated)?);
        if keys::same(&hash, &self.0.parts.operator_key) {
            return Ok(Caller { who: Who::Operator, origin, surface: None });
        }
        let known = match self.0.callers.get(&hash) {
            Ok(known) => known,
            Err(asked) => {
                let found = self.store().key_by_hash(hash).await?;
                let (tenant, key) = found.ok_or(AppError::Unauthenticated)?;
                let powers = Arc::new(KeyPowers {
                    id: key.id,
                    tenant: tenant.id,
                    no: tenant.no,
                    scopes: key.scopes,
                });
                let known = Arc::new(KnownKey { powers, expires_at: key.expires_at });
                self.0.callers.put(asked, hash, known.clone());
                known
            }
        };
        if known.expires_at.is_some_and(|end| end <= self.now()) {
            return Err(AppError::Unauthenticated);
        }
        Ok(Caller { who: Who::Key(known.powers.clone()), origin, surface: None })
    }

    /// The number of the tenant a caller names, if they may do there what needs this scope.
    ///
    /// Somebody else's tenant is as good as none: not found, whatever the key's scopes.
    pub(crate) async fn tenant_for(
        &self,
        caller: &Caller,
        tenant: &str,
        needs: KeyScope,
    ) -> Result<TenantNo, AppError> {
        const NONE: AppError = AppError::NotFound { what: "tenant" };
        match &caller.who {
            Who::Key(powers) => {
                if powers.tenant.as_str() != tenant {
                    return Err(NONE);
                }
                if !powers.may(needs) {
                    return Err(AppError::Forbidden { needs: Needs::Scope(needs) });
                }
                Ok(powers.no)
            }
            Who::Operator => match self.0.tenants.get(tenant) {
                Ok(no) => Ok(no),
                Err(asked) => {
                    let id: TenantId = tenant.parse().map_err(|_| NONE)?;
                    let found = self.store().tenant(&id).await?.ok_or(NONE)?;
                    self.0.tenants.put(asked, tenant.into(), found.no);
                    Ok(found.no)
                }
            },
        }
    }

    /// How many keys and tenants were taken away by this process.
    pub(crate) fn taken_away(&self) -> u64 {
        self.0.taken_away.load(Ordering::Relaxed)
    }

    pub(crate) fn forget_key(&self, id: KeyId) {
        self.0.taken_away.fetch_add(1, Ordering::Relaxed);
        self.0.callers.forget(|_, known| known.powers.id == id);
    }

    pub(crate) fn forget_tenant(&self, no: TenantNo) {
        self.0.taken_away.fetch_add(1, Ordering::Relaxed);
        self.0.callers.forget(|_, known| known.powers.no == no);
        self.0.tenants.forget(|_, known| *known == no);
        self.0.sources.forget_tenant(no);
        self.0.rates.forget(no);
    }
}
