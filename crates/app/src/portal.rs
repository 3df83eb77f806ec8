//! Portal sessions: a customer's short-lived view of one tenant, or of one scope of it. Nothing is kept of them: the token
//! carries what it stands for, and ends with the key it was made with.

use std::time::Duration;

use hookyard_domain::key::KeyScope;
use hookyard_domain::limit;
use hookyard_domain::portal::Capability;
use hookyard_domain::secret::Secret;
use hookyard_domain::time::Timestamp;
use hookyard_rules::tokens::TokenKind;
use serde_json::json;

use crate::audit::Act;
use crate::caller::PortalPowers;
use crate::checks::Checks;
use crate::error::Needs;
use crate::sessions::{Pass, PortalPass};
use crate::{App, AppError, Caller, Who};

/// A portal session to be made.
#[derive(Clone, Debug, Default)]
pub struct NewPortalSession {
    /// The one scope it is limited to.
    pub scope: Option<String>,
    /// Seconds until it ends.
    pub expires_in: Option<i64>,
    /// What it may do; everything when left out.
    pub capabilities: Option<Vec<String>>,
}

/// A portal session that was made.
#[derive(Clone, Debug)]
pub struct PortalMade {
    /// A bearer key with just its powers.
    pub token: Secret,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl App {
    /// Makes a portal session, which may do nothing that its maker may not.
    pub async fn create_portal_session(
        &self,
        caller: &Caller,
        tenant: &str,
        new: NewPortalSession,
    ) -> Result<PortalMade, AppError> {
        let no = self.tenant_for(caller, tenant, KeyScope::Write).await?;
        let now = self.now();
        let mut checks = Checks::default();
        let scope = checks.parse("/scope", "bad_scope", new.scope.as_deref());
        let seconds = (limit::PORTAL_S_MIN.into(), limit::PORTAL_S_MAX.into());
        let lives_s: Option<u32> =
            checks.whole("/expires_in", new.expires_in, seconds.0, seconds.1);
        let capabilities = capabilities(&mut checks, new.capabilities.as_deref());
        checks.done()?;
        let has = caller.who.capabilities();
        if capabilities.iter().any(|it| !has.contains(it)) {
            return Err(AppError::Forbidden { needs: Needs::Scope(KeyScope::Read) });
        }
        let lives_s = lives_s.unwrap_or(limit::PORTAL_S_DEFAULT);
        let expires_at = now.plus(Duration::from_secs(lives_s.into()));
        let act = Act {
            action: "portal_session.created",
            subject: tenant,
            after: Some(json!({
                "scope": scope, "capabilities": capabilities, "expires_at": expires_at.to_string(),
            })),
            ..Act::default()
        };
        self.store().note(no, self.entry(caller, now, act)).await?;
        let portal = PortalPass {
            id: u64::from_be_bytes(self.dice()),
            tenant: tenant.parse().map_err(|_| AppError::NotFound { what: "tenant" })?,
            no: no.0,
            scope,
            capabilities,
        };
        let pass = Pass { by: self.issuer(&caller.who)?, portal: Some(portal), expires_at };
        Ok(PortalMade { token: self.sealed_pass(TokenKind::Portal, &pass)?, expires_at })
    }

    /// Who has this portal token, and until when.
    pub(crate) async fn portal_caller(&self, text: &str) -> Result<(Caller, Timestamp), AppError> {
        let pass = self.open_pass(TokenKind::Portal, text).await?;
        let portal = pass.portal.ok_or(AppError::Unauthenticated)?;
        // Its name may be another's by now.
        match self.tenant_no(portal.tenant.as_str()).await {
            Ok(no) if no.0 == portal.no => {}
            Ok(_) | Err(AppError::NotFound { .. }) => return Err(AppError::Unauthenticated),
            Err(error) => return Err(error),
        }
        let expires_at = pass.expires_at;
        let powers = PortalPowers {
            actor: format!("portal session {:016x} of {}", portal.id, pass.by),
            owner: format!("portal/{:016x}", portal.id),
            no: hookyard_domain::tenant::TenantNo(portal.no),
            tenant: portal.tenant,
            scope: portal.scope,
            capabilities: portal.capabilities,
            expires_at: pass.expires_at,
            by: pass.by,
        };
        let caller = Caller { who: Who::Portal(powers.into()), origin: None, surface: None };
        Ok((caller, expires_at))
    }
}

fn capabilities(checks: &mut Checks, given: Option<&[String]>) -> Vec<Capability> {
    let Some(given) = given else { return Capability::ALL.to_vec() };
    if given.is_empty() {
        checks.wrong("/capabilities", "too_short", "name at least one, or leave it out");
    }
    let mut found = Vec::new();
    for (at, text) in given.iter().enumerate() {
        let pointer = format!("/capabilities/{at}");
        found.extend(checks.one_of(&pointer, Some(text), &Capability::ALL, Capability::as_str));
    }
    Checks::distinct(found)
}
