//! `/in/{source_id}`: what is taken, what is refused, and with which words.

use bytes::Bytes;
use hookyard_domain::time::Timestamp;
use hookyard_rules::inbound::{Outgoing, presets, sign};
use http::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::scene::{Acme, Scene, text};
use crate::world::Answer;

pub const SECRET: &str = "top secret";
/// HMAC-SHA256 of [`BODY`] by [`SECRET`], made by other people's code.
const HEX: &str = "840be69afa7151c2f54609da0630e1b83852ec390a199456c241f37f61f18022";
pub const BODY: &str = r#"{"type":"order.created"}"#;

/// A source, and whoever sends to it.
#[derive(Clone)]
pub struct Sender {
    pub source: Value,
    provider: String,
    secret: String,
    client: crate::world::Client,
}

impl Sender {
    /// A fresh source of `acme`.
    pub async fn new(scene: &Scene, settings: Value) -> Self {
        Self::of(&scene.acme, settings).await
    }

    pub async fn of(acme: &Acme, settings: Value) -> Self {
        let mut all = json!({ "name": "A", "secret": SECRET });
        all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        let source = acme.0.post(&Acme::path("/sources"), &all).await.expect(201);
        Self {
            provider: text(&source["provider"]).to_owned(),
            secret: source["secret"].as_str().unwrap_or_default().to_owned(),
            client: acme.0.with_key(""),
            source,
        }
    }

    /// The same, to a server that was started again.
    pub fn at(&self, acme: &Acme) -> Self {
        Self {
            source: self.source.clone(),
            provider: self.provider.clone(),
            secret: self.secret.clone(),
            client: acme.0.with_key(""),
        }
    }

    pub fn path(&self) -> String {
        format!("/in/{}", text(&self.source["id"]))
    }

    /// Headers that prove a body.
    pub fn proof(&self, body: &[u8]) -> Vec<(String, String)> {
        let preset = presets::named(&self.provider).unwrap();
        let now = now();
        let url = text(&self.source["receive_url"]);
        let outgoing = Outgoing { id: "msg_1", now, method: "POST", url, body };
        sign(&preset.recipe, &self.secret, &outgoing).unwrap().0
    }

    /// Sends a body with its proof and more headers.
    pub async fn send(&self, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        let body = body.into();
        let proof = self.proof(&body);
        let mut all: Vec<_> = proof.iter().map(|it| (it.0.as_str(), it.1.as_str())).collect();
        all.extend(headers);
        self.raw(Method::POST, "", &all, body).await
    }

    /// Sends exactly this.
    pub async fn raw(
        &self,
        method: Method,
        query: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let path = format!("{}{query}", self.path());
        self.client.send(method, &path, headers, body.into()).await
    }

    /// Sends a good body; the event's id.
    pub async fn event(&self, headers: &[(&str, &str)], body: impl Into<Bytes>) -> String {
        text(&self.send(headers, body).await.expect(200)["id"]).to_owned()
    }

    pub async fn events(&self, acme: &Acme) -> Vec<Value> {
        let path = format!("/sources/{}/events?limit=250", text(&self.source["id"]));
        let page = acme.0.get(&Acme::path(&path)).await.expect(200);
        page["data"].as_array().unwrap().clone()
    }
}

#[expect(clippy::disallowed_methods, reason = "the server's clock is the machine's")]
fn now() -> Timestamp {
    Timestamp::from_millis(jiff::Timestamp::now().as_millisecond())
}

/// Runs all of them at once; answers in their order.
pub async fn at_once<T, F>(all: impl Iterator<Item = F>) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut running = JoinSet::new();
    for (number, one) in all.enumerate() {
        running.spawn(async move { (number, one.await) });
    }
    let mut done = running.join_all().await;
    done.sort_by_key(|it| it.0);
    done.into_iter().map(|it| it.1).collect()
}

#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) -> Value {
    let problem = answer.expect(status);
    assert_eq!(answer.headers["content-type"], "application/problem+json", "{answer:?}");
    assert_eq!(problem["code"], code, "{problem}");
    problem
}

#[tokio::test]
async fn what_others_have_signed_is_taken_and_can_be_read_at_once() {
    let scene = Scene::new().await;
    let sender = Sender::new(&scene, json!({ "scope": "north" })).await;
    for value in [HEX.to_owned(), format!("sha256={HEX}"), HEX.to_uppercase()] {
        let headers = [("X-Webhook-Signature", value.as_str()), ("X-Shop", "7")];
        let answer = sender.raw(Method::POST, "?any=query", &headers, BODY).await;
        assert_eq!(answer.headers["content-type"], "application/json");
        let id = answer.expect(200)["id"].clone();
        assert_eq!(answer.json(), json!({ "id": id }), "and nothing else");
        let event =
            scene.acme.0.get(&Acme::path(&format!("/events/{}", text(&id)))).await.expect(200);
        assert_eq!((&event["type"], &event["scope"]), (&json!("order.created"), &json!("north")));
        assert_eq!(
            (&event["source"], &event["data"]),
            (&sender.source["id"], &json!({ "type": "order.created" }))
        );
        assert_eq!(event["headers"]["x-shop"], "7");
    }
    let source = format!("/sources/{}", text(&sender.source["id"]));
    let source = scene.acme.0.get(&Acme::path(&source)).await.expect(200);
    assert_eq!(source["event_count"], 3);
    assert!(source["last_event_at"].is_string());
    let filtered = format!("/events?source={}", text(&sender.source["id"]));
    let filtered = scene.acme.0.get(&Acme::path(&filtered)).await.expect(200);
    assert_eq!(filtered["data"], json!(sender.events(&scene.acme).await));
}

#[tokio::test]
async fn the_refusals_say_why_and_nothing_is_kept() {
    let scene = Scene::new().await;
    let sender = Sender::new(&scene, json!({})).await;
    let raw = async |headers: &[(&str, &str)]| sender.raw(Method::POST, "", headers, BODY).await;
    let problem = refused(&raw(&[]).await, 401, "missing_signature");
    assert!(text(&problem["detail"]).contains("X-Webhook-Signature"), "{problem}");
    let zeros = "0".repeat(64);
    let wrong = raw(&[("X-Webhook-Signature", &zeros)]).await;
    assert_eq!(wrong.headers["www-authenticate"], "Signature");
    let problem = refused(&wrong, 401, "wrong_signature");
    assert!(!problem.to_string().contains(HEX), "what would be right is not told");
    refused(&raw(&[("X-Webhook-Signature", "zz")]).await, 401, "malformed_signature");
    let late = Sender::new(&scene, json!({ "provider": "stripe" })).await;
    let old = [(
        "Stripe-Signature",
        "t=1,v1=00000000000000000000000000000000000000000000000000000000000000ff",
    )];
    refused(&late.raw(Method::POST, "", &old, BODY).await, 401, "wrong_signature");
    let mut unset = json!({ "name": "A", "provider": "stripe" });
    let made = scene.acme.0.post(&Acme::path("/sources"), &unset).await.expect(201);
    let path = format!("/in/{}", text(&made["id"]));
    let stranger = scene.server.client("");
    let answer = stranger.send(Method::POST, &path, &[], BODY.into()).await;
    refused(&answer, 401, "no_secret");
    unset["provider"] = json!("custom");
    for unknown in ["/in/src_01jv0g6xwre3zb0g8v4q5n6m7k", "/in/src_", "/in/x", "/in/%ff"] {
        let answer = stranger.send(Method::POST, unknown, &[], BODY.into()).await;
        assert_eq!(answer.status, 404, "{unknown}: {answer:?}");
    }
    assert!(sender.events(&scene.acme).await.is_empty());
    assert_eq!(scene.acme.0.get(&Acme::path("/events")).await.expect(200)["data"], json!([]));
}

#[tokio::test]
async fn a_key_of_the_api_proves_nothing_here() {
    let scene = Scene::new().await;
    let sender = Sender::new(&scene, json!({})).await;
    let answer = scene.acme.0.send(Method::POST, &sender.path(), &[], BODY.into()).await;
    refused(&answer, 401, "missing_signature");
}

#[tokio::test]
async fn methods_that_the_provider_never_uses_are_refused_with_those_it_does() {
    let scene = Scene::new().await;
    for (provider, allow) in
        [("custom", "POST, PUT"), ("meta", "GET, POST, PUT"), ("trello", "HEAD, POST, PUT")]
    {
        let sender = Sender::new(&scene, json!({ "provider": provider })).await;
        for method in [Method::DELETE, Method::PATCH, Method::GET, Method::HEAD] {
            if allow.split(", ").any(|it| it == method.as_str()) {
                continue;
            }
            let answer = sender.raw(method.clone(), "", &[], "").await;
            assert_eq!(answer.status, 405, "{method}: {answer:?}");
            assert_eq!(answer.headers["allow"], allow);
        }
        let answer = sender.raw(Method::OPTIONS, "", &[], "").await;
        assert_eq!((answer.status, answer.headers["allow"].to_str().unwrap()), (204, allow));
    }
    let sender = Sender::new(&scene, json!({})).await;
    let put = sender.raw(Method::PUT, "", &[("X-Webhook-Signature", HEX)], BODY).await;
    put.expect(200);
    let stranger = scene.server.client("");
    let answer =
        stranger.send(Method::OPTIONS, "/in/src_01jv0g6xwre3zb0g8v4q5n6m7k", &[], Bytes::new());
    assert_eq!(answer.await.status, 404);
}

#[tokio::test]
async fn the_same_again_is_stored_once_even_when_it_comes_many_times_at_once() {
    let scene = Scene::new().await;
    let sender = Sender::new(&scene, json!({})).await;
    let all = (0..20).map(|_| {
        let sender = sender.clone();
        async move { sender.send(&[("Idempotency-Key", "k-1")], BODY).await }
    });
    let answers = at_once(all).await;
    let first = answers[0].expect(200);
    assert!(answers.iter().all(|it| it.expect(200) == first), "{answers:?}");
    assert_eq!(sender.events(&scene.acme).await.len(), 1);
    let other = sender.event(&[("Idempotency-Key", "k-2")], BODY).await;
    assert_ne!(other, text(&first["id"]));
    let elsewhere = Sender::new(&scene, json!({})).await;
    assert_ne!(elsewhere.event(&[("Idempotency-Key", "k-1")], BODY).await, text(&first["id"]));
}

#[tokio::test]
async fn the_tenants_limits_hold_for_bytes_and_for_events_a_second() {
    let scene = Scene::new().await;
    let sender = Sender::new(&scene, json!({})).await;
    let limits = json!({ "limits": { "payload_bytes": 100, "publish_per_s": 3 } });
    scene.server.operator().patch(&Acme::path(""), &limits).await.expect(200);
    refused(&sender.send(&[], "x".repeat(101)).await, 413, "too_large");
    sender.send(&[], "x".repeat(100)).await.expect(200);
    let all = (0..20).map(|n| {
        let sender = sender.clone();
        async move { sender.send(&[], format!("{n}")).await }
    });
    let answers = at_once(all).await;
    let limited: Vec<_> = answers.iter().filter(|it| it.status == 429).collect();
    assert!(!limited.is_empty(), "{answers:?}");
    for answer in limited {
        refused(answer, 429, "too_many_requests");
        assert!(answer.headers["retry-after"].to_str().unwrap().parse::<u32>().unwrap() >= 1);
    }
    let taken = answers.iter().filter(|it| it.status == 200).count();
    assert_eq!(sender.events(&scene.acme).await.len(), taken + 1, "the rest was not kept");
}

#[tokio::test]
async fn the_receive_url_begins_with_the_public_url_and_that_is_what_is_signed() {
    let scene = Scene::with(&["--public-url", "https://hooks.example/gate/"]).await;
    let sender = Sender::new(&scene, json!({ "provider": "square" })).await;
    let url = text(&sender.source["receive_url"]).to_owned();
    assert_eq!(url, format!("https://hooks.example/gate{}", sender.path()));
    sender.event(&[], r#"{"type":"a","event_id":"1"}"#).await;
    let told = json!({ "public_url": "https://proxy.example/square" });
    let path = format!("/sources/{}", text(&sender.source["id"]));
    scene.acme.0.patch(&Acme::path(&path), &told).await.expect(200);
    let answer = sender.send(&[], r#"{"type":"a","event_id":"2"}"#).await;
    refused(&answer, 401, "wrong_signature");
}

#[tokio::test]
async fn without_a_public_url_it_is_the_origin_that_the_caller_reached() {
    let scene = Scene::new().await;
    let sender = Sender::new(&scene, json!({})).await;
    let path = Acme::path(&format!("/sources/{}", text(&sender.source["id"])));
    let behind = [("x-forwarded-proto", "https")];
    let read = scene.acme.0.send(Method::GET, &path, &behind, Bytes::new()).await.expect(200);
    let want = format!("https://{}{}", scene.server.address, sender.path());
    assert_eq!(read["receive_url"], want);
}

#[tokio::test]
async fn a_rotation_takes_effect_with_the_next_request() {
    let scene = Scene::new().await;
    let sender = Sender::new(&scene, json!({})).await;
    let rotate = async |body: Value| {
        let path = format!("/sources/{}/rotate-secret", text(&sender.source["id"]));
        scene.acme.0.post(&Acme::path(&path), &body).await.expect(200);
    };
    rotate(json!({ "secret": "second" })).await;
    sender.event(&[], BODY).await;
    rotate(json!({ "secret": "third", "overlap_s": 0 })).await;
    refused(&sender.send(&[], BODY).await, 401, "wrong_signature");
}

#[tokio::test]
async fn huge_headers_and_odd_bodies_do_no_harm() {
    let scene = Scene::new().await;
    let sender = Sender::new(&scene, json!({})).await;
    let long = "0".repeat(30_000);
    refused(
        &sender.raw(Method::POST, "", &[("X-Webhook-Signature", &long)], BODY).await,
        401,
        "malformed_signature",
    );
    let entries = format!("v1,{} ", "A".repeat(43)).repeat(600);
    let many =
        [("webhook-id", "a"), ("webhook-timestamp", "1"), ("webhook-signature", entries.as_str())];
    assert_eq!(sender.raw(Method::POST, "", &many, BODY).await.status, 401);
    let value = "x".repeat(3_000);
    let names: Vec<_> = (0..15).map(|n| format!("x-part-{n}")).collect();
    let headers: Vec<_> = names.iter().map(|it| (it.as_str(), value.as_str())).collect();
    let id = sender.event(&headers, BODY).await;
    let event = scene.acme.0.get(&Acme::path(&format!("/events/{id}"))).await.expect(200);
    let kept = event["headers"].as_object().unwrap();
    assert!((1..=7).contains(&kept.len()), "within bounds: {}", kept.len());
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    sender.event(&[], deep).await;
}

#[tokio::test]
async fn whoever_knows_the_public_key_of_a_source_can_send_it_nothing() {
    let scene = Scene::new().await;
    let public = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
    // The HMAC-SHA256 of `{}` with that text as its key.
    let mac = "7e373f17048265efad479a84b4d444450bc9edbc28935d31c2059f05968b53f7";
    for (provider, name, value) in
        [("custom", "X-Webhook-Signature", mac), ("gitlab", "X-Gitlab-Token", public)]
    {
        let settings = json!({ "provider": provider, "secret": public });
        let sender = Sender::new(&scene, settings).await;
        let answer = sender.raw(Method::POST, "", &[(name, value)], "{}").await;
        assert_eq!(
            (answer.status, &answer.json()["code"]),
            (401, &json!("bad_secret")),
            "{provider}"
        );
    }
    let github = json!({ "name": "A", "provider": "github", "secret": public });
    let answer = scene.acme.0.post(&Acme::path("/sources"), &github).await;
    assert_eq!(answer.status, 422, "{answer:?}");
}
