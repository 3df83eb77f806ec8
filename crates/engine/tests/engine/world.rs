//! A running engine with one tenant, one receiver, and time that moves when told to.

use std::sync::Arc;
use std::time::Duration;

use hookyard_domain::attempt::Attempt;
use hookyard_domain::delivery::{Delivery, DeliveryStatus};
use hookyard_domain::endpoint::{Endpoint, EndpointSettings, EndpointStatus};
use hookyard_domain::id::{DeliveryId, EventId, TargetNo};
use hookyard_domain::page::PageRequest;
use hookyard_domain::secret::SealedSecrets;
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::{Clock as _, Timestamp};
use hookyard_engine::{Engine, Incoming, Parts, Published, Running, Settings};
use hookyard_rules::egress::EgressPolicy;
use hookyard_rules::seal::{Keyring, master_key};
use hookyard_store::Store;
use hookyard_store_sqlite::SqliteStore;
use hookyard_testkit::chance::SeededChance;
use hookyard_testkit::clock::FixedClock;
use hookyard_testkit::make;
use hookyard_testkit::sink::{Received, Sink};

/// The secret of every endpoint here, in the form of Standard Webhooks.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// How long anything may take that takes milliseconds on an idle machine.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct World {
    pub clock: Arc<FixedClock>,
    pub store: Arc<dyn Store>,
    pub sink: Sink,
    pub tenant: TenantNo,
    keyring: Arc<Keyring>,
    running: Running,
}

impl World {
    pub async fn new() -> Self {
        Self::with_dice(1).await
    }

    /// The dice decide about jitter.
    pub async fn with_dice(seed: u64) -> Self {
        let clock = Arc::new(FixedClock::new(make::NOW));
        let store: Arc<dyn Store> = SqliteStore::in_memory().unwrap();
        let keyring = Arc::new(Keyring::parse(&master_key(&[7; 32])).unwrap());
        let tenant = store.create_tenant(make::tenant("acme"), make::audit("tenant.created"));
        let tenant = tenant.await.unwrap().no;
        let running = start(&store, &clock, &keyring, seed).await;
        Self { clock, store, sink: Sink::start().await, tenant, keyring, running }
    }

    pub fn engine(&self) -> &Arc<Engine> {
        &self.running.engine
    }

    /// Stops the engine in good order and starts another over the same store.
    pub async fn restarted(self) -> Self {
        assert!(self.running.drain(PATIENCE).await, "something had to be cut off");
        let running = start(&self.store, &self.clock, &self.keyring, 2).await;
        Self { running, ..self }
    }

    /// An endpoint that is the sink, after `change`.
    pub async fn endpoint(&self, change: impl FnOnce(&mut EndpointSettings)) -> Endpoint {
        self.endpoint_at(&self.sink, change).await
    }

    /// An endpoint that is another sink.
    pub async fn endpoint_at(
        &self,
        sink: &Sink,
        change: impl FnOnce(&mut EndpointSettings),
    ) -> Endpoint {
        let mut endpoint = make::endpoint(self.tenant);
        endpoint.settings = make::settings(&sink.url("/hook"));
        change(&mut endpoint.settings);
        let aad = endpoint.id.to_string();
        let sealed = self.keyring.seal(SECRET.as_bytes(), aad.as_bytes(), [1; 12]);
        endpoint.secrets = SealedSecrets { current: Some(sealed), previous: None };
        let made = self.store.create_endpoint(endpoint, None, make::audit("endpoint.created"));
        let made = made.await.unwrap();
        self.engine().config_changed(self.tenant).await;
        made
    }

    /// The endpoint as the store has it now.
    pub async fn endpoint_now(&self, endpoint: &Endpoint) -> Endpoint {
        self.store.endpoint(self.tenant, endpoint.id).await.unwrap().unwrap()
    }

    /// Lets a moment pass: a receiver that only fails is left alone for one between two attempts.
    pub fn breathe(&self) {
        self.clock.advance(Duration::from_millis(25));
    }

    /// Publishes `order.created`.
    pub async fn publish(&self) -> EventId {
        self.publish_of("order.created").await
    }

    pub async fn publish_of(&self, event_type: &str) -> EventId {
        let incoming =
            Incoming { content: make::content(event_type), once: Vec::new(), vouched: None };
        let published = self.engine().publish(self.tenant, vec![incoming]).await.unwrap();
        match published[..] {
            [Published::Accepted { id, .. }] => id,
            ref other => panic!("{other:?}"),
        }
    }

    pub async fn delivery(&self, id: DeliveryId) -> Delivery {
        self.store.delivery(self.tenant, id).await.unwrap().unwrap()
    }

    /// The attempts of a delivery, the first one first.
    pub async fn attempts(&self, id: DeliveryId) -> Vec<Attempt> {
        let page = PageRequest { limit: 250, cursor: None };
        let mut rows = self.store.attempts(self.tenant, id, page).await.unwrap().unwrap().rows;
        rows.reverse();
        rows
    }

    /// Waits until a delivery is as told.
    pub async fn delivery_when(
        &self,
        id: DeliveryId,
        what: &str,
        it_is: impl Fn(&Delivery) -> bool,
    ) -> Delivery {
        until(what, async || Some(self.delivery(id).await).filter(&it_is)).await
    }

    /// Waits until an endpoint is switched off, which happens by itself a moment after the outcome that did it.
    pub async fn off(&self, endpoint: &Endpoint) -> Endpoint {
        let off = |it: &Endpoint| it.status == EndpointStatus::Disabled;
        until("it is off", async || Some(self.endpoint_now(endpoint).await).filter(off)).await
    }

    /// Waits until so many attempts of a delivery are recorded.
    pub async fn attempted(&self, id: DeliveryId, attempts: u32) -> Delivery {
        self.delivery_when(id, &format!("{attempts} attempts"), |it| it.attempts == attempts).await
    }

    /// Waits until a delivery is in that state.
    pub async fn ended(&self, id: DeliveryId, status: DeliveryStatus) -> Delivery {
        self.delivery_when(id, status.as_str(), |it| it.status == status).await
    }

    /// Moves the time to that moment and pokes the lane. (Without a poke a lane looks at the clock every half second, which
    /// `waking.rs` relies on; days of retries would take minutes that way.)
    pub async fn go_to(&self, at: Timestamp, endpoint: &Endpoint) {
        assert!(at >= self.clock.now(), "time does not run backwards");
        self.clock.set(at);
        self.engine().requeued(self.tenant, endpoint.no).await;
    }

    /// Makes attempts until none is left; answers the delays between them in milliseconds.
    pub async fn run_out(&self, id: DeliveryId, endpoint: &Endpoint) -> Vec<u64> {
        let mut delays = Vec::new();
        for made in 1.. {
            let delivery = self.attempted(id, made).await;
            let Some(due) = delivery.next_attempt_at else { break };
            let ended = self.clock.now();
            delays.push(u64::try_from(due.since(ended).as_millis()).unwrap());
            self.go_to(due, endpoint).await;
        }
        delays
    }
}

/// Asks again until the answer is there.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let asking = async {
        loop {
            if let Some(found) = ask().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let found = tokio::time::timeout(PATIENCE, asking).await;
    found.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}"))
}

async fn start(
    store: &Arc<dyn Store>,
    clock: &Arc<FixedClock>,
    keyring: &Arc<Keyring>,
    seed: u64,
) -> Running {
    let allow = vec!["127.0.0.0/8".parse().unwrap()];
    let parts = Parts {
        store: Arc::clone(store),
        clock: Arc::<FixedClock>::clone(clock),
        chance: Arc::new(SeededChance::new(seed)),
        keyring: Arc::clone(keyring),
        egress: Arc::new(EgressPolicy { allow, allow_http: true }),
        settings: Settings::default(),
    };
    Engine::start(parts).await.unwrap()
}

/// The delivery of an event to its only endpoint.
pub fn only(event: EventId) -> DeliveryId {
    event.delivery(TargetNo(0))
}

/// The time in a header, in seconds.
pub fn seconds(received: &Received, name: &str) -> i64 {
    received.header(name).parse().unwrap()
}
