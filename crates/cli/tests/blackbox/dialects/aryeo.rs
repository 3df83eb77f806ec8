//! Aryeo has no management API: the profile `aryeo` on the native one, by the ids of vendors.md §4.

mod delivering;
mod registering;
mod signing;

use serde_json::{Value, json};

use crate::scene::{Acme, Scene};

/// The activity that the vendor's documentation shows (vendors.md §4.4), with ids of ours.
const ACTIVITY: &str = r#"{"object":"ACTIVITY","id":"5f0a9a2e-6f2b-4d57-9d0c-0f8f0f2b1c3d","name":"LISTING_DELIVERED","occurred_at":"2023-03-14T01:04:40Z",
 "resource":{"object":"LISTING","id":"1c7d0b6e-1f59-4f0a-8a1e-7c9f6f1f7f10"}}"#;

/// Makes an endpoint of the profile for everything, with more settings.
async fn endpoint_at(scene: &Scene, url: &str, more: Value) -> Value {
    let mut settings = json!({ "url": url, "events": "*", "profile": "aryeo" });
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    scene.acme.endpoint(settings).await
}

/// Publishes these very bytes; answers the event's id.
async fn activity(scene: &Scene, name: &str, data: &str) -> String {
    let body = format!(r#"{{"type":"{name}","data":{data}}}"#);
    let json = [("content-type", "application/json")];
    let events = Acme::path("/events");
    let made = scene.acme.0.send(http::Method::POST, &events, &json, body.into()).await;
    crate::scene::text(&made.expect(202)["id"]).to_owned()
}
