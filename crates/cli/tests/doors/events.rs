//! Publishing, and what comes of it.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::world::{OPERATOR, World, receiver};

const EVENTS: &str = "POST /v1/tenants/acme/events";

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_accepted_once_and_shown_with_its_exact_data() {
    let world = World::start().await;
    world.tenant("acme").await;
    let body = r#"{"type":"order.created","id":"o-1","data":{"n": 1.10 , "u":"\u00e9"}}"#;
    let first = world.ask(OPERATOR, EVENTS, &[], body).await.expect(202);
    assert_eq!(first["deliveries"], 0);
    let again = world.ask(OPERATOR, EVENTS, &[], r#"{"type":"x","id":"o-1","data":1}"#).await;
    assert_eq!(again.expect(200), first);
    let id = first["id"].as_str().unwrap();
    assert!(id.starts_with("evt_") && id.len() == 30);
    let shown = world.get(&format!("/v1/tenants/acme/events/{id}")).await;
    assert_eq!(shown.expect(200)["publisher_id"], "o-1");
    let text = String::from_utf8_lossy(&shown.bytes).into_owned();
    assert!(text.contains(r#""data":{"n": 1.10 , "u":"\u00e9"}"#), "{text}");
    let list = world.get("/v1/tenants/acme/events?type=order.*").await.expect(200);
    assert_eq!(list["data"][0]["id"], id);
    let refused = world.get("/v1/tenants/acme/events?type=or*der&since=soon").await;
    let mut pointers = refused.problem(422, "invalid");
    pointers.sort();
    assert_eq!(pointers, ["since", "type"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_makes_a_publish_happen_once() {
    let world = World::start().await;
    world.tenant("acme").await;
    let key = [("idempotency-key", "k")];
    let post = async |body: &'static str| world.ask(OPERATOR, EVENTS, &key, body).await;
    let first = post(r#"{"type":"a","data":1}"#).await.expect(202);
    let again = post(r#"{"type":"a","data":1}"#).await;
    assert_eq!(again.expect(202), first);
    assert_eq!(again.header("idempotency-replayed"), "true");
    post(r#"{"type":"a","data":2}"#).await.problem(422, "idempotency_key_reused");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_an_event_is_named() {
    let world = World::start().await;
    world.tenant("acme").await;
    let post = async |body: &'static str| world.ask(OPERATOR, EVENTS, &[], body).await;
    let pointers = async |body| post(body).await.problem(422, "invalid");
    assert_eq!(pointers(r#"{"type":"a"}"#).await, ["/data"]);
    assert_eq!(pointers(r#"{"data":1}"#).await, ["/type"]);
    assert_eq!(pointers(r#"{"type":"a b","data":1}"#).await, ["/type"]);
    assert_eq!(pointers(r#"{"type":"a","data":1,"dat":1}"#).await, ["/dat"]);
    assert_eq!(pointers(r#"{"type":"a","data":1,"occurred_at":"x"}"#).await, ["/occurred_at"]);
    post(r#"{"type":"a","data":}"#).await.problem(400, "malformed_json");
    post("").await.problem(400, "body_required");
    post(r#"{"type":"a","data":null}"#).await.expect(202);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    world.ask(OPERATOR, EVENTS, &form, "type=a").await.problem(415, "unsupported_media_type");
    let large = format!(r#"{{"type":"a","data":"{}"}}"#, "a".repeat(1_200_000));
    world.ask(OPERATOR, EVENTS, &[], large).await.problem(413, "too_large");
    let nearly = format!(r#"{{"type":"a","data":"{}"}}"#, "a".repeat(1024 * 1024));
    world.ask(OPERATOR, EVENTS, &[], nearly).await.problem(413, "too_large");
    world.ask(OPERATOR, "POST /v1/tenants/none/events", &[], "{}").await.problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn both_ways_to_publish_take_the_same_sizes_and_times() {
    let world = World::start().await;
    world.tenant("acme").await;
    let one =
        async |body: &str| world.ask(OPERATOR, EVENTS, &[], body.to_owned()).await.status.as_u16();
    let in_batch = async |body: &str| {
        let route = "POST /v1/tenants/acme/events/batch";
        let answer = world.ask(OPERATOR, route, &[], format!("[{body}]")).await.expect(202);
        u16::try_from(answer["results"][0]["status"].as_u64().unwrap()).unwrap()
    };
    let part = |bytes: usize| format!(r#"{{"a":"{}"}}"#, "a".repeat(bytes - 8));
    let most = 1024 * 1024;
    let whole = |data: usize, previous: usize| {
        let kind = "a".repeat(previous - 11);
        let (data, previous) = (part(data), part(previous));
        let changes = format!(r#"[{{"kind":"{kind}"}}]"#);
        format!(r#"{{"type":"a","data":{data},"previous":{previous},"changes":{changes}}}"#)
    };
    let early = r#"{"type":"a","data":1,"occurred_at":"-000001-01-01T00:00:00Z"}"#;
    for (body, status) in [
        (whole(600_000, 600_000), 202),
        (whole(most, most - 2), 202),
        (whole(most + 1, 100), 413),
        (whole(100, most + 1), 413),
        (early.to_owned(), 422),
    ] {
        assert_eq!((one(&body).await, in_batch(&body).await), (status, status));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_a_batch_that_is_nested_too_deep_fails_alone() {
    let world = World::start().await;
    world.tenant("acme").await;
    let (opening, closing) = ("[".repeat(100), "]".repeat(100));
    let body = format!(r#"[{{"type":"a","data":1}},{{"type":"a","data":{opening}{closing}}}]"#);
    let route = "POST /v1/tenants/acme/events/batch";
    let results = world.ask(OPERATOR, route, &[], body).await.expect(202)["results"].clone();
    assert_eq!((&results[0]["status"], &results[1]["status"]), (&json!(202), &json!(422)));
    assert_eq!(results[1]["error"]["errors"][0]["code"], "nested_too_deep");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_event_of_a_batch_fails_alone() {
    let world = World::start().await;
    world.tenant("acme").await;
    let route = "POST /v1/tenants/acme/events/batch";
    let body = r#"[{"type":"a","data":1,"id":"x"},{"type":"b b","data":1},{"type":"c"},{"type":"a","data":1,"id":"x"}]"#;
    let results = world.ask(OPERATOR, route, &[], body).await.expect(202)["results"].clone();
    let statuses: Vec<_> = (0..4).map(|at| results[at]["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [202, 422, 422, 200]);
    assert_eq!(results[3]["id"], results[0]["id"]);
    assert_eq!(results[1]["index"], 1);
    assert_eq!(results[1]["error"]["errors"][0]["pointer"], "/type");
    assert_eq!(results[2]["error"]["errors"][0]["pointer"], "/data");
    let lines = [("content-type", "application/x-ndjson")];
    let body = "{\"type\":\"a\",\"data\":1}\n\nnope\n{\"type\":\"b\",\"data\":2}\n";
    let results = world.ask(OPERATOR, route, &lines, body).await.expect(202)["results"].clone();
    let statuses: Vec<_> = (0..3).map(|at| results[at]["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [202, 422, 202]);
    let many = "{\"type\":\"a\",\"data\":1}\n".repeat(1001);
    world.ask(OPERATOR, route, &lines, many).await.problem(422, "too_many_events");
    world.ask(OPERATOR, route, &[], "{}").await.problem(422, "invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_with_a_key_is_published_once() {
    let world = World::start().await;
    world.tenant("acme").await;
    let route = "POST /v1/tenants/acme/events/batch";
    let key = [("idempotency-key", "b-1")];
    let body = r#"[{"type":"a","data":1},{"type":"b","data":2}]"#;
    let first = world.ask(OPERATOR, route, &key, body).await.expect(202);
    let again = world.ask(OPERATOR, route, &key, body).await;
    assert_eq!(again.expect(202), first);
    assert_eq!(again.header("idempotency-replayed"), "true");
    world.ask(OPERATOR, route, &key, "[]").await.problem(422, "idempotency_key_reused");
    let listed = world.get("/v1/tenants/acme/events").await.expect(200);
    assert_eq!(listed["data"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_is_listed_with_its_attempts_exported_and_replayed() {
    let world = World::start().await;
    let mut tasks = JoinSet::new();
    let url = receiver(&mut tasks).await;
    world.tenant("acme").await;
    let endpoint = json!({"url": url, "events": ["order.*"]});
    let endpoint = world.op("POST /v1/tenants/acme/endpoints", endpoint).await.expect(201);
    let endpoint = endpoint["id"].as_str().unwrap();
    let body = r#"{"type":"order.created","data":{"n":1}}"#;
    let event = world.ask(OPERATOR, EVENTS, &[], body).await.expect(202);
    assert_eq!(event["deliveries"], 1);
    let event = event["id"].as_str().unwrap();
    let list = "/v1/tenants/acme/deliveries";
    let done = |page: &Value| page["data"][0]["status"] == "succeeded";
    let page = world.until(&format!("{list}?endpoint={endpoint}"), done).await;
    let delivery = page["data"][0].clone();
    assert_eq!(
        (&delivery["event_id"], &delivery["endpoint_id"]),
        (&json!(event), &json!(endpoint))
    );
    assert_eq!((&delivery["attempts"], &delivery["last_status_code"]), (&json!(1), &json!(204)));
    let id = delivery["id"].as_str().unwrap();
    let attempts = world.get(&format!("{list}/{id}/attempts")).await.expect(200);
    let attempt = &attempts["data"][0];
    assert_eq!((&attempt["number"], &attempt["outcome"]), (&json!(1), &json!("succeeded")));
    assert_eq!((&attempt["status_code"], &attempt["trigger"]), (&json!(204), &json!("automatic")));
    assert!(attempt["request_headers"].is_object() && attempt["duration_ms"].is_number());
    world.op(&format!("POST {list}/{id}/retry"), Value::Null).await.expect(409);
    world.op(&format!("POST {list}/{id}/cancel"), Value::Null).await.expect(409);
    let csv = world.get(&format!("{list}/export?format=csv")).await;
    let csv = String::from_utf8(csv.bytes.to_vec()).unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert!(lines[0].starts_with("id,event_id,") && lines[1].starts_with(id), "{csv}");
    let lines = world.get(&format!("{list}/export?format=ndjson&status=succeeded")).await;
    assert_eq!(lines.json(), delivery);
    let refused = world.get(&format!("{list}/export?format=xml")).await;
    assert_eq!(refused.problem(422, "invalid"), ["format"]);
    assert_eq!(world.get(&format!("{list}?status=odd")).await.problem(422, "invalid"), ["status"]);
    let replay = format!("POST /v1/tenants/acme/events/{event}/replay");
    let replayed = world.op(&replay, Value::Null).await.expect(202);
    assert_eq!(replayed["deliveries"].as_array().unwrap().len(), 1);
    assert_ne!(replayed["deliveries"][0]["id"], id);
    let of_event = format!("/v1/tenants/acme/events/{event}/deliveries");
    world.until(&of_event, |page| page["data"].as_array().is_some_and(|it| it.len() == 2)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_of_an_endpoint_is_sent_alone_and_answered_with_its_attempt() {
    let world = World::start().await;
    let mut tasks = JoinSet::new();
    let url = receiver(&mut tasks).await;
    world.tenant("acme").await;
    let endpoint = json!({"url": url, "events": ["order.created"]});
    let endpoint = world.op("POST /v1/tenants/acme/endpoints", endpoint).await.expect(201);
    let id = endpoint["id"].as_str().unwrap();
    let route = format!("POST /v1/tenants/acme/endpoints/{id}/test");
    for body in [Value::Null, json!({"type": "order.created", "data": {"n": 1}})] {
        let tested = world.op(&route, body).await.expect(200);
        assert_eq!(
            (&tested["succeeded"], &tested["attempt"]["trigger"]),
            (&json!(true), &json!("test"))
        );
        assert_eq!(tested["attempt"]["delivery_id"], tested["delivery_id"]);
    }
}
