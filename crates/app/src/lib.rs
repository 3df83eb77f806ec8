//! The hall: every wish of a caller, written once.
//!
//! Called by the doors (`http`, `mcp`) and by `cli`; calls `rules` for decisions, `store` for facts and `engine` for
//! what happens by itself. Each function has one shape: check the caller, check the input, one or two calls down, the
//! audit entry passed along with the change, the answer in domain words. Inputs come as their caller wrote them, so that
//! every door has the same checks; all wrong fields are told at once.
//!
//! **Never** here: axum, the JSON of any API, status codes, SQL, an adapter by name.
//! Start reading at [`caller`], then [`publish`] and [`endpoints`].

pub mod attempt_log;
pub mod audit;
mod cache;
pub mod caller;
mod catalogue;
mod checks;
pub mod deliveries;
pub mod endpoints;
pub mod error;
pub mod event_types;
pub mod events;
pub mod idempotency;
pub mod jobs;
pub mod keys;
pub mod nodes;
pub mod pages;
pub mod portal;
mod powers;
pub mod providers;
pub mod publish;
mod rates;
pub mod receive;
pub mod received;
pub mod replay;
mod seats;
mod seen;
pub mod sessions;
pub mod signatures;
pub mod sources;
pub mod statistics;
pub mod streams;
pub mod tenants;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use hookyard_domain::id::{Id, KeyId, SourceId};
use hookyard_domain::key::KeyHash;
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::{Chance, Clock, Timestamp};
use hookyard_engine::Engine;
use hookyard_rules::egress::EgressPolicy;
use hookyard_rules::seal::Keyring;
use hookyard_store::Store;
use hookyard_store::memory::ReplyKey;

pub use attempt_log::{AttemptLog, LogQuery, LoggedAttempt};
pub use caller::{Caller, KeyPowers, PortalPowers, Who};
pub use deliveries::{DeliveryQuery, Export};
pub use endpoints::input::{
    AutoDisableInput, EndpointPatch, NewEndpoint, RateLimitInput, RetryInput,
};
pub use endpoints::probe::{TestInput, TestedEndpoint, VerifiedEndpoint};
pub use endpoints::secrets::RotateInput;
pub use endpoints::{EndpointDetails, EndpointMade, Policy};
pub use error::{AppError, Needs};
pub use event_types::{EventTypeInput, Import, Imported};
pub use events::EventQuery;
pub use hookyard_rules::redact::text as without_credentials;
pub use hookyard_store::history::ListedEvent;
pub use hookyard_store::statistics::Backlog;
pub use idempotency::{Begin, IdempotencyKey, Ticket, request_hash};
pub use jobs::RecoverInput;
pub use keys::{KeyMade, NewKey};
pub use pages::PageQuery;
pub use portal::{NewPortalSession, PortalMade};
pub use providers::Provider;
pub use publish::{Accepted, NewEvent, Repeat};
pub use receive::{ReceiveDoor, ReceiveError, ReceivedRequest, Reception};
pub use sessions::{SessionDetails, SignedIn};
pub use signatures::{Check, SignInput, Verdict, VerifyInput};
pub use sources::{
    ForwardInput, NewSource, ReceivedVerdict, SourceDetails, SourceMade, SourcePatch, TestSource,
};
pub use statistics::{EndpointStats, Failing, Numbers, Overview, Point};
pub use streams::{EndpointChange, Stream, StreamError, StreamItem, StreamQuery, StreamStep};
pub use tenants::{LimitsInput, NewTenant, TenantPatch};

use cache::Known;
use rates::Rates;

/// Callers and tenants remembered, each.
const KNOWN_MAX: usize = 10_000;

/// What the hall stands on.
pub struct Parts {
    /// Keeps the facts.
    pub store: Arc<dyn Store>,
    /// Does what happens by itself.
    pub engine: Arc<Engine>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Throws the dice of ids, keys and secrets.
    pub chance: Arc<dyn Chance>,
    /// Seals secrets.
    pub keyring: Arc<Keyring>,
    /// Says which URLs an endpoint may have.
    pub egress: Arc<EgressPolicy>,
    /// SHA-256 of the operator's key.
    pub operator_key: KeyHash,
}

/// Every wish of a caller. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    parts: Parts,
    started_at: Timestamp,
    callers: Known<KeyHash, Arc<caller::KnownKey>>,
    by_id: Known<KeyId, Arc<caller::KnownKey>>,
    tenants: Known<Box<str>, TenantNo>,
    sources: receive::Whereabouts,
    linear: receive::Turns,
    rates: Rates,
    seats: seats::Seats,
    /// Counts keys and tenants that were taken away.
    taken_away: AtomicU64,
    orphans: Arc<Mutex<Vec<ReplyKey>>>,
}

impl App {
    /// The hall over its parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let engine = Arc::clone(&parts.engine);
        let started_at = parts.clock.now();
        let app = Self(Arc::new(Inner {
            parts,
            started_at,
            callers: Known::new(KNOWN_MAX),
            by_id: Known::new(KNOWN_MAX),
            tenants: Known::new(KNOWN_MAX),
            sources: receive::Whereabouts::new(KNOWN_MAX),
            linear: receive::Turns::default(),
            rates: Rates::default(),
            seats: seats::Seats::default(),
            taken_away: AtomicU64::new(0),
            orphans: Arc::default(),
        }));
        let inner = Arc::downgrade(&app.0);
        engine.when_moved(Arc::new(move |tenant| {
            if let Some(inner) = inner.upgrade() {
                Self(inner).moved(tenant);
            }
        }));
        app
    }

    /// Another node changed something of the tenant: what is remembered of it may be wrong.
    fn moved(&self, tenant: TenantNo) {
        self.0.callers.forget(|_, known| known.powers.no == tenant);
        self.0.by_id.forget(|_, known| known.powers.no == tenant);
        self.0.tenants.forget(|_, known| *known == tenant);
        self.0.sources.moved(tenant);
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.parts.clock.now()
    }

    /// Answers when events can be accepted: the store can be written to, and others have not taken over from this node.
    pub async fn ready(&self) -> Result<(), AppError> {
        self.engine().ready()?;
        Ok(self.store().ping().await?)
    }

    /// What was known of a source's whereabouts may be wrong from here on.
    pub(crate) fn forget_source(&self, id: SourceId) {
        self.0.sources.forget(id);
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.0.parts.store
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.parts.engine
    }

    pub(crate) fn dice<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.parts.chance.fill(&mut bytes);
        bytes
    }

    pub(crate) fn fresh_id<K>(&self, now: Timestamp) -> Id<K> {
        Id::new(now, self.dice())
    }
}
