//! The engine room: what happens by itself once an event is to be accepted.
//!
//! ```text
//! publish ─► ingest: match against the tenant's snapshot ─► committer: many publishers, one transaction, one sync ─► 202
//!                                   └─► lanes (in memory, by endpoint) ─► attempt: build, sign, guard, send, judge
//!                                                                              └─► committer: many outcomes, one transaction
//! retry due / held / overflow / restart ─► refill ─► lanes
//! ```
//!
//! Called by `app` and composed by `cli`. Start reading at [`ingest`], then `committer`, `lanes`, `attempt`.
//!
//! **Never** here: HTTP *server* types, permissions of callers, an adapter of the store by name.

mod attempt;
mod chores;
mod committer;
mod connect;
mod handshake;
pub mod ingest;
mod lane;
mod lanes;
mod metrics;
mod news;
mod nodes;
mod refill;
mod releasing;
mod snapshot;
mod telling;
mod transport;
mod trial;

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use hookyard_domain::endpoint::{Activity, EndpointNo};
use hookyard_domain::id::DeliveryId;
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::{Chance, Clock};
use hookyard_rules::egress::EgressPolicy;
use hookyard_rules::seal::Keyring;
use hookyard_store::endpoints::TenantConfig;
use hookyard_store::{Store, StoreError};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::committer::Committer;
use crate::connect::Connector;
use crate::lanes::Lanes;
use crate::metrics::Metrics;
use crate::news::News;
use crate::releasing::Releasing;
use crate::telling::Untold;
use crate::transport::Transport;

pub use crate::ingest::{Incoming, Published};
pub use crate::lanes::Gauges;
pub use crate::nodes::Forget;
pub use crate::snapshot::{PreparedSource, Snapshot};
pub use crate::trial::{Tested, Verified};

/// What the engine is made of.
pub struct Parts {
    /// Keeps the facts.
    pub store: Arc<dyn Store>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Throws the dice.
    pub chance: Arc<dyn Chance>,
    /// Opens secrets.
    pub keyring: Arc<Keyring>,
    /// Where requests may go.
    pub egress: Arc<EgressPolicy>,
    /// Bounds.
    pub settings: Settings,
}

/// Bounds of the whole node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Attempts under way at once.
    pub in_flight_max: usize,
    /// Bytes of payload that lanes may hold; what is beyond waits in the store.
    pub memory_bytes_max: u64,
    /// How long another node may be silent before this one takes over from it.
    pub node_lease: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            in_flight_max: 512,
            memory_bytes_max: 32 * 1024 * 1024,
            node_lease: Duration::from_secs(15),
        }
    }
}

/// Why the engine could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The store could not be read.
    #[error("the store could not be read")]
    Store(#[from] StoreError),
    /// The store could not be written to; nothing was accepted.
    #[error("the store could not be written to")]
    Unwritten(#[source] Arc<StoreError>),
    /// The tenant's configuration changed faster than events could be matched against it.
    #[error("the tenant's configuration keeps changing")]
    Busy,
    /// There is no such endpoint.
    #[error("no such endpoint")]
    NoEndpoint,
    /// The node is stopping.
    #[error("the node is stopping")]
    Draining,
}

/// The engine, as `app` sees it.
pub struct Engine {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
    keyring: Arc<Keyring>,
    transport: Arc<Transport>,
    lanes: Arc<Lanes>,
    committer: Arc<Committer>,
    metrics: Metrics,
    tools: Arc<attempt::Tools>,
    snapshots: RwLock<HashMap<TenantNo, Arc<Snapshot>>>,
    /// One configuration change at a time, so that the lanes never see an older one after a newer.
    changes: tokio::sync::Mutex<()>,
    /// Tenants whose change could not be read when it was made.
    unread: Mutex<BTreeSet<TenantNo>>,
    /// Lanes that could not be told of something.
    untold: Untold,
    /// A configuration was changed: held events may be released by it.
    changed: Notify,
    releasing: Releasing,
    news: Arc<News>,
    /// A job was made.
    jobs_made: Notify,
    draining: AtomicBool,
    nodes: nodes::State,
}

/// A started engine, and what runs in it.
pub struct Running {
    /// The engine.
    pub engine: Arc<Engine>,
    attempts: JoinSet<()>,
    others: JoinSet<()>,
    committer: std::thread::JoinHandle<()>,
}

impl Engine {
    /// Starts everything, and takes up what the last run left owed.
    ///
    /// # Errors
    /// When the store cannot be read, or the committer's thread cannot be started.
    pub async fn start(parts: Parts) -> Result<Running, StoreError> {
        let Parts { store, clock, chance, keyring, egress, settings } = parts;
        let lanes = Arc::new(Lanes::new(
            Arc::clone(&clock),
            settings.in_flight_max,
            settings.memory_bytes_max,
            store.sends_alone(EndpointNo(0)).is_some(),
        ));
        let committer = Arc::new(Committer::new());
        let transport = Arc::new(Transport::new(Connector::new(egress)));
        let metrics = Metrics::new();
        let (disable, disables) = tokio::sync::mpsc::unbounded_channel();
        let tools = Arc::new(attempt::Tools {
            lanes: Arc::clone(&lanes),
            committer: Arc::clone(&committer),
            transport: Arc::clone(&transport),
            clock: Arc::clone(&clock),
            chance: Arc::clone(&chance),
            metrics: metrics.clone(),
            disable,
        });
        let engine = Arc::new(Self {
            store,
            clock,
            chance,
            keyring,
            transport,
            lanes,
            committer,
            metrics,
            tools,
            snapshots: RwLock::new(HashMap::new()),
            changes: tokio::sync::Mutex::new(()),
            unread: Mutex::new(BTreeSet::new()),
            untold: Untold::default(),
            changed: Notify::new(),
            releasing: Releasing::default(),
            news: Arc::default(),
            jobs_made: Notify::new(),
            draining: AtomicBool::new(false),
            nodes: nodes::State::new(settings.node_lease),
        });
        engine.resume(engine.lanes.term()).await?;
        let committer = engine.start_committer()?;
        let mut others = JoinSet::new();
        for _ in 0..refill::TASKS {
            let (store, lanes) = (Arc::clone(&engine.store), Arc::clone(&engine.lanes));
            others.spawn(refill::run(store, lanes));
        }
        let lanes = Arc::clone(&engine.lanes);
        others.spawn(async move { lanes.run_timers().await });
        chores::start(&engine, &mut others, disables);
        let mut attempts = JoinSet::new();
        for worker in 0..settings.in_flight_max {
            attempts.spawn(attempt::run(Arc::clone(&engine.tools), worker));
        }
        Ok(Running { engine, attempts, others, committer })
    }

    fn start_committer(&self) -> Result<std::thread::JoinHandle<()>, StoreError> {
        let unavailable = |error: std::io::Error| StoreError::Unavailable(Box::new(error));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(unavailable)?;
        let tools = committer::Tools {
            store: Arc::clone(&self.store),
            lanes: Arc::clone(&self.lanes),
            clock: Arc::clone(&self.clock),
            metrics: self.metrics.clone(),
            news: Arc::clone(&self.news),
            fenced: Arc::clone(&self.nodes.fenced),
            runtime,
        };
        let committer = Arc::clone(&self.committer);
        std::thread::Builder::new()
            .name("committer".to_owned())
            .spawn(move || committer.run(&tools))
            .map_err(unavailable)
    }

    /// The tenant's configuration; `None` when the tenant is gone.
    ///
    /// # Errors
    /// When it is not at hand and the store cannot be read.
    pub async fn snapshot(&self, tenant: TenantNo) -> Result<Option<Arc<Snapshot>>, StoreError> {
        if let Some(snapshot) = self.known(tenant) {
            return Ok(Some(snapshot));
        }
        self.reload(tenant).await
    }

    fn known(&self, tenant: TenantNo) -> Option<Arc<Snapshot>> {
        self.snapshots.read().unwrap_or_else(PoisonError::into_inner).get(&tenant).cloned()
    }

    /// Reads the tenant's configuration anew and puts it in force.
    pub(crate) async fn reload(
        &self,
        tenant: TenantNo,
    ) -> Result<Option<Arc<Snapshot>>, StoreError> {
        self.reload_after(tenant, None).await
    }

    /// The same, unless somebody else has put a newer one than `stale` in force meanwhile: one change makes every publish
    /// under way match again, and one of them reads for all.
    pub(crate) async fn reload_after(
        &self,
        tenant: TenantNo,
        stale: Option<u64>,
    ) -> Result<Option<Arc<Snapshot>>, StoreError> {
        let _one_at_a_time = self.changes.lock().await;
        let before = self.known(tenant);
        if let (Some(known), Some(stale)) = (&before, stale)
            && known.version > stale
        {
            return Ok(before);
        }
        let config = self.store.tenant_config(tenant).await?;
        let counted = match (&before, &config) {
            (None, Some(config)) => self.counted(tenant, config).await?,
            _ => Vec::new(),
        };
        let now = config.map(|config| {
            Arc::new(Snapshot::new(config, before.as_deref(), &self.keyring, &self.transport))
        });
        // The lanes first: whoever publishes by the new configuration finds them ready for it.
        self.lanes.configure(before.as_deref(), now.as_deref(), counted);
        if let (Some(before), Some(now)) = (&before, &now) {
            self.releasing.begin(before, now, self.clock.now());
        }
        self.put_in_force(tenant, now.clone());
        Ok(now)
    }

    fn put_in_force(&self, tenant: TenantNo, snapshot: Option<Arc<Snapshot>>) {
        let mut all = self.snapshots.write().unwrap_or_else(PoisonError::into_inner);
        match snapshot {
            Some(snapshot) => all.insert(tenant, snapshot),
            None => all.remove(&tenant),
        };
    }

    async fn counted(
        &self,
        tenant: TenantNo,
        config: &TenantConfig,
    ) -> Result<Vec<(EndpointNo, Activity)>, StoreError> {
        let endpoints: Vec<_> = config.endpoints.iter().map(|it| it.no).collect();
        let counted = self.store.activity(tenant, &endpoints).await?;
        Ok(endpoints.into_iter().zip(counted).collect())
    }

    /// The tenant or one of its endpoints was changed: obeyed from the next publish and the next attempt on.
    pub async fn config_changed(&self, tenant: TenantNo) {
        if let Err(error) = self.reload(tenant).await {
            // Read again soon; a publish meanwhile finds out by the version that the commit checks.
            self.unread.lock().unwrap_or_else(PoisonError::into_inner).insert(tenant);
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "a changed configuration could not be read"
            );
        }
        self.changed.notify_one();
        self.news.tell(tenant);
    }

    /// Tells when there may be something new in a tenant's feed. Other nodes are not heard: look from time to time, too.
    #[must_use]
    pub fn news(&self, tenant: TenantNo) -> tokio::sync::watch::Receiver<()> {
        self.news.hear(tenant)
    }

    /// Reads again what could not be read when it was changed.
    pub(crate) async fn reread(&self) {
        let unread = {
            let mut unread = self.unread.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *unread)
        };
        for tenant in unread {
            self.config_changed(tenant).await;
        }
    }

    /// A job was made: it is begun at once.
    pub fn job_made(&self) {
        self.jobs_made.notify_one();
    }

    /// Waits until the outcomes that were known when it was asked are on disk: what is decided by rows must not miss one that
    /// still lingers. While the store is away it waits for a moment only.
    pub async fn settled(&self) {
        const MOMENT: Duration = Duration::from_secs(2);
        // Whatever it says: who goes on asks the store, which knows how it is.
        let _ = tokio::time::timeout(MOMENT, self.committer.flush()).await;
    }

    /// The delivery was cancelled in the store.
    pub fn cancelled(&self, endpoint: EndpointNo, delivery: DeliveryId) {
        self.lanes.cancelled(endpoint, delivery);
    }

    /// An attempt of the delivery is under way.
    #[must_use]
    pub fn is_sending(&self, delivery: DeliveryId) -> bool {
        self.lanes.is_sending(delivery)
    }

    /// What the lanes hold at the moment.
    #[must_use]
    pub fn gauges(&self) -> Gauges {
        Gauges { nodes: self.nodes.count(), ..self.lanes.gauges() }
    }

    /// The node is stopping.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    async fn endpoint_id(
        &self,
        tenant: TenantNo,
        endpoint: EndpointNo,
    ) -> Result<String, StoreError> {
        let snapshot = self.snapshot(tenant).await?;
        let found = snapshot
            .as_ref()
            .and_then(|it| it.endpoints.iter().find(|it| it.endpoint.no == endpoint));
        Ok(found.map_or_else(String::new, |it| it.endpoint.id.to_string()))
    }
}

impl Running {
    /// Starts no attempt from now on; what is under way goes on, and events are still accepted.
    pub fn rest(&self) {
        self.engine.lanes.drain();
    }

    /// Stops: takes nothing new, lets attempts under way finish within `grace`, writes what they did, and leaves the rest
    /// owed in the store. True when nothing had to be cut off.
    pub async fn drain(mut self, grace: Duration) -> bool {
        self.engine.draining.store(true, Ordering::Relaxed);
        self.engine.lanes.drain();
        let quiet = tokio::time::timeout(grace, self.engine.lanes.quiet()).await.is_ok();
        self.attempts.shutdown().await;
        self.others.shutdown().await;
        self.engine.committer.nudge();
        self.engine.committer.close();
        let committer = self.committer;
        // Joining blocks: its last batch is being synced.
        let joined = tokio::task::spawn_blocking(move || committer.join()).await;
        if let Err(error) = self.engine.store.leave().await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "what is owed could not be handed back: others take it over when they miss this node"
            );
        }
        if let Err(error) = self.engine.store.tidy().await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the store could not be tidied"
            );
        }
        quiet && matches!(joined, Ok(Ok(())))
    }
}
