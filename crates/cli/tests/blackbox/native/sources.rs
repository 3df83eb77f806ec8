//! Sources: every field of the contract, its default, how it is changed, and who may.

use http::Method;
use serde_json::{Value, json};

use super::{Home, Tenant, ids, is_time, merged, moved, refused, text, wrong};

async fn made(tenant: &Tenant, more: Value) -> Value {
    tenant.post("/sources", &merged(json!({ "name": "Shop" }), more)).await.expect(201)
}

fn at(source: &Value, rest: &str) -> String {
    format!("/sources/{}{rest}", text(&source["id"]))
}

#[tokio::test]
async fn a_source_has_the_defaults_of_the_contract() {
    let home = Home::open().await;
    let tenant = home.tenant("source-defaults").await;
    let source = made(&tenant, json!({})).await;
    let id = text(&source["id"]);
    assert!(id.starts_with("src_") && !id.contains('.'), "{source}");
    for field in ["scope", "public_url", "description", "metadata", "last_event_at"] {
        assert_eq!(source.get(field), Some(&Value::Null), "{field}");
    }
    let receive_url = format!("http://{}/in/{id}", tenant.client.address);
    for (field, value) in [
        ("name", json!("Shop")),
        ("provider", json!("custom")),
        ("events", json!([])),
        ("status", json!("active")),
        ("event_count", json!(0)),
        ("has_secret", json!(true)),
        ("has_verify_token", json!(false)),
        ("receive_url", json!(receive_url)),
    ] {
        assert_eq!(source[field], value, "{field}");
    }
    is_time(&source["created_at"]);
    is_time(&source["updated_at"]);
    let secret = text(&source["secret"]);
    assert!(secret.starts_with("whsec_") && secret.len() >= 38, "{secret}");
}

#[tokio::test]
async fn a_source_keeps_every_field_it_was_given_and_shows_its_secrets_to_nobody() {
    let home = Home::open().await;
    let tenant = home.tenant("source-full").await;
    let wanted = json!({
        "name": "Wärehouse", "provider": "meta", "scope": "site 1", "events": ["page.*", "user.feed"],
        "public_url": "https://hooks.example/meta?x=1", "description": "Two\nlines",
        "metadata": { "team": ["a"], "n": 1 },
    });
    let secrets = json!({ "secret": "own-app-secret", "verify_token": "own-verify-token" });
    let source = tenant.post("/sources", &merged(wanted.clone(), secrets)).await.expect(201);
    assert_eq!(source["secret"], "own-app-secret");
    let read = tenant.get(&at(&source, "")).await.expect(200);
    for (field, value) in wanted.as_object().unwrap() {
        assert_eq!(&read[field], value, "{field}");
    }
    assert_eq!((&read["has_secret"], &read["has_verify_token"]), (&json!(true), &json!(true)));
    assert!(read.get("secret").is_none() && read.get("verify_token").is_none(), "{read}");
    let listed = tenant.all("/sources").await;
    assert_eq!(listed, [read]);
    let audit = tenant.get("/audit").await.expect(200);
    let shown = format!("{listed:?}{audit}");
    assert!(!shown.contains("own-app-secret") && !shown.contains("own-verify-token"), "{shown}");
    assert!(shown.contains("source.created"));
    let revealed = tenant.act(&at(&source, "/reveal-secret")).await.expect(200);
    assert_eq!(revealed, json!({ "secret": "own-app-secret" }));
}

#[tokio::test]
async fn a_change_takes_what_is_given_and_null_takes_it_back() {
    let home = Home::open().await;
    let tenant = home.tenant("source-patch").await;
    let full = json!({
        "scope": "a", "description": "b", "metadata": { "c": 1 }, "public_url": "https://a.example/",
        "events": ["d"], "verify_token": "e", "provider": "github",
    });
    let source = made(&tenant, full).await;
    let change = async |patch: Value| tenant.patch(&at(&source, ""), &patch).await;
    let changed = change(json!({ "name": "Till", "status": "paused", "events": "e.*" })).await;
    let changed = changed.expect(200);
    assert_eq!((&changed["name"], &changed["status"]), (&json!("Till"), &json!("paused")));
    assert_eq!((&changed["events"], &changed["scope"]), (&json!(["e.*"]), &json!("a")));
    let fields =
        ["scope", "description", "metadata", "public_url", "events", "verify_token", "provider"];
    let nulls: Value = fields.iter().map(|it| ((*it).to_owned(), Value::Null)).collect();
    let cleared = change(nulls).await.expect(200);
    for field in ["scope", "description", "metadata", "public_url"] {
        assert_eq!(cleared[field], Value::Null, "{field}");
    }
    assert_eq!((&cleared["events"], &cleared["provider"]), (&json!([]), &json!("custom")));
    assert_eq!(cleared["has_verify_token"], false);
    for field in ["name", "secret", "status"] {
        let path = format!("/{field}");
        wrong(&change(json!({ field: null })).await, &[(&path, "required")]);
    }
    wrong(&change(json!({ "status": "pending" })).await, &[("/status", "unknown_value")]);
    wrong(&change(json!({ "id": "src_1" })).await, &[("/id", "unknown_field")]);
    let same = change(json!({ "name": "Till" })).await.expect(200);
    assert_eq!(same["updated_at"], cleared["updated_at"], "nothing changed");
}

#[tokio::test]
async fn what_is_wrong_is_named_by_its_field() {
    let home = Home::open().await;
    let tenant = home.tenant("source-refusals").await;
    let check = async |body: Value, want: &[(&str, &str)]| {
        wrong(&tenant.post("/sources", &body).await, want);
    };
    check(json!({}), &[("/name", "required")]).await;
    check(json!({ "name": "" }), &[("/name", "required")]).await;
    check(json!({ "name": "x".repeat(121) }), &[("/name", "too_long")]).await;
    check(json!({ "name": 1 }), &[("/name", "wrong_type")]).await;
    check(json!({ "name": "a", "url": "https://a.example/" }), &[("/url", "unknown_field")]).await;
    check(json!({ "name": "a", "secret": "" }), &[("/secret", "bad_secret")]).await;
    let both = json!({ "name": "a", "scope": "", "events": ["a", "b*"] });
    check(both, &[("/scope", "bad_scope"), ("/events/1", "bad_event_type")]).await;
    for bad in
        ["hooks.example", "ftp://a", "https://", "https://a b", "https://a/#b", "https://u@a"]
    {
        check(json!({ "name": "a", "public_url": bad }), &[("/public_url", "bad_url")]).await;
    }
    let unknown = json!({ "name": "a", "provider": "nobody" });
    let answer = tenant.post("/sources", &unknown).await;
    wrong(&answer, &[("/provider", "unknown_provider")]);
    let message = text(&answer.json()["errors"][0]["message"]).to_owned();
    assert!(message.contains("`github`") && message.contains("/v1/providers"), "{message}");
    for (provider, secret) in
        [("adyen", "not hex"), ("discord", "abc"), ("standard", "not base64!")]
    {
        let wanted = json!({ "name": "a", "provider": provider, "secret": secret });
        let answer = tenant.post("/sources", &wanted).await;
        wrong(&answer, &[("/secret", "bad_secret")]);
        assert!(!answer.json().to_string().contains(secret), "{answer:?}");
    }
}

#[tokio::test]
async fn every_provider_of_the_list_can_have_a_source() {
    let home = Home::open().await;
    let tenant = home.tenant("source-providers").await;
    let providers = home.operator().get("/v1/providers").await.expect(200);
    for provider in providers["data"].as_array().unwrap() {
        let source = made(&tenant, json!({ "provider": provider["name"] })).await;
        let is_made_here = provider["secret_from"] == "gateway";
        assert_eq!(source["has_secret"], is_made_here, "{provider}");
        assert_eq!(source["secret"].is_string(), is_made_here, "{provider}");
        if !is_made_here {
            let revealed = tenant.act(&at(&source, "/reveal-secret")).await;
            refused(&revealed, 409, "no_secret");
        }
    }
}

#[tokio::test]
async fn sources_are_listed_newest_first_page_by_page() {
    let home = Home::open().await;
    let tenant = home.tenant("source-list").await;
    let mut want = Vec::new();
    for n in 0..5 {
        want.insert(0, made(&tenant, json!({ "description": format!("{n}") })).await["id"].clone());
    }
    let mut got = Vec::new();
    let mut next = "/sources?limit=2".to_owned();
    loop {
        let page = tenant.get(&next).await.expect(200);
        got.extend(page["data"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(cursor) => next = format!("/sources?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(ids(&got), want.iter().map(text).collect::<Vec<_>>());
    wrong(&tenant.get("/sources?limit=0").await, &[("limit", "out_of_range")]);
    wrong(&tenant.get("/sources?provider=x").await, &[("provider", "unknown_parameter")]);
}

#[tokio::test]
async fn states_change_by_their_acts_and_an_act_takes_no_fields() {
    let home = Home::open().await;
    let tenant = home.tenant("source-states").await;
    let source = made(&tenant, json!({})).await;
    for (act, status) in [
        ("pause", "paused"),
        ("enable", "paused"),
        ("resume", "active"),
        ("disable", "disabled"),
        ("enable", "active"),
    ] {
        let answer = tenant.act(&at(&source, &format!("/{act}"))).await.expect(200);
        assert_eq!(answer["status"], status, "{act}");
    }
    tenant.act(&at(&source, "/disable")).await.expect(200);
    for act in ["pause", "resume"] {
        let answer = tenant.act(&at(&source, &format!("/{act}"))).await;
        refused(&answer, 409, "source_disabled");
    }
    let answer = tenant.post(&at(&source, "/enable"), &json!({ "status": "paused" })).await;
    wrong(&answer, &[("/status", "unknown_field")]);
}

#[tokio::test]
async fn a_rotation_shows_the_new_secret_once_and_takes_one_of_ones_own() {
    let home = Home::open().await;
    let tenant = home.tenant("source-rotate").await;
    let source = made(&tenant, json!({})).await;
    let rotate = async |body: Value| tenant.post(&at(&source, "/rotate-secret"), &body).await;
    let rotated = tenant.act(&at(&source, "/rotate-secret")).await.expect(200);
    assert_ne!(rotated["secret"], source["secret"]);
    let own = rotate(json!({ "secret": "my own", "overlap_s": 60 })).await.expect(200);
    assert_eq!(own["secret"], "my own");
    let shown = tenant.get(&at(&source, "")).await.expect(200);
    assert!(shown.get("secret").is_none());
    is_time(&own["previous_secret_expires_at"]);
    assert_eq!(shown["previous_secret_expires_at"], own["previous_secret_expires_at"]);
    let at_once = rotate(json!({ "overlap_s": 0 })).await.expect(200);
    assert_eq!(at_once["previous_secret_expires_at"], json!(null));
    wrong(&rotate(json!({ "overlap_s": -1 })).await, &[("/overlap_s", "out_of_range")]);
    wrong(&rotate(json!({ "overlap_s": 604_801 })).await, &[("/overlap_s", "out_of_range")]);
    wrong(&rotate(json!({ "secret": " a" })).await, &[("/secret", "bad_secret")]);
    let stripe = made(&tenant, json!({ "provider": "stripe" })).await;
    let asked = tenant.act(&at(&stripe, "/rotate-secret")).await;
    wrong(&asked, &[("/secret", "required")]);
    let given = tenant.patch(&at(&stripe, ""), &json!({ "secret": "whsec_of_stripe" })).await;
    assert_eq!(given.expect(200)["has_secret"], true);
}

#[tokio::test]
async fn the_same_creation_with_an_idempotency_key_is_done_once() {
    let home = Home::open().await;
    let tenant = home.tenant("source-once").await;
    let body = json!({ "name": "A" }).to_string();
    let key = [("idempotency-key", "one")];
    let first = tenant.post_raw("/sources", &key, body.clone()).await.expect(201);
    let again = tenant.post_raw("/sources", &key, body).await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.expect(201), first);
    let other = tenant.post_raw("/sources", &key, json!({ "name": "B" }).to_string()).await;
    refused(&other, 422, "idempotency_key_reused");
    assert_eq!(tenant.all("/sources").await.len(), 1);
}

#[tokio::test]
async fn scopes_hold_and_another_tenants_sources_are_not_there() {
    let home = Home::open().await;
    let tenant = home.tenant("source-scopes").await;
    let other = home.tenant("source-scopes-other").await;
    let source = made(&tenant, json!({})).await;
    let reader = tenant.with_scopes(&["read"]).await;
    let writer = tenant.with_scopes(&["write"]).await;
    let calls = [
        (Method::GET, "", "read"),
        (Method::GET, "/events", "read"),
        (Method::PATCH, "", "write"),
        (Method::POST, "/pause", "write"),
        (Method::POST, "/resume", "write"),
        (Method::POST, "/rotate-secret", "write"),
        (Method::POST, "/reveal-secret", "write"),
        (Method::POST, "/disable", "write"),
        (Method::POST, "/enable", "write"),
        (Method::DELETE, "", "write"),
    ];
    for (method, rest, needs) in calls {
        let ask = async |who: &Tenant, tenant: &Tenant| {
            let path = tenant.path(&at(&source, rest));
            let json = [("content-type", "application/json")];
            let body = if method == Method::PATCH { "{}" } else { "" };
            who.client.send(method.clone(), &path, &json, body.into()).await
        };
        for place in [&tenant, &other] {
            refused(&ask(&other, place).await, 404, "not_found");
        }
        let (may, may_not) = if needs == "read" { (&reader, &writer) } else { (&writer, &reader) };
        refused(&ask(may_not, &tenant).await, 403, "forbidden");
        let answer = ask(may, &tenant).await;
        assert!((200..300).contains(&answer.status), "{method} {rest}: {answer:?}");
    }
    refused(&tenant.get(&at(&source, "")).await, 404, "not_found");
    refused(&tenant.delete(&at(&source, "")).await, 404, "not_found");
    refused(&tenant.get("/sources/src_1").await, 404, "not_found");
}

#[tokio::test]
async fn times_move_with_changes() {
    let home = Home::open().await;
    let tenant = home.tenant("source-times").await;
    let source = made(&tenant, json!({})).await;
    let past = moved(&source["updated_at"], -1);
    let changed = tenant.patch(&at(&source, ""), &json!({ "name": "B" })).await.expect(200);
    assert_eq!(changed["created_at"], source["created_at"]);
    assert!(text(&changed["updated_at"]) > past.as_str());
}
