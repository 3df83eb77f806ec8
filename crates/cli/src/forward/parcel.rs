//! An event as it was told, and the request that brings it: the profile's body, headers and signature.

use anyhow::Context as _;
use bytes::Bytes;
use hookyard_api::stream::{AcceptedEvent, EventPayload, Exact};
use hookyard_domain::endpoint::EndpointSettings;
use hookyard_domain::event::{Event, EventContent};
use hookyard_domain::id::TargetNo;
use hookyard_domain::profile::Profile;
use hookyard_domain::secret::{Secret, Secrets};
use hookyard_domain::subscription::Pattern;
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_domain::url::EndpointUrl;
use hookyard_rules::profiles::{self, Dress};
use hookyard_rules::signing::Signer;
use http::header::{HOST, USER_AGENT};
use http::{HeaderName, HeaderValue, Method, Request};
use http_body_util::Full;
use url::Url;

use crate::exit::Exit;

/// As deliveries introduce themselves.
const AGENT: &str = concat!("Hookyard/", env!("CARGO_PKG_VERSION"));

/// What requests look like.
pub struct Look {
    settings: EndpointSettings,
    signer: Signer,
    headers: Vec<(String, String)>,
}

impl Look {
    /// Of deliveries to an endpoint of this profile with this secret.
    pub fn new(profile: Profile, secret: &Secret) -> anyhow::Result<Self> {
        let secrets = Secrets { current: Some(secret.clone()), previous: None };
        let signer = Signer::prepare(profiles::of(profile).scheme, &secrets)
            .map_err(|bad| Exit::Usage.because(format!("the secret: {bad}")))?;
        let url = Url::parse("http://localhost/").context("the URL of an endpoint that is none")?;
        let settings = EndpointSettings {
            url: EndpointUrl::new(url),
            events: vec![Pattern::Any],
            name: None,
            description: None,
            scope: None,
            source: None,
            profile,
            retry: None,
            timeout_s: None,
            rate_limit: None,
            ordered: true,
            max_in_flight: None,
            include_previous_attributes: false,
            auto_disable: None,
            verify: None,
            metadata: None,
        };
        Ok(Self { settings, signer, headers: Vec::new() })
    }

    /// Whose format it is.
    pub fn profile(&self) -> Profile {
        self.settings.profile
    }

    /// With what was before a change.
    pub fn with_previous_attributes(mut self, asked: bool) -> Self {
        self.settings.include_previous_attributes = asked;
        self
    }

    /// With headers of the endpoint's own.
    pub fn with_headers(mut self, headers: Vec<(String, String)>) -> Self {
        self.headers.extend(headers);
        self
    }
}

/// An event, ready to be brought.
pub struct Parcel {
    event: Event,
    body: Bytes,
}

impl Parcel {
    /// Packs an event that was told with all it carries.
    ///
    /// # Errors
    /// It is not of the form it should have.
    pub fn pack(told: &AcceptedEvent, look: &Look) -> anyhow::Result<Self> {
        let event = event(told).context("an event that cannot be read")?;
        let body = profiles::body(&look.settings, &event);
        Ok(Self { event, body })
    }

    /// What is brought.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The request, signed now.
    pub fn request(
        &self,
        look: &Look,
        target: &str,
        host: &str,
        now: Timestamp,
    ) -> anyhow::Result<Request<Full<Bytes>>> {
        let delivery = self.event.id.delivery(TargetNo(0));
        let dress = Dress { event: &self.event, delivery, attempt: 1, now, body: &self.body };
        let dressed = profiles::headers(look.settings.profile, &look.signer, &dress);
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = target.parse().context("the path of `--forward-to`")?;
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        headers.insert(HOST, host.parse().context("the host of `--forward-to`")?);
        let own = self.event.content.headers.0.iter().chain(&look.headers);
        let own = own.map(|(name, value)| (name.as_str(), value.as_str()));
        // What the profile says comes last, so that nothing can replace it.
        let all = own.chain(dressed.iter().map(|(name, value)| (*name, value.as_str())));
        for (name, value) in all {
            if let (Ok(name), Ok(value)) =
                (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
            {
                headers.insert(name, value);
            }
        }
        Ok(request)
    }
}

fn event(told: &AcceptedEvent) -> anyhow::Result<Event> {
    let carried = told.payload.as_ref().context("it comes without what it carries")?;
    let EventPayload { data, previous, changes, content_type, headers } = carried;
    let bytes = |it: &Exact| it.bytes().map(Bytes::from).context("its data is not base64");
    Ok(Event {
        id: told.id.parse().context("its id")?,
        tenant: TenantNo::default(),
        accepted_at: told.accepted_at.parse().context("its time")?,
        content: EventContent {
            event_type: told.event_type.parse().context("its type")?,
            scope: told.scope.as_deref().map(str::parse).transpose().context("its scope")?,
            occurred_at: Some(told.occurred_at.parse().context("its time")?),
            data: bytes(data)?,
            previous: previous.as_ref().map(bytes).transpose()?,
            changes: changes.as_ref().map(bytes).transpose()?,
            headers: headers.clone().into(),
            publisher_id: told.publisher_id.clone(),
            source: told.source.as_deref().map(str::parse).transpose().context("its source")?,
            content_type: content_type.clone(),
        },
    })
}
