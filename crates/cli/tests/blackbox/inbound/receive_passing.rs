//! Passing on: whatever a source receives reaches endpoints of every profile in the form they expect, byte for byte where
//! the profile says so.

use serde_json::{Value, json};

use super::receive::Sender;
use crate::receiver::{Arrival, Receiver};
use crate::scene::{Acme, Scene, text};

const PROFILES: [&str; 5] = ["standard", "aly", "alvys", "alumia", "aryeo"];

/// Bodies that third parties send, with their content types, and as `data` where the profile has an envelope.
fn bodies() -> Vec<(Option<&'static str>, Vec<u8>, Value)> {
    let form = "application/x-www-form-urlencoded";
    vec![
        (Some("application/json"), b"{ \"a\" : 1.0 }\n".to_vec(), json!({ "a": 1.0 })),
        (Some("application/json; charset=utf-8"), b"[1]".to_vec(), json!([1])),
        (Some(form), b"a=1&b=%20x&a=2".to_vec(), json!("a=1&b=%20x&a=2")),
        (Some("text/plain; charset=latin1"), b"caf\xe9".to_vec(), json!("caf\u{fffd}")),
        (Some("application/octet-stream"), (0..=255).collect(), Value::Null),
        (Some("application/xml"), b"<a/>\r\n".to_vec(), json!("<a/>\r\n")),
        (None, Vec::new(), json!("")),
    ]
}

/// `data` of a delivery, whatever the profile's envelope.
fn data(arrival: &Arrival) -> Value {
    let body: Value = serde_json::from_slice(&arrival.body)
        .unwrap_or_else(|error| panic!("{error}: {:?}", String::from_utf8_lossy(&arrival.body)));
    body["data"].clone()
}

#[tokio::test]
async fn every_kind_of_body_reaches_every_profile() {
    let scene = Scene::new().await;
    let mut receivers = Vec::new();
    for profile in PROFILES {
        let receiver = Receiver::start().await;
        // `alvys` would challenge it first.
        let settings =
            json!({ "url": receiver.url(), "events": "*", "profile": profile, "verify": "none" });
        scene.acme.endpoint(settings).await;
        receivers.push(receiver);
    }
    let sender = Sender::new(&scene, json!({})).await;
    for (number, (kind, body, want)) in bodies().into_iter().enumerate() {
        let headers: Vec<_> = kind.iter().map(|it| ("content-type", *it)).collect();
        sender.event(&headers, body.clone()).await;
        for (profile, receiver) in PROFILES.iter().zip(&receivers) {
            let arrival = receiver.first(number + 1).await.swap_remove(number);
            if matches!(*profile, "alumia" | "aryeo") {
                assert_eq!(arrival.body, body, "{profile} {kind:?}");
                let want = kind.unwrap_or("application/json");
                assert_eq!(arrival.header("content-type"), want, "{profile}");
            } else {
                assert_eq!(arrival.header("content-type"), "application/json", "{profile}");
                let got = data(&arrival);
                assert!(
                    got == want || want.is_null() && got.is_string(),
                    "{profile} {kind:?} {got}"
                );
            }
        }
    }
    assert_eq!(sender.events(&scene.acme).await.len(), bodies().len());
}

#[tokio::test]
async fn headers_of_the_provider_go_along_and_credentials_do_not() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    scene.acme.endpoint_at(&receiver.url()).await;
    let sender = Sender::new(&scene, json!({ "provider": "github" })).await;
    let headers = [
        ("X-GitHub-Event", "push"),
        ("X-GitHub-Delivery", "d-1"),
        ("Authorization", "Basic Zm9v"),
        ("Cookie", "a=b"),
        ("X-Api-Key", "k"),
        ("webhook-id", "msg_theirs"),
        ("X-Forwarded-For", "10.0.0.1"),
        ("User-Agent", "GitHub-Hookshot/1"),
        ("Connection", "keep-alive, X-Hop"),
        ("X-Hop", "1"),
    ];
    let id = sender.event(&headers, r#"{"action":"a"}"#).await;
    let arrival = receiver.first(1).await.swap_remove(0);
    assert_eq!(arrival.header("x-github-event"), "push");
    assert_eq!(arrival.header("x-github-delivery"), "d-1");
    assert!(arrival.header("x-hub-signature-256").starts_with("sha256="));
    assert_eq!(arrival.header("webhook-id"), id, "signed by us, under our id");
    for gone in ["authorization", "cookie", "x-api-key", "x-forwarded-for", "x-hop"] {
        assert!(!arrival.has(gone), "{gone}");
    }
    assert!(!arrival.header("user-agent").contains("Hookshot"));
    assert_eq!(arrival.json()["type"], "push.a");
}

#[tokio::test]
async fn scope_type_and_list_decide_who_gets_it_and_replay_sends_it_again() {
    let scene = Scene::new().await;
    let (all, north, south) =
        (Receiver::start().await, Receiver::start().await, Receiver::start().await);
    scene.acme.endpoint_at(&all.url()).await;
    for (receiver, scope) in [(&north, "north"), (&south, "south")] {
        let settings = json!({ "url": receiver.url(), "events": ["order.*"], "scope": scope });
        scene.acme.endpoint(settings).await;
    }
    let settings = json!({ "scope": "north", "events": ["order.created"] });
    let sender = Sender::new(&scene, settings).await;
    let passed = sender.event(&[], r#"{"type":"order.created"}"#).await;
    let kept = sender.event(&[], r#"{"type":"order.paid"}"#).await;
    scene.acme.count_is("status=succeeded", 2).await;
    assert_eq!((all.count(), north.count(), south.count()), (1, 1, 0));
    assert!(scene.acme.deliveries_of(&kept).await.is_empty(), "recorded only");
    assert_eq!(sender.events(&scene.acme).await.len(), 2);
    let path = Acme::path(&format!("/events/{passed}/replay"));
    scene.acme.0.post(&path, &json!({})).await.expect(202);
    all.first(2).await;
}

#[tokio::test]
async fn two_tenants_never_see_what_the_other_received() {
    let scene = Scene::new().await;
    let other = scene.server.operator().tenant("other").await;
    let receiver = Receiver::start().await;
    let settings = json!({ "url": receiver.url(), "events": "*" });
    other.post("/v1/tenants/other/endpoints", &settings).await.expect(201);
    let sender = Sender::new(&scene, json!({})).await;
    let id = sender.event(&[], r#"{"type":"order.created"}"#).await;
    let source = text(&sender.source["id"]);
    for rest in
        [format!("events/{id}"), format!("sources/{source}"), format!("sources/{source}/events")]
    {
        for tenant in ["acme", "other"] {
            let answer = other.get(&format!("/v1/tenants/{tenant}/{rest}")).await;
            assert_eq!(answer.status, 404, "{tenant}/{rest}: {answer:?}");
        }
    }
    let theirs = other.get("/v1/tenants/other/events").await.expect(200);
    assert_eq!(theirs["data"], json!([]));
    let made = json!({ "type": "order.created", "data": {} });
    let own = other.post("/v1/tenants/other/events", &made).await.expect(202);
    assert_eq!(receiver.first(1).await[0].event(), text(&own["id"]), "its own alone");
}
