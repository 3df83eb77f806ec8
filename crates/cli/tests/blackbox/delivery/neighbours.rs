//! Endpoints that hang, drip, never end or redirect, beside one that is well.

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::receiver::{Receiver, Reply};
use crate::scene::{Acme, Scene, text};
use crate::world::until;

/// Orders published. More than a lane holds in memory, so that overflow is met too.
const ORDERS: u64 = 1_500;
/// The most memory the gateway may ever have had. (The release build's bound is `hookyard bench`'s to check.)
const MEMORY_MAX_MIB: u64 = 150;

/// One attempt of any delivery to the endpoint.
async fn an_attempt(acme: &Acme, endpoint: &Value) -> Value {
    let query = format!("/deliveries?limit=250&endpoint={}", text(endpoint));
    let delivery = until("an attempt is recorded", async || {
        let page = acme.0.get(&Acme::path(&query)).await.expect(200);
        let all = page["data"].as_array().unwrap().clone();
        all.into_iter().find(|it| it["attempts"].as_u64() > Some(0))
    })
    .await;
    acme.attempts(&delivery["id"]).await.remove(0)
}

#[tokio::test]
async fn a_healthy_endpoint_gets_everything_while_four_bad_ones_have_all_they_can_take() {
    let scene = Scene::new().await;
    let healthy = Receiver::start().await;
    let trap = Receiver::start().await;
    let private = trap.url();
    let redirect = move |_: &_, _| Reply::Full {
        status: 302,
        headers: vec![("location", private.clone())],
        body: String::new(),
    };
    let hanging = Receiver::scripted(|_, _| Reply::Hang).await;
    let dripping = Receiver::scripted(|_, _| Reply::Drip).await;
    let endless = Receiver::scripted(|_, _| Reply::Trickle).await;
    let redirecting = Receiver::scripted(redirect).await;
    let mut bad = Vec::new();
    for receiver in [&hanging, &dripping, &endless, &redirecting] {
        let settings = json!({ "url": receiver.url(), "events": "*", "timeout_s": 60 });
        bad.push(scene.acme.endpoint(settings).await["id"].clone());
    }
    scene.acme.endpoint_at(&healthy.url()).await;
    let began = Instant::now();
    for from in (0..ORDERS).step_by(500) {
        scene.acme.orders(from..from + 500).await;
    }
    healthy.first(usize::try_from(ORDERS).unwrap()).await;
    let took = began.elapsed();
    assert!(took.as_secs() < 60, "the slow ones' time-out came first: {took:?}");
    for receiver in [&hanging, &dripping, &endless] {
        let count = receiver.count();
        assert!((1..=64).contains(&count), "{count} attempts at once to an endpoint that hangs");
    }
    assert_eq!(trap.count(), 0, "a redirect was followed");
    let memory = scene.server.memory_max_mib();
    assert!(memory <= MEMORY_MAX_MIB, "{memory} MiB");
    let ready = scene.acme.0.get("/readyz").await;
    assert_eq!(ready.status, 200);
}

#[tokio::test]
async fn what_a_bad_receiver_did_is_recorded_and_costs_no_more_than_its_timeout() {
    let scene = Scene::new().await;
    let trap = Receiver::start().await;
    let moved = |location: String| {
        move |_: &_, _| Reply::Full {
            status: 302,
            headers: vec![("location", location.clone())],
            body: String::new(),
        }
    };
    let cases = [
        (Receiver::scripted(|_, _| Reply::Hang).await, "timeout", json!(null)),
        (Receiver::scripted(|_, _| Reply::Drip).await, "timeout", json!(null)),
        (Receiver::scripted(|_, _| Reply::Trickle).await, "timeout", json!(null)),
        (Receiver::scripted(moved(trap.url())).await, "http_error", json!(302)),
        (Receiver::scripted(moved("http://10.0.0.1/".into())).await, "http_error", json!(302)),
        (Receiver::scripted(|_, _| Reply::Break).await, "connect", json!(null)),
        (Receiver::scripted(|_, _| Reply::Status(503)).await, "http_error", json!(503)),
        (Receiver::scripted(|_, _| Reply::Flood).await, "succeeded", json!(200)),
    ];
    let mut endpoints = Vec::new();
    for (receiver, ..) in &cases {
        let settings = json!({ "url": receiver.url(), "events": "*", "timeout_s": 1 });
        endpoints.push(scene.acme.endpoint(settings).await["id"].clone());
    }
    scene.acme.order(1).await;
    for (endpoint, (_, outcome, status)) in endpoints.iter().zip(&cases) {
        let attempt = an_attempt(&scene.acme, endpoint).await;
        assert_eq!(attempt["outcome"], *outcome, "{attempt}");
        assert_eq!(attempt["status_code"], *status, "{attempt}");
        assert_eq!(attempt["error"].is_null(), *outcome == "succeeded", "{attempt}");
        let took = attempt["duration_ms"].as_u64().unwrap();
        if *outcome == "timeout" {
            assert!((1_000..5_000).contains(&took), "{took} ms: {attempt}");
        }
        assert!(text(&attempt["response_body"]).len() <= 4096, "more than 4 KiB is kept");
    }
    assert_eq!(trap.count(), 0, "a redirect was followed");
}

#[tokio::test]
async fn an_answer_without_end_is_read_up_to_64_kib_and_judged_by_its_status() {
    let scene = Scene::new().await;
    let receiver = Receiver::scripted(|_, _| Reply::Flood).await;
    let id = scene.acme.endpoint_at(&receiver.url()).await["id"].clone();
    for n in 0..100 {
        scene.acme.order(n).await;
    }
    scene.acme.count_is(&format!("status=succeeded&endpoint={}", text(&id)), 100).await;
    let memory = scene.server.memory_max_mib();
    assert!(memory <= MEMORY_MAX_MIB, "{memory} MiB");
    assert_eq!(receiver.count(), 100, "each is taken at the first try");
}
