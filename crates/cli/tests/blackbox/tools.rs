//! `doctor`, `openapi` and `completions`.

use serde_json::Value;

use crate::world::{OPERATOR_KEY, World};

fn state<'a>(report: &'a Value, check: &str) -> &'a str {
    let checks = report["checks"].as_array().unwrap();
    let found = checks.iter().find(|it| it["check"] == check);
    found.unwrap_or_else(|| panic!("no `{check}` in {report}"))["state"].as_str().unwrap()
}

#[tokio::test]
async fn the_doctor_finds_a_used_folder_well_with_and_without_a_server() {
    let world = World::new();
    let server = world.serve().await;
    let data = world.data();
    let doctor = ["doctor", "--json", "--data", data.to_str().unwrap()];
    let report: Value = serde_json::from_str(&world.run(&doctor).await.ok().stdout).unwrap();
    assert_eq!(report["ok"], true);
    assert_eq!(state(&report, "data folder"), "ok");
    assert_eq!(state(&report, "store"), "ok");
    assert!(report.to_string().contains("in use by a running server"), "{report}");
    assert!(server.stop().await.success());

    let report: Value = serde_json::from_str(&world.run(&doctor).await.ok().stdout).unwrap();
    for check in ["configuration", "data folder", "disk space", "store", "master key", "clock"] {
        assert_eq!(state(&report, check), "ok", "{report}");
    }
    let table = world.run(&doctor[..1]).await.ok();
    assert!(table.stdout.lines().any(|it| it.starts_with("ok    configuration")), "{table:#?}");
}

#[tokio::test]
async fn the_doctor_changes_nothing_and_fails_on_what_a_server_would_fail_on() {
    let world = World::new();
    world.run(&["doctor", "--data", "new"]).await.ok();
    assert!(!world.path("new").exists());
    let server = world.serve().await;
    let acme = server.operator().tenant("acme").await;
    let endpoint = serde_json::json!({ "url": "http://127.0.0.1:9/", "events": ["*"] });
    acme.post("/v1/tenants/acme/endpoints", &endpoint).await.expect(201);
    assert!(server.stop().await.success());

    let data = world.data();
    let doctor = ["doctor", "--json", "--data", data.to_str().unwrap()];
    let other = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let ran = world.run_with(&doctor, &[("HOOKYARD_MASTER_KEY", other)]).await;
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(state(&report, "master key"), "fail");
    let ran = world.run_with(&doctor, &[("HOOKYARD_LISTEN", "x")]).await;
    assert_eq!(ran.code, Some(2), "{ran:#?}");
}

#[tokio::test]
async fn openapi_prints_the_committed_documents_and_lists_the_surfaces_there_are() {
    let world = World::new();
    let documents = [
        (&["openapi"][..], "openapi.json"),
        (&["openapi", "native"], "openapi.json"),
        (&["openapi", "aly"], "openapi-aly.json"),
        (&["openapi", "alvys"], "openapi-alvys.json"),
        (&["openapi", "alumia"], "openapi-alumia.json"),
    ];
    for (args, file) in documents {
        let committed = format!("{}/../../docs/api/{file}", env!("CARGO_MANIFEST_DIR"));
        let committed = std::fs::read_to_string(committed).unwrap();
        let same = world.run(args).await.ok().stdout == committed;
        assert!(same, "{file} is another: run `cargo xtask codegen`");
    }
    let ran = world.run(&["openapi", "aryeo"]).await;
    assert_eq!(ran.code, Some(2), "{ran:#?}");
    for surface in ["native", "aly", "alvys", "alumia"] {
        assert!(ran.stderr.contains(surface), "{ran:#?}");
    }
}

#[tokio::test]
async fn the_document_is_served_as_it_is_printed() {
    let world = World::new();
    let server = world.serve().await;
    let served = server.client("").get("/openapi.json").await;
    assert_eq!(served.headers["content-type"], "application/json");
    let served = served.expect(200);
    let printed = world.run(&["openapi"]).await.ok().stdout;
    assert_eq!(served, serde_json::from_str::<Value>(&printed).unwrap());
    assert_eq!(server.client(OPERATOR_KEY).get("/healthz").await.status, 200);
}

#[tokio::test]
async fn completions_are_printed_for_every_usual_shell() {
    let world = World::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = world.run(&["completions", shell]).await.ok();
        assert!(
            ran.stdout.contains("hookyard") && ran.stdout.contains("shutdown-grace"),
            "{shell}"
        );
    }
}

#[tokio::test]
async fn every_command_has_a_manual_page() {
    let world = World::new();
    world.run(&["man", "pages/man1"]).await.ok();
    let page = |name: &str| std::fs::read_to_string(world.path(&format!("pages/man1/{name}.1")));
    for name in ["hookyard", "hookyard-serve", "hookyard-webhooks-deliveries-list"] {
        let text = page(name).unwrap();
        assert!(text.contains(".TH") && text.contains(".SH NAME"), "{name}: {text}");
    }
    assert!(page("hookyard-serve").unwrap().contains("allow\\-network"));
    world.run(&["man", "pages/man1/hookyard.1"]).await.refused(1, &["pages/man1/hookyard.1"]);
}

#[tokio::test]
async fn the_health_check_says_whether_a_server_is_ready() {
    let world = World::new();
    let server = world.serve().await;
    let address = server.address.to_string();
    let ran = world.run(&["healthcheck", "--listen", &address]).await.ok();
    assert_eq!(ran.stdout, format!("ready: http://{address}\n"));
    // Where a server listens everywhere, it is asked here.
    let everywhere = format!("0.0.0.0:{}", server.address.port());
    world.run_with(&["healthcheck"], &[("HOOKYARD_LISTEN", &everywhere)]).await.ok();
    assert!(server.stop().await.success());
    world.run(&["healthcheck", "--listen", &address]).await.refused(8, &[&address]);
}
