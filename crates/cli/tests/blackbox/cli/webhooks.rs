//! `hookyard webhooks`.

use std::fs;

use serde_json::json;

use super::{Shell, cells, field};
use crate::receiver::{Receiver, Reply};
use crate::scene::{Acme, text};

#[tokio::test]
async fn the_seeds_line_works_with_only_the_programs_name_replaced() {
    let seed = "webhooks create --site-slug acme --url https://my-app.example/aly/webhooks --event order.created \
        --event order.fulfilled";
    let shell = Shell::operator().await;
    shell
        .scene
        .server
        .operator()
        .post("/v1/tenants", &json!({ "id": "shop", "profile": "aly" }))
        .await
        .expect(201);
    let shell = shell.set("HOOKYARD_TENANT", "shop");
    let args: Vec<_> = seed.split_whitespace().collect();
    let ran = shell.run(&args).await.ok();
    let secret = field(&ran.stdout, "secret");
    assert!(secret.starts_with("whsec_") && !ran.stderr.contains(secret), "{ran:#?}");
    assert!(ran.stderr.contains("shown this once"), "{ran:#?}");
    let made = shell.json(&["webhooks", "get", field(&ran.stdout, "id")]).await;
    let want = json!({
        "url": "https://my-app.example/aly/webhooks", "events": ["order.created", "order.fulfilled"],
        "scope": "acme", "profile": "aly", "status": "active",
    });
    for (name, value) in want.as_object().unwrap() {
        assert_eq!(&made[name], value, "{name}");
    }
    assert!(made.get("secret").is_none(), "{made}");
}

#[tokio::test]
async fn the_same_webhook_made_by_the_shell_the_api_and_the_vendors_surface_is_one_record() {
    let shell = Shell::operator().await.set("HOOKYARD_TENANT", "shop");
    let operator = shell.scene.server.operator();
    operator.post("/v1/tenants", &json!({ "id": "shop", "profile": "aly" })).await.expect(201);
    let key = shell.json(&["keys", "create", "--name", "k", "--scope", "admin"]).await;
    let shop = operator.with_key(text(&key["key"]));

    let line = "webhooks create --site-slug acme --url https://a.example/x --event order.created --event order.fulfilled";
    let by_shell = shell.json(&line.split(' ').collect::<Vec<_>>()).await;
    let body = json!({ "url": "https://a.example/x", "events": ["order.created", "order.fulfilled"], "scope": "acme" });
    let by_api = shop.post("/v1/tenants/shop/endpoints", &body).await.expect(201);
    let body = json!({ "url": "https://a.example/x", "events": ["order.created", "order.fulfilled"], "site_slug": "acme" });
    let by_aly = shop.post("/api/storefront/v1/merchant/webhooks", &body).await.expect(201);
    let mut records = Vec::new();
    for made in [by_shell, by_api, by_aly] {
        let mut record = shell.json(&["webhooks", "get", text(&made["id"])]).await;
        for differs in ["id", "created_at", "updated_at"] {
            assert!(record.as_object_mut().unwrap().remove(differs).is_some(), "{differs}");
        }
        records.push(record);
    }
    assert_eq!(records[0], records[1]);
    assert_eq!(records[0], records[2]);
    shell.json(&["webhooks", "create", "--url", "https://a.example/", "--event", "*"]).await;
    assert_eq!(shell.lines(&["webhooks", "list"]).await.len(), 4);
    let of_acme = shell.lines(&["webhooks", "list", "--site-slug", "acme"]).await;
    assert!(of_acme.len() == 3 && of_acme.iter().all(|it| it["scope"] == "acme"), "{of_acme:?}");
}

#[tokio::test]
async fn every_setting_of_a_webhook_has_an_option() {
    let shell = Shell::new().await;
    fs::write(shell.scene.world.path("secret"), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n")
        .unwrap();
    fs::write(shell.scene.world.path("meta.json"), "{\n  \"team\": [1.10]\n}\n").unwrap();
    let line = "webhooks create --url https://a.example/ --event order.* --name N --description D --scope s \
        --profile standard --header X-A=1 --header X-B=b=c --secret @secret --retry 10,100 --timeout 7s --rate-limit 20:40 \
        --ordered --max-in-flight 3 --include-previous-attributes --auto-disable 5d --verify none --metadata @meta.json";
    let made = shell.json(&line.split_whitespace().collect::<Vec<_>>()).await;
    assert_eq!(made["secret"], "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let want = json!({
        "name": "N", "description": "D", "scope": "s", "profile": "standard", "headers": { "X-A": "1", "X-B": "b=c" },
        "retry": { "delays_s": [10, 100], "jitter": 0.0 }, "timeout_s": 7, "rate_limit": { "per_s": 20, "burst": 40 },
        "ordered": true, "max_in_flight": 3, "include_previous_attributes": true, "auto_disable": { "after_s": 432_000 },
        "verify": "none", "metadata": { "team": [1.10] },
    });
    for (name, value) in want.as_object().unwrap() {
        assert_eq!(&made[name], value, "{name}");
    }
    let id = text(&made["id"]);
    let update = "--name M --event * --ordered=false --retry aly --clear timeout-s --clear rate_limit --clear scope";
    let update =
        [&["webhooks", "update", id][..], &update.split_whitespace().collect::<Vec<_>>()].concat();
    let changed = shell.json(&update).await;
    assert_eq!((&changed["name"], &changed["events"]), (&json!("M"), &json!(["*"])));
    assert_eq!((&changed["ordered"], &changed["timeout_s"]), (&json!(false), &json!(null)));
    assert!(changed["rate_limit"].is_null() && changed["scope"].is_null(), "{changed}");
    assert_eq!(changed["retry"]["delays_s"][1], 120, "{changed}");
    shell.fails(&["webhooks", "update", id], 2).await;
    let both = shell.fails(&["webhooks", "update", id, "--name", "x", "--clear", "name"], 2).await;
    assert!(text(&both["message"]).contains("`name`"), "{both}");
}

#[tokio::test]
async fn webhooks_are_listed_switched_tested_and_deleted() {
    let shell = Shell::new().await;
    let receiver =
        Receiver::scripted(|_, number| Reply::Status(if number < 2 { 200 } else { 500 })).await;
    let made = shell.json(&["webhooks", "create", "--url", &receiver.url(), "--event", "*"]).await;
    let id = text(&made["id"]);
    let table = shell.table(&["webhooks", "list"]).await;
    let lines: Vec<_> = table.lines().map(cells).collect();
    assert_eq!(lines[0], ["ID", "STATUS", "PROFILE", "URL", "EVENTS", "SCOPE", "NAME"]);
    assert_eq!(lines[1], [id, "active", "standard", &receiver.url(), "*", "-", "-"]);
    assert_eq!(shell.lines(&["webhooks", "list"]).await[0]["id"], made["id"]);
    assert_eq!(field(&shell.table(&["webhooks", "get", id]).await, "status"), "active");

    for (verb, status) in [("disable", "disabled"), ("enable", "active")] {
        assert_eq!(shell.json(&["webhooks", verb, id]).await["status"], status);
        assert_eq!(field(&shell.table(&["webhooks", verb, id]).await, "status"), status);
    }

    let data = ["webhooks", "test", id, "--type", "order.created", "--data", "-", "--json"];
    let tested = shell.run_with(&data, "{\"n\": 7}").await.ok();
    assert!(tested.stdout.contains("\"succeeded\":true"), "{tested:#?}");
    assert_eq!(receiver.first(1).await[0].number(), 7);
    assert_eq!(field(&shell.table(&["webhooks", "test", id]).await, "succeeded"), "true");
    let failed = shell.run(&["webhooks", "test", id]).await;
    assert_eq!((failed.code, field(&failed.stdout, "succeeded")), (Some(1), "false"));

    assert_eq!(shell.table(&["webhooks", "delete", id]).await, format!("deleted {id}\n"));
    assert_eq!(shell.fails(&["webhooks", "get", id], 5).await["code"], "not_found");
    let another =
        shell.json(&["webhooks", "create", "--url", &receiver.url(), "--event", "a,b"]).await;
    assert_eq!(another["events"], json!(["a", "b"]));
    let deleted = shell.json(&["webhooks", "delete", text(&another["id"])]).await;
    assert_eq!(deleted, json!({ "id": another["id"], "deleted": true }));
}

#[tokio::test]
async fn a_webhook_proves_itself_and_one_that_does_not_ends_with_1() {
    let shell = Shell::new().await;
    let receiver = Receiver::scripted(|arrival, number| {
        let body = if number < 2 {
            String::new()
        } else {
            String::from_utf8(arrival.body.clone()).unwrap()
        };
        Reply::Full { status: 200, headers: Vec::new(), body }
    })
    .await;
    let made = shell
        .scene
        .acme
        .endpoint(json!({ "url": receiver.url(), "events": "*", "verify": "challenge" }))
        .await;
    let id = text(&made["id"]);
    let refused = shell.run(&["webhooks", "verify", id]).await;
    assert_eq!((refused.code, field(&refused.stdout, "verified")), (Some(1), "false"));
    let passed = shell.json(&["webhooks", "verify", id]).await;
    assert_eq!(
        (&passed["verified"], &passed["endpoint"]["status"]),
        (&json!(true), &json!("active"))
    );
}

#[tokio::test]
async fn a_secret_is_rotated_and_shown_once() {
    let shell = Shell::new().await;
    let made =
        shell.json(&["webhooks", "create", "--url", "https://a.example/", "--event", "*"]).await;
    let id = text(&made["id"]);
    let ran = shell.run(&["webhooks", "rotate-secret", id, "--overlap", "1h"]).await.ok();
    let fresh = field(&ran.stdout, "secret");
    assert!(ran.stderr.contains("shown this once") && !ran.stderr.contains(fresh), "{ran:#?}");
    assert_ne!(fresh, text(&made["secret"]));
    let revealed = Acme::path(&format!("/endpoints/{id}/reveal-secret"));
    let revealed = shell.scene.acme.0.post(&revealed, &json!({})).await.expect(200);
    assert_eq!(revealed["secret"], fresh);

    let own = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let rotate = ["webhooks", "rotate-secret", id, "--secret", "-", "--json"];
    let ran = shell.run_with(&rotate, &format!("{own}\n")).await.ok();
    assert!(ran.stdout.contains(own), "{ran:#?}");
    let bad = shell
        .run_with(&["webhooks", "rotate-secret", id, "--secret", "-"], "not-a-good-one-hush")
        .await;
    bad.refused(6, &["/secret"]);
    assert!(!bad.stderr.contains("hush"), "{bad:#?}");
}
