//! The house with its doors open, in this process, and somebody who knocks.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hookyard_app::App;
use hookyard_domain::time::{Chance, Clock};
use hookyard_engine::{Engine, Running};
use hookyard_http::{DoorState, Gauge, Parts};
use hookyard_rules::egress::EgressPolicy;
use hookyard_rules::seal::Keyring;
use hookyard_store::Store;
use hookyard_store_sqlite::SqliteStore;
use hookyard_testkit::chance::SeededChance;
use hookyard_testkit::clock::FixedClock;
use hookyard_testkit::make;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// The operator's key.
pub const OPERATOR: &str = "operator-key-of-the-tests";

/// A running house.
pub struct World {
    pub doors: DoorState,
    address: SocketAddr,
    _running: Running,
    _tasks: JoinSet<()>,
}

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |it| it.to_str().unwrap())
    }

    /// The body, after a look at the status.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.bytes));
        self.json()
    }

    /// A problem with this status and code; answers the pointers of its fields.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Vec<String> {
        let body = self.expect(status);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!((&body["code"], &body["status"]), (&json!(code), &json!(status)), "{body}");
        assert_eq!(body["type"], "about:blank");
        assert!(body["title"].is_string() && body["detail"].is_string(), "{body}");
        let fields = body["errors"].as_array().cloned().unwrap_or_default();
        fields.iter().map(|it| it["pointer"].as_str().unwrap().to_owned()).collect()
    }
}

impl World {
    /// Builds the house over a fresh store and opens its doors.
    pub async fn start() -> Self {
        let store: Arc<dyn Store> = SqliteStore::in_memory().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(FixedClock::new(make::NOW));
        let chance: Arc<dyn Chance> = Arc::new(SeededChance::new(7));
        let keyring =
            Arc::new(Keyring::parse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap());
        let egress = Arc::new(EgressPolicy {
            allow: vec!["127.0.0.0/8".parse().unwrap()],
            allow_http: true,
        });
        let running = Engine::start(hookyard_engine::Parts {
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            chance: Arc::clone(&chance),
            keyring: Arc::clone(&keyring),
            egress: Arc::clone(&egress),
            settings: hookyard_engine::Settings::default(),
        })
        .await
        .unwrap();
        let app = App::new(hookyard_app::Parts {
            store,
            engine: Arc::clone(&running.engine),
            clock,
            chance: Arc::clone(&chance),
            keyring,
            egress,
            operator_key: hookyard_rules::keys::hash(OPERATOR),
        });
        let gauge = Gauge { name: "hookyard_test_gauge", help: "A gauge.", value: 4.0 };
        let gauges = Arc::new(move || vec![gauge]);
        let dashboard = crate::pages::dashboard();
        let parts = Parts { app, public_url: None, chance, metrics: None, gauges, dashboard };
        let doors = DoorState::new(parts);
        let listener = TcpListener::bind((IpAddr::V4(Ipv4Addr::LOCALHOST), 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = hookyard_http::router(doors.clone());
        let mut tasks = JoinSet::new();
        let never = std::future::pending::<()>();
        tasks.spawn(hookyard_http::server::serve(listener, router, never, Duration::ZERO));
        Self { doors, address, _running: running, _tasks: tasks }
    }

    /// Sends one request as it is.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(connection);
        let response = sender.send_request(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, bytes }
    }

    /// A request with a key, more headers, and a body.
    pub async fn ask(
        &self,
        key: &str,
        route: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let (method, path) = route.split_once(' ').unwrap();
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "hookyard.test")
            .header("authorization", format!("Bearer {key}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Full::new(body.into())).unwrap()).await
    }

    /// The operator asks, with a JSON body.
    pub async fn op(&self, route: &str, body: Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.ask(OPERATOR, route, &[], body).await
    }

    /// The operator looks.
    pub async fn get(&self, path: &str) -> Answer {
        self.op(&format!("GET {path}"), Value::Null).await
    }

    /// A tenant of that name.
    pub async fn tenant(&self, name: &str) {
        self.op("POST /v1/tenants", json!({ "id": name })).await.expect(201);
    }

    /// A key of a tenant.
    pub async fn key(&self, tenant: &str, scopes: &[&str]) -> String {
        let body = json!({"name": "k", "scopes": scopes});
        let made = self.op(&format!("POST /v1/tenants/{tenant}/api-keys"), body).await.expect(201);
        made["key"].as_str().unwrap().to_owned()
    }

    /// Asks again and again until `done` finds what it waits for.
    pub async fn until(&self, path: &str, done: impl Fn(&Value) -> bool) -> Value {
        let asked = async {
            loop {
                let body = self.get(path).await.json();
                if done(&body) {
                    return body;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), asked).await.expect(path)
    }
}

/// A receiver that answers every request with 204; its URL.
pub async fn receiver(tasks: &mut JoinSet<()>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tasks.spawn(async move {
        let mut open = JoinSet::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            open.spawn(async move {
                let mut bytes = [0; 16 * 1024];
                while matches!(stream.read(&mut bytes).await, Ok(1..)) {
                    let answer = b"HTTP/1.1 204 No Content\r\n\r\n";
                    if stream.write_all(answer).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    url
}
