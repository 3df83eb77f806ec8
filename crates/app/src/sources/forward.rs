//! The endpoint that passes a source's events on as they came: it goes by the source's 16 bytes of id and follows it.

use hookyard_domain::endpoint::{
    Activity, DisabledReason, Endpoint, EndpointNo, EndpointSettings, EndpointStatus,
};
use hookyard_domain::id::{EndpointId, SourceId};
use hookyard_domain::profile::Profile;
use hookyard_domain::secret::{SealedSecrets, Secret};
use hookyard_domain::source::{Source, SourceStatus};
use hookyard_domain::subscription::Pattern;
use hookyard_domain::time::Timestamp;
use hookyard_domain::url::EndpointUrl;
use hookyard_rules::signing;
use hookyard_store::StoreError;
use hookyard_store::sources::Forward;

use super::{ForwardInput, preset_of};
use crate::checks::Checks;
use crate::{App, AppError};

/// What a caller wants of the forwarding.
#[derive(Clone, Debug)]
pub(super) enum Wish {
    /// Nothing said.
    Keep,
    /// To this URL.
    To(EndpointUrl),
    /// No more.
    Stop,
}

/// The endpoint of a source, by the id they share.
pub(super) fn endpoint_id(id: SourceId) -> EndpointId {
    EndpointId::from_u128(id.as_u128())
}

impl App {
    pub(super) fn wish(&self, checks: &mut Checks, forward: Option<Option<ForwardInput>>) -> Wish {
        match forward {
            None => Wish::Keep,
            Some(None) => Wish::Stop,
            Some(Some(ForwardInput { url })) if url.is_empty() => Wish::Stop,
            Some(Some(ForwardInput { url })) => match self.0.parts.egress.check_url_with_http(&url)
            {
                Ok(url) => Wish::To(url),
                Err(refused) => {
                    checks.wrong("/url", refused.code(), refused.to_string());
                    Wish::Keep
                }
            },
        }
    }

    /// The endpoint that forwards for a source, if there is one.
    pub(super) async fn forward_of(&self, source: &Source) -> Result<Option<Endpoint>, AppError> {
        // Only sources of this profile have one.
        if source.settings.profile != Profile::Alumia {
            return Ok(None);
        }
        Ok(self.store().endpoint(source.tenant, endpoint_id(source.id)).await?)
    }

    pub(super) async fn forward_shown(
        &self,
        source: &Source,
    ) -> Result<Option<(Endpoint, Activity)>, AppError> {
        let Some(endpoint) = self.forward_of(source).await? else { return Ok(None) };
        let activity = self.store().activity(source.tenant, &[endpoint.no]).await?;
        Ok(Some((endpoint, activity.first().copied().unwrap_or_default())))
    }

    /// What becomes of the endpoint, and how it is after. `secret` is the source's new one; `None` is the one it has.
    pub(super) fn forward_after(
        &self,
        old: Option<&Endpoint>,
        source: &Source,
        wish: Wish,
        secret: Option<&Secret>,
        now: Timestamp,
    ) -> (Forward, Option<Endpoint>) {
        let mut endpoint = match (old, wish) {
            (None, Wish::Keep | Wish::Stop) => return (Forward::Keep, None),
            (Some(_), Wish::Stop) => return (Forward::Remove, None),
            (Some(old), Wish::Keep) => old.clone(),
            (Some(old), Wish::To(url)) if old.settings.url == url => old.clone(),
            (Some(old), Wish::To(url)) => {
                let mut endpoint = old.clone();
                endpoint.settings.url = url;
                // What switched it off was the old URL's fault.
                followed(endpoint, source.status, now)
            }
            (None, Wish::To(url)) => self.fresh_forward(source, url, now),
        };
        endpoint.settings.name = Some(source.settings.name.clone());
        if let Some(secret) = secret.and_then(|it| forward_secret(source, it)) {
            endpoint.secrets = self.forward_secrets(endpoint.id, &secret);
        }
        if old == Some(&endpoint) {
            return (Forward::Keep, Some(endpoint));
        }
        endpoint.updated_at = now;
        (put(endpoint.clone()), Some(endpoint))
    }

    /// With the number of endpoints that the tenant may have: the one that forwards is one of them.
    pub(super) async fn within_endpoints(&self, forward: Forward) -> Result<Forward, StoreError> {
        let Forward::Put { endpoint, .. } = forward else { return Ok(forward) };
        let snapshot = self.engine().snapshot(endpoint.tenant).await?;
        let endpoints_max = snapshot.and_then(|it| it.tenant.limits.endpoints);
        Ok(Forward::Put { endpoint, endpoints_max })
    }

    fn fresh_forward(&self, source: &Source, url: EndpointUrl, now: Timestamp) -> Endpoint {
        let id = endpoint_id(source.id);
        // Until the source has a secret to be shared, and where what it has is a public key.
        let fresh = signing::generate(Profile::Alumia, &self.dice());
        let own = self.open_source_secret(source).ok().flatten();
        let secret = own.and_then(|it| forward_secret(source, &it)).unwrap_or(fresh);
        let endpoint = Endpoint {
            no: EndpointNo::default(),
            id,
            tenant: source.tenant,
            settings: EndpointSettings {
                url,
                events: vec![Pattern::Any],
                name: None,
                description: None,
                scope: None,
                source: Some(source.id),
                profile: source.settings.profile,
                retry: None,
                timeout_s: None,
                rate_limit: None,
                ordered: false,
                max_in_flight: None,
                include_previous_attributes: false,
                auto_disable: None,
                verify: None,
                metadata: None,
            },
            headers: None,
            secrets: self.forward_secrets(id, &secret),
            status: EndpointStatus::Active,
            disabled_reason: None,
            disabled_at: None,
            created_at: now,
            updated_at: now,
            revision: 0,
        };
        followed(endpoint, source.status, now)
    }

    fn forward_secrets(&self, id: EndpointId, secret: &Secret) -> SealedSecrets {
        let place = id.to_string();
        let sealed = self.seal(secret.reveal().as_bytes(), place.as_bytes());
        SealedSecrets { current: Some(sealed), previous: None }
    }
}

/// The endpoint as it is to be; [`App::within_endpoints`] counts.
pub(super) fn put(endpoint: Endpoint) -> Forward {
    Forward::Put { endpoint: Box::new(endpoint), endpoints_max: None }
}

/// The endpoint in the state of its source.
pub(super) fn followed(endpoint: Endpoint, status: SourceStatus, now: Timestamp) -> Endpoint {
    let (status, reason, at) = match status {
        SourceStatus::Active => (EndpointStatus::Active, None, None),
        SourceStatus::Paused => (EndpointStatus::Paused, None, None),
        SourceStatus::Disabled => (
            EndpointStatus::Disabled,
            endpoint.disabled_reason.or(Some(DisabledReason::Manual)),
            endpoint.disabled_at.or(Some(now)),
        ),
    };
    Endpoint { status, disabled_reason: reason, disabled_at: at, ..endpoint }
}

/// The source's secret as the endpoint's, if it is one: a public key is known to everybody.
fn forward_secret(source: &Source, secret: &Secret) -> Option<Secret> {
    let is_public = preset_of(&source.settings.provider).recipe.key_is_public();
    if is_public { None } else { signing::standard_form(secret.reveal()) }
}
