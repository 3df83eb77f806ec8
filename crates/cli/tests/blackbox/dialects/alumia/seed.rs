//! Every request and answer that the seed shows, as it shows them; only host and key are ours.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};
use tokio::process::Command;

use super::{Alumia, HOOKS, MEMBERS, data, is_time, is_uuid, names, path, refused};
use crate::scene::{Scene, text};

/// The seed's own lines.
const CREATE: &str = r#"curl -X POST https://alumia.com/api/v1/webhooks \
-H "Authorization: Bearer alm_live_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
-H "Content-Type: application/json" \
-d '{ "name": "Stripe events", "events": ["payment_intent.succeeded"] }'"#;
/// The seed's own item of a list.
const ITEM: &str = r#"{
"id": "uuid",
"name": "string",
"url": "https://...",
"source": "custom",
"description": "string|null",
"events": ["..."],
"status": "active",
"enabled": true,
"deliveryCount": 0,
"lastDeliveryAt": null,
"createdAt": "...",
"updatedAt": "...",
"receiveUrl": "https://alumia.com/api/v1/webhooks/receive/<id>"
}"#;
/// The seed's own table of routes; what a key is not asked for comes without one.
const ROUTES: [(&str, &str, bool); 13] = [
    ("GET", "/api/v1/webhooks", true),
    ("POST", "/api/v1/webhooks", true),
    ("GET", "/api/v1/webhooks/:id", true),
    ("PATCH", "/api/v1/webhooks/:id", true),
    ("DELETE", "/api/v1/webhooks/:id", true),
    ("POST", "/api/v1/webhooks/:id/rotate", true),
    ("GET", "/api/v1/webhooks/:id/events", true),
    ("GET", "/api/v1/webhooks/:id/deliveries", true),
    ("GET", "/api/v1/webhooks/events", true),
    ("POST", "/api/v1/webhooks/test", true),
    ("POST", "/api/v1/webhooks/verify", true),
    ("POST", "/api/v1/webhooks/receive/:webhookId", false),
    ("POST", "/api/v1/webhooks/linear", false),
];

/// Runs the line of the seed in a shell, against our server with our key.
async fn run(scene: &Scene, line: &str) -> Value {
    let client = &scene.acme.0;
    let line = line
        .replace("https://alumia.com", &format!("http://{}", client.address))
        .replace("alm_live_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", &client.key);
    let output = Command::new("sh").args(["-c", &line]).output().await.unwrap();
    assert!(output.status.success(), "{line}: {output:?}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

#[tokio::test]
async fn the_curl_line_of_the_seed_makes_a_webhook_and_shows_its_secret_once() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let answer = run(&scene, CREATE).await;
    assert_eq!((names(&answer), &answer["success"]), (vec!["data", "success"], &json!(true)));
    let mut made = answer["data"].clone();
    let secret = made.as_object_mut().unwrap().remove("secret").unwrap();
    assert!(text(&secret).starts_with("whsec_") && text(&secret).len() > 20, "{secret}");
    assert_eq!(names(&made), MEMBERS);
    is_uuid(&made["id"]);
    let address = scene.acme.0.address;
    let receive_url = format!("http://{address}/api/v1/webhooks/receive/{}", text(&made["id"]));
    let want = json!({
        "id": made["id"], "name": "Stripe events", "url": receive_url, "source": "custom",
        "description": null, "events": ["payment_intent.succeeded"], "status": "active",
        "enabled": true, "deliveryCount": 0, "lastDeliveryAt": null,
        "createdAt": made["createdAt"], "updatedAt": made["updatedAt"], "receiveUrl": receive_url,
    });
    assert_eq!(made, want);
    is_time(&made["createdAt"]);
    is_time(&made["updatedAt"]);
    assert_eq!(alumia.now(&made).await, made, "without its secret");
    let list = json!({ "items": [made], "nextCursor": null, "hasMore": false, "limit": 50 });
    assert_eq!(alumia.get("").await, list);
    let rotated = alumia.rotate(&made).await;
    assert_ne!(rotated, text(&secret));
    assert_eq!(names(&alumia.now(&made).await), MEMBERS);
}

#[tokio::test]
async fn an_item_of_a_list_has_the_members_of_the_seed_and_values_of_their_kinds() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let full = json!({
        "name": "string", "url": "https://my-app.example/hooks", "events": ["a.b"],
        "source": "custom", "description": "string",
    });
    alumia.create(full).await;
    let item: Value = serde_json::from_str(ITEM).unwrap();
    let shown = alumia.get("").await["items"][0].clone();
    assert_eq!(names(&shown), names(&item));
    let kind = |it: &Value| std::mem::discriminant(it);
    for (name, value) in item.as_object().unwrap() {
        assert_eq!(kind(&shown[name]), kind(value), "{name}: {shown}");
    }
    for same in ["source", "status", "enabled", "deliveryCount", "lastDeliveryAt"] {
        assert_eq!(shown[same], item[same], "{same}");
    }
}

#[tokio::test]
async fn the_thirteen_routes_of_the_seed_are_there_and_ask_for_a_key_where_it_says_so() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let made = alumia.create(json!({ "name": "n" })).await;
    let stranger = scene.acme.0.with_key("");
    for (method, route, takes_key) in ROUTES {
        let path = route.replace(":id", text(&made["id"]));
        let path = path.replace(":webhookId", text(&made["id"]));
        let method: Method = method.parse().unwrap();
        let answer = stranger.send(method.clone(), &path, &[], "{}".into()).await;
        let message = refused(&answer, 401, "UNAUTHORIZED");
        assert_eq!(message.contains("API key"), takes_key, "{method} {route}: {message}");
    }
    alumia.now(&made).await;
}

#[tokio::test]
async fn the_answer_to_a_deletion_is_the_bare_one_of_the_seed() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let made = alumia.create(json!({ "name": "n" })).await;
    let answer = scene.acme.0.delete(&path(&made, "")).await;
    assert_eq!(answer.expect(200), json!({ "deleted": true }));
    refused(&scene.acme.0.get(&path(&made, "")).await, 404, "NOT_FOUND");
    refused(&scene.acme.0.delete(&path(&made, "")).await, 404, "NOT_FOUND");
    refused(&alumia.send(&made, &[], "{}").await, 404, "NOT_FOUND");
    assert_eq!(alumia.get("").await["items"], json!([]));
}

#[tokio::test]
async fn the_errors_of_the_seed_have_its_codes() {
    let scene = Scene::new().await;
    let acme = &scene.acme.0;
    let made = Alumia(acme).create(json!({ "name": "n" })).await;
    refused(&acme.with_key("").get(HOOKS).await, 401, "UNAUTHORIZED");
    for bad in [
        json!({}),
        json!({ "name": "x".repeat(121) }),
        json!({ "name": "n", "url": "http://169.254.169.254/" }),
        json!({ "name": "n", "url": "https://10.0.0.1/hooks" }),
    ] {
        refused(&acme.post(HOOKS, &bad).await, 400, "BAD_REQUEST");
    }
    let bad = json!({ "status": "on" });
    refused(&acme.patch(&path(&made, ""), &bad).await, 400, "BAD_REQUEST");
    let other = scene.server.operator().tenant("other").await;
    refused(&other.get(&path(&made, "")).await, 404, "NOT_FOUND");
}

#[tokio::test]
async fn the_receive_url_begins_with_the_origin_of_the_request_or_with_the_public_url() {
    let scene = Scene::new().await;
    let acme = &scene.acme.0;
    let made = Alumia(acme).create(json!({ "name": "n" })).await;
    let behind = [("host", "hooks.example"), ("x-forwarded-proto", "https")];
    let mut origins = BTreeSet::new();
    // A client that sends no `Host` of its own, and one behind a proxy.
    for headers in [&[][..], &behind[1..]] {
        let answer = acme.send(Method::GET, &path(&made, ""), headers, "".into()).await;
        let shown = data(&answer, 200);
        assert_eq!(shown["url"], shown["receiveUrl"]);
        let url = text(&shown["receiveUrl"]).to_owned();
        origins.insert(
            url.strip_suffix(&path(&made, "").replace(HOOKS, "/api/v1/webhooks/receive"))
                .unwrap()
                .to_owned(),
        );
    }
    let address = acme.address;
    let want = [format!("http://{address}"), format!("https://{address}")];
    assert_eq!(origins.into_iter().collect::<Vec<_>>(), want);

    let scene = Scene::with(&["--public-url", "https://gate.example/hooks/"]).await;
    let made = Alumia(&scene.acme.0).create(json!({ "name": "n" })).await;
    let want = format!("https://gate.example/hooks/api/v1/webhooks/receive/{}", text(&made["id"]));
    assert_eq!(made["receiveUrl"], want);
}
