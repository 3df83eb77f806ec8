//! What handlers get.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hookyard_app::App;
use hookyard_domain::time::Chance;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::watch;

use crate::budget::{Budget, KEYLESS_BYTES_MAX, UNNAMED_BYTES_MAX};
use crate::dashboard::Dashboard;
use crate::layers::log::Answered;

/// A number that is asked for when metrics are read.
#[derive(Clone, Copy, Debug)]
pub struct Gauge {
    /// Its metric name.
    pub name: &'static str,
    /// What it says.
    pub help: &'static str,
    /// What it is at the moment.
    pub value: f64,
}

/// Asks for every gauge.
pub type Gauges = Arc<dyn Fn() -> Vec<Gauge> + Send + Sync>;

/// What the doors stand on.
pub struct Parts {
    /// Every wish of a caller.
    pub app: App,
    /// Where callers reach this server, without a slash at the end; `None` is wherever each of them did.
    pub public_url: Option<String>,
    /// Makes request ids that differ from process to process.
    pub chance: Arc<dyn Chance>,
    /// Renders the process's metrics. Its recorder must be installed already.
    pub metrics: Option<PrometheusHandle>,
    /// What the engine is doing.
    pub gauges: Gauges,
    /// The pages.
    pub dashboard: Dashboard,
}

/// The state every handler shares.
#[derive(Clone)]
pub struct DoorState(Arc<Inner>);

struct Inner {
    app: App,
    public_url: Option<String>,
    metrics: Option<PrometheusHandle>,
    gauges: Gauges,
    dashboard: Dashboard,
    chance: Arc<dyn Chance>,
    draining: watch::Sender<bool>,
    request_prefix: u64,
    requests: AtomicU64,
    answered: Answered,
    keyless: Budget,
    unnamed: Budget,
}

impl DoorState {
    /// The state of one process.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let mut random = [0_u8; 8];
        parts.chance.fill(&mut random);
        Self(Arc::new(Inner {
            app: parts.app,
            public_url: parts.public_url,
            metrics: parts.metrics,
            gauges: parts.gauges,
            dashboard: parts.dashboard,
            chance: parts.chance,
            draining: watch::Sender::new(false),
            request_prefix: u64::from_be_bytes(random),
            requests: AtomicU64::new(0),
            answered: Answered::register(),
            keyless: Budget::new(KEYLESS_BYTES_MAX),
            unnamed: Budget::new(UNNAMED_BYTES_MAX),
        }))
    }

    /// Every wish of a caller.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.0.app
    }

    /// Where callers reach this server, if that was set.
    #[must_use]
    pub fn public_url(&self) -> Option<&str> {
        self.0.public_url.as_deref()
    }

    /// From here on readiness says no, so that load balancers send nobody any more, and streams end.
    pub fn drain(&self) {
        self.0.draining.send_replace(true);
    }

    pub(crate) fn is_draining(&self) -> bool {
        *self.0.draining.borrow()
    }

    /// Tells when the process is on its way out.
    pub(crate) fn draining(&self) -> watch::Receiver<bool> {
        self.0.draining.subscribe()
    }

    pub(crate) fn metrics(&self) -> Option<&PrometheusHandle> {
        self.0.metrics.as_ref()
    }

    pub(crate) fn dashboard(&self) -> &Dashboard {
        &self.0.dashboard
    }

    /// 128 random bits as text, for one answer.
    pub(crate) fn nonce(&self) -> String {
        let mut random = [0_u8; 16];
        self.0.chance.fill(&mut random);
        format!("{:032x}", u128::from_be_bytes(random))
    }

    pub(crate) fn gauges(&self) -> Vec<Gauge> {
        (self.0.gauges)()
    }

    /// Memory for bodies that come without a key.
    pub(crate) fn keyless(&self) -> &Budget {
        &self.0.keyless
    }

    /// Memory for bodies that come without a key and name no source.
    pub(crate) fn unnamed(&self) -> &Budget {
        &self.0.unnamed
    }

    pub(crate) fn answered(&self) -> &Answered {
        &self.0.answered
    }

    /// Two numbers that together name one request.
    pub(crate) fn next_request(&self) -> (u64, u64) {
        (self.0.request_prefix, self.0.requests.fetch_add(1, Ordering::Relaxed))
    }
}
