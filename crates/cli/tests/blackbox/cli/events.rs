//! `hookyard events` and `hookyard event-types`.

use std::fs;

use serde_json::json;

use super::{Shell, cells, field};
use crate::receiver::Receiver;
use crate::scene::text;

#[tokio::test]
async fn an_event_is_published_from_a_file_stdin_and_the_line_with_its_exact_bytes() {
    let shell = Shell::new().await;
    let receiver = Receiver::start().await;
    shell
        .scene
        .acme
        .endpoint(
            json!({ "url": receiver.url(), "events": "*", "profile": "aryeo", "secret": "s" }),
        )
        .await;
    let data = "{\"n\": 1.10,\n  \"big\": 12345678901234567890}";
    fs::write(shell.scene.world.path("order.json"), data).unwrap();
    let publish = ["events", "publish", "order.created", "--data"];
    let printed = shell.table(&[&publish[..], &["@order.json", "--id", "order-1"]].concat()).await;
    assert_eq!(field(&printed, "deliveries"), "1");
    assert_eq!(receiver.first(1).await[0].body, data.as_bytes());
    // The same id again publishes nothing.
    let again = shell.json(&[&publish[..], &["@order.json", "--id", "order-1"]].concat()).await;
    assert_eq!(again["id"], field(&printed, "id"));

    let piped = shell.run_with(&[&publish[..], &["-"]].concat(), "[ 7 ]").await.ok();
    assert_eq!(receiver.first(2).await[1].body, b"[ 7 ]");
    let all = [
        "\"x\"",
        "--site-slug",
        "s",
        "--occurred-at",
        "1h",
        "--previous",
        "{\"a\":1}",
        "--changes",
        "[]",
    ];
    let all = [&publish[..], &all, &["--header", "X-Trace=1"]].concat();
    let made = shell.json(&all).await;
    let got = shell.json(&["events", "get", text(&made["id"])]).await;
    assert_eq!(
        (&got["data"], &got["scope"], &got["previous"]),
        (&json!("x"), &json!("s"), &json!({ "a": 1 }))
    );
    assert!(text(&got["occurred_at"]) < text(&got["created_at"]), "{got}");
    assert_eq!(receiver.first(3).await[2].header("x-trace"), "1");

    // The data has a line break in it, its row of JSON Lines has none.
    let listed = shell.lines(&["events", "list"]).await;
    assert_eq!(listed.len(), 3);
    let printed = shell.table(&["events", "list", "--q", "order-1", "--json"]).await;
    assert!(printed.contains("{\"n\":1.10,\"big\":12345678901234567890}"), "{printed}");
    let shown = shell.table(&["events", "get", field(&piped.stdout, "id")]).await;
    assert_eq!(field(&shown, "data"), "[7]");
    shell.fails(&["events", "publish", "order.created", "--data", "{"], 2).await;
    shell.fails(&["events", "publish", "order.created", "--data", "@none.json"], 2).await;
}

#[tokio::test]
async fn events_are_listed_by_what_they_are_and_replayed() {
    let shell = Shell::new().await;
    let receiver = Receiver::start().await;
    let endpoint = shell.scene.acme.endpoint_at(&receiver.url()).await;
    let order = shell.scene.acme.order(1).await;
    shell.scene.acme.publish(json!({ "type": "cart.left", "scope": "s", "data": {} })).await;
    let table = shell.table(&["events", "list", "--type", "order.*", "--since", "1h"]).await;
    let lines: Vec<_> = table.lines().map(cells).collect();
    assert_eq!(lines[0], ["ID", "TYPE", "SCOPE", "PUBLISHER'S ID", "DELIVERIES", "CREATED"]);
    assert_eq!(lines[1][..5], [&*order, "order.created", "-", "-", "1"]);
    assert_eq!(lines.len(), 2);
    assert_eq!(shell.lines(&["events", "list", "--scope", "s"]).await[0]["type"], "cart.left");
    assert_eq!(shell.lines(&["events", "list", "--limit", "1"]).await.len(), 1);

    let fresh = shell.table(&["events", "replay", &order]).await;
    assert_eq!(cells(fresh.lines().nth(1).unwrap())[3], text(&endpoint["id"]));
    let to = ["events", "replay", &order, "--webhook", text(&endpoint["id"])];
    assert_eq!(shell.json(&to).await["deliveries"].as_array().unwrap().len(), 1);
    receiver.first(4).await;
    shell.scene.acme.ask(&endpoint["id"], "disable").await;
    let none = shell.run(&["events", "replay", &order]).await.ok();
    assert_eq!((&*none.stdout, none.stderr.contains("No webhook")), ("", true));
}

#[tokio::test]
async fn a_catalogue_and_a_document_are_imported_and_listed() {
    let shell = Shell::new().await;
    let imported = shell.json(&["event-types", "import", "aly"]).await;
    let count = imported["imported"].as_u64().unwrap();
    assert!(count > 10, "{imported}");
    let document =
        json!({ "$defs": { "ship.sailed": { "type": "object", "description": "It left." } } });
    let ran = shell.run_with(&["event-types", "import", "-"], &document.to_string()).await.ok();
    assert_eq!(field(&ran.stdout, "names"), "[\"ship.sailed\"]");
    assert_eq!(shell.lines(&["event-types", "list"]).await.len() as u64, count + 1);
    let table = shell.table(&["event-types", "list", "--limit", "250"]).await;
    assert_eq!(
        cells(table.lines().next().unwrap()),
        ["NAME", "GROUP", "DEPRECATED", "DESCRIPTION"]
    );
    let line = table.lines().find(|it| it.starts_with("ship.sailed")).unwrap();
    assert_eq!(cells(line).last(), Some(&"It left."));
    shell.fails(&["event-types", "import", "none"], 6).await;
}
