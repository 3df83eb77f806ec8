//! Ingest: an event to be published → the endpoints it is owed to → the committer.

use std::sync::Arc;
use std::time::Duration;

use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::event::EventContent;
use hookyard_domain::id::EventId;
use hookyard_domain::tenant::TenantNo;
use hookyard_store::ledger::{Accept, Once, Receipt, Target};

use crate::committer::Settled;
use crate::snapshot::{PreparedSource, Route};
use crate::{Engine, EngineError};

/// How often a publish is matched again while the tenant's configuration changes under it.
const MATCHES_MAX: usize = 16;

/// When a test that never told what came of it is sent by its lane: longer than any attempt takes.
const TOLD_WITHIN: Duration = Duration::from_secs(600);

/// An event to be published.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// What it says.
    pub content: EventContent,
    /// What makes it happen once.
    pub once: Vec<Once>,
    /// The source as it was when it vouched for it: if its secrets or settings are others by now, somebody else may have
    /// sent it.
    pub vouched: Option<Arc<PreparedSource>>,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// It is on disk and owed to so many endpoints.
    Accepted {
        /// Its id.
        id: EventId,
        /// Endpoints that want it, those that are off included.
        deliveries: u32,
    },
    /// It was published before.
    Duplicate {
        /// The first one's id.
        id: EventId,
        /// The first one's deliveries.
        deliveries: u32,
    },
    /// The `Idempotency-Key` was used with other content.
    KeyReused,
    /// The source it came in through was changed since it vouched for it.
    SourceChanged,
    /// The source it came in through is gone, or takes nothing.
    NoSource,
    /// The tenant is gone.
    NoTenant,
}

impl Engine {
    /// Publishes events; answers, in order, when they are on disk.
    ///
    /// # Errors
    /// When the store cannot be written to or the node is stopping; then none of them was accepted, unless the error came
    /// from a second match, which `once` makes harmless.
    pub async fn publish(
        &self,
        tenant: TenantNo,
        events: Vec<Incoming>,
    ) -> Result<Vec<Published>, EngineError> {
        let mut stale = None;
        let mut answers = vec![Published::NoTenant; events.len()];
        let mut left: Vec<_> = events.into_iter().enumerate().collect();
        for _ in 0..MATCHES_MAX {
            let Some(snapshot) = self.snapshot(tenant).await? else { return Ok(answers) };
            let mut places = Vec::with_capacity(left.len());
            let mut accepts = Vec::with_capacity(left.len());
            let mut behind = false;
            for (place, event) in left.drain(..) {
                let Some(mut route) = snapshot.route(&event.content) else {
                    answers[place] = Published::NoSource;
                    continue;
                };
                if snapshot.is_other(&event) {
                    answers[place] = Published::SourceChanged;
                    continue;
                }
                if let Some(source) = event.content.source
                    && !route.held
                    && self.releasing.holds(source, self.clock.now())
                {
                    route = Route::held();
                    behind = true;
                }
                places.push((place, event.vouched));
                accepts.push(Accept {
                    tenant,
                    version: snapshot.version,
                    singles: snapshot.singles(&route.targets),
                    targets: route.targets.to_vec(),
                    content: event.content,
                    held: route.held,
                    once: event.once,
                    sent_by_publisher: None,
                });
            }
            if accepts.is_empty() {
                return Ok(answers);
            }
            let settled = self.accept(accepts).await?;
            if behind {
                // The release may have ended meanwhile.
                self.changed.notify_one();
            }
            for ((place, vouched), settled) in places.into_iter().zip(settled) {
                match settled {
                    Settled::Done { receipt, deliveries } => {
                        answers[place] = published(receipt, deliveries);
                    }
                    Settled::Stale(accept) => {
                        stale = Some(accept.version);
                        let event =
                            Incoming { content: accept.content, once: accept.once, vouched };
                        left.push((place, event));
                    }
                }
            }
            if left.is_empty() {
                return Ok(answers);
            }
            self.reload_after(tenant, stale).await?;
        }
        Err(EngineError::Busy)
    }

    /// Accepts an event for one endpoint alone, whose first attempt the caller makes.
    pub(crate) async fn accept_for(
        &self,
        tenant: TenantNo,
        endpoint: EndpointNo,
        mut content: EventContent,
    ) -> Result<Option<EventId>, EngineError> {
        for _ in 0..MATCHES_MAX {
            let Some(snapshot) = self.snapshot(tenant).await? else { return Ok(None) };
            let accept = Accept {
                tenant,
                version: snapshot.version,
                content,
                targets: vec![Target { endpoint, discarded: None }],
                singles: Vec::new(),
                held: false,
                once: Vec::new(),
                sent_by_publisher: Some(self.clock.now().plus(TOLD_WITHIN)),
            };
            match self.accept(vec![accept]).await?.pop() {
                Some(Settled::Done { receipt: Receipt::Accepted { id }, .. }) => {
                    return Ok(Some(id));
                }
                Some(Settled::Stale(accept)) => {
                    content = accept.content;
                    self.reload_after(tenant, Some(accept.version)).await?;
                }
                Some(Settled::Done { .. }) | None => return Ok(None),
            }
        }
        Err(EngineError::Busy)
    }

    async fn accept(&self, accepts: Vec<Accept>) -> Result<Vec<Settled>, EngineError> {
        if self.is_draining() {
            return Err(EngineError::Draining);
        }
        self.committer
            .accept(accepts)
            .await
            .map_err(|unwritten| EngineError::Unwritten(unwritten.0))
    }
}

fn published(receipt: Receipt, deliveries: u32) -> Published {
    match receipt {
        Receipt::Accepted { id } => Published::Accepted { id, deliveries },
        Receipt::Duplicate { id, deliveries } => Published::Duplicate { id, deliveries },
        Receipt::KeyReused => Published::KeyReused,
        Receipt::Stale | Receipt::NoTenant => Published::NoTenant,
    }
}
