//! Fails when a generated file that is committed is not what the code generates: run `cargo xtask codegen`.

use std::process::Command;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

#[test]
fn the_committed_openapi_document_is_what_the_binary_prints() {
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", "hookyard-cli", "--", "openapi", "native"])
        .current_dir(ROOT)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(printed["paths"].as_object().is_some_and(|it| !it.is_empty()), "it lists no paths");

    let committed = std::fs::read(format!("{ROOT}/docs/api/openapi.json")).unwrap();
    assert!(
        committed == output.stdout,
        "docs/api/openapi.json is not what `hookyard openapi native` prints: run `cargo xtask codegen`"
    );
}
