//! Lists: newest first, page by page, without gaps or repetitions while new rows come in; and their filters.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::sink::Sink;
use super::{Home, Tenant, ids, moved, text, wrong};
use crate::world::until;

const URL: &str = "http://127.0.0.1:9/hooks";

#[tokio::test]
async fn an_empty_list_is_an_empty_page() {
    let home = Home::open().await;
    let tenant = home.tenant("list-empty").await;
    for list in ["/event-types", "/endpoints", "/events", "/deliveries"] {
        assert_eq!(
            tenant.get(list).await.expect(200),
            json!({ "data": [], "next_cursor": null }),
            "{list}"
        );
    }
}

#[tokio::test]
async fn a_page_has_1_to_250_rows_50_by_default() {
    let home = Home::open().await;
    let tenant = home.tenant("list-limit").await;
    let event = json!({ "type": "a.b", "data": 1 });
    tenant.post("/events/batch", &Value::Array(vec![event; 251])).await.expect(202);
    for (query, rows) in [("", 50), ("?limit=1", 1), ("?limit=250", 250)] {
        let page = tenant.get(&format!("/events{query}")).await.expect(200);
        assert_eq!(page["data"].as_array().unwrap().len(), rows, "{query}");
        assert!(page["next_cursor"].is_string(), "{query}");
    }
    for list in ["/event-types", "/endpoints", "/events", "/deliveries", "/api-keys", "/audit"] {
        for limit in ["0", "251", "-1", "ten", "", "1.5", "99999999999999999999"] {
            let answer = tenant.get(&format!("{list}?limit={limit}")).await;
            wrong(&answer, &[("limit", "out_of_range")]);
        }
        for cursor in ["", "x", "%00", "0000", "zzzzzzzzzzzzzzzzz"] {
            let answer = tenant.get(&format!("{list}?cursor={cursor}")).await;
            wrong(&answer, &[("cursor", "bad_cursor")]);
        }
        let both = tenant.get(&format!("{list}?limit=0&cursor=x")).await;
        wrong(&both, &[("limit", "out_of_range"), ("cursor", "bad_cursor")]);
    }
}

/// Walks a list in small pages; `meanwhile` adds rows between them. Answers what it saw.
async fn walk(tenant: &Tenant, list: &str, limit: usize, meanwhile: impl AsyncFn()) -> Vec<String> {
    let with = if list.contains('?') { '&' } else { '?' };
    let mut seen = Vec::new();
    let mut next = format!("{list}{with}limit={limit}");
    loop {
        let page = tenant.get(&next).await.expect(200);
        let rows = page["data"].as_array().unwrap();
        assert!(rows.len() <= limit, "{page}");
        let key = if rows.iter().any(|it| it["id"].is_string()) { "id" } else { "name" };
        seen.extend(rows.iter().map(|it| text(&it[key]).to_owned()));
        match page["next_cursor"].as_str() {
            Some(cursor) => next = format!("{list}{with}limit={limit}&cursor={cursor}"),
            None => return seen,
        }
        meanwhile().await;
    }
}

#[tokio::test]
async fn events_and_deliveries_are_walked_without_gaps_while_new_ones_come() {
    let home = Home::open().await;
    let tenant = home.tenant("list-walk").await;
    let sink = Sink::answering(200).await;
    tenant.endpoint(&sink.url(), json!({})).await;
    tenant.endpoint(URL, json!({})).await;
    let mut events = Vec::new();
    for n in 0..40 {
        events.push(text(&tenant.publish("a.b", json!(n)).await["id"]).to_owned());
    }
    events.reverse();
    let meanwhile = async || {
        tenant.publish("new", json!(0)).await;
    };
    for limit in [1, 7, 40] {
        assert_eq!(walk(&tenant, "/events?type=a.b", limit, meanwhile).await, events, "{limit}");
    }
    let newest: Vec<_> = walk(&tenant, "/events", 9, async || {}).await;
    assert_eq!(newest[newest.len() - 40..], events);

    // Deliveries, of which some have ended and some are still being tried.
    let deliveries = walk(&tenant, "/deliveries?type=a.b", 7, meanwhile).await;
    let distinct: BTreeSet<_> = deliveries.iter().collect();
    assert_eq!((deliveries.len(), distinct.len()), (80, 80));
    let listed = tenant.all("/deliveries?type=a.b").await;
    let of: Vec<_> = listed.iter().map(|it| text(&it["event_id"]).to_owned()).collect();
    let want: Vec<_> = events.iter().flat_map(|it| [it.clone(), it.clone()]).collect();
    assert_eq!(of, want, "newest event first");
    assert_eq!(ids(&listed), deliveries);
}

#[tokio::test]
async fn the_small_lists_are_walked_without_gaps_while_new_rows_come() {
    let home = Home::open().await;
    let tenant = home.tenant("list-small").await;
    for n in 0..12 {
        tenant.post("/event-types", &json!({ "name": format!("t{n}") })).await.expect(201);
        tenant.endpoint(URL, json!({})).await;
        tenant.with_scopes(&["read"]).await;
    }
    for list in ["/event-types", "/endpoints", "/api-keys", "/audit"] {
        let before = walk(&tenant, list, 250, async || {}).await;
        assert!(before.len() >= 12, "{list}");
        let meanwhile = async || {
            tenant.endpoint(URL, json!({})).await;
            tenant.with_scopes(&["read"]).await;
            let name = format!("u{}", tenant.all("/event-types").await.len());
            tenant.post("/event-types", &json!({ "name": name })).await.expect(201);
        };
        assert_eq!(walk(&tenant, list, 5, meanwhile).await, before, "{list}");
    }
    let newest = tenant.get("/event-types?limit=1").await.expect(200);
    let last = text(&newest["data"][0]["name"]);
    assert!(last.starts_with('u'), "newest first: {newest}");
}

#[tokio::test]
async fn tenants_are_listed_newest_first_and_walked_without_repetition() {
    let home = Home::open().await;
    for n in 0..5 {
        home.tenant(&format!("list-tenant-{n}")).await;
    }
    let operator = home.operator();
    let (mut seen, mut next) = (Vec::new(), "/v1/tenants?limit=2".to_owned());
    loop {
        let page = operator.get(&next).await.expect(200);
        seen.extend(page["data"].as_array().unwrap().iter().map(|it| text(&it["id"]).to_owned()));
        match page["next_cursor"].as_str() {
            Some(cursor) => next = format!("/v1/tenants?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    let mine: Vec<_> = seen.iter().filter(|it| it.starts_with("list-tenant-")).collect();
    let want: Vec<_> = (0..5).rev().map(|n| format!("list-tenant-{n}")).collect();
    assert_eq!(mine, want.iter().collect::<Vec<_>>());
    let distinct: BTreeSet<_> = seen.iter().collect();
    assert_eq!(distinct.len(), seen.len());
}

async fn types_of(tenant: &Tenant, query: &str) -> Vec<String> {
    let rows = tenant.all(&format!("/events?{query}")).await;
    rows.iter().rev().map(|it| text(&it["publisher_id"]).to_owned()).collect()
}

#[tokio::test]
async fn each_filter_of_events_finds_what_it_says() {
    let home = Home::open().await;
    let tenant = home.tenant("list-filter-events").await;
    for (id, event_type, scope, data) in [
        ("one", "order.created", json!("west"), json!({ "customer": "Ada" })),
        ("two", "order.updated", json!("east"), json!({ "customer": "Bob" })),
        ("three", "orders", json!("west"), json!({ "text": "50% off_x" })),
        ("four", "site.published", Value::Null, json!({ "a": "ünïcode" })),
    ] {
        let event = json!({ "type": event_type, "scope": scope, "data": data, "id": id });
        tenant.post("/events", &event).await.expect(202);
    }
    for (query, want) in [
        ("type=order.created", &["one"][..]),
        ("type=order.*", &["one", "two"]),
        ("type=*", &["one", "two", "three", "four"]),
        ("type=nothing", &[]),
        ("scope=west", &["one", "three"]),
        ("scope=north", &[]),
        ("q=Ada", &["one"]),
        ("q=customer", &["one", "two"]),
        ("q=two", &["two"]),
        ("q=50%25%20off_", &["three"]),
        ("q=0%25_off", &[]),
        ("q=%C3%BCn%C3%AF", &["four"]),
        ("q=%27%22", &[]),
        ("source=src_01jv0g6xwre3zb0g8v4q5n6m7k", &[]),
        ("type=order.*&scope=west&q=Ada", &["one"]),
        ("since=2020-01-01T00:00:00Z", &["one", "two", "three", "four"]),
        ("until=2020-01-01T00:00:00Z", &[]),
        ("since=2090-01-01T00:00:00Z", &[]),
    ] {
        assert_eq!(types_of(&tenant, query).await, want, "{query}");
    }
    for (query, pointer, code) in [
        ("type=a..b", "type", "bad_event_type"),
        ("scope=", "scope", "bad_scope"),
        ("source=x", "source", "bad_id"),
        ("since=yesterday", "since", "bad_time"),
        ("until=2026-13-01T00:00:00Z", "until", "bad_time"),
    ] {
        wrong(&tenant.get(&format!("/events?{query}")).await, &[(pointer, code)]);
    }
}

#[tokio::test]
async fn since_is_inclusive_and_until_is_not() {
    let home = Home::open().await;
    let tenant = home.tenant("list-times").await;
    tenant.endpoint(URL, json!({})).await;
    let event = tenant.publish("a.b", json!(1)).await;
    let at = tenant.get(&format!("/events/{}", text(&event["id"]))).await.expect(200)["created_at"]
        .clone();
    for (from, to, found) in [(0, 1, 1), (-1, 0, 0), (1, 2, 0), (-5000, 5000, 1)] {
        let query = format!("since={}&until={}", moved(&at, from), moved(&at, to));
        for list in ["events", "deliveries"] {
            let rows = tenant.all(&format!("/{list}?{query}")).await;
            assert_eq!(rows.len(), found, "{list} {from} {to}");
        }
    }
}

#[tokio::test]
async fn each_filter_of_deliveries_finds_what_it_says() {
    let home = Home::open().await;
    let tenant = home.tenant("list-filter-deliveries").await;
    let (good, bad) = (Sink::answering(200).await, Sink::answering(500).await);
    let once = json!({ "retry": { "delays_s": [] } });
    let good = tenant.endpoint(&good.url(), once.clone()).await;
    let bad = tenant.endpoint(&bad.url(), once).await;
    for event_type in ["order.created", "order.updated", "site.published"] {
        tenant.publish(event_type, json!(1)).await;
    }
    until("all six have ended", || async {
        let rows = tenant.all("/deliveries").await;
        let ended = |it: &Value| matches!(text(&it["status"]), "succeeded" | "failed");
        rows.iter().all(ended).then_some(())
    })
    .await;
    let (good, bad) = (text(&good["id"]), text(&bad["id"]));
    for (query, count) in [
        (String::new(), 6),
        (format!("endpoint={good}"), 3),
        (format!("endpoint={bad}"), 3),
        ("status=succeeded".into(), 3),
        ("status=failed".into(), 3),
        ("status=pending".into(), 0),
        ("status=sending".into(), 0),
        ("status=cancelled".into(), 0),
        ("status=discarded".into(), 0),
        ("type=order.*".into(), 4),
        ("type=order.created".into(), 2),
        (format!("endpoint={bad}&status=failed&type=site.*"), 1),
        (format!("endpoint={good}&status=failed"), 0),
    ] {
        let rows = tenant.all(&format!("/deliveries?{query}")).await;
        assert_eq!(rows.len(), count, "{query}");
        let mut walked = walk(&tenant, &format!("/deliveries?{query}"), 1, async || {}).await;
        assert_eq!(walked, ids(&rows), "{query}");
        walked.dedup();
        assert_eq!(walked.len(), count, "{query}");
    }
    for (query, pointer, code) in [
        ("status=done", "status", "unknown_value"),
        ("endpoint=x", "endpoint", "bad_id"),
        ("endpoint=wh_01jv0g6xwre3zb0g8v4q5n6m7k", "endpoint", "not_found"),
        ("type=*x", "type", "bad_event_type"),
        ("since=x", "since", "bad_time"),
        ("until=x", "until", "bad_time"),
    ] {
        wrong(&tenant.get(&format!("/deliveries?{query}")).await, &[(pointer, code)]);
    }
}
