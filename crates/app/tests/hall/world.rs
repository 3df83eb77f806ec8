//! One gateway without its doors: store, engine, hall; a clock that is moved by hand; receivers that listen.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use hookyard_app::{
    App, AppError, Caller, EndpointMade, NewEndpoint, NewEvent, NewKey, NewTenant, PageQuery, Parts,
};
use hookyard_domain::audit::AuditEntry;
use hookyard_domain::delivery::{Delivery, DeliveryStatus};
use hookyard_domain::secret::Secret;
use hookyard_domain::time::{Chance, Clock, Timestamp};
use hookyard_engine::{Engine, Running, Settings};
use hookyard_rules::egress::EgressPolicy;
use hookyard_rules::keys;
use hookyard_rules::seal::{Keyring, master_key};
use hookyard_store_sqlite::SqliteStore;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

pub const OPERATOR_KEY: &str = "operator-key-of-the-tests";

/// Time that only moves when told to.
pub struct SteppedClock(AtomicI64);

impl SteppedClock {
    pub fn forward(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for SteppedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// Dice that never show the same twice: SplitMix64.
struct SeededChance(AtomicU64);

impl Chance for SeededChance {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let mut z = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_be_bytes()[..chunk.len()]);
        }
    }
}

pub struct World {
    pub app: App,
    pub clock: Arc<SteppedClock>,
    pub operator: Caller,
    pub store: Arc<SqliteStore>,
    running: Option<Running>,
}

impl World {
    /// A gateway with the tenant `acme`.
    pub async fn new() -> Self {
        let clock = Arc::new(SteppedClock(AtomicI64::new(1_750_000_000_000)));
        let chance = Arc::new(SeededChance(AtomicU64::new(7)));
        let store = SqliteStore::in_memory().unwrap();
        let keyring = Arc::new(Keyring::parse(&master_key(&[7; 32])).unwrap());
        let allow = vec!["127.0.0.0/8".parse().unwrap()];
        let egress = Arc::new(EgressPolicy { allow, allow_http: true });
        let running = Engine::start(hookyard_engine::Parts {
            store: store.clone(),
            clock: clock.clone(),
            chance: chance.clone(),
            keyring: keyring.clone(),
            egress: egress.clone(),
            settings: Settings::default(),
        })
        .await
        .unwrap();
        let app = App::new(Parts {
            store: store.clone(),
            engine: running.engine.clone(),
            clock: clock.clone(),
            chance,
            keyring,
            egress,
            operator_key: keys::hash(OPERATOR_KEY),
        });
        let origin = Some("192.0.2.7".to_owned());
        let operator = app.authenticate(Some(OPERATOR_KEY), origin).await.unwrap();
        let world = Self { app, clock, operator, store, running: Some(running) };
        world.tenant(NewTenant { id: "acme".into(), ..NewTenant::default() }).await;
        world
    }

    pub async fn tenant(&self, new: NewTenant) {
        self.app.create_tenant(&self.operator, new).await.unwrap();
    }

    /// The text of a fresh key of a tenant, and its id.
    pub async fn key(&self, tenant: &str, scopes: &[&str]) -> (Secret, String) {
        let scopes = scopes.iter().map(|it| (*it).to_owned()).collect();
        let new = NewKey { name: "test".into(), scopes, expires_at: None };
        let made = self.app.create_key(&self.operator, tenant, new).await.unwrap();
        (made.text, made.key.id.to_string())
    }

    /// Somebody with a fresh key of a tenant.
    pub async fn caller(&self, tenant: &str, scopes: &[&str]) -> Caller {
        let (text, _) = self.key(tenant, scopes).await;
        self.app.authenticate(Some(text.reveal()), None).await.unwrap()
    }

    pub async fn endpoint(&self, new: NewEndpoint) -> EndpointMade {
        self.app.create_endpoint(&self.operator, "acme", new).await.unwrap()
    }

    /// Publishes an event of a type; its id.
    pub async fn publish(&self, event_type: &str) -> String {
        let accepted = self.app.publish(&self.operator, "acme", event(event_type), None).await;
        accepted.unwrap().id.to_string()
    }

    /// The deliveries of an event.
    pub async fn deliveries(&self, event: &str) -> Vec<Delivery> {
        let page = PageQuery::default();
        let page = self.app.deliveries_of_event(&self.operator, "acme", event, page).await;
        page.unwrap().rows
    }

    /// The only delivery of an event, once it is as wanted.
    pub async fn delivery_once(&self, event: &str, want: impl Fn(&Delivery) -> bool) -> Delivery {
        until(async || {
            let deliveries = self.deliveries(event).await;
            let [delivery] = &deliveries[..] else { panic!("one delivery: {deliveries:?}") };
            want(delivery).then(|| delivery.clone())
        })
        .await
    }

    pub async fn delivery_in(&self, event: &str, status: DeliveryStatus) -> Delivery {
        self.delivery_once(event, |it| it.status == status).await
    }

    /// The newest entries of the audit log.
    pub async fn audit(&self) -> Vec<AuditEntry> {
        let page = PageQuery::default();
        self.app.audit(&self.operator, "acme", page).await.unwrap().rows
    }

    pub async fn end(mut self) {
        if let Some(running) = self.running.take() {
            running.drain(Duration::from_secs(5)).await;
        }
    }
}

/// Asks again until there is an answer; the time-out is the test's failure, not its pace.
pub async fn until<T>(ask: impl AsyncFn() -> Option<T>) -> T {
    let waited = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waited).await.expect("it never came about")
}

pub fn event(event_type: &str) -> NewEvent {
    NewEvent {
        event_type: event_type.into(),
        data: Bytes::from_static(br#"{"order":1}"#),
        ..NewEvent::default()
    }
}

pub fn endpoint(url: &str, events: &[&str]) -> NewEndpoint {
    NewEndpoint {
        url: url.into(),
        events: events.iter().map(|it| (*it).to_owned()).collect(),
        ..NewEndpoint::default()
    }
}

/// Pointers and codes of what was wrong.
#[track_caller]
pub fn wrong<T: std::fmt::Debug>(answer: Result<T, AppError>) -> Vec<(String, &'static str)> {
    match answer {
        Err(AppError::Invalid(wrong)) => {
            wrong.into_iter().map(|it| (it.pointer, it.code)).collect()
        }
        other => panic!("wrong fields wanted, got {other:?}"),
    }
}

/// The code of an error.
#[track_caller]
pub fn code<T: std::fmt::Debug>(answer: Result<T, AppError>) -> &'static str {
    match answer {
        Err(error) => error.code(),
        Ok(answer) => panic!("an error wanted, got {answer:?}"),
    }
}

/// A receiver that listens on a port of its own.
pub struct Receiver {
    pub url: String,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

struct Shared {
    works: AtomicBool,
    echoes: AtomicBool,
    bodies: Mutex<Vec<String>>,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let url = format!("http://{}/hooks", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            works: AtomicBool::new(true),
            echoes: AtomicBool::new(true),
            bodies: Mutex::default(),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(listen(listener, shared.clone()));
        Self { url, shared, _tasks: tasks }
    }

    /// Answers 200 or, when it does not work, 500.
    pub fn works(&self, yes: bool) {
        self.shared.works.store(yes, Ordering::SeqCst);
    }

    /// Echoes challenges.
    pub fn echoes(&self, yes: bool) {
        self.shared.echoes.store(yes, Ordering::SeqCst);
    }

    /// What it received.
    pub fn bodies(&self) -> Vec<String> {
        self.shared.bodies.lock().unwrap().clone()
    }
}

async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(answer(stream, shared.clone()));
    }
}

async fn answer(mut stream: TcpStream, shared: Arc<Shared>) {
    let mut read = Vec::new();
    loop {
        let head = loop {
            if let Some(at) = read.windows(4).position(|it| it == b"\r\n\r\n") {
                break at + 4;
            }
            if stream.read_buf(&mut read).await.unwrap_or(0) == 0 {
                return;
            }
        };
        let text = String::from_utf8_lossy(&read[..head]).to_lowercase();
        let length = text.lines().find_map(|it| it.strip_prefix("content-length:"));
        let length: usize = length.map_or(0, |it| it.trim().parse().unwrap());
        while read.len() < head + length {
            if stream.read_buf(&mut read).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let body = String::from_utf8_lossy(&read[head..head + length]).into_owned();
        read.drain(..head + length);
        let challenge = body.contains("webhook.verification");
        let reply = if challenge && shared.echoes.load(Ordering::SeqCst) {
            let (_, token) = body.split_once(r#""challenge":"#).unwrap();
            format!(r#"{{"challenge":{token}"#)
        } else {
            "{}".to_owned()
        };
        shared.bodies.lock().unwrap().push(body);
        let status = if shared.works.load(Ordering::SeqCst) { "200 OK" } else { "500 No" };
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n", reply.len());
        if stream.write_all(format!("{head}{reply}").as_bytes()).await.is_err() {
            return;
        }
    }
}
