//! A tenant's configuration, prepared for publishing and sending; swapped whole when it changes.
//!
//! What can be worked out once per change is worked out here: keys decoded, custom headers parsed, the origin's
//! connections found, policies resolved against the profile. The commit checks the version a publish was matched against,
//! so an old snapshot costs a second match, never a wrong delivery.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hookyard_domain::delivery::EndReason;
use hookyard_domain::endpoint::{Endpoint, EndpointNo, EndpointStatus};
use hookyard_domain::event::EventContent;
use hookyard_domain::event_type::EventType;
use hookyard_domain::headers::Headers;
use hookyard_domain::id::SourceId;
use hookyard_domain::limit;
use hookyard_domain::retry::{AutoDisable, RetryPolicy};
use hookyard_domain::secret::{Sealed, SealedSecrets, Secret, Secrets};
use hookyard_domain::source::{Source, SourceStatus};
use hookyard_domain::subscription::Scope;
use hookyard_domain::tenant::Tenant;
use hookyard_rules::profiles::{self, Terminal};
use hookyard_rules::seal::Keyring;
use hookyard_rules::signing::Signer;
use hookyard_rules::{matching, redact};
use hookyard_store::endpoints::TenantConfig;
use hookyard_store::ledger::Target;
use http::{HeaderName, HeaderValue};

use crate::connect::{Host, Origin};
use crate::ingest::Incoming;
use crate::transport::{Pool, Transport};

/// Answers of matching that are remembered per snapshot: types times scopes.
const MATCHES_REMEMBERED: usize = 2048;

/// A tenant as of one configuration version.
pub struct Snapshot {
    /// The tenant.
    pub tenant: Tenant,
    /// The version.
    pub version: u64,
    pub(crate) endpoints: Vec<Arc<Prepared>>,
    /// Those of them that one node alone sends to.
    singles: HashSet<EndpointNo>,
    sources: HashMap<SourceId, Arc<PreparedSource>>,
    matches: Mutex<Matches>,
}

/// Whom events of a type, scope and source are owed to.
type Matches = HashMap<(EventType, Option<Scope>, Option<SourceId>), Arc<[Target]>>;

/// What becomes of an event.
pub(crate) struct Route {
    pub targets: Arc<[Target]>,
    /// Its source is paused.
    pub held: bool,
}

impl Route {
    /// To be passed on later.
    pub(crate) fn held() -> Self {
        Self { targets: Arc::from([]), held: true }
    }
}

/// A source, ready to receive.
#[derive(Debug)]
pub struct PreparedSource {
    /// The source.
    pub source: Source,
    /// Its secrets; `None` when they cannot be opened with this node's master keys.
    pub secrets: Option<Secrets>,
    /// What its provider was given for the handshake, if anything, and if that can be opened.
    pub verify_token: Option<Secret>,
}

impl Snapshot {
    /// Prepares what changed; endpoints that are the same as in `before` are taken over from it.
    pub(crate) fn new(
        config: TenantConfig,
        before: Option<&Self>,
        keyring: &Keyring,
        transport: &Transport,
    ) -> Self {
        let known: HashMap<_, _> = before
            .map(|it| it.endpoints.iter().map(|it| (it.endpoint.no, it)).collect())
            .unwrap_or_default();
        let endpoints: Vec<_> = config
            .endpoints
            .into_iter()
            .map(|endpoint| match known.get(&endpoint.no) {
                Some(same) if same.endpoint == endpoint => Arc::clone(same),
                _ => Arc::new(Prepared::new(endpoint, keyring, transport)),
            })
            .collect();
        let sources = config.sources.into_iter().map(|source| {
            let same = before.and_then(|it| it.sources.get(&source.id));
            let prepared = match same {
                Some(same) if same.source == source => Arc::clone(same),
                _ => Arc::new(PreparedSource::new(source, keyring)),
            };
            (prepared.source.id, prepared)
        });
        Self {
            tenant: config.tenant,
            version: config.version,
            singles: endpoints
                .iter()
                .filter(|it| it.endpoint.settings.has_one_sender())
                .map(|it| it.endpoint.no)
                .collect(),
            endpoints,
            sources: sources.collect(),
            matches: Mutex::new(HashMap::new()),
        }
    }

    /// One of the tenant's sources.
    #[must_use]
    pub fn source(&self, id: SourceId) -> Option<&Arc<PreparedSource>> {
        self.sources.get(&id)
    }

    /// All of the tenant's sources, in no order.
    pub fn sources(&self) -> impl Iterator<Item = &Arc<PreparedSource>> {
        self.sources.values()
    }

    /// The event's source is not the one that vouched for it any more.
    pub(crate) fn is_other(&self, event: &Incoming) -> bool {
        let source = event.content.source.and_then(|id| self.sources.get(&id));
        let (Some(vouched), Some(source)) = (&event.vouched, source) else { return false };
        let (then, now) = (&vouched.source, &source.source);
        !Arc::ptr_eq(vouched, source)
            && (then.secrets != now.secrets || then.settings != now.settings)
    }

    /// What becomes of an event; `None` when its source is gone or takes nothing.
    pub(crate) fn route(&self, content: &EventContent) -> Option<Route> {
        let nobody = || Arc::from([]);
        let to_all = || self.targets(&content.event_type, content.scope.as_ref(), content.source);
        let Some(id) = content.source else {
            return Some(Route { targets: to_all(), held: false });
        };
        let source = &self.sources.get(&id)?.source;
        let allowed = &source.settings.events;
        let passes =
            allowed.is_empty() || matching::wants(allowed, None, &content.event_type, None);
        match source.status {
            SourceStatus::Disabled => None,
            _ if !passes => Some(Route { targets: nobody(), held: false }),
            SourceStatus::Paused => Some(Route::held()),
            SourceStatus::Active => Some(Route { targets: to_all(), held: false }),
        }
    }

    /// Those of the targets that one node alone sends to.
    pub(crate) fn singles(&self, targets: &[Target]) -> Vec<EndpointNo> {
        if self.singles.is_empty() {
            return Vec::new();
        }
        let wanted = |it: &&Target| it.discarded.is_none() && self.singles.contains(&it.endpoint);
        targets.iter().filter(wanted).map(|it| it.endpoint).collect()
    }

    /// Whom an event of this type, scope and source is owed to, and who would have been, were it not off.
    fn targets(
        &self,
        event_type: &EventType,
        scope: Option<&Scope>,
        source: Option<SourceId>,
    ) -> Arc<[Target]> {
        // An event type is a short string: a look-up is cheaper than a match against many endpoints.
        let key = (event_type.clone(), scope.cloned(), source);
        let mut matches = self.matches.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = matches.get(&key) {
            return Arc::clone(known);
        }
        let targets: Arc<[Target]> = self
            .endpoints
            .iter()
            .filter(|it| it.wants(event_type, scope, source))
            .map(|it| Target { endpoint: it.endpoint.no, discarded: discarded(it.endpoint.status) })
            .collect();
        if matches.len() < MATCHES_REMEMBERED {
            matches.insert(key, Arc::clone(&targets));
        }
        targets
    }
}

fn discarded(status: EndpointStatus) -> Option<EndReason> {
    match status {
        EndpointStatus::Active | EndpointStatus::Paused => None,
        EndpointStatus::Pending => Some(EndReason::EndpointPending),
        EndpointStatus::Disabled => Some(EndReason::EndpointDisabled),
    }
}

/// An endpoint, ready to be sent to.
pub(crate) struct Prepared {
    pub endpoint: Endpoint,
    pub retry: RetryPolicy,
    pub terminal: Terminal,
    pub timeout: Duration,
    pub auto_disable: AutoDisable,
    pub in_flight_max: u32,
    /// `None` when its secret or headers cannot be opened with this node's master keys: it is held, not failed.
    pub way: Option<Way>,
}

/// Everything a request to an endpoint needs.
pub(crate) struct Way {
    pub signer: Signer,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The same as they may be shown.
    pub shown: Vec<(String, String)>,
    /// Which of their values are not.
    pub credentials: Vec<HeaderValue>,
    pub pool: Arc<Pool>,
    pub host: HeaderValue,
    pub path: http::Uri,
}

impl Prepared {
    pub(crate) fn new(endpoint: Endpoint, keyring: &Keyring, transport: &Transport) -> Self {
        let settings = &endpoint.settings;
        let way = Way::new(&endpoint, keyring, transport);
        if way.is_none() {
            tracing::error!(
                endpoint.id = %endpoint.id,
                "an endpoint's secret cannot be opened with the master keys given; its deliveries are held"
            );
        }
        Self {
            retry: profiles::retry_policy(settings),
            terminal: profiles::of(settings.profile).terminal,
            timeout: profiles::timeout(settings),
            auto_disable: profiles::auto_disable(settings),
            in_flight_max: settings
                .max_in_flight
                .unwrap_or(limit::IN_FLIGHT_PER_ENDPOINT_DEFAULT)
                .clamp(1, limit::IN_FLIGHT_PER_ENDPOINT_MAX),
            way,
            endpoint,
        }
    }

    fn wants(
        &self,
        event_type: &EventType,
        scope: Option<&Scope>,
        source: Option<SourceId>,
    ) -> bool {
        matching::gets(&self.endpoint.settings, event_type, scope, source)
    }
}

impl PreparedSource {
    fn new(source: Source, keyring: &Keyring) -> Self {
        let id = source.id.to_string();
        let secrets = open_secrets(&source.secrets, &id, keyring);
        if secrets.is_none() {
            tracing::error!(
                source.id = %source.id,
                "a source's secret cannot be opened with the master keys given; it believes nobody"
            );
        }
        let place = format!("{id}.verify_token");
        let token = source.verify_token.as_ref().and_then(|it| open(it, &place, keyring));
        Self { secrets, verify_token: token, source }
    }
}

impl Way {
    fn new(endpoint: &Endpoint, keyring: &Keyring, transport: &Transport) -> Option<Self> {
        let secrets = open_secrets(&endpoint.secrets, &endpoint.id.to_string(), keyring)?;
        let scheme = profiles::of(endpoint.settings.profile).scheme;
        let signer = Signer::prepare(scheme, &secrets).ok()?;
        let headers = match &endpoint.headers {
            None => Vec::new(),
            Some(sealed) => open_headers(endpoint, sealed, keyring)?,
        };
        let (origin, host, path) = destination(endpoint.settings.url.as_url())?;
        let shown = redact::headers(shown(headers.iter().map(|(name, value)| (name, value)))).0;
        let is_hidden =
            |(name, _): &&(HeaderName, HeaderValue)| redact::is_sensitive(name.as_str());
        let credentials = headers.iter().filter(is_hidden).map(|it| it.1.clone()).collect();
        let pool = transport.pool(&origin);
        Some(Self { signer, headers, shown, credentials, pool, host, path })
    }
}

fn open(sealed: &Sealed, place: &str, keyring: &Keyring) -> Option<Secret> {
    let plain = keyring.open(sealed, place.as_bytes()).ok()?;
    Some(Secret::new(std::str::from_utf8(&plain).ok()?.to_owned()))
}

fn open_secrets(sealed: &SealedSecrets, place: &str, keyring: &Keyring) -> Option<Secrets> {
    let current = match &sealed.current {
        None => None,
        Some(sealed) => Some(open(sealed, place, keyring)?),
    };
    let previous = match &sealed.previous {
        None => None,
        Some((sealed, until)) => Some((open(sealed, place, keyring)?, *until)),
    };
    Some(Secrets { current, previous })
}

fn open_headers(
    endpoint: &Endpoint,
    sealed: &Sealed,
    keyring: &Keyring,
) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let aad = format!("{}.headers", endpoint.id);
    let plain = keyring.open(sealed, aad.as_bytes()).ok()?;
    let headers: Headers = serde_json::from_slice(&plain).ok()?;
    Some(parse_headers(&headers))
}

/// Names and values that can stand in a request; what cannot was refused when it was given.
pub(crate) fn parse_headers(headers: &Headers) -> Vec<(HeaderName, HeaderValue)> {
    headers
        .0
        .iter()
        .filter_map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            Some((name, HeaderValue::from_str(value).ok()?))
        })
        .collect()
}

/// Headers as texts.
pub(crate) fn shown<'a>(
    headers: impl IntoIterator<Item = (&'a HeaderName, &'a HeaderValue)>,
) -> Headers {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let pair = |(name, value): (&HeaderName, _)| (name.as_str().to_owned(), text(value));
    Headers(headers.into_iter().map(pair).collect())
}

pub(crate) fn destination(url: &url::Url) -> Option<(Origin, HeaderValue, http::Uri)> {
    let host = match url.host()? {
        url::Host::Ipv4(address) => Host::Address(address.into()),
        url::Host::Ipv6(address) => Host::Address(address.into()),
        url::Host::Domain(name) => Host::Name(name.to_owned()),
    };
    let origin = Origin { tls: url.scheme() == "https", host, port: url.port_or_known_default()? };
    let authority = match url.port() {
        None => url.host_str()?.to_owned(),
        Some(port) => format!("{}:{port}", url.host_str()?),
    };
    let path = url[url::Position::BeforePath..url::Position::AfterQuery].parse().ok()?;
    Some((origin, HeaderValue::from_str(&authority).ok()?, path))
}
