//! A source's secrets: given, made, rotated and revealed.

use std::time::Duration;

use hookyard_domain::id::SourceId;
use hookyard_domain::key::KeyScope;
use hookyard_domain::limit;
use hookyard_domain::profile::Profile;
use hookyard_domain::secret::{Sealed, SealedSecrets, Secret};
use hookyard_domain::source::Source;
use hookyard_rules::inbound::{self, Preset, SecretFrom};
use hookyard_rules::{profiles, signing};

use super::change::{Change, Changed};
use super::{CUSTOM, SourceMade, preset_of};
use crate::audit::Act;
use crate::checks::{Checks, path_id};
use crate::{App, AppError, Caller, RotateInput};

/// The preset whose secrets have the form of Standard Webhooks too.
const STANDARD: &str = "standard";

impl App {
    /// Gives a source a new secret. Requests signed with the old one are believed until the overlap has passed. Where the
    /// provider hands the secret over in its handshake, the old one is forgotten and the next handshake brings another.
    pub async fn rotate_source_secret(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
        input: RotateInput,
    ) -> Result<SourceMade, AppError> {
        let no = self.tenant_for(caller, tenant, KeyScope::Write).await?;
        let id: SourceId = path_id(id, "source")?;
        let settings = self.seen_source(caller, no, id).await?.settings;
        let preset = preset_of(&settings.provider);
        let mut checks = Checks::default();
        let most = i64::try_from(limit::OVERLAP_MAX.as_secs()).unwrap_or(i64::MAX);
        let overlap = checks.whole("/overlap_s", input.overlap_s, 0, most).map(Duration::from_secs);
        let secret = match input.secret.map(Secret::new) {
            Some(given) => Some(Self::given_secret(&mut checks, preset, given)),
            None => self.fresh_source_secret(preset, caller.surface),
        };
        if secret.is_none() && preset.secret_from == SecretFrom::Provider {
            let message = "this provider makes the secret; give the new one";
            checks.wrong("/secret", "required", message);
        }
        checks.done()?;
        let usual = profiles::of(settings.profile).overlap.filter(|_| secret.is_some());
        let overlap = overlap.or(usual).unwrap_or_default();
        let change = Change { caller, tenant: no, id, action: "source.secret_rotated" };
        let source = self
            .alter_source(change, |old, now| {
                if old.source.settings.provider != settings.provider {
                    return Err(AppError::conflict(
                        "changed_meanwhile",
                        "the source's provider was changed by somebody else; try again",
                    ));
                }
                let mut new = Changed::of(old, now);
                let previous = old.source.secrets.current.clone().filter(|_| !overlap.is_zero());
                new.source.secrets = SealedSecrets {
                    current: secret.as_ref().map(|it| self.seal_source_secret(id, it)),
                    previous: previous.map(|it| (it, now.plus(overlap))),
                };
                new.secret.clone_from(&secret);
                Ok(new)
            })
            .await?;
        Ok(SourceMade { details: self.source_details(source).await?, secret })
    }

    /// The secret in force. Asking for it is written to the audit log.
    pub async fn reveal_source_secret(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
    ) -> Result<Secret, AppError> {
        let no = self.tenant_for(caller, tenant, KeyScope::Write).await?;
        let source = self.seen_source(caller, no, path_id(id, "source")?).await?;
        let none = || AppError::conflict("no_secret", "the source has no secret yet");
        let secret = self.open_source_secret(&source)?.ok_or_else(none)?;
        let act = Act { action: "source.secret_revealed", subject: id, ..Act::default() };
        let entry = self.entry(caller, self.now(), act);
        // Before it is told: a look that could not be written down is not given.
        self.store().note(no, entry).await?;
        Ok(secret)
    }

    /// A secret that somebody gave, checked against the provider's form.
    pub(super) fn given_secret(checks: &mut Checks, preset: &Preset, given: Secret) -> Secret {
        let text = given.reveal();
        let (long, most) = (text.chars().count(), limit::SECRET_CHARS_MAX);
        if long > most {
            let message = format!("a secret has {most} characters at most, this one has {long}");
            checks.wrong("/secret", "bad_secret", message);
        } else if text.trim() != text {
            let message = "there are blanks or a newline around the secret";
            checks.wrong("/secret", "bad_secret", message);
        } else if let Err(bad) = inbound::check_secret(&preset.recipe, text) {
            checks.wrong("/secret", "bad_secret", bad.to_string());
        }
        given
    }

    /// A fresh secret where the gateway may make it. A vendor's surface shows one whenever a source is made, so there it is
    /// made for providers as well that usually make their own; not where it would keep out the one of a handshake, nor
    /// where no secret of ours can be of the form.
    pub(super) fn fresh_source_secret(
        &self,
        preset: &Preset,
        surface: Option<Profile>,
    ) -> Option<Secret> {
        let is_ours = match preset.secret_from {
            SecretFrom::Gateway => true,
            SecretFrom::Provider => surface.is_some(),
            SecretFrom::Handshake => false,
        };
        // Hex where the secret is a text for the provider: some take nothing but letters and digits.
        let form = if matches!(preset.name, CUSTOM | STANDARD) {
            Profile::Standard
        } else {
            Profile::Aryeo
        };
        let secret = signing::generate(form, &self.dice());
        let suits = inbound::check_secret(&preset.recipe, secret.reveal()).is_ok();
        (is_ours && suits && !preset.recipe.key_is_public()).then_some(secret)
    }

    pub(crate) fn seal_source_secret(&self, id: SourceId, secret: &Secret) -> Sealed {
        self.seal(secret.reveal().as_bytes(), id.to_string().as_bytes())
    }

    pub(super) fn seal_verify_token(&self, id: SourceId, token: &str) -> Sealed {
        self.seal(token.as_bytes(), format!("{id}.verify_token").as_bytes())
    }

    pub(super) fn open_source_secret(&self, source: &Source) -> Result<Option<Secret>, AppError> {
        let Some(sealed) = &source.secrets.current else { return Ok(None) };
        self.open_sealed(sealed, &source.id.to_string()).map(Some)
    }

    /// The text a provider is given for its handshake, if there is one that can be opened.
    pub(super) fn open_verify_token(&self, source: &Source) -> Option<Secret> {
        let place = format!("{}.verify_token", source.id);
        self.open_sealed(source.verify_token.as_ref()?, &place).ok()
    }

    fn open_sealed(&self, sealed: &Sealed, place: &str) -> Result<Secret, AppError> {
        let plain = self.0.parts.keyring.open(sealed, place.as_bytes());
        let plain = plain.map_err(|error| AppError::Internal(error.into()))?;
        let text = std::str::from_utf8(&plain).map_err(|error| AppError::Internal(error.into()))?;
        Ok(Secret::new(text.to_owned()))
    }
}
