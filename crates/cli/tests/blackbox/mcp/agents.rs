//! Every tool, listed and called by the protocol's libraries over both transports. The libraries check each result against
//! the schema its tool promises.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Agent, Library, Way, failed};
use crate::receiver::Receiver;
use crate::scene::{Scene, text};
use crate::world::until;

/// An agent that remembers which tools it called.
struct Walker {
    agent: Agent,
    called: BTreeSet<String>,
}

impl Walker {
    async fn done(&mut self, tool: &str, arguments: Value) -> Value {
        let name = format!("webhooks_{tool}");
        self.called.insert(name.clone());
        self.agent.done(&name, arguments).await
    }
}

async fn walk(library: Library, way: Way, protocol: Option<&str>) {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    let agent = Agent::new(library, way, &scene.server, &scene.acme.0.key).await;
    if let Some(protocol) = protocol {
        assert_eq!(agent.about["protocol"], protocol);
    }
    assert_eq!(agent.about["server"]["name"], "hookyard");
    assert!(text(&agent.about["instructions"]).contains("untrusted_text"));
    let mut walker = Walker { agent, called: BTreeSet::new() };
    let tools = walker.agent.tools().await;
    check_list(&tools);

    let endpoint = endpoints(&mut walker, &receiver.url()).await;
    deliveries(&mut walker, &endpoint).await;
    sources(&mut walker).await;
    the_rest(&mut walker, &endpoint).await;

    let listed: BTreeSet<_> = tools.iter().map(|it| text(&it["name"]).to_owned()).collect();
    assert_eq!(walker.called, listed, "every tool was called");
    let failure = walker.agent.call("webhooks_endpoints_get", json!({ "id": "wh_x" })).await;
    assert!(failed(&failure).contains("`webhooks_endpoints_list`"));
    let unknown = walker.agent.call("webhooks_nothing", json!({})).await;
    assert_eq!(unknown["error"]["code"], -32602, "{unknown}");
}

fn check_list(tools: &[Value]) {
    assert_eq!(tools.len(), 25);
    for tool in tools {
        for hint in ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] {
            assert!(tool["annotations"][hint].is_boolean(), "{tool}");
        }
        assert!(tool["title"].is_string() && tool["description"].is_string(), "{tool}");
        for schema in ["inputSchema", "outputSchema"] {
            assert_eq!(tool[schema]["type"], "object", "{tool}");
        }
        assert_eq!(tool["inputSchema"]["additionalProperties"], false, "{tool}");
    }
}

/// The tools of endpoints; answers the id of one that is there.
async fn endpoints(walker: &mut Walker, url: &str) -> Value {
    let wanted = json!({ "url": url, "events": ["order.*"], "name": "Mine" });
    let made = walker.done("endpoints_create", wanted).await;
    assert!(text(&made["secret"]).starts_with("whsec_"), "{made}");
    let id = &made["id"];
    let only = json!({ "id": id });
    let rotated = walker.done("endpoints_rotate_secret", only.clone()).await;
    assert_ne!(rotated["secret"], made["secret"]);
    let changed = walker
        .done("endpoints_update", json!({ "id": id, "name": "Ours", "description": null }))
        .await;
    assert_eq!(changed["name"], "Ours");
    assert_eq!(walker.done("endpoints_disable", only.clone()).await["status"], "disabled");
    assert_eq!(walker.done("endpoints_enable", only.clone()).await["status"], "active");
    let tested = walker.done("endpoints_test", json!({ "id": id, "type": "order.test" })).await;
    assert_eq!(
        (&tested["succeeded"], &tested["attempt"]["status_code"]),
        (&json!(true), &json!(200))
    );
    assert!(walker.done("endpoints_verify", only.clone()).await["verified"].is_boolean());
    let shown = walker.done("endpoints_get", only.clone()).await;
    assert!(shown.get("secret").is_none() && shown["id"] == *id, "{shown}");
    let listed = walker.done("endpoints_list", json!({ "limit": 10 })).await;
    assert_eq!((&listed["data"][0]["id"], &listed["next_cursor"]), (id, &Value::Null));
    // One that does not pass any challenge is no use for what comes next.
    let next = walker.done("endpoints_create", json!({ "url": url, "events": "order.*" })).await;
    let gone = walker.done("endpoints_delete", only).await;
    assert_eq!(gone, json!({ "id": id, "deleted": true }));
    next["id"].clone()
}

/// The tools of events and deliveries.
async fn deliveries(walker: &mut Walker, endpoint: &Value) {
    let event = json!({ "type": "order.created", "data": { "n": 1 }, "id": "mine" });
    let event = walker.done("events_publish", event).await;
    assert_eq!(event["deliveries"], 1);
    let filter = json!({ "endpoint": endpoint, "status": "succeeded" });
    let delivery = {
        let walker = tokio::sync::Mutex::new(&mut *walker);
        until("the event arrived", async || {
            let found = walker.lock().await.done("deliveries_list", filter.clone()).await;
            found["data"].get(0).map(|it| it["id"].clone())
        })
        .await
    };
    let shown = walker.done("deliveries_get", json!({ "id": delivery })).await;
    assert_eq!((&shown["event_id"], &shown["attempts"][0]["number"]), (&event["id"], &json!(1)));
    let again = walker.done("deliveries_replay", json!({ "id": delivery })).await;
    assert_eq!(again["deliveries"][0]["event_id"], event["id"]);
    let again = walker.done("events_replay", json!({ "id": event["id"] })).await;
    assert_eq!(again["deliveries"][0]["endpoint_id"], *endpoint);
    let all = walker.done("deliveries_list", json!({ "event": event["id"] })).await;
    assert_eq!(all["data"].as_array().unwrap().len(), 3);
    let shown = walker.done("events_get", json!({ "id": event["id"] })).await;
    assert_eq!(shown["data"]["untrusted_text"], r#"{"n":1}"#);
    let listed = walker.done("events_list", json!({ "type": "order.*", "q": "mine" })).await;
    assert_eq!(listed["data"][0]["id"], event["id"]);
}

/// The tools of sources.
async fn sources(walker: &mut Walker) {
    let made = walker.done("sources_create", json!({ "name": "Shop", "provider": "github" })).await;
    let id = &made["id"];
    assert!(
        made["secret"].is_string() && text(&made["receive_url"]).contains("/in/src_"),
        "{made}"
    );
    let only = json!({ "id": id });
    assert_ne!(walker.done("sources_rotate_secret", only.clone()).await["secret"], made["secret"]);
    let changed = walker.done("sources_update", json!({ "id": id, "status": "paused" })).await;
    assert_eq!(changed["status"], "paused");
    assert_eq!(walker.done("sources_get", only.clone()).await["has_secret"], true);
    assert_eq!(walker.done("sources_list", json!({})).await["data"][0]["id"], *id);
    assert_eq!(walker.done("sources_delete", only).await["deleted"], true);
}

async fn the_rest(walker: &mut Walker, endpoint: &Value) {
    assert!(endpoint.is_string());
    let listed = walker.done("event_types_list", json!({ "details": true })).await;
    assert!(listed["data"].is_array());
    let payload = json!({
        "scheme": "standard", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "headers": { "webhook-id": "a", "webhook-timestamp": "1", "webhook-signature": "v1,x" },
        "payload": "{}",
    });
    assert_eq!(walker.done("signatures_verify", payload).await["valid"], false);
}

#[tokio::test]
async fn the_python_library_calls_every_tool_over_http_in_the_current_protocol() {
    walk(Library::Python, Way::Http, Some("2026-07-28")).await;
}

#[tokio::test]
async fn the_python_library_calls_every_tool_over_stdio_in_the_current_protocol() {
    walk(Library::Python, Way::Stdio, Some("2026-07-28")).await;
}

#[tokio::test]
async fn the_python_library_calls_every_tool_over_http_after_a_handshake() {
    walk(Library::PythonLegacy, Way::Http, Some("2025-11-25")).await;
}

#[tokio::test]
async fn the_python_library_calls_every_tool_over_stdio_after_a_handshake() {
    walk(Library::PythonLegacy, Way::Stdio, Some("2025-11-25")).await;
}

#[tokio::test]
async fn the_javascript_library_calls_every_tool_over_http() {
    walk(Library::JavaScript, Way::Http, Some("2025-11-25")).await;
}

#[tokio::test]
async fn the_javascript_library_calls_every_tool_over_stdio() {
    walk(Library::JavaScript, Way::Stdio, None).await;
}
