//! A receiver that was written from Aly's page on verification takes what we send (vendors.md §1.1).

use serde_json::json;

use super::super::page::{PageReceiver, said, took};
use super::{Aly, published, retries};
use crate::scene::{Scene, text};
use crate::world::until;

// vendors.md ALY-SIG-1 to ALY-SIG-4.
#[tokio::test]
async fn aly_sig_6_and_7_the_receiver_of_the_page_takes_every_delivery_and_answers_400_to_others() {
    let scene = Scene::new().await;
    let aly = Aly(&scene.acme.0);
    let mut receiver = PageReceiver::start("aly").await;
    let made = aly.webhook_at(&receiver.url()).await;
    retries(&scene.acme, &made, json!([1])).await;
    receiver.knows(&[text(&made["secret"])]).await;
    let dash = json!({ "type": "order.created", "data": { "n": "Linen Tote — natural" } });
    let event = scene.acme.publish(dash).await;
    scene.acme.delivery_is(&event, "succeeded").await;
    assert_eq!(said(&scene.acme, &event).await, [took(&event)]);

    receiver.knows(&["whsec_another"]).await;
    let event = published(&scene.acme, "order.created", None).await;
    scene.acme.delivery_is(&event, "failed").await;
    let refused = (400, json!({ "error": "the signature does not match" }));
    assert_eq!(said(&scene.acme, &event).await, [refused.clone(), refused]);
}

#[tokio::test]
async fn aly_reg_10_a_receiver_that_accepts_both_secrets_misses_nothing_around_a_rotation() {
    let scene = Scene::new().await;
    let aly = Aly(&scene.acme.0);
    let mut receiver = PageReceiver::start("aly").await;
    let made = aly.webhook_at(&receiver.url()).await;
    retries(&scene.acme, &made, json!([1, 1, 1, 1, 1])).await;
    receiver.knows(&[text(&made["secret"])]).await;
    let event = published(&scene.acme, "order.created", None).await;
    scene.acme.delivery_is(&event, "succeeded").await;

    let rotated = aly.act(&made, "/rotate-secret").await.expect(200);
    let event = published(&scene.acme, "order.created", None).await;
    until("it was refused", async || {
        let newest = aly.deliveries(&made, "limit=1").await.pop()?;
        (newest["attempt_count"] != 0).then_some(())
    })
    .await;
    receiver.knows(&[text(&rotated["secret"]), text(&made["secret"])]).await;
    scene.acme.delivery_is(&event, "succeeded").await;
    let said = said(&scene.acme, &event).await;
    let (last, before) = said.split_last().unwrap();
    assert_eq!(last, &took(&event), "signed afresh with the new secret");
    assert!(!before.is_empty() && before.iter().all(|it| it.0 == 400), "at once: {before:?}");
}
