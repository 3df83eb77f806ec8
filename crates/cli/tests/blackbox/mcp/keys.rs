//! What a key shows and allows: its scopes, its tenant.

use serde_json::{Value, json};

use super::{ask, call, done, failed, names};
use crate::receiver::Receiver;
use crate::scene::{Acme, Scene, text};
use crate::world::{Client, OPERATOR_KEY};

async fn key(scene: &Scene, scopes: &[&str]) -> Client {
    let wanted = json!({ "name": "some", "scopes": scopes });
    let made = scene.acme.0.post(&Acme::path("/api-keys"), &wanted).await.expect(201);
    scene.acme.0.with_key(text(&made["key"]))
}

#[tokio::test]
async fn a_key_sees_the_tools_that_its_scopes_are_good_for() {
    let scene = Scene::new().await;
    let read = key(&scene, &["read"]).await;
    let listed = ask(&read, "", "tools/list", json!({})).await;
    let listed = listed["tools"].as_array().unwrap();
    assert_eq!(listed.len(), 10);
    assert!(listed.iter().all(|it| it["annotations"]["readOnlyHint"] == true), "{listed:?}");

    let publish = names(&key(&scene, &["publish"]).await, "").await;
    assert_eq!(publish, ["webhooks_events_publish", "webhooks_signatures_verify"]);
    let write = names(&key(&scene, &["write"]).await, "").await;
    assert!(write.contains(&"webhooks_endpoints_create".to_owned()), "{write:?}");
    assert!(!write.iter().any(|it| it.ends_with("_list") || it.ends_with("_get")), "{write:?}");
    assert_eq!(names(&key(&scene, &["admin"]).await, "").await.len(), 25);

    // What is not shown does not work either, and says what it would need.
    let wanted = json!({ "url": "https://my-app.example/", "events": "*" });
    let told = failed(&call(&read, "webhooks_endpoints_create", wanted).await);
    assert!(told.contains("403 forbidden") && told.contains("`write`"), "{told}");
}

#[tokio::test]
async fn things_of_other_tenants_are_not_there() {
    let scene = Scene::new().await;
    let other = scene.server.operator().tenant("other").await;
    let receiver = Receiver::start().await;
    let endpoint = scene.acme.endpoint_at(&receiver.url()).await;
    let event = scene.acme.order(1).await;
    let delivery = scene.acme.delivery_is(&event, "succeeded").await;
    let source =
        scene.acme.0.post(&Acme::path("/sources"), &json!({ "name": "a" })).await.expect(201);
    for (tool, id) in [
        ("endpoints_get", &endpoint["id"]),
        ("endpoints_delete", &endpoint["id"]),
        ("endpoints_rotate_secret", &endpoint["id"]),
        ("deliveries_get", &delivery["id"]),
        ("deliveries_replay", &delivery["id"]),
        ("events_get", &json!(event)),
        ("events_replay", &json!(event)),
        ("sources_get", &source["id"]),
    ] {
        let told = failed(&call(&other, &format!("webhooks_{tool}"), json!({ "id": id })).await);
        assert!(told.contains("404 not_found"), "{tool}: {told}");
    }
    for tool in ["endpoints_list", "deliveries_list", "events_list", "sources_list"] {
        let listed = done(&call(&other, &format!("webhooks_{tool}"), json!({})).await);
        assert_eq!(listed, json!({ "data": [], "next_cursor": null }), "{tool}");
    }
    // Naming the tenant does not help, neither in the arguments nor in the path.
    let named = json!({ "id": endpoint["id"], "tenant": "acme" });
    let told = failed(&call(&other, "webhooks_endpoints_get", named).await);
    assert!(told.contains("404"), "{told}");
    let params = json!({ "name": "webhooks_endpoints_list", "arguments": {} });
    let told = failed(&ask(&other, "?tenant=acme", "tools/call", params).await);
    assert!(told.contains("404"), "{told}");
}

#[tokio::test]
async fn the_operator_names_the_tenant_once_or_in_every_call() {
    let scene = Scene::new().await;
    let operator = scene.server.client(OPERATOR_KEY);
    let tool = |listed: &Value| listed["tools"][1]["inputSchema"].clone();
    let listed = ask(&operator, "", "tools/list", json!({})).await;
    assert_eq!(tool(&listed)["required"], json!(["tenant"]), "{listed}");
    let told = failed(&call(&operator, "webhooks_endpoints_list", json!({})).await);
    assert!(told.contains("`tenant`") && told.contains("required"), "{told}");
    done(&call(&operator, "webhooks_endpoints_list", json!({ "tenant": "acme" })).await);

    let listed = ask(&operator, "?tenant=acme", "tools/list", json!({})).await;
    assert!(tool(&listed)["properties"].get("tenant").is_none(), "{listed}");
    let params = json!({ "name": "webhooks_endpoints_list", "arguments": {} });
    done(&ask(&operator, "?tenant=acme", "tools/call", params).await);
    let listed = ask(&scene.acme.0, "", "tools/list", json!({})).await;
    assert!(!listed.to_string().contains("\"tenant\":"), "a tenant's key says it already");
}
