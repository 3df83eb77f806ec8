//! Webhooks made, changed and rotated (vendors.md §3.3).

use serde_json::{Value, json};

use super::{Alumia, HOOKS, JSON, MEMBERS, data, names, path, refused, wrong};
use crate::receiver::Receiver;
use crate::scene::{Acme, Scene, text};
use crate::world::until;

#[tokio::test]
async fn alu_reg_1_4_and_5_texts_have_the_bounds_of_the_seed() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let (name, source, about) = ("é".repeat(120), "s".repeat(100), "d".repeat(2_000));
    let full = json!({ "name": name, "source": source, "description": about });
    let made = alumia.create(full).await;
    assert_eq!(
        (&made["name"], &made["source"], &made["description"]),
        (&json!(name), &json!(source), &json!(about))
    );
    for (field, bad) in [
        ("name", json!("x".repeat(121))),
        ("name", json!("")),
        ("name", json!("  ")),
        ("name", json!(7)),
        ("source", json!("s".repeat(101))),
        ("source", json!(["stripe"])),
        ("description", json!("d".repeat(2_001))),
        ("description", json!({})),
    ] {
        let mut new = json!({ "name": "n" });
        new[field] = bad.clone();
        wrong(&scene.acme.0.post(HOOKS, &new).await, &[field]);
        let mut change = json!({});
        change[field] = bad;
        wrong(&scene.acme.0.patch(&path(&made, ""), &change).await, &[field]);
    }
    let all = json!({ "name": "", "url": "ftp://x", "source": "s".repeat(101), "events": ["a b"] });
    wrong(&scene.acme.0.post(HOOKS, &all).await, &["name", "url", "source", "events.0"]);
    wrong(&scene.acme.0.post(HOOKS, &json!({ "events": ["a"] })).await, &["name"]);
    let bare =
        alumia.create(json!({ "name": " trimmed ", "source": " ", "description": "" })).await;
    assert_eq!(
        (&bare["name"], &bare["source"], &bare["description"]),
        (&json!("trimmed"), &json!("custom"), &Value::Null),
        "source is `custom` by default"
    );
    assert_eq!(data(&scene.acme.0.get(HOOKS).await, 200)["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn alu_reg_2_and_7_a_url_is_public_and_null_empty_or_the_receive_url_is_none() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let url = "https://my-app.example/hooks";
    let made = alumia.forwarding_to(url).await;
    assert_eq!(made["url"], url);
    let own = &made["receiveUrl"];
    let secure = json!(text(own).replace("http://", "https://").to_uppercase());
    for none in [json!(null), json!(""), json!("  "), own.clone(), secure] {
        assert_eq!(alumia.patch(&made, json!({ "url": url })).await["url"], url);
        let reset = alumia.patch(&made, json!({ "url": none })).await;
        assert_eq!(&reset["url"], own, "{none}");
        let native = Acme::path(&format!("/sources/{}", native_id(&made)));
        scene.acme.0.get(&native).await.expect(200);
        let endpoints = scene.acme.0.get(&Acme::path("/endpoints")).await.expect(200);
        assert_eq!(endpoints["data"], json!([]), "nothing forwards any more");
    }
    for none in [json!({ "name": "n", "url": null }), json!({ "name": "n", "url": "" })] {
        let made = alumia.create(none).await;
        assert_eq!(made["url"], made["receiveUrl"]);
    }
    for bad in [
        "http://169.254.169.254/latest",
        "https://10.1.2.3/",
        "https://[::1]/",
        "http://192.168.0.1:8080/x",
        "https://metadata.google.internal/",
        "ftp://my-app.example/",
        "https://user:pass@my-app.example/",
        "my-app.example/hooks",
        "javascript:alert(1)",
    ] {
        wrong(&scene.acme.0.post(HOOKS, &json!({ "name": "n", "url": bad })).await, &["url"]);
        let change = json!({ "url": bad });
        wrong(&scene.acme.0.patch(&path(&made, ""), &change).await, &["url"]);
    }
    wrong(&scene.acme.0.post(HOOKS, &json!({ "name": "n", "url": 7 })).await, &["url"]);
}

/// The id that the native API shows of the same source.
fn native_id(webhook: &Value) -> String {
    hookyard_domain::id::SourceId::from_uuid(text(&webhook["id"])).unwrap().to_string()
}

#[tokio::test]
async fn alu_reg_2_plain_http_is_taken_and_what_is_not_public_is_not() {
    let world = crate::world::World::new();
    let mut command = world.hookyard(&["serve", "--data", "data", "--listen", "127.0.0.1:0"]);
    command.env("HOOKYARD_OPERATOR_KEY", crate::world::OPERATOR_KEY);
    let server = crate::world::Server::start(command, world.path("stderr.log")).await;
    let acme = server.operator().tenant("acme").await;
    let http = json!({ "name": "n", "url": "http://my-app.example/hooks" });
    data(&acme.post(HOOKS, &http).await, 201);
    let loopback = json!({ "name": "n", "url": "http://127.0.0.1/hooks" });
    wrong(&acme.post(HOOKS, &loopback).await, &["url"]);
    let https = json!({ "name": "n", "url": "https://my-app.example/hooks" });
    data(&acme.post(HOOKS, &https).await, 201);
}

#[tokio::test]
async fn alu_reg_3_events_are_trimmed_without_empty_entries_and_repetitions() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let odd = json!([" invoice.paid", "", "invoice.paid ", "  ", "customer.*", "Invoice.paid"]);
    let want = json!(["invoice.paid", "customer.*", "Invoice.paid"]);
    let made = alumia.create(json!({ "name": "n", "events": odd })).await;
    assert_eq!(made["events"], want);
    assert_eq!(alumia.patch(&made, json!({ "events": ["a.b"] })).await["events"], json!(["a.b"]));
    assert_eq!(alumia.patch(&made, json!({ "events": odd })).await["events"], want);
    for all in [json!(null), json!([]), json!([" "])] {
        assert_eq!(alumia.patch(&made, json!({ "events": all })).await["events"], json!([]));
    }
    for (bad, field) in
        [(json!(["a b"]), "events.0"), (json!(["a", 7]), "events.1"), (json!("a"), "events")]
    {
        wrong(&scene.acme.0.post(HOOKS, &json!({ "name": "n", "events": bad })).await, &[field]);
    }
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_nothing_else() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let full = json!({
        "name": "n", "url": "https://my-app.example/a", "source": "shop", "description": "d",
        "events": ["a.b"],
    });
    let made = alumia.create(full).await;
    let mut want = alumia.now(&made).await;
    for (field, value) in [
        ("name", json!("other")),
        ("url", json!("https://my-app.example/b")),
        ("source", json!("github")),
        ("source", json!("custom")),
        ("description", json!("e")),
        ("description", json!(null)),
        ("events", json!(["c.*"])),
    ] {
        let mut change = json!({});
        change[field] = value.clone();
        let changed = alumia.patch(&made, change).await;
        want[field] = value;
        assert!(text(&changed["updatedAt"]) >= text(&want["updatedAt"]), "{changed}");
        want["updatedAt"] = changed["updatedAt"].clone();
        assert_eq!(changed, want, "{field}");
        assert_eq!(alumia.now(&made).await, want);
    }
    assert_eq!(alumia.patch(&made, json!({ "source": null })).await["source"], "custom");
    want["source"] = json!("custom");
    let same = alumia.patch(&made, json!({})).await;
    assert_eq!(same["updatedAt"], alumia.now(&made).await["updatedAt"]);
    // What a client read can be sent back; what is no setting of it is passed over.
    let back = alumia.patch(&made, want.clone()).await;
    assert_eq!(back["url"], want["url"]);
    assert_eq!(names(&back), MEMBERS);
    for null in ["name", "status", "enabled"] {
        let mut change = json!({});
        change[null] = Value::Null;
        wrong(&scene.acme.0.patch(&path(&made, ""), &change).await, &[null]);
    }
}

#[tokio::test]
async fn alu_reg_9_after_a_rotation_old_signatures_stop_verifying_at_once() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let receiver = Receiver::start().await;
    let made = alumia.forwarding_to(&receiver.url()).await;
    let old = text(&made["secret"]);
    let body = json!({ "type": "a.b" }).to_string();
    data(&alumia.signed(&made, (old, "msg_1"), &[JSON], &body).await, 200);
    receiver.first(1).await;

    let new = alumia.rotate(&made).await;
    assert_ne!(new, old);
    refused(&alumia.signed(&made, (old, "msg_2"), &[JSON], &body).await, 401, "UNAUTHORIZED");
    let hex = super::hex(&scene.acme.0, old, &body).await;
    let by_hex = [("x-webhook-signature", hex.as_str())];
    refused(&alumia.send(&made, &by_hex, &body).await, 401, "UNAUTHORIZED");
    data(&alumia.signed(&made, (&new, "msg_3"), &[JSON], &body).await, 200);

    // What is forwarded is signed with the new one.
    let arrivals = receiver.first(2).await;
    let record = crate::delivery::signatures::record;
    crate::delivery::signatures::verified(&[
        record("standard", &[old], 1, &arrivals[0]),
        record("standard", &[&new], 1, &arrivals[1]),
    ])
    .await;
    assert_eq!(alumia.rows(&made, "/events").await.len(), 2);
}

#[tokio::test]
async fn alu_reg_8_a_secret_is_kept_sealed_and_shown_at_creation_and_rotation_alone() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let made = alumia.forwarding_to("https://my-app.example/hooks").await;
    let secrets = [text(&made["secret"]).to_owned(), alumia.rotate(&made).await];
    let shown = [
        alumia.get("").await,
        alumia.now(&made).await,
        alumia.patch(&made, json!({ "name": "m" })).await,
        scene.acme.0.get(&Acme::path("/audit?limit=250")).await.expect(200),
        scene.acme.0.get(&Acme::path("/endpoints")).await.expect(200),
        scene.acme.0.get(&Acme::path("/sources")).await.expect(200),
    ];
    for document in &shown {
        let text = document.to_string();
        assert!(secrets.iter().all(|it| !text.contains(it)), "{text}");
    }
    let log = scene.server.log();
    assert!(secrets.iter().all(|it| !log.contains(it)));
    let data = scene.world.data();
    assert!(scene.server.stop().await.success());
    for file in std::fs::read_dir(data).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for secret in &secrets {
            // With and without the prefix, which says nothing by itself.
            let bare = secret.trim_start_matches("whsec_").as_bytes();
            assert!(!bytes.windows(bare.len()).any(|it| it == bare));
        }
    }
}

#[tokio::test]
async fn a_source_of_an_alumia_tenant_made_natively_is_the_same_record() {
    let scene = Scene::new().await;
    let alumia = Alumia(&scene.acme.0);
    let standard = json!({ "name": "elsewhere" });
    let standard = scene.acme.0.post(&Acme::path("/sources"), &standard).await.expect(201);
    assert_eq!(alumia.get("").await["items"], json!([]), "it has another profile");
    let profile = json!({ "profile": "alumia" });
    scene.server.operator().patch("/v1/tenants/acme", &profile).await.expect(200);
    let native = json!({ "name": "native", "events": ["a.b"], "description": "d" });
    let native = scene.acme.0.post(&Acme::path("/sources"), &native).await.expect(201);
    let items = alumia.get("").await["items"].as_array().unwrap().clone();
    assert_eq!(items.len(), 1);
    let same = (&items[0]["name"], &items[0]["events"], &items[0]["description"]);
    assert_eq!(same, (&json!("native"), &json!(["a.b"]), &json!("d")));
    assert_eq!(native_id(&items[0]), text(&native["id"]));
    let standard: hookyard_domain::id::SourceId = text(&standard["id"]).parse().unwrap();
    let uuid = json!({ "id": standard.to_uuid() });
    refused(&scene.acme.0.get(&path(&uuid, "")).await, 404, "NOT_FOUND");
    refused(&scene.acme.0.delete(&path(&uuid, "")).await, 404, "NOT_FOUND");

    let made = alumia.create(json!({ "name": "here" })).await;
    let there = Acme::path(&format!("/sources/{}", native_id(&made)));
    assert_eq!(scene.acme.0.get(&there).await.expect(200)["name"], "here");
    scene.acme.0.delete(&there).await.expect(204);
    until("it is gone here", async || {
        (scene.acme.0.get(&path(&made, "")).await.status == 404).then_some(())
    })
    .await;
}
