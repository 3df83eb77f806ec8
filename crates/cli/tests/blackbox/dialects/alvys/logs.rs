//! Delivery logs and health: one row per attempt.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};

use super::{BASE, Consumer, act, get, refused, tender, webhook, wrong};
use crate::scene::{Scene, text};

/// A webhook with four attempts: two of a retried event, then one that was refused for good, then a good one.
struct Story {
    scene: Scene,
    consumer: Consumer,
    webhook: Value,
    /// Retried, refused, good.
    events: [String; 3],
}

impl Story {
    async fn told() -> Self {
        let scene = Scene::new().await;
        let consumer = Consumer::with(true, 500).await;
        let webhook = webhook(&scene, &consumer, json!({})).await;
        let path = format!("/v1/tenants/acme/endpoints/{}", text(&webhook["Id"]));
        let quick = json!({ "retry": { "delays_s": [1], "jitter": 0.0 } });
        scene.acme.0.patch(&path, &quick).await.expect(200);
        let retried = tender(&scene, "tender.accepted").await;
        scene.acme.delivery_is(&retried, "failed").await;
        consumer.answers(404);
        let refused = tender(&scene, "tender.cancelled").await;
        scene.acme.delivery_is(&refused, "failed").await;
        consumer.answers(200);
        let good = tender(&scene, "tender.accepted").await;
        scene.acme.delivery_is(&good, "succeeded").await;
        Self { scene, consumer, webhook, events: [retried, refused, good] }
    }

    fn rest(&self, rest: &str) -> String {
        format!("/{}{rest}", text(&self.webhook["Id"]))
    }

    async fn log(&self, query: &str) -> Value {
        get(&self.scene, &self.rest(&format!("/delivery-logs{query}"))).await
    }
}

fn names(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

/// What came of each row, with the status code and the attempt's number.
fn rows(page: &Value) -> Vec<(String, u64, u64)> {
    let row = |it: &Value| {
        let number = |name: &str| it[name].as_u64().unwrap();
        (text(&it["Status"]).to_owned(), number("HttpStatusCode"), number("AttemptNumber"))
    };
    page["Items"].as_array().unwrap().iter().map(row).collect()
}

fn row(status: &str, code: u64, number: u64) -> (String, u64, u64) {
    (status.to_owned(), code, number)
}

// vendors.md §2.8.
#[tokio::test]
async fn each_attempt_is_a_row_the_newest_event_first() {
    let story = Story::told().await;
    let all = story.log("").await;
    assert_eq!((&all["Page"], &all["PageSize"], &all["Total"]), (&json!(0), &json!(50), &json!(4)));
    let want = [
        row("success", 200, 1),
        row("failed", 404, 1),
        row("failed", 500, 2),
        row("failed", 500, 1),
    ];
    assert_eq!(rows(&all), want, "ALV-DEL-2, ALV-DEL-5, ALV-DEL-6");
    let facets = json!([{ "Value": "tender.accepted", "Count": 3 }, { "Value": "tender.cancelled", "Count": 1 }]);
    assert_eq!(all["Facets"], json!({ "EventType": facets }));
    assert_eq!(names(&all), ["Facets", "Items", "Page", "PageSize", "Total"]);
    let first = &all["Items"][0];
    let members = names(first);
    let want_members = [
        "AttemptNumber",
        "ConsumerUrl",
        "DurationMs",
        "ErrorMessage",
        "EventId",
        "EventType",
        "HttpStatusCode",
        "Id",
        "Status",
        "Timestamp",
    ];
    assert_eq!(members, want_members);
    assert_eq!(first["EventId"], story.events[2]);
    assert_eq!(first["ConsumerUrl"], story.consumer.receiver.url());
    let ids: BTreeSet<_> =
        all["Items"].as_array().unwrap().iter().map(|it| text(&it["Id"])).collect();
    assert_eq!(ids.len(), 4);
    // Pages cut through a delivery's attempts.
    let mut paged = Vec::new();
    for page in 0..3 {
        paged.extend(rows(&story.log(&format!("?Page={page}&PageSize=3")).await));
    }
    assert_eq!(paged, want);
    let second = story.log("?Page=1&PageSize=3").await;
    assert_eq!((rows(&second).len(), &second["Total"]), (1, &json!(4)));
}

// vendors.md §2.8.
#[tokio::test]
async fn rows_are_filtered_by_status_event_type_and_date() {
    let story = Story::told().await;
    let failed = story.log("?Status[]=failed").await;
    assert_eq!((rows(&failed).len(), &failed["Total"]), (3, &json!(3)));
    assert_eq!(rows(&story.log("?Status=success&Status=timeout").await).len(), 1);
    assert_eq!(rows(&story.log("?Status=timeout").await).len(), 0);
    assert_eq!(rows(&story.log("?EventType=tender.cancelled").await), [row("failed", 404, 1)]);
    let both = "?EventType[]=tender.cancelled&EventType[]=tender.accepted&Status=failed";
    assert_eq!(rows(&story.log(both).await).len(), 3);
    assert_eq!(rows(&story.log("?EventType=load.changed").await).len(), 0);
    let last = format!("{BASE}{}", story.rest("/delivery-logs?PageSize=1"));
    let last = story.scene.acme.0.get(&last).await.expect(200);
    let event = format!("/v1/tenants/acme/events/{}", text(&last["Items"][0]["EventId"]));
    let accepted = story.scene.acme.0.get(&event).await.expect(200)["created_at"].clone();
    let accepted = text(&accepted);
    assert_eq!(rows(&story.log(&format!("?StartDate={accepted}")).await).len(), 1);
    assert_eq!(rows(&story.log(&format!("?EndDate={accepted}")).await).len(), 3);
    // As .NET writes it; what it names no offset for is UTC.
    let bare = accepted.trim_end_matches('Z');
    assert_eq!(rows(&story.log(&format!("?StartDate={bare}")).await).len(), 1);
    assert_eq!(rows(&story.log("?StartDate=2026-01-01T00:00:00").await).len(), 4);
    assert_eq!(rows(&story.log("?EndDate=2020-01-01").await).len(), 0);
    for (bad, field) in [
        ("Status=great", "Status"),
        ("EventType=!", "EventType"),
        ("StartDate=yesterday", "StartDate"),
        ("PageSize=101", "PageSize"),
        ("Stauts=failed", "Stauts"),
    ] {
        let path = format!("{BASE}{}", story.rest(&format!("/delivery-logs?{bad}")));
        wrong(&story.scene.acme.0.get(&path).await, &[field]);
    }
}

#[tokio::test]
async fn a_row_tells_more_when_it_is_asked_for() {
    let story = Story::told().await;
    let rows = story.log("").await;
    let row = &rows["Items"][1];
    let detail =
        get(&story.scene, &story.rest(&format!("/delivery-logs/{}", text(&row["Id"])))).await;
    for (name, value) in row.as_object().unwrap() {
        assert_eq!(&detail[name], value, "{name}");
    }
    let more: Vec<_> = names(&detail).into_iter().filter(|it| row.get(it).is_none()).collect();
    let want = ["EntityId", "EntityType", "EventTimestamp", "HttpMethod", "ResponseBody"];
    assert_eq!(more, want, "the members of a DeliveryLogDetail");
    assert_eq!(detail["HttpMethod"], "POST");
    assert_eq!(detail["ResponseBody"], "so it was");
    assert_eq!((&detail["EntityType"], &detail["EntityId"]), (&json!("tender"), &json!("t-1")));
    assert!(detail["EventTimestamp"].is_string());

    let client = &story.scene.acme.0;
    let other = webhook(&story.scene, &story.consumer, json!({})).await;
    let elsewhere = format!("{BASE}/{}/delivery-logs/{}", text(&other["Id"]), text(&row["Id"]));
    refused(&client.get(&elsewhere).await, 404);
    for none in ["att_nonsense", "x"] {
        let path = format!("{BASE}{}", story.rest(&format!("/delivery-logs/{none}")));
        refused(&client.get(&path).await, 404);
    }
}

// vendors.md §2.8.
#[tokio::test]
async fn an_export_is_csv_or_json_as_it_is_asked_for() {
    let story = Story::told().await;
    let client = &story.scene.acme.0;
    let export = async |query: &str, accept: &str| {
        let path = format!("{BASE}{}", story.rest(&format!("/delivery-logs/export{query}")));
        client.send(Method::GET, &path, &[("accept", accept)], "".into()).await
    };
    let rows = story.log("").await["Items"].clone();
    assert_eq!(export("", "*/*").await.expect(200), rows);
    assert_eq!(export("?Format=json", "text/csv").await.expect(200), rows);
    assert_eq!(export("?Page=0&PageSize=3", "*/*").await.json().as_array().unwrap().len(), 3);
    assert_eq!(export("?Page=1&PageSize=3", "*/*").await.json().as_array().unwrap().len(), 4);
    assert_eq!(export("?Status=success", "*/*").await.json().as_array().unwrap().len(), 1);
    for (query, accept) in [("?Format=csv", "*/*"), ("", "text/csv"), ("", "application/csv")] {
        let file = export(query, accept).await;
        assert_eq!(
            (file.status, file.headers["content-type"].as_bytes()),
            (200, &b"text/csv; charset=utf-8"[..])
        );
        let body = String::from_utf8(file.body.to_vec()).unwrap();
        let lines: Vec<_> = body.split_terminator("\r\n").collect();
        assert_eq!(lines.len(), 5, "{body}");
        assert!(lines[0].starts_with("Id,EventId,EventType,Status,HttpStatusCode,"));
        assert!(lines[1].starts_with(&format!("{},{}", text(&rows[0]["Id"]), story.events[2])));
    }
    wrong(&export("?Format=xml", "*/*").await, &["Format"]);
}

// vendors.md §2.8.
#[tokio::test]
async fn health_counts_the_attempts_of_a_period() {
    let story = Story::told().await;
    act(&story.scene, &story.webhook, "disable").await;
    let skipped = tender(&story.scene, "tender.accepted").await;
    story.scene.acme.delivery_is(&skipped, "discarded").await;
    // It has no attempt, and is listed when it is asked for.
    assert_eq!(story.log("").await["Total"], 4);
    let log = story.log("?Status=skipped").await;
    let row = &log["Items"][0];
    assert_eq!((&log["Total"], &row["EventId"]), (&json!(1), &json!(skipped)));
    let told = (&row["Status"], &row["AttemptNumber"], &row["HttpStatusCode"]);
    assert_eq!(told, (&json!("skipped"), &json!(0), &Value::Null));
    let both = story.log("?Status=skipped&Status=success").await;
    assert_eq!((&both["Total"], &both["Items"][0]), (&json!(2), row), "newest event first");
    let detail = story.rest(&format!("/delivery-logs/{}", text(&row["Id"])));
    let detail = get(&story.scene, &detail).await;
    assert_eq!((&detail["EventId"], &detail["HttpMethod"]), (&json!(skipped), &Value::Null));
    let health = get(&story.scene, &story.rest("/health?Days=1")).await;
    assert_eq!(health["WebhookId"], story.webhook["Id"]);
    assert_eq!(health["WebhookName"], "Production Integration");
    assert_eq!(
        (&health["Status"], &health["ConsecutiveFailures"]),
        (&json!("Disabled"), &json!(0))
    );
    let want = [
        "ConsecutiveFailures",
        "LastDelivery",
        "Metrics",
        "Period",
        "Status",
        "WebhookId",
        "WebhookName",
    ];
    assert_eq!(names(&health), want);
    assert_eq!(names(&health["Period"]), ["Days", "EndDate", "StartDate"]);
    assert_eq!(names(&health["LastDelivery"]), ["EventType", "Status", "Timestamp"]);
    let metrics = &health["Metrics"];
    assert_eq!(metrics.as_object().map(serde_json::Map::len), Some(8), "{metrics}");
    for (name, count) in [
        ("TotalAttempts", 4),
        ("SuccessCount", 1),
        ("FailureCount", 3),
        ("TimeoutCount", 0),
        ("SkippedCount", 1),
    ] {
        assert_eq!(metrics[name], count, "{name}: {health}");
    }
    assert_eq!(metrics["SuccessRate"], 25.0);
    assert!(
        metrics["AvgDurationMs"].as_f64().unwrap() <= metrics["MaxDurationMs"].as_f64().unwrap()
    );
    let (last, period) = (&health["LastDelivery"], &health["Period"]);
    assert_eq!(
        (&last["Status"], &last["EventType"]),
        (&json!("success"), &json!("tender.accepted"))
    );
    assert_eq!(period["Days"], 1);
    assert!(text(&period["StartDate"]) < text(&period["EndDate"]));
    assert_eq!(get(&story.scene, &story.rest("/health")).await["Period"]["Days"], 7);
    let path = format!("{BASE}{}", story.rest("/health?Days=2"));
    wrong(&story.scene.acme.0.get(&path).await, &["Days"]);
}
