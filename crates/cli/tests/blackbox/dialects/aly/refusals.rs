//! Lists, errors and keys that make a request happen once (vendors.md §1.7).

use http::Method;
use serde_json::json;

use super::{Aly, HOOKS, names, path, refused, wrong};
use crate::scene::{Acme, Scene, text};

// vendors.md §1.7.
#[tokio::test]
async fn errors_have_alys_form_and_statuses() {
    let scene = Scene::new().await;
    let (acme, operator) = (&scene.acme.0, scene.server.operator());
    let aly = Aly(acme);
    let url = "https://my-app.example/aly";
    let made = aly.webhook_at(url).await;
    refused(&acme.with_key("").get(HOOKS).await, 401, "unauthenticated");
    let answer = acme.with_key("aly_wrong").get(HOOKS).await;
    refused(&answer, 401, "unauthenticated");
    assert_eq!(answer.headers["www-authenticate"], "Bearer");
    let error = refused(&operator.get(HOOKS).await, 403, "forbidden_workspace");
    assert!(text(&error["message"]).contains("key of the tenant"), "{error}");

    let wanted = json!({ "name": "looks", "scopes": ["read"] });
    let key = acme.post(&Acme::path("/api-keys"), &wanted).await.expect(201)["key"].clone();
    let reader = acme.with_key(text(&key));
    reader.get(HOOKS).await.expect(200);
    refused(&reader.post(HOOKS, &json!({ "url": url, "events": "*" })).await, 403, "forbidden");

    let other = operator.tenant("other").await;
    for answer in [
        other.get(&path(&made, "")).await,
        other.get(&path(&made, "/deliveries")).await,
        other.delete(&path(&made, "")).await,
        acme.get(&format!("{HOOKS}/wh_8c...")).await,
        aly.act(&made, "/deliveries/del_8c.../replay").await,
        acme.get(&format!("{HOOKS}/{}/health", text(&made["id"]))).await,
    ] {
        refused(&answer, 404, "not_found");
    }
    let put = acme.put(&path(&made, ""), &json!({})).await;
    refused(&put, 405, "method_not_allowed");
    let not_json = acme.send(Method::POST, HOOKS, &[], "{".into()).await;
    refused(&not_json, 400, "malformed_json");
    let unknown = json!({ "url": url, "events": "*", "secret": "mine" });
    wrong(&acme.post(HOOKS, &unknown).await, &[("secret", "unknown_field")]);
    let bad = json!({ "url": "ftp://x", "events": [], "site_slug": "" });
    let error = refused(&acme.post(HOOKS, &bad).await, 400, "validation_failed");
    let paths: Vec<_> =
        error["details"].as_array().unwrap().iter().map(|it| text(&it["path"])).collect();
    assert!(["url", "events", "site_slug"].iter().all(|it| paths.contains(it)), "{error}");

    let limits = json!({ "limits": { "endpoints": 1 } });
    operator.patch("/v1/tenants/acme", &limits).await.expect(200);
    let answer = acme.post(HOOKS, &json!({ "url": url, "events": "*" })).await;
    refused(&answer, 422, "limit_reached");
}

// vendors.md §1.7.
#[tokio::test]
async fn an_idempotency_key_makes_a_post_happen_once() {
    let scene = Scene::new().await;
    let acme = &scene.acme.0;
    let headers = [("content-type", "application/json"), ("idempotency-key", "once")];
    let body = json!({ "url": "https://my-app.example/aly", "events": "*" }).to_string();
    let first = acme.send(Method::POST, HOOKS, &headers, body.clone().into()).await;
    let again = acme.send(Method::POST, HOOKS, &headers, body.into()).await;
    assert_eq!(first.expect(201), again.expect(201));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    let other = json!({ "url": "https://my-app.example/b", "events": "*" }).to_string();
    let other = acme.send(Method::POST, HOOKS, &headers, other.into()).await;
    refused(&other, 409, "idempotency_key_reused");
    let page = acme.get(HOOKS).await.expect(200);
    assert_eq!(page["data"].as_array().map(Vec::len), Some(1));
}

// vendors.md §1.4, §1.7.
#[tokio::test]
async fn lists_go_on_with_next_cursor_and_hold_only_webhooks_of_alys() {
    let scene = Scene::new().await;
    let aly = Aly(&scene.acme.0);
    let mut want = Vec::new();
    for n in 0..5 {
        let url = format!("https://my-app.example/{n}");
        want.insert(0, aly.webhook_at(&url).await["id"].clone());
        scene.acme.endpoint(json!({ "url": url, "events": ["order.*"] })).await;
    }
    let other = scene.acme.endpoint(json!({ "url": "https://a.example", "events": "*" })).await;
    refused(&aly.get(&other, "").await, 404, "not_found");
    refused(&aly.get(&other, "/deliveries").await, 404, "not_found");
    refused(
        &scene.acme.0.patch(&path(&other, ""), &json!({ "active": false })).await,
        404,
        "not_found",
    );
    refused(&scene.acme.0.delete(&path(&other, "")).await, 404, "not_found");
    refused(&aly.act(&other, "/rotate-secret").await, 404, "not_found");

    let (mut got, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = scene.acme.0.get(&format!("{HOOKS}?limit=2{cursor}")).await.expect(200);
        assert_eq!(names(&page), ["data", "next_cursor"]);
        let rows = page["data"].as_array().unwrap();
        assert!(rows.len() <= 2 && rows.iter().all(|it| it.get("secret").is_none()), "{page}");
        got.extend(rows.iter().map(|it| it["id"].clone()));
        pages += 1;
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(got, want);
    assert!((3..=4).contains(&pages), "{pages} pages are full ones, but the last");
    wrong(&scene.acme.0.get(&format!("{HOOKS}?limit=0")).await, &[("limit", "out_of_range")]);
    wrong(&scene.acme.0.get(&format!("{HOOKS}?cursor=x")).await, &[("cursor", "bad_cursor")]);
}
