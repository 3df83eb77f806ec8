//! Keeping the secret that a provider hands over in its handshake.

use hookyard_domain::audit::AuditEntry;
use hookyard_domain::id::SourceId;
use hookyard_domain::secret::Secret;
use hookyard_domain::tenant::TenantNo;
use hookyard_store::StoreError;

use super::NONE;
use super::change::{Changed, Kept};
use crate::audit::Act;
use crate::{App, AppError};

/// Who did it, in the audit log.
const ACTOR: &str = "provider";

impl App {
    /// Keeps a secret as the source's first. False when somebody was quicker: the handshake has to be looked at again.
    pub(crate) async fn keep_learned(
        &self,
        (tenant, id): (TenantNo, SourceId),
        secret: Secret,
        origin: Option<String>,
    ) -> Result<bool, AppError> {
        let source = self.store().source(tenant, id).await?.ok_or(NONE)?;
        if source.secrets.current.is_some() {
            // This node has not heard of it yet.
            self.engine().config_changed(tenant).await;
            return Ok(false);
        }
        let forward = self.forward_of(&source).await?;
        let old = Kept { source, forward };
        let now = self.now();
        let mut new = Changed::of(&old, now);
        new.source.secrets.current = Some(self.seal_source_secret(id, &secret));
        new.secret = Some(secret);
        let subject = id.to_string();
        let act = Act { action: "source.secret_learned", subject: &subject, ..Act::default() };
        let entry = |act: Act<'_>| AuditEntry {
            id: self.fresh_id(now),
            at: now,
            actor: ACTOR.into(),
            origin,
            action: act.action.into(),
            subject: act.subject.into(),
            before: act.before.map(|it| it.to_string()),
            after: act.after.map(|it| it.to_string()),
        };
        match self.write_source(&old, new, act, entry).await {
            Ok(written) => written.map(|_| true).ok_or(NONE),
            Err(StoreError::Conflict { .. }) => {
                self.engine().config_changed(tenant).await;
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }
}
