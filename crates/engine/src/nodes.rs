//! This node among others: it shows that it is there, takes over from those that are not, and comes back when it was itself
//! taken for dead.
//!
//! A node that was silent finds out by the store's refusal: a heartbeat's or a commit's. It lets go of everything at once,
//! since others send it by now, and begins anew with what it owes then.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::tenant::TenantNo;
use hookyard_store::StoreError;
use hookyard_store::nodes::TakenOver;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use crate::Engine;

/// Heartbeats within a lease.
const BEATS: u32 = 5;
/// Deliveries taken over at once.
const BITE: u32 = 1000;

/// Forgets what is remembered of a tenant, since another node changed it.
pub type Forget = Arc<dyn Fn(TenantNo) + Send + Sync>;

pub(crate) struct State {
    lease: Duration,
    /// Nodes that serve, this one included.
    count: AtomicU32,
    /// The store refused this node, or another one left: there is something to be done at once.
    pub fenced: Arc<Notify>,
    /// Hints may have been lost.
    pub lagged: Notify,
    /// What others remember of a tenant.
    forgetters: RwLock<Vec<Forget>>,
    /// Another process has this node's name.
    replaced: Notify,
}

impl State {
    pub(crate) fn new(lease: Duration) -> Self {
        Self {
            lease,
            count: AtomicU32::new(1),
            fenced: Arc::default(),
            lagged: Notify::new(),
            forgetters: RwLock::default(),
            replaced: Notify::new(),
        }
    }

    pub(crate) fn forgetters(&self) -> Vec<Forget> {
        self.forgetters.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn count(&self) -> u32 {
        self.count.load(Ordering::Relaxed)
    }
}

/// How long the store has answered every heartbeat. After it was away everybody was silent, and nobody is dead.
#[derive(Default)]
struct Steady {
    since: Option<Instant>,
    last: Option<Instant>,
}

impl Steady {
    fn beat(&mut self, now: Instant, lease: Duration) {
        let unbroken = self.last.is_some_and(|last| now.duration_since(last) < lease);
        self.since = self.since.filter(|_| unbroken).or(Some(now));
        self.last = Some(now);
    }

    /// Others' silence means something by now.
    fn judges(&self, now: Instant, lease: Duration) -> bool {
        self.since.is_some_and(|since| now.duration_since(since) >= lease)
    }
}

/// Runs for ever.
pub(crate) async fn run(engine: Arc<Engine>) {
    let lease = engine.nodes.lease;
    let mut steady = Steady::default();
    loop {
        match engine.beat(&mut steady).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => {
                steady = Steady::default();
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "this node could not show the others that it is there"
                );
            }
        }
        // Either way it looks again.
        let _ = timeout(lease / BEATS, engine.nodes.fenced.notified()).await;
    }
}

/// Does something that may take long, with heartbeats all the while: others would miss this node.
async fn beating<T, B: Future<Output = bool>>(
    (steady, lease): (&mut Steady, Duration),
    beat: impl Fn() -> B,
    long: impl Future<Output = T>,
) -> T {
    let mut long = std::pin::pin!(long);
    loop {
        if let Ok(done) = timeout(lease / BEATS, long.as_mut()).await {
            return done;
        }
        // One that fails is made up for by the next.
        if beat().await {
            steady.beat(Instant::now(), lease);
        }
    }
}

impl Engine {
    /// One heartbeat, and one piece of what is to be taken over; true when there may be more.
    async fn beat(&self, steady: &mut Steady) -> Result<bool, StoreError> {
        let lease = self.nodes.lease;
        let count = match self.store.beat(lease).await {
            Ok(count) => Some(count),
            Err(StoreError::Fenced) => None,
            Err(error) => return Err(error),
        };
        let Some(count) = count.filter(|_| !self.committer.is_suspended()) else {
            *steady = Steady::default();
            return self.come_back().await.map(|()| false);
        };
        self.nodes.count.store(count, Ordering::Relaxed);
        let now = Instant::now();
        steady.beat(now, lease);
        if self.lanes.is_draining() {
            // It would send nothing of what it took.
            return Ok(false);
        }
        let silent = steady.judges(now, lease).then_some(lease);
        let taking = async {
            match self.store.take_over(silent, BITE).await {
                Ok(taken) => Ok(self.take_over(taken).await),
                // The next heartbeat finds out.
                Err(StoreError::Fenced) => Ok(true),
                Err(error) => Err(error),
            }
        };
        let beat = || async { self.store.beat(lease).await.is_ok() };
        beating((steady, lease), beat, taking).await
    }

    /// Has the lanes send what was taken over.
    async fn take_over(&self, taken: TakenOver) -> bool {
        self.metrics.takeovers.increment(u64::from(taken.lost));
        self.metrics.taken_over.increment(taken.deliveries);
        if taken.deliveries > 0 {
            tracing::info!(deliveries = taken.deliveries, "took over from another node");
        }
        for (tenant, endpoint) in taken.lanes {
            self.requeued(tenant, endpoint).await;
        }
        taken.more
    }

    /// Lets go of what others have taken over, and begins anew.
    async fn come_back(&self) -> Result<(), StoreError> {
        // A term of its own, whatever was begun before: what is read now is held once.
        let (term, stale) = self.committer.suspend(&self.lanes);
        self.lanes.unrecorded(stale);
        self.metrics.stale.increment(stale as u64);
        tracing::warn!(
            "others took over from this node, which was silent, or it lost sight of a commit: coming back"
        );
        self.committer.rested().await;
        if !self.store.rejoin().await? {
            self.nodes.replaced.notify_one();
            tracing::error!("another process serves under this node's name; stop one of them");
            // Nothing is left to be done here.
            std::future::pending::<()>().await;
        }
        self.resume(term).await?;
        if !self.committer.go_on(term) {
            // The next heartbeat begins anew.
            tracing::warn!("other nodes took over again meanwhile");
        }
        Ok(())
    }

    /// Reads what this node owes, and has it sent in that term.
    pub(crate) async fn resume(&self, term: u64) -> Result<(), StoreError> {
        let owed = self.store.owed().await?;
        let tenants: BTreeSet<_> = owed
            .iter()
            .filter(|it| it.last >= it.from || it.due.is_some())
            .map(|it| it.tenant)
            .collect();
        for tenant in tenants {
            self.reload(tenant).await?;
        }
        self.lanes.resume(term, &owed);
        Ok(())
    }

    /// Whether this node accepts events.
    ///
    /// # Errors
    /// When others took over from it, and it is not back yet.
    pub fn ready(&self) -> Result<(), StoreError> {
        if self.committer.is_suspended() { Err(StoreError::Fenced) } else { Ok(()) }
    }

    /// Other nodes may serve from the store too.
    pub(crate) fn is_shared(&self) -> bool {
        self.store.sends_alone(EndpointNo(0)).is_some()
    }

    /// Calls `forget` with every tenant that another node changed something of.
    pub fn when_moved(&self, forget: Forget) {
        self.nodes.forgetters.write().unwrap_or_else(PoisonError::into_inner).push(forget);
    }

    /// Returns when another process has taken this node's name: this one is of no more use.
    pub async fn replaced(&self) {
        self.nodes.replaced.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn what_takes_longer_than_a_heartbeat_does_not_keep_it_back() {
        let (beats, enough) = (AtomicU32::new(0), Notify::new());
        let beat = || async {
            if beats.fetch_add(1, Ordering::Relaxed) == 2 {
                enough.notify_one();
            }
            true
        };
        let mut steady = Steady::default();
        beating((&mut steady, Duration::from_millis(50)), beat, enough.notified()).await;
        assert_eq!(beats.into_inner(), 3);
        assert!(steady.last.is_some(), "they count like others");
    }

    #[tokio::test]
    async fn others_are_judged_after_a_lease_of_unbroken_heartbeats() {
        let mut steady = Steady::default();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(!steady.judges(at(0), LEASE));
        for second in [0, 4, 8] {
            steady.beat(at(second), LEASE);
            assert!(!steady.judges(at(second), LEASE));
        }
        steady.beat(at(12), LEASE);
        assert!(steady.judges(at(12), LEASE));
        // The store was away.
        steady.beat(at(30), LEASE);
        assert!(!steady.judges(at(30), LEASE));
        assert!(!steady.judges(at(39), LEASE));
    }
}
