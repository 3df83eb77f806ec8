//! The master key and what of a source is sealed with it.

use http::Method;
use serde_json::json;

use super::receive::{BODY, SECRET, Sender};
use crate::scene::{Acme, text};
use crate::world::{OPERATOR_KEY, Server, World};

const OLD: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const NEW: &str = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

fn env(keys: &str) -> [(&'static str, &str); 2] {
    [("HOOKYARD_OPERATOR_KEY", OPERATOR_KEY), ("HOOKYARD_MASTER_KEY", keys)]
}

/// It believes its secrets, and answers Meta's handshake with the token it was given.
async fn check(server: &Server, before: &Sender, key: &str) {
    let acme = Acme(server.client(key));
    let sender = before.at(&acme);
    sender.event(&[], BODY).await;
    let ask = "?hub.mode=subscribe&hub.verify_token=our-token&hub.challenge=77";
    assert_eq!(sender.raw(Method::GET, ask, &[], "").await.body, "77");
}

#[tokio::test]
async fn sources_are_sealed_anew_so_that_the_old_key_can_be_taken_away() {
    let world = World::new();
    let server = world.serve_with(&[], &env(OLD)).await;
    let acme = Acme(server.operator().tenant("acme").await);
    let key = acme.0.key.clone();
    let settings = json!({ "provider": "meta", "verify_token": "our-token" });
    let sender = Sender::of(&acme, settings).await;
    let path = Acme::path(&format!("/sources/{}", text(&sender.source["id"])));
    let rotated = json!({ "secret": "the-next-one", "overlap_s": 3600 });
    acme.0.post(&format!("{path}/rotate-secret"), &rotated).await.expect(200);
    check(&server, &sender, &key).await;
    let before = acme.0.get(&path).await.expect(200);
    assert!(server.stop().await.success());

    let data = world.data();
    let args = ["serve", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()];
    let refused = world.run_with(&args, &env(NEW)).await;
    refused.refused(2, &["master key", "does not fit", "secret of source src_"]);

    let both = format!("{NEW},{OLD}");
    assert!(world.serve_with(&[], &env(&both)).await.stop().await.success());
    let server = world.serve_with(&[], &env(NEW)).await;
    let acme = Acme(server.client(&key));
    let mut after = acme.0.get(&path).await.expect(200);
    after["receive_url"] = before["receive_url"].clone();
    assert_eq!(after, before, "sealing anew changes nothing that is seen");
    check(&server, &sender, &key).await;
    let revealed = acme.0.post(&format!("{path}/reveal-secret"), &json!({})).await.expect(200);
    assert_eq!(revealed["secret"], "the-next-one");
    assert!(!server.log().contains(SECRET));
}

#[tokio::test]
async fn a_lost_key_file_is_not_replaced_while_a_source_needs_it() {
    let world = World::new();
    let server = world.serve().await;
    let acme = Acme(server.operator().tenant("acme").await);
    Sender::of(&acme, json!({})).await;
    assert!(server.stop().await.success());
    std::fs::remove_file(world.data().join("master.key")).unwrap();
    let data = world.data();
    let args = ["serve", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()];
    let refused = world.run_with(&args, &[("HOOKYARD_OPERATOR_KEY", OPERATOR_KEY)]).await;
    refused.refused(2, &["master.key", "missing"]);
}
