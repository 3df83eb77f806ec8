//! Who asks, and what they may.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use hookyard_domain::id::KeyId;
use hookyard_domain::key::KeyScope;
use hookyard_domain::portal::Capability;
use hookyard_domain::profile::Profile;
use hookyard_domain::subscription::Scope;
use hookyard_domain::tenant::{TenantId, TenantNo};
use hookyard_domain::time::Timestamp;
use hookyard_rules::keys;
use hookyard_rules::tokens::TokenKind;

use crate::App;
use crate::error::{AppError, Needs};
use crate::powers::Power;
use crate::sessions::Issuer;

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
    /// A customer with a link to the portal.
    Portal(Arc<PortalPowers>),
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

/// What a portal session may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortalPowers {
    /// Whose it is.
    pub tenant: TenantId,
    /// The same by number.
    pub no: TenantNo,
    /// The one scope it is limited to; `None` is all of the tenant.
    pub scope: Option<Scope>,
    /// Its powers.
    pub capabilities: Vec<Capability>,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Whose key it was made with: it ends with that.
    pub(crate) by: Issuer,
    /// How the audit log names it: with whoever made it.
    pub(crate) actor: String,
    /// Whose idempotency keys it uses: its own alone.
    pub(crate) owner: String,
}

/// A key as it is remembered between requests.
pub(crate) struct KnownKey {
    pub(crate) powers: Arc<KeyPowers>,
    pub(crate) expires_at: Option<Timestamp>,
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
            Who::Portal(powers) => Ok(&powers.tenant),
        }
    }

    /// Whether endpoints and sources of this profile and this scope are there for them.
    pub(crate) fn sees(&self, profile: Profile, scope: Option<&Scope>) -> bool {
        self.surface.is_none_or(|it| it == profile) && self.sees_scope(scope)
    }

    /// Whether what is of this scope is there for them: everything, unless they are limited to a scope.
    pub(crate) fn sees_scope(&self, scope: Option<&Scope>) -> bool {
        self.who.scope().is_none_or(|only| scope == Some(only))
    }

    /// The scope that something they make has: the one they are limited to, or the one they ask for.
    pub(crate) fn own_scope(&self, given: Option<String>) -> Result<Option<String>, AppError> {
        match self.who.scope() {
            None => Ok(given),
            Some(only) if given.as_deref().is_none_or(|it| it == only.as_str()) => {
                Ok(Some(only.as_str().to_owned()))
            }
            Some(_) => Err(AppError::Forbidden { needs: Needs::WholeTenant }),
        }
    }

    /// Whether they may do what needs this scope, in the tenant that is theirs.
    #[must_use]
    pub fn may(&self, needs: KeyScope) -> bool {
        Power::from(needs).missing(&self.who).is_none()
    }

    /// As the audit log names them.
    #[must_use]
    pub fn actor(&self) -> String {
        match &self.who {
            Who::Operator => "operator".into(),
            Who::Key(powers) => powers.id.to_string(),
            Who::Portal(powers) => powers.actor.clone(),
        }
    }

    /// Whose idempotency keys they use.
    #[must_use]
    pub fn owner(&self) -> &str {
        match &self.who {
            Who::Operator => "operator",
            Who::Key(powers) => powers.tenant.as_str(),
            Who::Portal(powers) => &powers.owner,
        }
    }

    pub(crate) fn must_be_operator(&self) -> Result<(), AppError> {
        match self.who {
            Who::Operator => Ok(()),
            Who::Key(_) | Who::Portal(_) => Err(AppError::Forbidden { needs: Needs::Operator }),
        }
    }
}

impl App {
    /// The caller behind a bearer key, or the token of a portal session.
    pub async fn authenticate(
        &self,
        bearer: Option<&str>,
        origin: Option<String>,
    ) -> Result<Caller, AppError> {
        let text = bearer.map(str::trim).filter(|it| !it.is_empty());
        let text = text.ok_or(AppError::Unauthenticated)?;
        if text.starts_with(TokenKind::Portal.prefix()) {
            return Ok(Caller { origin, ..self.portal_caller(text).await?.0 });
        }
        Ok(Caller { who: self.bearer(text).await?.0, origin, surface: None })
    }

    /// Who has this key, and until when.
    pub(crate) async fn bearer(&self, text: &str) -> Result<(Who, Option<Timestamp>), AppError> {
        let hash = keys::hash(text);
        if keys::same(&hash, &self.0.parts.operator_key) {
            return Ok((Who::Operator, None));
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
        self.still_good(&known)?;
        Ok((Who::Key(known.powers.clone()), known.expires_at))
    }

    /// The key of that id, if it still works; for sessions that were made with it.
    pub(crate) async fn known_key(
        &self,
        tenant: &TenantId,
        no: TenantNo,
        id: KeyId,
    ) -> Result<Arc<KnownKey>, AppError> {
        // Apart from those found by their text, so that nobody gets in by an id.
        let known = match self.0.by_id.get(&id) {
            Ok(known) => known,
            Err(asked) => {
                let key = self.store().key(no, id).await?.ok_or(AppError::Unauthenticated)?;
                let powers = KeyPowers { id, tenant: tenant.clone(), no, scopes: key.scopes };
                let known =
                    Arc::new(KnownKey { powers: Arc::new(powers), expires_at: key.expires_at });
                self.0.by_id.put(asked, id, known.clone());
                known
            }
        };
        self.still_good(&known)?;
        Ok(known)
    }

    fn still_good(&self, known: &KnownKey) -> Result<(), AppError> {
        let has_ended = known.expires_at.is_some_and(|end| end <= self.now());
        if has_ended { Err(AppError::Unauthenticated) } else { Ok(()) }
    }

    /// The number of the tenant a caller names, if they may do there what needs this scope.
    ///
    /// Somebody else's tenant is as good as none: not found, whatever the key's scopes.
    pub(crate) async fn tenant_for(
        &self,
        caller: &Caller,
        tenant: &str,
        needs: impl Into<Power> + Send,
    ) -> Result<TenantNo, AppError> {
        const NONE: AppError = AppError::NotFound { what: "tenant" };
        let (own, no) = match &caller.who {
            Who::Key(powers) => (&powers.tenant, powers.no),
            Who::Portal(powers) => (&powers.tenant, powers.no),
            Who::Operator => return self.tenant_no(tenant).await,
        };
        if own.as_str() != tenant {
            return Err(NONE);
        }
        match needs.into().missing(&caller.who) {
            None => Ok(no),
            Some(needs) => Err(AppError::Forbidden { needs }),
        }
    }

    /// The number of a tenant.
    pub(crate) async fn tenant_no(&self, tenant: &str) -> Result<TenantNo, AppError> {
        const NONE: AppError = AppError::NotFound { what: "tenant" };
        match self.0.tenants.get(tenant) {
            Ok(no) => Ok(no),
            Err(asked) => {
                let id: TenantId = tenant.parse().map_err(|_| NONE)?;
                let found = self.store().tenant(&id).await?.ok_or(NONE)?;
                self.0.tenants.put(asked, tenant.into(), found.no);
                Ok(found.no)
            }
        }
    }

    /// How many keys and tenants were taken away by this process.
    pub(crate) fn taken_away(&self) -> u64 {
        self.0.taken_away.load(Ordering::Relaxed)
    }

    pub(crate) fn forget_key(&self, id: KeyId) {
        self.0.taken_away.fetch_add(1, Ordering::Relaxed);
        self.0.callers.forget(|_, known| known.powers.id == id);
        self.0.by_id.forget(|known, _| *known == id);
    }

    pub(crate) fn forget_tenant(&self, no: TenantNo) {
        self.0.taken_away.fetch_add(1, Ordering::Relaxed);
        self.0.callers.forget(|_, known| known.powers.no == no);
        self.0.by_id.forget(|_, known| known.powers.no == no);
        self.0.tenants.forget(|_, known| *known == no);
        self.0.sources.forget_tenant(no);
        self.0.rates.forget(no);
    }
}
