//! Handshakes of providers, over a real socket.

use bytes::Bytes;
use http::Method;
use serde_json::json;

use super::receive::Sender;
use crate::scene::{Acme, Scene, text};
use crate::world::Answer;

async fn reveal(scene: &Scene, sender: &Sender) -> Answer {
    let path = format!("/sources/{}/reveal-secret", text(&sender.source["id"]));
    scene.acme.0.post(&Acme::path(&path), &json!({})).await
}

async fn unset(scene: &Scene, provider: &str) -> (Sender, String) {
    let wanted = json!({ "name": "A", "provider": provider });
    let source = scene.acme.0.post(&Acme::path("/sources"), &wanted).await.expect(201);
    assert!(source.get("secret").is_none() && source["has_secret"] == false, "{source}");
    let path = format!("/in/{}", text(&source["id"]));
    let mut sender = Sender::new(scene, json!({ "provider": provider })).await;
    sender.source = source;
    (sender, path)
}

#[track_caller]
fn echoes(answer: &Answer, want: &str) {
    assert_eq!((answer.status, &*answer.body), (200, want.as_bytes()), "{answer:?}");
    assert!(answer.headers["content-type"].to_str().unwrap().starts_with("text/plain"));
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
}

#[tokio::test]
async fn providers_get_the_reply_they_wait_for_and_nothing_is_recorded() {
    let scene = Scene::new().await;
    let of = async |provider: &str| Sender::new(&scene, json!({ "provider": provider })).await;
    let slack = of("slack").await;
    let hello = r#"{"type":"url_verification","challenge":"abc<b>"}"#;
    echoes(&slack.raw(Method::POST, "", &[], hello).await, "abc<b>");
    let dropbox = of("dropbox").await;
    echoes(&dropbox.raw(Method::GET, "?challenge=a%20b", &[], "").await, "a b");
    let graph = of("microsoft-graph").await;
    echoes(&graph.raw(Method::POST, "?validationToken=t%2Bk", &[], "").await, "t+k");
    let trello = of("trello").await;
    assert_eq!(trello.raw(Method::HEAD, "", &[], "").await.status, 200);
    let zoom = of("zoom").await;
    let hello = r#"{"event":"endpoint.url_validation","payload":{"plainToken":"q1"}}"#;
    let answer = zoom.raw(Method::POST, "", &[], hello).await.expect(200);
    assert_eq!(answer["plainToken"], "q1");
    assert_eq!(text(&answer["encryptedToken"]).len(), 64);
    let settings = json!({ "provider": "meta", "verify_token": "ours" });
    let meta = Sender::new(&scene, settings).await;
    let ask =
        |token: &str| format!("?hub.mode=subscribe&hub.verify_token={token}&hub.challenge=77");
    echoes(&meta.raw(Method::GET, &ask("ours"), &[], "").await, "77");
    let wrong = meta.raw(Method::GET, &ask("theirs"), &[], "").await;
    assert_eq!(wrong.expect(401)["code"], "wrong_token");
    assert_eq!(meta.raw(Method::GET, "", &[], "").await.expect(401)["code"], "bad_handshake");
    // Only a source of that provider answers its handshake.
    let custom = of("custom").await;
    let slack_s = r#"{"type":"url_verification","challenge":"abc"}"#;
    assert_eq!(custom.raw(Method::POST, "", &[], slack_s).await.status, 401);
    assert_eq!(scene.acme.0.get(&Acme::path("/events")).await.expect(200)["data"], json!([]));
}

#[tokio::test]
async fn asanas_secret_is_kept_before_it_is_echoed_and_survives_a_kill() {
    let scene = Scene::new().await;
    let (sender, path) = unset(&scene, "asana").await;
    let secret = "handed-over-by-asana";
    let hello = [("X-Hook-Secret", secret)];
    let answer = sender.raw(Method::POST, "", &hello, "{}").await;
    assert_eq!((answer.status, answer.headers["x-hook-secret"].to_str().unwrap()), (200, secret));
    let scene = scene.after_kill_9().await;
    let sender = sender.at(&scene.acme);
    assert_eq!(reveal(&scene, &sender).await.expect(200), json!({ "secret": secret }));
    let stranger = scene.server.client("");
    let theirs = [("X-Hook-Secret", "a-stranger-s")];
    let answer = stranger.send(Method::POST, &path, &theirs, Bytes::from("{}")).await;
    assert_eq!(answer.expect(401)["code"], "bad_handshake");
    let audit = scene.acme.0.get(&Acme::path("/audit")).await.expect(200).to_string();
    assert!(audit.contains("source.secret_learned") && audit.contains("source.secret_revealed"));
    assert!(!audit.contains(secret) && !scene.server.log().contains(secret));
}

#[tokio::test]
async fn notions_token_can_be_read_by_its_owner_to_be_pasted_back() {
    let scene = Scene::new().await;
    let (sender, _) = unset(&scene, "notion").await;
    assert_eq!(reveal(&scene, &sender).await.expect(409)["code"], "no_secret");
    let hello = r#"{"verification_token":"secret_of_notion"}"#;
    assert_eq!(sender.raw(Method::POST, "", &[], hello).await.status, 200);
    assert_eq!(reveal(&scene, &sender).await.expect(200)["secret"], "secret_of_notion");
    let read = Acme::path(&format!("/sources/{}", text(&sender.source["id"])));
    let read = scene.acme.0.get(&read).await.expect(200);
    assert_eq!(read["has_secret"], true);
    assert!(!read.to_string().contains("secret_of_notion"));
    assert!(sender.events(&scene.acme).await.is_empty());
}
