//! Two organisations, route by route from the document: neither sees, guesses or moves what is the other's.

use http::Method;
use serde_json::{Value, json};

use super::{Alumia, HOOKS, JSON, data, hex, path_of, refused};
use crate::receiver::Receiver;
use crate::scene::{Scene, text};

const DOCUMENT: &str = include_str!("../../../../../../docs/api/openapi-alumia.json");

/// Everything that one of them can see of a webhook and around it.
async fn seen(alumia: &Alumia<'_>, webhook: &Value) -> Value {
    json!([
        alumia.now(webhook).await,
        alumia.rows(webhook, "/events").await,
        alumia.rows(webhook, "/deliveries").await,
        alumia.get("").await,
        alumia.get("/events").await,
    ])
}

#[tokio::test]
async fn another_organisations_key_finds_nothing_at_any_route_of_the_document() {
    let scene = Scene::new().await;
    let mine = Alumia(&scene.acme.0);
    let receiver = Receiver::start().await;
    let made = mine.forwarding_to(&receiver.url()).await;
    mine.bring(&made, "msg_1", "a.b").await;
    mine.attempts(&made, 1).await;
    let before = seen(&mine, &made).await;
    let other = scene.server.operator().tenant("other").await;
    let theirs = Alumia(&other).create(json!({ "name": "theirs" })).await;
    let their_view = seen(&Alumia(&other), &theirs).await;

    let id = text(&made["id"]);
    let bodies = [
        json!({}),
        json!({ "name": "stolen", "url": "https://evil.example/", "enabled": false }),
        json!({ "webhookId": id, "payload": "{}", "headers": {} }),
        json!({ "webhookId": id, "event": "a.b", "payload": {} }),
    ];
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let mut asked = 0;
    for (route, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let names_it =
                route.contains("{id}") || ["/test", "/verify"].iter().any(|it| route.ends_with(it));
            if !names_it {
                continue;
            }
            let path = route.replace("{id}", id);
            let method: Method = method.to_uppercase().parse().unwrap();
            let with_body = matches!(method, Method::POST | Method::PATCH);
            let in_body = !route.contains("{id}");
            for body in bodies.iter().filter(|it| !in_body || it["webhookId"].is_string()) {
                let body = if with_body { body.to_string() } else { String::new() };
                let answer = other.send(method.clone(), &path, &[JSON], body.clone().into()).await;
                if route.ends_with("/verify") && !body.contains("headers") {
                    continue;
                }
                let message = refused(&answer, 404, "NOT_FOUND");
                // The very answer that nobody's id gets.
                let nobody = "0196f0e4-5e04-7c1e-8a3d-9f2b6c4d5e6f";
                let (path, body) = (path.replace(id, nobody), body.replace(id, nobody));
                let same = other.send(method.clone(), &path, &[JSON], body.into()).await;
                assert_eq!(refused(&same, 404, "NOT_FOUND"), message, "{method} {route}");
                asked += 1;
            }
        }
    }
    assert!(asked >= 15, "{asked} requests");
    assert_eq!(seen(&mine, &made).await, before, "nothing was moved");
    assert_eq!(seen(&Alumia(&other), &theirs).await, their_view);
    assert_eq!(receiver.count(), 1);
}

#[tokio::test]
async fn a_secret_of_one_organisation_opens_no_receive_url_of_another() {
    let scene = Scene::new().await;
    let mine = Alumia(&scene.acme.0);
    let made = mine.create(json!({ "name": "n" })).await;
    let other = scene.server.operator().tenant("other").await;
    let theirs = Alumia(&other).create(json!({ "name": "n" })).await;
    let body = r#"{"type":"a.b"}"#;
    let by_theirs = hex(&other, text(&theirs["secret"]), body).await;
    let signed = [("X-Webhook-Signature", by_theirs.as_str())];
    refused(&mine.send(&made, &signed, body).await, 401, "UNAUTHORIZED");
    data(&Alumia(&other).send(&theirs, &signed, body).await, 200);
    assert_eq!(mine.get("/events").await["items"], json!([]));
    assert_eq!(Alumia(&other).get("/events").await["items"].as_array().unwrap().len(), 1);
    // With their key, to my URL: the key opens nothing, the signature is what counts.
    let answer = other.send(Method::POST, path_of(&made["receiveUrl"]), &signed, body.into()).await;
    refused(&answer, 401, "UNAUTHORIZED");
    // What was received for one is no other's to list by its id.
    let event = mine.bring(&made, "msg_1", "a.b").await;
    assert!(!Alumia(&other).get("/events").await.to_string().contains(&event));
    refused(&other.get(&format!("{HOOKS}/{event}")).await, 404, "NOT_FOUND");
}
