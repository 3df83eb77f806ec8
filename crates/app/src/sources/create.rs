//! Making a source.

use hookyard_domain::endpoint::Activity;
use hookyard_domain::key::KeyScope;
use hookyard_domain::limit;
use hookyard_domain::secret::{SealedSecrets, Secret};
use hookyard_domain::source::{Source, SourceActivity, SourceStatus};

use super::{NewSource, SourceDetails, SourceMade, input, preset_of};
use crate::audit::{self, Act};
use crate::checks::Checks;
use crate::{App, AppError, Caller};

impl App {
    /// Makes a source. Its secret is the one given; without one it is made here, where the provider takes one.
    pub async fn create_source(
        &self,
        caller: &Caller,
        tenant: &str,
        mut new: NewSource,
    ) -> Result<SourceMade, AppError> {
        let no = self.tenant_for(caller, tenant, KeyScope::Write).await?;
        let snapshot = self.engine().snapshot(no).await?;
        let snapshot = snapshot.ok_or(AppError::NotFound { what: "tenant" })?;
        let profile = caller.surface.unwrap_or(snapshot.tenant.profile);
        let mut checks = Checks::default();
        let given = new.secret.take().map(Secret::new);
        let token = input::verify_token(&mut checks, new.verify_token.take());
        let wish = self.wish(&mut checks, new.forward.take().map(Some));
        let settings = new.check(&mut checks, profile, caller.surface);
        let preset = preset_of(&settings.provider);
        let secret = match given {
            Some(given) => Some(Self::given_secret(&mut checks, preset, given)),
            None => self.fresh_source_secret(preset, caller.surface),
        };
        checks.done()?;

        let now = self.now();
        let id = self.fresh_id(now);
        let source = Source {
            id,
            tenant: no,
            secrets: SealedSecrets {
                current: secret.as_ref().map(|it| self.seal_source_secret(id, it)),
                previous: None,
            },
            verify_token: token.map(|it| self.seal_verify_token(id, &it)),
            status: SourceStatus::Active,
            created_at: now,
            updated_at: now,
            revision: 0,
            settings,
        };
        let (forward, shown) = self.forward_after(None, &source, wish, secret.as_ref(), now);
        let subject = id.to_string();
        let act = Act {
            action: "source.created",
            subject: &subject,
            after: Some(audit::source(&source, shown.as_ref())),
            ..Act::default()
        };
        let entry = self.entry(caller, now, act);
        let forward = self.within_endpoints(forward).await?;
        let most = limit::SOURCES_MAX;
        let source = self.store().create_source(source, forward, most, entry).await?;
        self.forget_source(id);
        self.engine().config_changed(no).await;
        // Nothing was counted yet, and nothing may fail any more once the secret is made.
        let forward = shown.map(|it| (it, Activity::default()));
        let activity = SourceActivity::default();
        let details = SourceDetails { source, activity, forward, overlap_until: None };
        Ok(SourceMade { details, secret })
    }
}
