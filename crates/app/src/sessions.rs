//! Sessions: a key exchanged for a pass that a browser keeps as a cookie. Nothing is kept of them: the pass carries what it
//! stands for, sealed, so every node reads it, and it ends with the key it was made with.

use std::fmt;
use std::time::Duration;

use hookyard_domain::id::KeyId;
use hookyard_domain::key::KeyScope;
use hookyard_domain::limit;
use hookyard_domain::portal::Capability;
use hookyard_domain::secret::Secret;
use hookyard_domain::subscription::Scope;
use hookyard_domain::tenant::{Tenant, TenantId, TenantNo};
use hookyard_domain::time::Timestamp;
use hookyard_rules::keys;
use hookyard_rules::tokens::{self, TokenKind};
use serde::{Deserialize, Serialize};

use crate::{App, AppError, Caller, KeyPowers, Who};

/// Somebody who signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// What proves it from now on.
    pub pass: Secret,
    /// It is a session of the portal.
    pub is_portal: bool,
    /// Who signed in.
    pub details: SessionDetails,
}

/// A session as it is shown.
#[derive(Clone, Debug)]
pub struct SessionDetails {
    /// Who.
    pub who: Who,
    /// Their one tenant; `None` for the operator.
    pub tenant: Option<Tenant>,
    /// The one scope they are limited to.
    pub scope: Option<Scope>,
    /// The scopes of keys they have.
    pub scopes: Vec<KeyScope>,
    /// The same in the portal's words.
    pub capabilities: Vec<Capability>,
    /// When it ends.
    pub expires_at: Timestamp,
    /// How long it may still be kept.
    pub lives: Duration,
}

/// What a pass stands for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pass {
    /// Whose key it was made with.
    pub(crate) by: Issuer,
    /// What it is limited to; `None` is all that key may.
    pub(crate) portal: Option<PortalPass>,
    /// When it ends.
    pub(crate) expires_at: Timestamp,
}

/// The key a pass was made with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Issuer {
    /// The operator's, by a hash of its hash: another key is another operator.
    Operator(String),
    /// A tenant's.
    Key { tenant: TenantId, no: u32, id: KeyId },
}

/// What a portal session is limited to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PortalPass {
    pub(crate) id: u64,
    pub(crate) tenant: TenantId,
    pub(crate) no: u32,
    pub(crate) scope: Option<Scope>,
    pub(crate) capabilities: Vec<Capability>,
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator(_) => f.write_str("operator"),
            Self::Key { id, .. } => fmt::Display::fmt(id, f),
        }
    }
}

impl App {
    /// Exchanges a key, or a portal token, for a session.
    pub async fn sign_in(&self, key: &str) -> Result<SignedIn, AppError> {
        let key = key.trim();
        if key.is_empty() {
            return Err(AppError::invalid("/key", "required", "this field is required"));
        }
        if key.starts_with(TokenKind::Portal.prefix()) {
            let (caller, expires_at) = self.portal_caller(key).await?;
            let details = self.session_details(caller.who, expires_at).await?;
            // The token is a pass already.
            return Ok(SignedIn { pass: Secret::new(key.to_owned()), is_portal: true, details });
        }
        let (who, key_ends_at) = self.bearer(key).await?;
        let longest = self.now().plus(limit::SESSION);
        let expires_at = key_ends_at.map_or(longest, |it| it.min(longest));
        let pass = Pass { by: self.issuer(&who)?, portal: None, expires_at };
        let pass = self.sealed_pass(TokenKind::Session, &pass)?;
        let details = self.session_details(who, expires_at).await?;
        Ok(SignedIn { pass, is_portal: false, details })
    }

    /// The caller behind a session.
    pub async fn resume(&self, pass: &str, origin: Option<String>) -> Result<Caller, AppError> {
        Ok(Caller { who: self.resumed(pass).await?.0, origin, surface: None })
    }

    /// Who is signed in with this pass; `None` when nobody is (any more).
    pub async fn session(&self, pass: &str) -> Result<Option<SessionDetails>, AppError> {
        match self.resumed(pass).await {
            Ok((who, expires_at)) => Ok(Some(self.session_details(who, expires_at).await?)),
            Err(AppError::Unauthenticated) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn resumed(&self, pass: &str) -> Result<(Who, Timestamp), AppError> {
        if pass.starts_with(TokenKind::Portal.prefix()) {
            let (caller, expires_at) = self.portal_caller(pass).await?;
            return Ok((caller.who, expires_at));
        }
        let pass = self.open_pass(TokenKind::Session, pass).await?;
        let who = match &pass.by {
            Issuer::Operator(_) => Who::Operator,
            Issuer::Key { tenant, no, id } => {
                Who::Key(self.known_key(tenant, TenantNo(*no), *id).await?.powers.clone())
            }
        };
        Ok((who, pass.expires_at))
    }

    async fn session_details(
        &self,
        who: Who,
        expires_at: Timestamp,
    ) -> Result<SessionDetails, AppError> {
        Ok(SessionDetails {
            tenant: self.tenant_of(&who).await?,
            scope: who.scope().cloned(),
            scopes: who.key_scopes(),
            capabilities: who.capabilities(),
            expires_at,
            lives: expires_at.since(self.now()),
            who,
        })
    }

    /// The one tenant of whoever it is; `None` for the operator.
    pub async fn tenant_of(&self, who: &Who) -> Result<Option<Tenant>, AppError> {
        let id = match who {
            Who::Operator => return Ok(None),
            Who::Key(powers) => &powers.tenant,
            Who::Portal(powers) => &powers.tenant,
        };
        Ok(Some(self.store().tenant(id).await?.ok_or(AppError::Unauthenticated)?))
    }

    /// The key that somebody's passes are made with.
    pub(crate) fn issuer(&self, who: &Who) -> Result<Issuer, AppError> {
        match who {
            Who::Operator => Ok(Issuer::Operator(self.operator_mark())),
            Who::Key(powers) => {
                let KeyPowers { id, tenant, no, .. } = &**powers;
                Ok(Issuer::Key { tenant: tenant.clone(), no: no.0, id: *id })
            }
            // Nobody asks: a portal session makes no other.
            Who::Portal(_) => Err(AppError::Unauthenticated),
        }
    }

    /// Tells the operator's key from another, and tells nothing else of it.
    fn operator_mark(&self) -> String {
        let hash = keys::content_hash(&[b"session", &self.0.parts.operator_key.0]);
        hash[..12].iter().map(|it| format!("{it:02x}")).collect()
    }

    pub(crate) fn sealed_pass(&self, kind: TokenKind, pass: &Pass) -> Result<Secret, AppError> {
        let plain = serde_json::to_vec(pass).map_err(|error| AppError::Internal(error.into()))?;
        Ok(Secret::new(tokens::seal(&self.0.parts.keyring, kind, &plain, self.dice())))
    }

    /// A pass of ours whose time is not over and whose key still works.
    pub(crate) async fn open_pass(&self, kind: TokenKind, text: &str) -> Result<Pass, AppError> {
        let plain = tokens::open(&self.0.parts.keyring, kind, text);
        let plain = plain.ok_or(AppError::Unauthenticated)?;
        let pass: Pass = serde_json::from_slice(&plain).map_err(|_| AppError::Unauthenticated)?;
        if pass.expires_at <= self.now() {
            return Err(AppError::Unauthenticated);
        }
        self.issuer_stands(&pass.by).await?;
        Ok(pass)
    }

    /// Refuses what was made with a key that is not there any more.
    pub(crate) async fn issuer_stands(&self, by: &Issuer) -> Result<(), AppError> {
        match by {
            Issuer::Operator(mark) if *mark == self.operator_mark() => Ok(()),
            Issuer::Operator(_) => Err(AppError::Unauthenticated),
            Issuer::Key { tenant, no, id } => {
                self.known_key(tenant, TenantNo(*no), *id).await?;
                Ok(())
            }
        }
    }
}
