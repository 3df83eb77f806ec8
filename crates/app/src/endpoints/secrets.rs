//! An endpoint's signing secret: rotated, and revealed.

use std::time::Duration;

use hookyard_domain::id::EndpointId;
use hookyard_domain::limit;
use hookyard_domain::secret::{Sealed, SealedSecrets, Secret};
use hookyard_rules::profiles;

use super::EndpointMade;
use super::change::Change;
use crate::audit::Act;
use crate::checks::{Checks, path_id};
use crate::powers::Power;
use crate::{App, AppError, Caller};

/// How to rotate.
#[derive(Clone, Debug, Default)]
pub struct RotateInput {
    /// Seconds that the old secret is used beside the new one; the profile's when not given.
    pub overlap_s: Option<i64>,
    /// A secret of the caller's own.
    pub secret: Option<String>,
}

impl App {
    /// Gives an endpoint a new secret. A second rotation within an overlap ends the older of the old ones.
    pub async fn rotate_secret(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
        input: RotateInput,
    ) -> Result<EndpointMade, AppError> {
        let no = self.tenant_for(caller, tenant, Power::Manage).await?;
        let id: EndpointId = path_id(id, "endpoint")?;
        let profile = self.managed_endpoint(caller, no, id).await?.settings.profile;
        let mut checks = Checks::default();
        let most = i64::try_from(limit::OVERLAP_MAX.as_secs()).unwrap_or(i64::MAX);
        let overlap = checks.whole("/overlap_s", input.overlap_s, 0, most);
        let secret = self.secret(&mut checks, profile, input.secret.map(Secret::new));
        checks.done()?;
        let sealed = secret.as_ref().map(|it| self.seal_secret(id, it));
        let overlap =
            overlap.map(Duration::from_secs).or(profiles::of(profile).overlap).unwrap_or_default();
        let change = Change { caller, tenant: no, id, action: "endpoint.secret_rotated" };
        let endpoint = self
            .change(change, |old, now| {
                if old.settings.profile != profile {
                    return Err(AppError::conflict(
                        "changed_meanwhile",
                        "the endpoint's profile was changed by somebody else; try again",
                    ));
                }
                let mut new = old.clone();
                let until = now.plus(overlap);
                let previous = old.secrets.current.clone().filter(|_| !overlap.is_zero());
                new.secrets = SealedSecrets {
                    current: sealed.clone(),
                    previous: previous.map(|it| (it, until)),
                };
                Ok(new)
            })
            .await?;
        Ok(EndpointMade { details: self.details(endpoint).await?, secret })
    }

    /// The secret in force. Asking for it is written to the audit log.
    pub async fn reveal_secret(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
    ) -> Result<Secret, AppError> {
        let no = self.tenant_for(caller, tenant, Power::Manage).await?;
        let endpoint = self.managed_endpoint(caller, no, path_id(id, "endpoint")?).await?;
        let none = || AppError::conflict("no_secret", "the endpoint has no secret");
        let sealed = endpoint.secrets.current.as_ref().ok_or_else(none)?;
        let secret = self.open_secret(endpoint.id, sealed)?;
        let act = Act { action: "endpoint.secret_revealed", subject: id, ..Act::default() };
        let now = self.now();
        let entry = self.entry(caller, now, act);
        // Before it is told: a look that could not be written down is not given.
        self.store().note(no, entry).await?;
        Ok(secret)
    }

    pub(super) fn open_secret(&self, id: EndpointId, sealed: &Sealed) -> Result<Secret, AppError> {
        let plain = self
            .0
            .parts
            .keyring
            .open(sealed, id.to_string().as_bytes())
            .map_err(|error| AppError::Internal(error.into()))?;
        let text = std::str::from_utf8(&plain).map_err(|error| AppError::Internal(error.into()))?;
        Ok(Secret::new(text.to_owned()))
    }
}
