//! Changing a source and taking it away.

use hookyard_domain::audit::AuditEntry;
use hookyard_domain::delivery::EndReason;
use hookyard_domain::endpoint::{Endpoint, EndpointStatus};
use hookyard_domain::id::SourceId;
use hookyard_domain::key::KeyScope;
use hookyard_domain::secret::{SealedSecrets, Secret};
use hookyard_domain::source::{Source, SourceStatus};
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_rules::inbound::{self, SecretFrom};
use hookyard_store::StoreError;
use hookyard_store::sources::Forward;

use super::forward::{self, Wish, followed};
use super::{NONE, SourceDetails, SourcePatch, input, preset_of};
use crate::audit::{self, Act};
use crate::checks::{Checks, path_id};
use crate::{App, AppError, Caller};

/// How often a change is made anew when the source was changed by somebody else in between.
const TRIES: usize = 5;

/// A source as it is kept, with the endpoint that forwards for it.
pub(super) struct Kept {
    pub(super) source: Source,
    pub(super) forward: Option<Endpoint>,
}

/// One change of a source, whichever it is.
pub(super) struct Change<'a> {
    pub(super) caller: &'a Caller,
    pub(super) tenant: TenantNo,
    pub(super) id: SourceId,
    pub(super) action: &'static str,
}

/// How a source is to be.
pub(super) struct Changed {
    pub(super) source: Source,
    /// Its endpoint as the change found it, or put in step with the source's state.
    pub(super) forward: Option<Endpoint>,
    pub(super) wish: Wish,
    /// Its secret, when it gets another one.
    pub(super) secret: Option<Secret>,
    now: Timestamp,
}

impl Changed {
    pub(super) fn of(old: &Kept, now: Timestamp) -> Self {
        let (source, forward) = (old.source.clone(), old.forward.clone());
        Self { source, forward, wish: Wish::Keep, secret: None, now }
    }

    /// In another state; its endpoint goes with it, even if it was switched off by itself.
    pub(super) fn set_status(&mut self, status: SourceStatus) {
        self.source.status = status;
        let now = self.now;
        self.forward = self.forward.take().map(|it| followed(it, status, now));
    }
}

impl App {
    /// Changes a source. The very next request obeys the change.
    pub async fn change_source(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
        patch: SourcePatch,
    ) -> Result<SourceDetails, AppError> {
        let no = self.tenant_for(caller, tenant, KeyScope::Write).await?;
        let id: SourceId = path_id(id, "source")?;
        let change = Change { caller, tenant: no, id, action: "source.updated" };
        let source = self
            .alter_source(change, |old, now| self.patched_source(caller, old, patch.clone(), now))
            .await?;
        self.source_details(source).await
    }

    fn patched_source(
        &self,
        caller: &Caller,
        old: &Kept,
        mut patch: SourcePatch,
        now: Timestamp,
    ) -> Result<Changed, AppError> {
        let mut checks = Checks::default();
        let mut new = Changed::of(old, now);
        let id = old.source.id;
        let status = input::status(&mut checks, patch.status.take().as_deref());
        new.wish = self.wish(&mut checks, patch.forward.take());
        let given = patch.secret.take().map(Secret::new);
        if let Some(text) = patch.verify_token.take() {
            let token = input::verify_token(&mut checks, text);
            let old_token = self.open_verify_token(&old.source);
            if token.as_deref() != old_token.as_ref().map(Secret::reveal) {
                new.source.verify_token = token.map(|it| self.seal_verify_token(id, &it));
            }
        }
        new.source.settings = patch.check(&mut checks, caller.surface, new.source.settings);
        match given {
            Some(given) => self.give_secret(&mut checks, &mut new, given)?,
            None if new.source.settings.provider != old.source.settings.provider => {
                self.check_kept_secret(&mut checks, &new.source)?;
            }
            None => {}
        }
        checks.done()?;
        if let Some(status) = status {
            new.set_status(status);
        }
        Ok(new)
    }

    /// Puts a secret in force at once. The same again changes nothing.
    fn give_secret(
        &self,
        checks: &mut Checks,
        new: &mut Changed,
        given: Secret,
    ) -> Result<(), AppError> {
        let preset = preset_of(&new.source.settings.provider);
        let given = Self::given_secret(checks, preset, given);
        // One that cannot be opened is replaced.
        let kept = self.open_source_secret(&new.source).unwrap_or(None);
        if kept.as_ref() == Some(&given) && new.source.secrets.previous.is_none() {
            return Ok(());
        }
        let current = Some(self.seal_source_secret(new.source.id, &given));
        new.source.secrets = SealedSecrets { current, previous: None };
        new.secret = Some(given);
        Ok(())
    }

    /// Another provider proves its requests in another way: the secret that is kept must do for it.
    fn check_kept_secret(&self, checks: &mut Checks, source: &Source) -> Result<(), AppError> {
        let preset = preset_of(&source.settings.provider);
        let good = match self.open_source_secret(source)? {
            Some(secret) => inbound::check_secret(&preset.recipe, secret.reveal()).is_ok(),
            None => preset.secret_from != SecretFrom::Gateway,
        };
        if !good {
            let message = "the source's secret does not suit this provider; give one that does";
            checks.wrong("/secret", "secret_mismatch", message);
        }
        Ok(())
    }

    /// Takes a source away, with the endpoint that forwards for it. Its events and deliveries stay listed; what it was
    /// still owed is discarded, and what is held of it is never passed on.
    pub async fn delete_source(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
    ) -> Result<(), AppError> {
        let no = self.tenant_for(caller, tenant, KeyScope::Write).await?;
        let old = self.seen_source(caller, no, path_id(id, "source")?).await?;
        let forward = self.forward_of(&old).await?;
        let now = self.now();
        let act = Act {
            action: "source.deleted",
            subject: id,
            before: Some(audit::source(&old, forward.as_ref())),
            ..Act::default()
        };
        let entry = self.entry(caller, now, act);
        let deleted = self.store().delete_source(no, old.id, entry).await;
        self.forget_source(old.id);
        if !deleted? {
            return Err(NONE);
        }
        self.engine().config_changed(no).await;
        if let Some(endpoint) = &forward {
            self.discard(endpoint, EndReason::EndpointDeleted, now).await;
        }
        Ok(())
    }

    /// Reads a source, changes it and writes it back, again if somebody else was in between. A change that changes nothing
    /// is not written.
    pub(super) async fn alter_source(
        &self,
        change: Change<'_>,
        apply: impl Fn(&Kept, Timestamp) -> Result<Changed, AppError> + Send + Sync,
    ) -> Result<Source, AppError> {
        let mut tries = 0;
        loop {
            let source = self.seen_source(change.caller, change.tenant, change.id).await?;
            let forward = self.forward_of(&source).await?;
            let old = Kept { source, forward };
            let now = self.now();
            let new = apply(&old, now)?;
            let subject = change.id.to_string();
            let act = Act { action: change.action, subject: &subject, ..Act::default() };
            let entry = |act: Act<'_>| self.entry(change.caller, now, act);
            match self.write_source(&old, new, act, entry).await {
                Ok(Some(source)) => return Ok(source),
                Ok(None) => return Err(NONE),
                Err(StoreError::Conflict { .. }) if tries < TRIES => tries += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Writes a changed source with its endpoint; whatever changes a source passes here.
    pub(super) async fn write_source(
        &self,
        old: &Kept,
        new: Changed,
        act: Act<'_>,
        entry: impl FnOnce(Act<'_>) -> AuditEntry,
    ) -> Result<Option<Source>, StoreError> {
        let Changed { mut source, forward, wish, secret, now } = new;
        let (mut put, after) =
            self.forward_after(forward.as_ref(), &source, wish, secret.as_ref(), now);
        // Put in step with the source's state, and not changed otherwise.
        if let (Forward::Keep, Some(endpoint)) = (&put, &after)
            && old.forward != after
        {
            put = forward::put(Endpoint { updated_at: now, ..endpoint.clone() });
        }
        if source == old.source && put == Forward::Keep {
            return Ok(Some(source));
        }
        source.updated_at = now;
        let act = Act {
            before: Some(audit::source(&old.source, old.forward.as_ref())),
            after: Some(audit::source(&source, after.as_ref())),
            ..act
        };
        let tenant = source.tenant;
        let put = self.within_endpoints(put).await?;
        let written = self.store().update_source(source, put, entry(act)).await?;
        if written.is_some() {
            self.engine().config_changed(tenant).await;
            self.discard_forwarded(old, after.as_ref(), now).await;
        }
        Ok(written)
    }

    /// Discards what waits for a retry of an endpoint that went off or away with this change.
    async fn discard_forwarded(&self, old: &Kept, after: Option<&Endpoint>, now: Timestamp) {
        let Some(before) = &old.forward else { return };
        let reason = match after {
            None => EndReason::EndpointDeleted,
            Some(after) if after.status == EndpointStatus::Disabled => EndReason::EndpointDisabled,
            Some(_) => return,
        };
        self.discard(before, reason, now).await;
    }
}
