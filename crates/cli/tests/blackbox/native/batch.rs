//! Publishing many events at once.

use bytes::Bytes;
use serde_json::{Value, json};

use super::sink::{Sink, sent};
use super::{Home, Tenant, refused, text, wrong};

const NDJSON: (&str, &str) = ("content-type", "application/x-ndjson");

async fn lines(tenant: &Tenant, body: impl Into<Bytes>) -> crate::world::Answer {
    let path = tenant.path("/events/batch");
    tenant.client.send(http::Method::POST, &path, &[NDJSON], body.into()).await
}

type Refusal = (u16, &'static str, &'static [&'static str]);

const fn invalid(pointers: &'static [&'static str]) -> Result<(), Refusal> {
    Err((422, "invalid", pointers))
}

/// One result per item, in order: ids where it went well, the code of the problem and the pointers where not.
#[track_caller]
fn check(results: &Value, want: &[Result<(), Refusal>]) {
    let results = results["results"].as_array().unwrap();
    assert_eq!(results.len(), want.len(), "{results:#?}");
    for (index, (result, want)) in results.iter().zip(want).enumerate() {
        assert_eq!(result["index"], index, "{result}");
        match want {
            Ok(()) => {
                assert_eq!(result["status"], 202, "{result}");
                assert!(text(&result["id"]).starts_with("evt_") && result["deliveries"].is_u64());
                assert!(result.get("error").is_none(), "{result}");
            }
            Err((status, code, pointers)) => {
                assert_eq!(
                    (&result["status"], text(&result["error"]["code"])),
                    (&json!(status), *code),
                    "{result}"
                );
                assert!(result.get("id").is_none(), "{result}");
                let errors = result["error"]["errors"].as_array().cloned().unwrap_or_default();
                let got: Vec<_> = errors.iter().map(|it| text(&it["pointer"])).collect();
                assert_eq!(got, *pointers, "{result}");
            }
        }
    }
}

#[tokio::test]
async fn a_bad_item_of_an_array_fails_alone() {
    let home = Home::open().await;
    let tenant = home.tenant("batch-array").await;
    let batch = json!([
        { "type": "a", "data": 1 },
        { "type": "two words", "data": 1 },
        { "type": "b" },
        7,
        { "type": "c", "data": 1, "foo": 1 },
        { "type": "d", "data": { "n": 1 }, "id": "mine" },
    ]);
    let results = tenant.post("/events/batch", &batch).await.expect(202);
    check(
        &results,
        &[
            Ok(()),
            invalid(&["/type"]),
            invalid(&["/data"]),
            invalid(&[""]),
            invalid(&["/foo"]),
            Ok(()),
        ],
    );
    let types: Vec<_> =
        tenant.all("/events").await.iter().map(|it| text(&it["type"]).to_owned()).collect();
    assert_eq!(types, ["d", "a"]);
}

#[tokio::test]
async fn a_bad_line_of_ndjson_fails_alone() {
    let home = Home::open().await;
    let tenant = home.tenant("batch-lines").await;
    let body = "{\"type\":\"a\",\"data\":1}\r\n\n{nope\n{\"type\":\"b\",\"data\":2,\"scope\":\"\"}\n{\"type\":\"c\",\"data\":3}";
    let results = lines(&tenant, body).await.expect(202);
    check(&results, &[Ok(()), invalid(&[""]), invalid(&["/scope"]), Ok(())]);
    assert_eq!(tenant.all("/events").await.len(), 2);
}

#[tokio::test]
async fn items_arrive_byte_for_byte_and_in_order() {
    let home = Home::open().await;
    let tenant = home.tenant("batch-exact").await;
    let sink = Sink::answering(200).await;
    tenant.endpoint(&sink.url(), json!({ "profile": "aryeo", "ordered": true })).await;
    let data = [r#"{ "n" : 1.10 }"#, "12345678901234567890.5", r#""\u00e9""#];
    let items: Vec<_> = data.iter().map(|it| format!(r#" {{"data": {it} ,"type":"a"}}"#)).collect();
    let body = format!("[{}]", items.join(",\n"));
    tenant.post_raw("/events/batch", &[], body).await.expect(202);
    let got: Vec<_> = sink.wait_for(3).await.iter().map(|it| sent(it).to_owned()).collect();
    assert_eq!(got, data);
    lines(&tenant, items.join("\n")).await.expect(202);
    let got: Vec<_> = sink.wait_for(6).await.iter().map(|it| sent(it).to_owned()).collect();
    assert_eq!(got[3..], data);
}

#[tokio::test]
async fn a_batch_holds_a_thousand_events() {
    let home = Home::open().await;
    let tenant = home.tenant("batch-thousand").await;
    let event = json!({ "type": "a.b", "data": { "n": 1 } });
    let batch = |count: usize| Value::Array(vec![event.clone(); count]);
    refused(&tenant.post("/events/batch", &batch(1001)).await, 422, "too_many_events");
    let line = event.to_string() + "\n";
    refused(&lines(&tenant, line.repeat(1001)).await, 422, "too_many_events");
    assert_eq!(tenant.all("/events").await.len(), 0);
    let results = tenant.post("/events/batch", &batch(1000)).await.expect(202);
    check(&results, &[Ok(()); 1000]);
    assert_eq!(tenant.all("/events").await.len(), 1000);
}

#[tokio::test]
async fn what_is_no_batch_is_refused_as_a_whole() {
    let home = Home::open().await;
    let tenant = home.tenant("batch-none").await;
    wrong(&tenant.post("/events/batch", &json!([])).await, &[("", "required")]);
    wrong(&tenant.post("/events/batch", &json!({ "type": "a" })).await, &[("", "wrong_type")]);
    refused(&tenant.post_raw("/events/batch", &[], "[{]").await, 400, "malformed_json");
    refused(&tenant.post_raw("/events/batch", &[], "").await, 400, "body_required");
    let packed = [NDJSON, ("content-encoding", "gzip")];
    let answer = tenant.post_raw("/events/batch", &packed, "{}").await;
    refused(&answer, 415, "unsupported_media_type");
    let text = [("content-type", "text/plain")];
    let path = tenant.path("/events/batch");
    let answer = tenant.client.send(http::Method::POST, &path, &text, Bytes::from("[]")).await;
    refused(&answer, 415, "unsupported_media_type");
    let empty = lines(&tenant, "\n \n").await;
    assert_eq!(empty.status, 422, "{empty:?}");
}

#[tokio::test]
async fn an_item_over_the_limit_fails_alone() {
    let home = Home::open().await;
    let limits = json!({ "limits": { "payload_bytes": 100 } });
    let tenant = home.tenant_with("batch-size", limits).await;
    let batch = json!([{ "type": "a", "data": "x".repeat(99) }, { "type": "b", "data": 1 }]);
    let results = tenant.post("/events/batch", &batch).await.expect(202);
    check(&results, &[Err((413, "too_large", &[])), Ok(())]);
}

#[tokio::test]
async fn a_publishers_id_that_was_there_before_is_a_200_among_the_others() {
    let home = Home::open().await;
    let tenant = home.tenant("batch-ids").await;
    let event = json!({ "type": "a", "data": 1, "id": "mine" });
    let first = tenant.post("/events", &event).await.expect(202);
    let batch = json!([event, { "type": "a", "data": 2, "id": "new" }, { "type": "a", "data": 3, "id": "new" }]);
    let results = tenant.post("/events/batch", &batch).await.expect(202);
    let results = results["results"].as_array().unwrap();
    assert_eq!((&results[0]["status"], &results[0]["id"]), (&json!(200), &first["id"]));
    assert_eq!(results[1]["status"], 202);
    assert_eq!((&results[2]["status"], &results[2]["id"]), (&json!(200), &results[1]["id"]));
    assert_eq!(tenant.all("/events").await.len(), 2);
}

#[tokio::test]
async fn a_batch_with_an_idempotency_key_happens_once() {
    let home = Home::open().await;
    let tenant = home.tenant("batch-key").await;
    let key = [("idempotency-key", "b-1")];
    let body = r#"[{"type":"a","data":1},{"type":"","data":2}]"#;
    let first = tenant.post_raw("/events/batch", &key, body).await.expect(202);
    let again = tenant.post_raw("/events/batch", &key, body).await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.expect(202), first);
    let other = tenant.post_raw("/events/batch", &key, r#"[{"type":"a","data":3}]"#).await;
    refused(&other, 422, "idempotency_key_reused");
    assert_eq!(tenant.all("/events").await.len(), 1);
}
