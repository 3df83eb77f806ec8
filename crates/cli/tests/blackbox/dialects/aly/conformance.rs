//! The surface against its own document, as `native/conformance.rs` asks the native API: no answer that the document does not
//! know, nothing taken that breaks it, nothing a 5xx.

use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;

use super::Aly;
use crate::python::python;
use crate::scene::{Scene, order, text};

const PATIENCE: Duration = Duration::from_secs(180);
const HOOKS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verifiers/conformance.py");
/// Left out: the document cannot say everything that is checked, and ids that look alike are taken for links.
const LEFT_OUT: &str = "positive_data_acceptance,ensure_resource_availability";

/// The settings: whose things the operations are asked for. What is deleted is nobody else's.
async fn settings(scene: &Scene) -> String {
    let aly = Aly(&scene.acme.0);
    let unreachable = "http://127.0.0.1:9/hooks";
    let [kept, deleted] = [aly.webhook_at(unreachable).await, aly.webhook_at(unreachable).await];
    scene.acme.publish(order(1)).await;
    let delivery = aly.deliveries(&kept, "").await.remove(0);
    let (kept, deleted, delivery) =
        (text(&kept["id"]), text(&deleted["id"]), text(&delivery["id"]));
    format!(
        r#"
hooks = "{HOOKS}"
headers = {{ Authorization = "Bearer {key}" }}
[[operations]]
include-path-regex = "/webhooks/.id."
exclude-method = "DELETE"
parameters = {{ "path.id" = "{kept}", "path.delivery" = "{delivery}" }}
[[operations]]
include-method = "DELETE"
parameters = {{ "path.id" = "{deleted}" }}
"#,
        key = scene.acme.0.key
    )
}

#[tokio::test]
async fn the_surface_keeps_to_its_own_document() {
    let scene = Scene::new().await;
    let world = &scene.world;
    std::fs::write(world.path("schemathesis.toml"), settings(&scene).await).unwrap();
    let document = world.run(&["openapi", "aly"]).await.ok().stdout;
    std::fs::write(world.path("aly.json"), &document).unwrap();
    let mut command = tokio::process::Command::new(python());
    command.args([
        "-m",
        "schemathesis.cli",
        "--config-file",
        "schemathesis.toml",
        "run",
        "aly.json",
    ]);
    command.args(["--url", &format!("http://{}", scene.server.address)]);
    command.args(["--seed", "20260519", "--max-examples", "4", "--no-shrink", "--warnings", "off"]);
    command.args(["--phases", "examples,coverage,fuzzing,stateful", "--exclude-checks", LEFT_OUT]);
    command.current_dir(world.path("")).env("PYTHONDONTWRITEBYTECODE", "1").kill_on_drop(true);
    let output = command.stdin(Stdio::null()).output();
    let output = timeout(PATIENCE, output).await.expect("it does not end").unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    let paths = document["paths"].as_object().unwrap().values();
    let count: usize = paths.map(|it| it.as_object().unwrap().len()).sum();
    assert_eq!((count, &document["openapi"]), (8, &json!("3.1.0")));
    assert!(said.contains("Tested: 8"), "every operation was asked for: {said}");
    assert!(!scene.server.log().contains("panicked"), "{}", scene.server.log());
}
