//! What happens on other nodes: heard by hints, and looked for in case one was lost.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_store::StoreError;
use hookyard_store::nodes::{Moved, Signal};
use tokio::time::{Instant, sleep, timeout};

use crate::Engine;

/// How long a change whose hint was lost stays unseen.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The same of what other nodes accepted for an endpoint that this one alone sends to.
const GIVEN_EVERY: Duration = Duration::from_secs(5);
/// A change shows this much later than its time at most: as long as its transaction may take.
const LATE_MAX: Duration = Duration::from_secs(60);
/// Pause after hints could not be listened for.
const PAUSE: Duration = Duration::from_secs(1);

/// Listens, for ever.
pub(crate) async fn listen(engine: Arc<Engine>) {
    loop {
        let heard = match engine.store.next_signal().await {
            Ok(signal) => engine.heard(signal).await,
            Err(error) => Err(error),
        };
        if let Err(error) = heard {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "hints of other nodes are not heard at the moment"
            );
            sleep(PAUSE).await;
        }
    }
}

/// Looks, for ever.
pub(crate) async fn look(engine: Arc<Engine>) {
    let mut seen = Seen::default();
    let mut given_at = Instant::now();
    loop {
        let mut looked = seen.look(&engine).await;
        if looked.is_ok() && given_at.elapsed() >= GIVEN_EVERY {
            given_at = Instant::now();
            looked = engine.look_for_given().await;
        }
        if let Err(error) = looked {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "changes by other nodes cannot be looked for at the moment"
            );
        }
        // Either way it looks again.
        let _ = timeout(LOOK_EVERY, engine.nodes.lagged.notified()).await;
    }
}

/// Changes that are known of.
#[derive(Default)]
struct Seen {
    by_tenant: HashMap<TenantNo, Timestamp>,
    looked_at: Option<Instant>,
}

impl Seen {
    async fn look(&mut self, engine: &Engine) -> Result<(), StoreError> {
        let now = Instant::now();
        let since = self.looked_at.map_or(Duration::ZERO, |at| now.duration_since(at));
        let moved = engine.store.moved(since + LATE_MAX).await?;
        let mut seen = HashMap::with_capacity(moved.len());
        for it in moved {
            if self.by_tenant.get(&it.tenant) != Some(&it.at) {
                engine.moved(it).await;
            }
            seen.insert(it.tenant, it.at);
        }
        self.by_tenant = seen;
        self.looked_at = Some(now);
        Ok(())
    }
}

impl Engine {
    async fn heard(&self, signal: Signal) -> Result<(), StoreError> {
        match signal {
            Signal::Moved(moved) => self.moved(moved).await,
            Signal::Due { tenant, endpoint } => self.given(tenant, endpoint).await?,
            Signal::Cancelled { endpoint, delivery } => self.lanes.cancelled(endpoint, delivery),
            Signal::Nodes => self.nodes.fenced.notify_one(),
            Signal::Lagged => self.nodes.lagged.notify_one(),
        }
        Ok(())
    }

    /// Obeys what was changed of a tenant, if this node does not know it yet.
    async fn moved(&self, moved: Moved) {
        for forget in self.nodes.forgetters() {
            forget(moved.tenant);
        }
        match self.known(moved.tenant) {
            Some(known) if known.version < moved.version => self.config_changed(moved.tenant).await,
            Some(_) => {}
            // What is held by a source of it may be released.
            None => self.changed.notify_one(),
        }
    }

    async fn look_for_given(&self) -> Result<(), StoreError> {
        for (tenant, endpoint) in self.store.given().await? {
            self.given(tenant, endpoint).await?;
        }
        Ok(())
    }

    /// Something of the endpoint waits in the store for this node.
    pub(super) async fn given(
        &self,
        tenant: TenantNo,
        endpoint: hookyard_domain::endpoint::EndpointNo,
    ) -> Result<(), StoreError> {
        // A lane that does not know its endpoint takes it for deleted.
        self.snapshot(tenant).await?;
        self.lanes.given(tenant, endpoint);
        Ok(())
    }
}
