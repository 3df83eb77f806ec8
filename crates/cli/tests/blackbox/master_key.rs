//! The master key is rotated to its end: nothing needs the old one after a start with both.

use serde_json::{Value, json};

use crate::receiver::Receiver;
use crate::scene::{Acme, text};
use crate::world::{OPERATOR_KEY, Server, World};

const OLD: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const NEW: &str = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

fn env(keys: &str) -> [(&'static str, &str); 2] {
    [("HOOKYARD_OPERATOR_KEY", OPERATOR_KEY), ("HOOKYARD_MASTER_KEY", keys)]
}

async fn refused(world: &World, what: &str) {
    let data = world.data();
    let args = ["serve", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()];
    let ran = world.run_with(&args, &env(NEW)).await;
    ran.refused(2, &["master key", "does not fit", what]);
}

fn acme(server: &Server, key: &str) -> Acme {
    Acme(server.client(key))
}

#[tokio::test]
async fn after_a_start_with_both_keys_the_old_one_can_be_taken_away() {
    let world = World::new();
    let server = world.serve_with(&[], &env(OLD)).await;
    let acme_before = Acme(server.operator().tenant("acme").await);
    let key = acme_before.0.key.clone();
    let receiver = Receiver::start().await;
    let headers = json!({ "X-Team": "core", "Authorization": "Bearer of-the-receiver" });
    let wanted = json!({ "url": receiver.url(), "events": "*", "headers": headers });
    let made = acme_before.endpoint(wanted).await;
    let rotated = acme_before.ask(&made["id"], "rotate-secret").await;
    assert!(server.stop().await.success());

    refused(&world, "secret").await;
    let both = format!("{NEW},{OLD}");
    let server = world.serve_with(&[], &env(&both)).await;
    let between = acme(&server, &key).endpoint_now(&made["id"]).await;
    assert!(server.stop().await.success());

    let server = world.serve_with(&[], &env(NEW)).await;
    let acme_after = acme(&server, &key);
    let after = acme_after.endpoint_now(&made["id"]).await;
    assert_eq!(after, between, "sealing anew changes nothing that is seen");
    assert_eq!(after["updated_at"], rotated["updated_at"]);
    assert_eq!(after["headers"], json!({ "X-Team": "core", "Authorization": "[redacted]" }));
    assert_eq!(acme_after.ask(&made["id"], "reveal-secret").await["secret"], rotated["secret"]);
    let event = acme_after.order(1).await;
    acme_after.delivery_is(&event, "succeeded").await;
    let arrival = &receiver.arrivals()[0];
    assert_eq!(arrival.header("authorization"), "Bearer of-the-receiver");
    let signatures = arrival.header("webhook-signature").split(' ').count();
    assert_eq!(signatures, 2, "the secret before the rotation signs too");
    assert!(server.stop().await.success());
}

#[tokio::test]
async fn a_key_that_opens_the_secrets_but_not_the_rest_is_noticed_at_start() {
    for (settings, what) in [
        (json!({ "profile": "aryeo", "secret": "", "headers": { "X-Team": "a" } }), "headers"),
        (json!({}), "secret"),
    ] {
        let world = World::new();
        let server = world.serve_with(&[], &env(OLD)).await;
        let acme = Acme(server.operator().tenant("acme").await);
        let mut wanted = json!({ "url": "http://127.0.0.1:9/", "events": "*" });
        wanted.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        let made: Value = acme.endpoint(wanted).await;
        assert!(text(&made["id"]).starts_with("wh_"));
        assert!(server.stop().await.success());
        refused(&world, what).await;
    }
}
