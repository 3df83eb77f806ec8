//! How a server stops.

use std::sync::Arc;

use axum::Router;
use axum::routing::post;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::world::{PATIENCE, World, until};

/// A receiver whose answers wait until they are let go.
struct Slow {
    url: String,
    reached: Arc<Semaphore>,
    let_go: Arc<Semaphore>,
    _serving: JoinSet<()>,
}

impl Slow {
    async fn start() -> Self {
        let (reached, let_go) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let (entered, gate) = (Arc::clone(&reached), Arc::clone(&let_go));
        let handler = move || {
            let (entered, gate) = (Arc::clone(&entered), Arc::clone(&gate));
            async move {
                entered.add_permits(1);
                gate.acquire().await.unwrap().forget();
                "taken"
            }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().route("/hook", post(handler));
        let mut serving = JoinSet::new();
        serving.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, reached, let_go, _serving: serving }
    }

    /// Waits until a request is being held.
    async fn reached(&self) {
        tokio::time::timeout(PATIENCE, self.reached.acquire()).await.unwrap().unwrap().forget();
    }
}

#[tokio::test]
async fn sigterm_stops_accepting_lets_the_attempt_in_flight_finish_and_ends_with_0() {
    let (world, slow) = (World::new(), Slow::start().await);
    let mut server = world.serve().await;
    let acme = server.operator().tenant("acme").await;
    let endpoint = json!({ "url": slow.url, "events": ["*"] });
    acme.post("/v1/tenants/acme/endpoints", &endpoint).await.expect(201);
    let event = json!({ "type": "order.created", "data": { "n": 1 } });
    acme.post("/v1/tenants/acme/events", &event).await.expect(202);
    slow.reached().await;

    server.signal("TERM").await;
    until("the port is closed", async || {
        TcpStream::connect(server.address).await.is_err().then_some(())
    })
    .await;
    slow.let_go.add_permits(1);
    assert_eq!(server.ended().await.code(), Some(0));
    drop(server);

    let again = world.serve().await;
    let acme = again.client(&acme.key);
    let list = acme.get("/v1/tenants/acme/deliveries").await.expect(200);
    assert_eq!(list["data"][0]["status"], "succeeded", "{list}");
}

#[tokio::test]
async fn an_attempt_that_outlives_the_grace_is_owed_and_made_again_after_the_next_start() {
    let (world, slow) = (World::new(), Slow::start().await);
    let env = [("HOOKYARD_OPERATOR_KEY", crate::world::OPERATOR_KEY)];
    let mut server = world.serve_with(&["--shutdown-grace", "0"], &env).await;
    let acme = server.operator().tenant("acme").await;
    let endpoint = json!({ "url": slow.url, "events": ["*"] });
    acme.post("/v1/tenants/acme/endpoints", &endpoint).await.expect(201);
    let event = json!({ "type": "order.created", "data": { "n": 1 } });
    acme.post("/v1/tenants/acme/events", &event).await.expect(202);
    slow.reached().await;
    server.signal("TERM").await;
    assert_eq!(server.ended().await.code(), Some(0));
    drop(server);

    slow.let_go.add_permits(2);
    let again = world.serve().await;
    let acme = again.client(&acme.key);
    until("the delivery succeeded", async || {
        let list = acme.get("/v1/tenants/acme/deliveries").await.expect(200);
        (list["data"][0]["status"] == "succeeded").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_second_signal_does_not_wait() {
    let (world, slow) = (World::new(), Slow::start().await);
    let mut server = world.serve().await;
    let acme = server.operator().tenant("acme").await;
    let endpoint = json!({ "url": slow.url, "events": ["*"] });
    acme.post("/v1/tenants/acme/endpoints", &endpoint).await.expect(201);
    let event = json!({ "type": "order.created", "data": { "n": 1 } });
    acme.post("/v1/tenants/acme/events", &event).await.expect(202);
    slow.reached().await;
    server.signal("INT").await;
    until("it is stopping", async || server.log().contains("stopping").then_some(())).await;
    server.signal("INT").await;
    assert_eq!(server.ended().await.code(), Some(1));
}

#[tokio::test]
async fn what_was_accepted_is_there_after_kill_9() {
    let world = World::new();
    let server = world.serve().await;
    let acme = server.operator().tenant("acme").await;
    let event = json!({ "type": "order.created", "data": { "n": 1 } });
    let made = acme.post("/v1/tenants/acme/events", &event).await.expect(202);
    let path = format!("/v1/tenants/acme/events/{}", made["id"].as_str().unwrap());
    server.kill_9().await;
    let again = world.serve().await;
    let kept = again.client(&acme.key).get(&path).await.expect(200);
    assert_eq!(kept["data"], json!({ "n": 1 }));
}
