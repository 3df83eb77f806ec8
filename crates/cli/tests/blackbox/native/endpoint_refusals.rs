//! Endpoints that may not be: each wrong field is named, with a stable code.

use serde_json::{Value, json};

use super::sink::{Sink, sent};
use super::{Home, Tenant, merged, refused, text, wrong};
use crate::world::{OPERATOR_KEY, World};

const URL: &str = "http://127.0.0.1:9/hooks";

/// An endpoint that would be good but for these fields.
async fn check(tenant: &Tenant, more: Value, pointer: &str, code: &str) {
    let wanted = merged(json!({ "url": URL, "events": ["*"] }), more);
    wrong(&tenant.post("/endpoints", &wanted).await, &[(pointer, code)]);
}

#[tokio::test]
async fn a_url_must_be_one_that_may_be_called() {
    let home = Home::open().await;
    let tenant = home.tenant("refused-url").await;
    for (url, code) in [
        ("", "required"),
        ("example.com/hooks", "bad_url"),
        ("/hooks", "bad_url"),
        ("https://", "bad_url"),
        ("https://exa mple.com/", "bad_url"),
        ("ftp://example.com/", "scheme_not_allowed"),
        ("file:///etc/passwd", "scheme_not_allowed"),
        ("javascript:alert(1)", "scheme_not_allowed"),
        ("https://user:pass@example.com/", "userinfo_not_allowed"),
        ("https://user@example.com/", "userinfo_not_allowed"),
        ("https://example.com:0/", "bad_port"),
        ("https://10.0.0.1/", "private_address"),
        ("https://172.16.0.1/", "private_address"),
        ("https://192.168.1.1/", "private_address"),
        ("https://169.254.169.254/latest/meta-data", "private_address"),
        ("https://0.0.0.0/", "private_address"),
        ("https://100.64.0.1/", "private_address"),
        ("https://224.0.0.1/", "private_address"),
        ("https://[::1]/", "private_address"),
        ("https://[::ffff:10.0.0.1]/", "private_address"),
        ("https://[fc00::1]/", "private_address"),
        ("https://[fe80::1]/", "private_address"),
        ("https://0x0a000001/", "private_address"),
        ("https://167772161/", "private_address"),
        ("https://metadata.google.internal/", "private_address"),
    ] {
        let wanted = json!({ "url": url, "events": ["*"] });
        let answer = tenant.post("/endpoints", &wanted).await;
        assert_eq!(answer.status, 422, "{url}: {answer:?}");
        wrong(&answer, &[("/url", code)]);
    }
    let long = |chars: usize| {
        let start = "https://example.com/";
        format!("{start}{}", "x".repeat(chars - start.len()))
    };
    check(&tenant, json!({ "url": long(2049) }), "/url", "too_long").await;
    let kept = tenant.endpoint(&long(2048), json!({})).await;
    assert_eq!(text(&kept["url"]).len(), 2048);
    check(&tenant, json!({ "url": 7 }), "/url", "wrong_type").await;

    let path = format!("/endpoints/{}", text(&kept["id"]));
    let change = tenant.patch(&path, &json!({ "url": "https://10.0.0.1/" })).await;
    wrong(&change, &[("/url", "private_address")]);
}

#[tokio::test]
async fn without_exceptions_plain_http_and_this_machine_are_refused() {
    let world = World::new();
    let data = world.data();
    let mut command = world.hookyard(&["serve", "--listen", "127.0.0.1:0", "--data"]);
    command.arg(&data).env("HOOKYARD_OPERATOR_KEY", OPERATOR_KEY);
    let server = crate::world::Server::start(command, world.path("stderr.log")).await;
    let client = server.operator().tenant("strict").await;
    let tenant = Tenant { name: "strict".into(), client };
    for (url, code) in [
        ("http://example.com/", "http_not_allowed"),
        ("https://127.0.0.1/", "private_address"),
        ("https://localhost/", "private_address"),
        ("https://localhost./", "private_address"),
        ("https://printer.local/", "private_address"),
        ("https://127.1/", "private_address"),
        ("https://[::ffff:127.0.0.1]/", "private_address"),
    ] {
        let answer = tenant.post("/endpoints", &json!({ "url": url, "events": ["*"] })).await;
        wrong(&answer, &[("/url", code)]);
    }
    let public = json!({ "url": "https://example.com/hooks", "events": ["*"] });
    tenant.post("/endpoints", &public).await.expect(201);
}

#[tokio::test]
async fn events_must_be_patterns() {
    let home = Home::open().await;
    let tenant = home.tenant("refused-events").await;
    for (events, pointer, code) in [
        (json!([]), "/events", "required"),
        (json!(""), "/events/0", "bad_event_type"),
        (json!(["a", ""]), "/events/1", "bad_event_type"),
        (json!(["order*"]), "/events/0", "bad_event_type"),
        (json!(["*.created"]), "/events/0", "bad_event_type"),
        (json!(["order.*.x"]), "/events/0", "bad_event_type"),
        (json!(["two words"]), "/events/0", "bad_event_type"),
        (json!(["ä"]), "/events/0", "bad_event_type"),
        (json!(["x".repeat(129)]), "/events/0", "bad_event_type"),
        (json!(["a", 7]), "/events/1", "wrong_type"),
        (json!({ "a": true }), "/events", "wrong_type"),
        (json!(vec!["a"; 501]), "/events", "too_many"),
    ] {
        check(&tenant, json!({ "events": events }), pointer, code).await;
    }
    wrong(&tenant.post("/endpoints", &json!({ "url": URL })).await, &[("/events", "required")]);
}

#[tokio::test]
async fn headers_must_be_ones_that_the_gateway_can_send() {
    let home = Home::open().await;
    let tenant = home.tenant("refused-headers").await;
    for (name, value, code) in [
        ("Host", "x", "reserved_header"),
        ("content-length", "1", "reserved_header"),
        ("Content-Type", "text/plain", "reserved_header"),
        ("Transfer-Encoding", "chunked", "reserved_header"),
        ("Connection", "close", "reserved_header"),
        ("webhook-signature", "v1,x", "reserved_header"),
        ("Webhook-Id", "x", "reserved_header"),
        ("X-Aly-Signature", "x", "reserved_header"),
        ("X-Alvys-Event", "x", "reserved_header"),
        ("Signature", "x", "reserved_header"),
        ("Two Words", "x", "bad_header_name"),
        ("", "x", "bad_header_name"),
        ("X-Line", "a\r\nX-Injected: b", "bad_header_value"),
        ("X-Umlaut", "ä", "bad_header_value"),
        ("X-Nul", "a\u{0}", "bad_header_value"),
        ("X-Long", &"x".repeat(4097), "too_long"),
    ] {
        let pointer = format!("/headers/{name}");
        check(&tenant, json!({ "headers": { name: value } }), &pointer, code).await;
    }
    check(&tenant, json!({ "headers": { "a/b~c": "x" } }), "/headers/a~1b~0c", "bad_header_name")
        .await;
    let twice = json!({ "headers": { "X-A": "1", "x-a": "2" } });
    check(&tenant, twice, "/headers/x-a", "duplicate").await;
    check(&tenant, json!({ "headers": { "X-A": 1 } }), "/headers/X-A", "wrong_type").await;
    check(&tenant, json!({ "headers": ["X-A"] }), "/headers", "wrong_type").await;
    let many = |count| {
        (0..count).map(|it| (format!("X-{it}"), json!("v"))).collect::<serde_json::Map<_, _>>()
    };
    check(&tenant, json!({ "headers": many(501) }), "/headers", "too_many").await;
    tenant.endpoint(URL, json!({ "headers": many(50) })).await;
}

#[tokio::test]
async fn a_secret_must_suit_the_profile() {
    let home = Home::open().await;
    let tenant = home.tenant("refused-secret").await;
    for (profile, secret) in [
        ("standard", ""),
        ("standard", "whsec_"),
        ("standard", "whsec_not base64!"),
        ("standard", "whsec_c2hvcnQ="),
        (
            "standard",
            "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kv",
        ),
        ("standard", "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="),
        ("aly", ""),
        ("alvys", ""),
        ("aryeo", &*"x".repeat(513)),
    ] {
        let more = json!({ "profile": profile, "secret": secret });
        let wanted = merged(json!({ "url": URL, "events": ["*"] }), more);
        let answer = tenant.post("/endpoints", &wanted).await;
        wrong(&answer, &[("/secret", "bad_secret")]);
        let body = String::from_utf8_lossy(&answer.body);
        assert!(secret.len() < 7 || !body.contains(secret), "the secret is repeated: {body}");
    }
    for (profile, secret) in [
        ("standard", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ("standard", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        (
            "standard",
            "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==",
        ),
        ("aryeo", "any string, chosen by the user"),
        ("aly", "whsec_whatever"),
    ] {
        let made = tenant.endpoint(URL, json!({ "profile": profile, "secret": secret })).await;
        assert_eq!(made["secret"], secret);
    }
    check(&tenant, json!({ "secret": 7 }), "/secret", "wrong_type").await;
}

#[tokio::test]
async fn a_profile_whose_receivers_need_no_signature_may_do_without_a_secret() {
    let home = Home::open().await;
    let tenant = home.tenant("refused-no-secret").await;
    let sink = Sink::answering(200).await;
    let made = tenant.endpoint(&sink.url(), json!({ "profile": "aryeo", "secret": "" })).await;
    assert_eq!(made.get("secret"), None, "{made}");
    tenant.publish("LISTING_DELIVERED", json!({ "a": 1 })).await;
    let got = &sink.wait_for(1).await[0];
    assert_eq!((sent(got), got.has("signature")), (r#"{"a":1}"#, false));
    let reveal = tenant.act(&format!("/endpoints/{}/reveal-secret", text(&made["id"]))).await;
    refused(&reveal, 409, "no_secret");
}

#[tokio::test]
async fn every_other_wrong_field_is_named() {
    let home = Home::open().await;
    let tenant = home.tenant("refused-fields").await;
    for (more, pointer, code) in [
        (json!({ "name": "x".repeat(121) }), "/name", "too_long"),
        (json!({ "name": "" }), "/name", "too_short"),
        (json!({ "name": "a\u{0}" }), "/name", "bad_character"),
        (json!({ "name": 7 }), "/name", "wrong_type"),
        (json!({ "description": "x".repeat(2001) }), "/description", "too_long"),
        (json!({ "scope": "" }), "/scope", "bad_scope"),
        (json!({ "scope": "x".repeat(129) }), "/scope", "bad_scope"),
        (json!({ "profile": "stripe" }), "/profile", "unknown_profile"),
        (json!({ "profile": "Aly" }), "/profile", "unknown_profile"),
        (json!({ "retry": {} }), "/retry", "required"),
        (json!({ "retry": { "delays_s": [1], "preset": "aly" } }), "/retry", "ambiguous"),
        (json!({ "retry": { "preset": "never" } }), "/retry/preset", "unknown_profile"),
        (json!({ "retry": { "delays_s": [10, 0.5] } }), "/retry/delays_s/1", "out_of_range"),
        (json!({ "retry": { "delays_s": [-1] } }), "/retry/delays_s/0", "out_of_range"),
        (json!({ "retry": { "delays_s": [604_801] } }), "/retry/delays_s/0", "out_of_range"),
        (json!({ "retry": { "delays_s": ["10"] } }), "/retry/delays_s/0", "wrong_type"),
        (json!({ "retry": { "delays_s": vec![10; 102] } }), "/retry/delays_s", "too_many"),
        (json!({ "retry": { "delays_s": [1], "jitter": 1.5 } }), "/retry/jitter", "out_of_range"),
        (json!({ "retry": { "delays": [1] } }), "/retry/delays", "unknown_field"),
        (json!({ "retry": [[10, 100], 0.1, null] }), "/retry", "wrong_type"),
        (json!({ "timeout_s": 0 }), "/timeout_s", "out_of_range"),
        (json!({ "timeout_s": 121 }), "/timeout_s", "out_of_range"),
        (json!({ "timeout_s": 1.5 }), "/timeout_s", "wrong_type"),
        (json!({ "rate_limit": { "per_s": 0 } }), "/rate_limit/per_s", "out_of_range"),
        (json!({ "rate_limit": { "per_s": -1 } }), "/rate_limit/per_s", "out_of_range"),
        (json!({ "rate_limit": {} }), "/rate_limit/per_s", "required"),
        (json!({ "rate_limit": { "per_s": 1, "burst": 0 } }), "/rate_limit/burst", "out_of_range"),
        (json!({ "rate_limit": { "per_s": 1, "per_m": 1 } }), "/rate_limit/per_m", "unknown_field"),
        (json!({ "rate_limit": 10 }), "/rate_limit", "wrong_type"),
        (json!({ "rate_limit": [10, 20] }), "/rate_limit", "wrong_type"),
        (json!({ "ordered": "yes" }), "/ordered", "wrong_type"),
        (json!({ "max_in_flight": 0 }), "/max_in_flight", "out_of_range"),
        (json!({ "max_in_flight": 1001 }), "/max_in_flight", "out_of_range"),
        (json!({ "include_previous_attributes": 1 }), "/include_previous_attributes", "wrong_type"),
        (json!({ "auto_disable": true }), "/auto_disable", "invalid_value"),
        (json!({ "auto_disable": {} }), "/auto_disable", "required"),
        (
            json!({ "auto_disable": { "after_events": 0 } }),
            "/auto_disable/after_events",
            "out_of_range",
        ),
        (json!({ "auto_disable": { "after_s": 0 } }), "/auto_disable/after_s", "out_of_range"),
        (
            json!({ "auto_disable": { "after_s": 1, "after_events": 1 } }),
            "/auto_disable",
            "ambiguous",
        ),
        (json!({ "auto_disable": { "after_h": 1 } }), "/auto_disable/after_h", "unknown_field"),
        (json!({ "verify": "handshake" }), "/verify", "unknown_value"),
        (json!({ "metadata": [1] }), "/metadata", "not_an_object"),
        (json!({ "metadata": { "a": "x".repeat(16_400) } }), "/metadata", "too_long"),
        (json!({ "id": "wh_1" }), "/id", "unknown_field"),
        (json!({ "status": "paused" }), "/status", "unknown_field"),
        (json!({ "a/b~c": 1 }), "/a~1b~0c", "unknown_field"),
    ] {
        check(&tenant, more, pointer, code).await;
    }
    assert_eq!(tenant.all("/endpoints").await, [] as [Value; 0], "none was made");
}

#[tokio::test]
async fn all_wrong_fields_are_told_at_once() {
    let home = Home::open().await;
    let tenant = home.tenant("refused-together").await;
    let answer = tenant
        .post(
            "/endpoints",
            &json!({
                "url": "https://10.0.0.1/", "events": ["a", "b*"], "timeout_s": 0, "scope": "",
                "headers": { "Host": "x" }, "secret": "whsec_!", "verify": "x",
            }),
        )
        .await;
    wrong(
        &answer,
        &[
            ("/url", "private_address"),
            ("/events/1", "bad_event_type"),
            ("/timeout_s", "out_of_range"),
            ("/scope", "bad_scope"),
            ("/headers/Host", "reserved_header"),
            ("/secret", "bad_secret"),
            ("/verify", "unknown_value"),
        ],
    );
    wrong(
        &tenant.post("/endpoints", &json!({})).await,
        &[("/url", "required"), ("/events", "required")],
    );
}

#[tokio::test]
async fn an_id_that_names_nothing_is_not_found() {
    let home = Home::open().await;
    let tenant = home.tenant("refused-id").await;
    for id in [
        "wh_01jv0g6xwre3zb0g8v4q5n6m7k",
        "wh_1",
        "x",
        "evt_01jv0g6xwre3zb0g8v4q5n6m7k",
        "%00",
        "..%2F",
    ] {
        let path = format!("/endpoints/{id}");
        refused(&tenant.get(&path).await, 404, "not_found");
        refused(&tenant.patch(&path, &json!({ "name": "x" })).await, 404, "not_found");
        refused(&tenant.delete(&path).await, 404, "not_found");
        for act in [
            "enable",
            "disable",
            "pause",
            "resume",
            "verify",
            "test",
            "rotate-secret",
            "reveal-secret",
        ] {
            refused(&tenant.act(&format!("{path}/{act}")).await, 404, "not_found");
        }
    }
}
