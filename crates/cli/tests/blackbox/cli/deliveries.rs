//! `hookyard webhooks deliveries`.

use std::fs;

use serde_json::json;

use super::{Shell, cells, field};
use crate::receiver::{Receiver, Reply};
use crate::scene::{quick, text};

#[tokio::test]
async fn deliveries_are_listed_by_webhook_state_and_time_and_shown_with_their_attempts() {
    let shell = Shell::new().await;
    let (good, bad) =
        (Receiver::start().await, Receiver::scripted(|_, _| Reply::Status(500)).await);
    let good = shell.scene.acme.endpoint_at(&good.url()).await;
    let bad = json!({ "url": bad.url(), "events": "*", "retry": quick(0) });
    let bad = shell.scene.acme.endpoint(bad).await;
    let event = shell.scene.acme.order(1).await;
    let failed = shell.scene.acme.count_is("status=failed", 1).await.remove(0);
    shell.scene.acme.count_is("status=succeeded", 1).await;
    let (good, bad, id) = (text(&good["id"]), text(&bad["id"]), text(&failed["id"]));

    let list = ["webhooks", "deliveries", "list"];
    let table = shell
        .table(&[&list[..], &["--status", "failed", "--since", "1h", "--limit", "25"]].concat())
        .await;
    let lines: Vec<_> = table.lines().map(cells).collect();
    assert_eq!(lines[0], ["ID", "STATUS", "TYPE", "WEBHOOK", "ATTEMPTS", "ANSWER", "CREATED"]);
    assert_eq!(lines[1][..6], [id, "failed", "order.created", bad, "1", "500"]);
    assert_eq!(lines.len(), 2);
    assert_eq!(shell.lines(&list).await.len(), 2);
    let found = shell.lines(&[&list[..], &[good]].concat()).await;
    assert_eq!((found.len(), &found[0]["endpoint_id"]), (1, &json!(good)));
    let none = shell.lines(&[&list[..], &["--until", "1h", "--type", "order.*"]].concat()).await;
    assert!(none.is_empty(), "{none:?}");

    let shown = shell.table(&["webhooks", "deliveries", "get", bad, id]).await;
    assert_eq!((field(&shown, "event_id"), field(&shown, "status")), (&*event, "failed"));
    let attempt = shown.lines().last().unwrap();
    assert_eq!(cells(attempt)[2..4], ["http_error", "500"], "{shown}");
    let got = shell.json(&["webhooks", "deliveries", "get", id]).await;
    assert_eq!(got["id"], failed["id"]);
    let attempts = shell.lines(&["webhooks", "deliveries", "get", id, "--attempts"]).await;
    assert_eq!((attempts.len(), &attempts[0]["number"]), (1, &json!(1)));
    shell.fails(&["webhooks", "deliveries", "get", good, id], 5).await;
}

#[tokio::test]
async fn a_delivery_is_replayed_to_its_webhook_alone() {
    let shell = Shell::new().await;
    let (receiver, other) = (Receiver::start().await, Receiver::start().await);
    let endpoint = shell.scene.acme.endpoint_at(&receiver.url()).await;
    shell.scene.acme.endpoint_at(&other.url()).await;
    let event = shell.scene.acme.order(1).await;
    let to = format!("endpoint={}&status=succeeded", text(&endpoint["id"]));
    let delivery = shell.scene.acme.count_is(&to, 1).await.remove(0);
    let (webhook, id) = (text(&endpoint["id"]), text(&delivery["id"]));

    let table = shell.table(&["webhooks", "deliveries", "replay", webhook, id]).await;
    let fresh = cells(table.lines().nth(1).unwrap());
    assert!(fresh[0] != id && fresh[3] == webhook, "{table}");
    let replayed = shell.json(&["webhooks", "deliveries", "replay", id]).await;
    assert_eq!(replayed["deliveries"][0]["event_id"], *event);
    let arrivals = receiver.first(3).await;
    assert!(arrivals.iter().all(|it| it.event() == event));
    shell.scene.acme.count_is("status=succeeded", 4).await;
    assert_eq!(other.count(), 1);
    shell.fails(&["webhooks", "deliveries", "replay", "wh_other", id], 5).await;
}

#[tokio::test]
async fn a_delivery_goes_by_the_id_that_its_receiver_saw_as_well() {
    let shell = Shell::new().await;
    let receiver = Receiver::start().await;
    let aly = json!({ "url": receiver.url(), "events": "*", "profile": "aly" });
    let endpoint = shell.scene.acme.endpoint(aly).await;
    let event = shell.scene.acme.order(1).await;
    let sent = receiver.first(1).await[0].header("x-aly-delivery-id").to_owned();
    assert!(sent.starts_with("del_"), "{sent}");
    let webhook = text(&endpoint["id"]);
    let got = shell.json(&["webhooks", "deliveries", "get", &sent]).await;
    assert_eq!((text(&got["event_id"]), text(&got["endpoint_id"])), (event.as_str(), webhook));
    let fresh = shell.json(&["webhooks", "deliveries", "replay", webhook, &sent]).await;
    assert_eq!(fresh["deliveries"][0]["event_id"], *event);
    let again = receiver.first(2).await.remove(1);
    assert_ne!(again.header("x-aly-delivery-id"), sent);
    assert_eq!(again.header("x-aly-event-id"), event);
    shell.fails(&["webhooks", "deliveries", "replay", webhook, "del_8c"], 5).await;
}

#[tokio::test]
async fn deliveries_are_exported_whole() {
    let shell = Shell::new().await;
    let receiver = Receiver::start().await;
    shell.scene.acme.endpoint_at(&receiver.url()).await;
    shell.scene.acme.orders(0..300).await;
    shell.scene.acme.count_is("status=succeeded", 300).await;
    let export = ["webhooks", "deliveries", "export"];
    let csv = shell.table(&export).await;
    assert!(csv.starts_with("id,event_id,"), "{csv}");
    assert_eq!(csv.lines().count(), 301);
    assert_eq!(shell.lines(&export).await.len(), 300);
    // The same number page by page.
    assert_eq!(shell.lines(&["webhooks", "deliveries", "list"]).await.len(), 300);
    assert_eq!(shell.lines(&["webhooks", "deliveries", "list", "--limit", "260"]).await.len(), 260);

    let to_file = [&export[..], &["--output", "out.csv"]].concat();
    assert_eq!(shell.table(&to_file).await, "");
    let path = shell.scene.world.path("out.csv");
    assert_eq!(fs::read_to_string(&path).unwrap(), csv);
    shell.fails(&to_file, 6).await;
    let refused = [&export[..], &["--status", "odd", "--output", "none.csv"]].concat();
    shell.fails(&refused, 6).await;
    assert!(!shell.scene.world.path("none.csv").exists());
}
