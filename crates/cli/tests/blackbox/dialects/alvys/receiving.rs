//! A receiver that was written from the vendor's page on verification passes its challenge and takes what we send
//! (vendors.md §2.1, §2.3, §2.6).

use http::Method;
use serde_json::{Value, json};

use super::super::page::{PageReceiver, said, took};
use super::{CREATE, act, ask, tender};
use crate::scene::{Scene, text};

async fn webhook_at(scene: &Scene, receiver: &PageReceiver) -> Value {
    let body = CREATE.replace("https://example.com/webhooks", &receiver.url());
    ask(&scene.acme.0, Method::POST, "", body).await.expect(201)
}

// vendors.md ALV-SIG-1 to ALV-SIG-4, ALV-SIG-6 to ALV-SIG-9, ALV-VER-1 to ALV-VER-4.
#[tokio::test]
async fn the_receiver_of_the_page_becomes_active_takes_every_delivery_and_answers_401_to_others() {
    let scene = Scene::new().await;
    let mut receiver = PageReceiver::start("alvys").await;
    let made = webhook_at(&scene, &receiver).await;
    assert_eq!(made["Status"], "Active");
    receiver.knows(&[text(&made["Secret"])]).await;
    let event = tender(&scene, "tender.accepted").await;
    scene.acme.delivery_is(&event, "succeeded").await;
    assert_eq!(said(&scene.acme, &event).await, [took(&event)]);
    let tested = act(&scene, &made, "test").await;
    assert_eq!((&tested["Status"], &tested["HttpStatusCode"]), (&json!("success"), &json!(200)));

    receiver.knows(&["another"]).await;
    let event = tender(&scene, "tender.accepted").await;
    let failed = scene.acme.delivery_is(&event, "failed").await;
    assert_eq!((&failed["reason"], &failed["attempts"]), (&json!("terminal"), &json!(1)));
    let refused = (401, json!({ "error": "the signature does not match" }));
    assert_eq!(said(&scene.acme, &event).await, [refused]);
}

// vendors.md ALV-SIG-2, ALV-SIG-7, §2.6.
#[tokio::test]
async fn while_a_secret_is_replaced_a_receiver_that_knows_either_takes_everything() {
    let scene = Scene::new().await;
    let mut receiver = PageReceiver::start("alvys").await;
    let made = webhook_at(&scene, &receiver).await;
    let rotated = act(&scene, &made, "rotate-secret").await;
    for secret in [&made["Secret"], &rotated["Secret"]] {
        receiver.knows(&[text(secret)]).await;
        let event = tender(&scene, "tender.accepted").await;
        scene.acme.delivery_is(&event, "succeeded").await;
        assert_eq!(said(&scene.acme, &event).await, [took(&event)]);
    }
}
