//! Tenants, keys, event types, endpoints, signatures, the audit log.

use serde_json::{Value, json};

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_is_made_changed_listed_and_deleted() {
    let world = World::start().await;
    let made =
        world.op("POST /v1/tenants", json!({"id": "acme", "name": "Acme"})).await.expect(201);
    assert_eq!((&made["profile"], &made["retention_days"]), (&json!("standard"), &json!(30)));
    assert!(made["created_at"].as_str().unwrap().ends_with('Z'));
    world.op("POST /v1/tenants", json!({"id": "acme"})).await.problem(409, "tenant_exists");
    let patch = json!({"name": null, "profile": "aly", "limits": {"endpoints": 3}});
    let changed = world.op("PATCH /v1/tenants/acme", patch).await.expect(200);
    assert_eq!((&changed["name"], &changed["profile"]), (&Value::Null, &json!("aly")));
    assert_eq!(changed["limits"]["endpoints"], 3);
    assert_eq!(world.get("/v1/tenants/acme").await.expect(200), changed);
    assert_eq!(world.get("/v1/tenants").await.expect(200)["data"][0]["id"], "acme");
    assert!(world.op("DELETE /v1/tenants/acme", Value::Null).await.bytes.is_empty());
    world.get("/v1/tenants/acme").await.problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_field_of_a_body_is_named_at_once() {
    let world = World::start().await;
    let body = json!({"id": "Not Good", "profile": "fancy", "retention_days": 0});
    let mut pointers = world.op("POST /v1/tenants", body).await.problem(422, "invalid");
    pointers.sort();
    assert_eq!(pointers, ["/id", "/profile", "/retention_days"]);
    let unknown = world.op("POST /v1/tenants", json!({"id": "a", "nmae": "x"})).await;
    assert_eq!(unknown.problem(422, "invalid"), ["/nmae"]);
    assert_eq!(unknown.json()["errors"][0]["code"], "unknown_field");
    let missing = world.op("POST /v1/tenants", json!({})).await;
    assert_eq!(missing.problem(422, "invalid"), ["/id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_no_json_is_refused_before_anything_else_of_it() {
    let world = World::start().await;
    let post = async |headers: &[(&str, &str)], body: &'static str| {
        world.ask(crate::world::OPERATOR, "POST /v1/tenants", headers, body).await
    };
    let malformed = post(&[], "{\"id\": \"a\",\n}").await;
    malformed.problem(400, "malformed_json");
    assert!(malformed.json()["detail"].as_str().unwrap().contains("line 2, column 1"));
    post(&[], "").await.problem(400, "body_required");
    post(&[("content-type", "text/plain")], "{}").await.problem(415, "unsupported_media_type");
    let large = format!("{{\"id\":\"{}\"}}", "a".repeat(1_100_000));
    world
        .ask(crate::world::OPERATOR, "POST /v1/tenants", &[], large)
        .await
        .problem(413, "too_large");
    let deep = format!("{{\"id\":{}1{}}}", "[".repeat(100), "]".repeat(100));
    world
        .ask(crate::world::OPERATOR, "POST /v1/tenants", &[], deep)
        .await
        .problem(400, "nested_too_deep");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_come_in_pages_and_wrong_parameters_are_named() {
    let world = World::start().await;
    for name in ["a", "b", "c"] {
        world.tenant(name).await;
    }
    let first = world.get("/v1/tenants?limit=2").await.expect(200);
    let ids = |page: &Value| -> Vec<String> {
        let rows = page["data"].as_array().unwrap();
        rows.iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&first), ["c", "b"]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = world.get(&format!("/v1/tenants?limit=2&cursor={cursor}")).await.expect(200);
    assert_eq!((ids(&second), &second["next_cursor"]), (vec!["a".to_owned()], &Value::Null));
    for bad in ["limit=0", "limit=251", "limit=x"] {
        let refused = world.get(&format!("/v1/tenants?{bad}")).await;
        assert_eq!(refused.problem(422, "invalid"), ["limit"]);
    }
    let refused = world.get("/v1/tenants?cursor=zz").await;
    assert_eq!(refused.problem(422, "invalid"), ["cursor"]);
    let refused = world.get("/v1/tenants?page=2").await;
    assert_eq!(refused.problem(422, "invalid"), ["page"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_does_what_its_scopes_say_and_sees_only_its_tenant() {
    let world = World::start().await;
    world.tenant("acme").await;
    world.tenant("other").await;
    let reader = world.key("acme", &["read"]).await;
    let path = "GET /v1/tenants/acme/endpoints";
    world.ask(&reader, path, &[], "").await.expect(200);
    let event = json!({"type": "a", "data": 1}).to_string();
    let refused = world.ask(&reader, "POST /v1/tenants/acme/events", &[], event).await;
    refused.problem(403, "forbidden");
    world.ask(&reader, "GET /v1/tenants/other/endpoints", &[], "").await.problem(404, "not_found");
    world.ask(&reader, "GET /v1/tenants", &[], "").await.problem(403, "forbidden");
    let keys = world.get("/v1/tenants/acme/api-keys").await.expect(200);
    assert!(keys["data"][0].get("key").is_none(), "{keys}");
    let id = keys["data"][0]["id"].as_str().unwrap();
    let gone = world.op(&format!("DELETE /v1/tenants/acme/api-keys/{id}"), Value::Null).await;
    gone.expect(204);
    world.ask(&reader, path, &[], "").await.problem(401, "unauthenticated");
}

#[tokio::test(flavor = "multi_thread")]
async fn event_types_are_kept_and_catalogues_imported() {
    let world = World::start().await;
    world.tenant("acme").await;
    let base = "/v1/tenants/acme/event-types";
    let body = json!({"name": "order.created", "schema": {"type": "object"}, "sample": {"n": 1}});
    let made = world.op(&format!("POST {base}"), body.clone()).await.expect(201);
    assert_eq!((&made["schema"], &made["deprecated"]), (&json!({"type": "object"}), &json!(false)));
    world.op(&format!("POST {base}"), body).await.problem(409, "event_type_exists");
    let put = world.op(&format!("PUT {base}/order.created"), json!({"group": "Orders"})).await;
    assert_eq!(put.expect(200)["group"], "Orders");
    let put = world.op(&format!("PUT {base}/order.paid"), json!({"group": "Orders"})).await;
    assert_eq!(put.expect(201)["name"], "order.paid");
    let other = json!({"name": "order.deleted"});
    let refused = world.op(&format!("PUT {base}/order.created"), other).await;
    assert_eq!(refused.problem(422, "invalid"), ["/name"]);
    world.op(&format!("DELETE {base}/order.created"), Value::Null).await.expect(204);
    world.get(&format!("{base}/order.created")).await.problem(404, "not_found");
    let imported = world.op(&format!("POST {base}/import"), json!({"catalogue": "aly"})).await;
    let imported = imported.expect(200);
    assert!(imported["imported"].as_u64().unwrap() > 0);
    assert_eq!(imported["imported"], json!(imported["names"].as_array().unwrap().len()));
    world
        .op(&format!("POST {base}/import"), json!({"catalogue": "none"}))
        .await
        .problem(422, "invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_type_that_could_never_be_looked_at_is_not_made() {
    let world = World::start().await;
    world.tenant("acme").await;
    let base = "/v1/tenants/acme/event-types";
    let made = world.op(&format!("POST {base}"), json!({"name": "import"})).await;
    assert_eq!(made.problem(422, "invalid"), ["/name"]);
    assert_eq!(made.json()["errors"][0]["code"], "reserved_name");
    let document = json!({"webhooks": {"import": {}, "import.done": {}}});
    let loaded = world.op(&format!("POST {base}/import"), document).await;
    assert_eq!(loaded.problem(422, "invalid"), ["/webhooks/import"]);
    assert_eq!(world.get(base).await.expect(200)["data"], json!([]));
    let event = r#"{"type":"import","data":1}"#;
    world.ask(crate::world::OPERATOR, "POST /v1/tenants/acme/events", &[], event).await.expect(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_imported_is_pointed_at_in_the_body_as_it_was_sent() {
    let world = World::start().await;
    world.tenant("acme").await;
    let import = async |body: Value| {
        let answer = world.op("POST /v1/tenants/acme/event-types/import", body).await;
        answer.problem(422, "invalid")
    };
    assert_eq!(import(json!({"catalogue": "aly", "foo": 1})).await, ["/foo"]);
    assert_eq!(import(json!({"openapi": "3.1.0"})).await, [""]);
    assert_eq!(import(json!({"webhooks": {"bad name/~": {}}})).await, ["/webhooks/bad name~1~0"]);
    assert_eq!(import(json!({"title": "bad name"})).await, ["/title"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_takes_an_empty_body_and_refuses_what_it_has_no_place_for() {
    let world = World::start().await;
    world.tenant("acme").await;
    let base = "/v1/tenants/acme";
    let body = json!({"url": "https://example.com/hooks", "events": "*"});
    let made = world.op(&format!("POST {base}/endpoints"), body).await.expect(201);
    let endpoint = format!("POST {base}/endpoints/{}", made["id"].as_str().unwrap());
    let delivery = format!("POST {base}/deliveries/dlv_00000000000000000000000000");
    let mut routes: Vec<_> = ["pause", "resume", "disable", "enable", "reveal-secret"]
        .map(|act| (format!("{endpoint}/{act}"), 200))
        .to_vec();
    routes.extend(["retry", "cancel"].map(|act| (format!("{delivery}/{act}"), 404)));
    for (route, status) in &routes {
        let ask = async |headers: &[(&str, &str)], body: &'static str| {
            world.ask(crate::world::OPERATOR, route, headers, body).await
        };
        for empty in ["", "{}"] {
            ask(&[], empty).await.expect(*status);
        }
        assert_eq!(ask(&[], r#"{"reason":"x"}"#).await.problem(422, "invalid"), ["/reason"]);
        ask(&[], "nope").await.problem(400, "malformed_json");
        let form = [("content-type", "application/x-www-form-urlencoded")];
        ask(&form, "a=b").await.problem(415, "unsupported_media_type");
    }
    let verify = world.op(&format!("{endpoint}/verify"), json!({"x": 1})).await;
    assert_eq!(verify.problem(422, "invalid"), ["/x"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_a_refused_request_may_be_used_again() {
    let world = World::start().await;
    world.tenant("acme").await;
    let key = [("idempotency-key", "k")];
    let post = async |body: Value| {
        let route = "POST /v1/tenants/acme/event-types";
        world.ask(crate::world::OPERATOR, route, &key, body.to_string()).await
    };
    post(json!({"name": "two words"})).await.problem(422, "invalid");
    let made = post(json!({"name": "two.words"})).await;
    made.expect(201);
    assert!(made.headers.get("idempotency-replayed").is_none());
    let again = post(json!({"name": "two.words"})).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    post(json!({"name": "two words"})).await.problem(422, "idempotency_key_reused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_rate_is_answered_as_it_was_given() {
    let world = World::start().await;
    world.tenant("acme").await;
    let route = "POST /v1/tenants/acme/endpoints";
    let with = |per_s: f64| json!({"url": "https://example.com/", "events": "*", "rate_limit": {"per_s": per_s}});
    let made = world.op(route, with(0.0015)).await.expect(201);
    assert_eq!(made["rate_limit"]["per_s"], 0.0015);
    assert_eq!(world.op(route, with(0.0001)).await.problem(422, "invalid"), ["/rate_limit/per_s"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_shows_its_secret_once_and_every_setting_always() {
    let world = World::start().await;
    world.tenant("acme").await;
    let base = "/v1/tenants/acme/endpoints";
    let body = json!({
        "url": "https://example.com/hooks", "events": ["order.*"], "name": "Warehouse",
        "retry": {"delays_s": [10, 100], "jitter": 0.0}, "rate_limit": {"per_s": 5},
        "auto_disable": false, "headers": {"X-Team": "a"}, "metadata": {"a": [1.10]},
    });
    let made = world.op(&format!("POST {base}"), body).await.expect(201);
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
    assert_eq!(made["retry"], json!({"delays_s": [10, 100], "jitter": 0.0}));
    assert_eq!(made["rate_limit"], json!({"per_s": 5}));
    assert_eq!((&made["auto_disable"], &made["status"]), (&json!(false), &json!("active")));
    assert_eq!((&made["timeout_s"], &made["verify"]), (&Value::Null, &Value::Null));
    assert_eq!(made["policy"]["timeout_s"], 15);
    assert_eq!(made["headers"], json!({"X-Team": "a"}));
    let counted = (&made["consecutive_failures"], &made["delivery_count"]);
    assert_eq!(counted, (&json!(0), &json!(0)));
    let id = made["id"].as_str().unwrap();
    let item = format!("{base}/{id}");
    assert!(world.get(&item).await.expect(200).get("secret").is_none());
    let patch = json!({"retry": null, "events": "*", "auto_disable": {"after_events": 3}});
    let changed = world.op(&format!("PATCH {item}"), patch).await.expect(200);
    assert_eq!((&changed["retry"], &changed["events"]), (&Value::Null, &json!(["*"])));
    assert_eq!(changed["auto_disable"], json!({"after_events": 3}));
    let refused = world.op(&format!("PATCH {item}"), json!({"url": null})).await;
    assert_eq!(refused.problem(422, "invalid"), ["/url"]);
    for (verb, status) in
        [("pause", "paused"), ("resume", "active"), ("disable", "disabled"), ("enable", "active")]
    {
        let after = world.op(&format!("POST {item}/{verb}"), Value::Null).await.expect(200);
        assert_eq!(after["status"], status, "{verb}");
    }
    let rotated = world.op(&format!("POST {item}/rotate-secret"), Value::Null).await.expect(200);
    assert_ne!(rotated["secret"], made["secret"]);
    let revealed = world.op(&format!("POST {item}/reveal-secret"), Value::Null).await.expect(200);
    assert_eq!(revealed["secret"], rotated["secret"]);
    world.op(&format!("DELETE {item}"), Value::Null).await.expect(204);
    world.get(&item).await.problem(404, "not_found");
    world.get(&format!("{base}/nonsense")).await.problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_field_of_an_endpoint_is_named() {
    let world = World::start().await;
    world.tenant("acme").await;
    let body = json!({
        "url": "ftp://example.com", "events": ["or*der"], "profile": "x", "timeout_s": 0,
        "retry": {"preset": "nobody"}, "verify": "maybe", "metadata": [], "max_in_flight": 0,
    });
    let refused = world.op("POST /v1/tenants/acme/endpoints", body).await;
    let pointers = refused.problem(422, "invalid");
    for pointer in [
        "/url",
        "/events/0",
        "/profile",
        "/timeout_s",
        "/retry/preset",
        "/verify",
        "/metadata",
        "/max_in_flight",
    ] {
        assert!(pointers.iter().any(|it| it == pointer), "{pointer} is not in {pointers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_post_with_the_same_key_is_done_once() {
    let world = World::start().await;
    let key = [("idempotency-key", "\"k-1\"")];
    let post = async |body: &'static str| {
        world.ask(crate::world::OPERATOR, "POST /v1/tenants", &key, body).await
    };
    let first = post(r#"{"id":"acme"}"#).await;
    first.expect(201);
    assert_eq!(first.header("idempotency-replayed"), "");
    let again = post(r#"{"id":"acme"}"#).await;
    assert_eq!(again.expect(201), first.json());
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.header("content-type"), "application/json");
    post(r#"{"id":"else"}"#).await.problem(422, "idempotency_key_reused");
    world.get("/v1/tenants/else").await.problem(404, "not_found");
    world.ask("wrong", "POST /v1/tenants", &key, "{}").await.problem(401, "unauthenticated");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_signed_verifies_and_what_is_changed_does_not() {
    let world = World::start().await;
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let sign = json!({
        "scheme": "standard", "secret": secret, "id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "timestamp": 1_614_265_330, "payload": "{\"test\": 2432232314}",
    });
    let signed = world.op("POST /v1/signatures/sign", sign).await.expect(200);
    assert_eq!(
        signed["headers"]["webhook-signature"],
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    );
    let verify = |payload: &str| {
        json!({
            "scheme": "standard", "secret": secret, "headers": signed["headers"],
            "payload": payload, "tolerance_s": 300_000_000,
        })
    };
    let good = world.op("POST /v1/signatures/verify", verify("{\"test\": 2432232314}")).await;
    let good = good.expect(200);
    assert_eq!(good["valid"], true, "{good}");
    assert!(good["reason"].is_string() && good["checks"][0]["ok"] == true, "{good}");
    let bad = world.op("POST /v1/signatures/verify", verify("{}")).await.expect(200);
    assert_eq!(bad["valid"], false);
    assert!(bad["reason"].is_string() && bad["checks"].is_array());
    let refused =
        world.op("POST /v1/signatures/sign", json!({"scheme": "rot13", "payload": ""})).await;
    assert!(refused.problem(422, "invalid").contains(&"/scheme".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn providers_are_listed_and_their_names_are_schemes() {
    let world = World::start().await;
    world.tenant("acme").await;
    let key = world.key("acme", &["read"]).await;
    let list = world.ask(&key, "GET /v1/providers", &[], "").await.expect(200);
    assert!(list["next_cursor"].is_null());
    let names: Vec<_> =
        list["data"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert!(["custom", "standard", "github", "slack"].iter().all(|it| names.contains(it)));
    assert!(list["data"][0]["title"].is_string() && list["data"][0]["setup"].is_array());
    world.ask("", "GET /v1/providers", &[], "").await.problem(401, "unauthenticated");
    let body = json!({
        "scheme": "square", "secret": "s", "payload": "{}", "url": "https://a.example/in",
        "method": "POST",
    });
    let signed = world.op("POST /v1/signatures/sign", body.clone()).await.expect(200);
    let mut verify = body;
    verify["headers"] = signed["headers"].clone();
    let good = world.op("POST /v1/signatures/verify", verify.clone()).await.expect(200);
    assert_eq!(good["valid"], true, "{good}");
    verify["url"] = json!("https://a.example/in/");
    let bad = world.op("POST /v1/signatures/verify", verify).await.expect(200);
    assert_eq!(bad["valid"], false);
    assert!(bad["reason"].as_str().unwrap().contains("slash"), "{bad}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_told_whose_it_is_and_what_it_may() {
    let world = World::start().await;
    world.tenant("acme").await;
    let key = world.key("acme", &["read", "publish"]).await;
    let who = world.ask(&key, "GET /v1/whoami", &[], "").await.expect(200);
    assert_eq!((&who["operator"], &who["tenant"]), (&json!(false), &json!("acme")));
    assert_eq!(who["profile"], "standard");
    assert_eq!(who["scopes"], json!(["read", "publish"]));
    assert!(who["key_id"].as_str().unwrap().starts_with("key_"), "{who}");
    let who = world.get("/v1/whoami").await.expect(200);
    let want = json!({
        "operator": true, "tenant": null, "profile": null, "key_id": null, "scopes": ["admin"],
    });
    assert_eq!(who, want);
    world.ask("", "GET /v1/whoami", &[], "").await.problem(401, "unauthenticated");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_says_who_from_where_and_never_a_secret() {
    let world = World::start().await;
    world.tenant("acme").await;
    let body = json!({"url": "https://example.com/", "events": "*"});
    let made = world.op("POST /v1/tenants/acme/endpoints", body).await.expect(201);
    let log = world.get("/v1/tenants/acme/audit").await;
    let entry = log.expect(200)["data"][0].clone();
    assert_eq!((&entry["actor"], &entry["origin"]), (&json!("operator"), &json!("127.0.0.1")));
    assert_eq!(entry["subject"], made["id"]);
    assert!(entry["after"].is_object() && entry["before"].is_null(), "{entry}");
    let secret = made["secret"].as_str().unwrap();
    assert!(!String::from_utf8_lossy(&log.bytes).contains(secret));
}
