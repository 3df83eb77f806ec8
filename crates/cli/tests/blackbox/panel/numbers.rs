//! Overview and endpoint stats: what was delivered, counted as it happens.

use serde_json::{Value, json};

use crate::receiver::{Receiver, Reply};
use crate::scene::{Acme, Scene, order, text};
use crate::world::until;

async fn overview(acme: &Acme, query: &str) -> Value {
    acme.0.get(&Acme::path(&format!("/overview{query}"))).await.expect(200)
}

async fn stats(acme: &Acme, endpoint: &Value, query: &str) -> Value {
    let path = Acme::path(&format!("/endpoints/{}/stats{query}", text(endpoint)));
    acme.0.get(&path).await.expect(200)
}

#[tokio::test]
async fn what_was_delivered_is_in_the_numbers_at_once_and_after_a_crash() {
    let scene = Scene::new().await;
    let good = Receiver::start().await;
    let bad = Receiver::scripted(|_, _| Reply::Status(503)).await;
    let settings = |receiver: &Receiver| json!({ "url": receiver.url(), "events": "*" });
    let mut once = settings(&bad);
    once["retry"] = json!({ "delays_s": [0] });
    let of_good = scene.acme.endpoint(settings(&good)).await["id"].clone();
    let of_bad = scene.acme.endpoint(once).await["id"].clone();
    scene.acme.orders(0..5).await;
    let counted = async |acme: &Acme| {
        until("everything is counted", async || {
            let seen = overview(acme, "").await;
            let totals = &seen["numbers"]["totals"];
            let ended = (&totals["succeeded"], &totals["failed"]) == (&json!(5), &json!(5));
            ended.then_some(seen)
        })
        .await
    };
    let seen = counted(&scene.acme).await;
    let numbers = &seen["numbers"];
    assert_eq!(numbers["totals"]["events"], 5, "{seen}");
    assert_eq!(numbers["totals"]["attempts"], 10);
    assert_eq!(numbers["success_rate"], 0.5);
    assert_eq!((&numbers["range"], &numbers["step_s"]), (&json!("24h"), &json!(900)));
    assert_eq!(numbers["series"].as_array().unwrap().len(), 96);
    assert!(numbers["delivery_time"]["p95_ms"].as_u64().unwrap() < 30_000);
    assert_eq!(
        seen["backlog"],
        json!({
            "pending": 0, "retrying": 0, "more": false, "oldest_at": null,
        })
    );
    assert_eq!(seen["endpoints"]["active"], 2);
    assert_eq!(seen["endpoints"]["failing"], 1);
    assert_eq!(seen["failing"][0]["endpoint_id"], of_bad);
    assert_eq!(seen["failing"][0]["totals"]["failed"], 5);

    let failing = stats(&scene.acme, &of_bad, "?range=1h").await;
    assert_eq!(failing["numbers"]["totals"]["failed"], 5, "{failing}");
    assert_eq!(failing["codes"]["5xx"], 5);
    assert_eq!(failing["outcomes"]["http_error"], 5);
    assert_eq!(failing["numbers"]["success_rate"], 0.0);
    assert_eq!(failing["consecutive_failures"], 5);
    assert_eq!(failing["numbers"]["series"].as_array().unwrap().len(), 60);
    let fine = stats(&scene.acme, &of_good, "?range=30d").await;
    assert_eq!(
        (&fine["codes"]["2xx"], &fine["numbers"]["totals"]["succeeded"]),
        (&json!(5), &json!(5))
    );
    assert_eq!(fine["numbers"]["series"].as_array().unwrap().len(), 90);
    assert!(fine["response_time"]["p50_ms"].is_u64());

    let scene = scene.after_kill_9().await;
    let again = overview(&scene.acme, "?range=7d").await;
    assert_eq!(again["numbers"]["totals"], seen["numbers"]["totals"]);
}

#[tokio::test]
async fn the_backlog_is_what_is_still_owed() {
    let scene = Scene::new().await;
    let broken = Receiver::scripted(|_, _| Reply::Status(500)).await;
    let later = json!({ "delays_s": [0, 3600] });
    let settings = json!({ "url": broken.url(), "events": "*", "retry": later });
    let failing = scene.acme.endpoint(settings).await["id"].clone();
    let held = scene.acme.endpoint_at(&broken.url()).await["id"].clone();
    scene.acme.ask(&held, "pause").await;
    scene.acme.order(1).await;
    let seen = until("one waits, one is held", async || {
        let seen = overview(&scene.acme, "").await;
        let backlog = &seen["backlog"];
        let is_there = (&backlog["pending"], &backlog["retrying"]) == (&json!(2), &json!(1));
        is_there.then_some(seen)
    })
    .await;
    assert!(seen["backlog"]["oldest_at"].is_string(), "{seen}");
    assert_eq!(seen["numbers"]["totals"]["retried"], 1);
    assert_eq!(stats(&scene.acme, &failing, "").await["backlog"]["retrying"], 1);
    assert_eq!(stats(&scene.acme, &held, "").await["backlog"]["pending"], 1);
}

#[tokio::test]
async fn a_test_of_an_endpoint_is_not_counted() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    let endpoint = scene.acme.endpoint_at(&receiver.url()).await["id"].clone();
    scene.acme.ask(&endpoint, "test").await;
    let totals = &overview(&scene.acme, "").await["numbers"]["totals"];
    assert_eq!((&totals["events"], &totals["attempts"]), (&json!(0), &json!(0)));
    scene.acme.publish(order(1)).await;
    until("the order is counted", async || {
        let totals = overview(&scene.acme, "").await["numbers"]["totals"].clone();
        (totals["succeeded"] == 1 && totals["events"] == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn wrong_ranges_and_endpoints_are_told() {
    let scene = Scene::new().await;
    for query in ["?range=2h", "?range=", "?since=now", "?range=1h&range=6h"] {
        let answer = scene.acme.0.get(&Acme::path(&format!("/overview{query}"))).await;
        assert_eq!(answer.status, 422, "{query}: {answer:?}");
    }
    let none = scene.acme.0.get(&Acme::path("/endpoints/wh_nothing/stats")).await;
    assert_eq!(none.status, 404);
    assert_eq!(scene.server.operator().get("/v1/tenants/none/overview").await.status, 404);
}
