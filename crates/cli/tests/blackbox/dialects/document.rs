//! A surface against its own document, as `native/conformance.rs` asks the native API: no answer that the document does not
//! know, nothing taken that breaks it, nothing a 5xx.

use std::process::Stdio;
use std::time::Duration;

use tokio::time::timeout;

use crate::python::python;
use crate::scene::Scene;

const PATIENCE: Duration = Duration::from_secs(180);
const HOOKS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verifiers/conformance.py");
/// Left out: the document cannot say everything that is checked, and ids that look alike are taken for links.
const LEFT_OUT: &str = "positive_data_acceptance,ensure_resource_availability";

/// Asks for every operation of a surface's document, with the tenant's key. `operations` says whose things they are asked for:
/// tables of schemathesis's settings.
pub async fn is_kept(scene: &Scene, surface: &str, operations: &str) {
    let world = &scene.world;
    let settings = format!(
        "hooks = \"{HOOKS}\"\nheaders = {{ Authorization = \"Bearer {}\" }}\n{operations}",
        scene.acme.0.key
    );
    std::fs::write(world.path("schemathesis.toml"), settings).unwrap();
    let document = world.run(&["openapi", surface]).await.ok().stdout;
    std::fs::write(world.path("document.json"), &document).unwrap();
    let mut command = tokio::process::Command::new(python());
    command.args(["-m", "schemathesis.cli", "--config-file", "schemathesis.toml"]);
    command.args(["run", "document.json"]);
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
    assert_eq!(document["openapi"], "3.1.0");
    assert!(count > 0 && said.contains(&format!("Tested: {count}")), "not every operation: {said}");
    assert!(!scene.server.log().contains("panicked"), "{}", scene.server.log());
}
