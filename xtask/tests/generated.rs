//! Fails when a generated file that is committed is not what the code generates: run `cargo xtask codegen`.
#![expect(clippy::unwrap_used, reason = "a test says that something is wrong by failing")]

use std::process::Command;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

#[track_caller]
fn check(surface: &str, file: &str) {
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", "hookyard-cli", "--", "openapi", surface])
        .current_dir(ROOT)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(printed["paths"].as_object().is_some_and(|it| !it.is_empty()), "it lists no paths");

    let committed = std::fs::read(format!("{ROOT}/docs/api/{file}")).unwrap();
    assert!(
        committed == output.stdout,
        "docs/api/{file} is not what `hookyard openapi {surface}` prints: run `cargo xtask codegen`"
    );
}

/// The surface a committed document is of, by its file's name.
fn surface_of(file: &str) -> Option<&str> {
    match file.strip_prefix("openapi")?.strip_suffix(".json")? {
        "" => Some("native"),
        rest => rest.strip_prefix('-'),
    }
}

#[test]
fn the_committed_openapi_documents_are_what_the_binary_prints() {
    let mut surfaces = Vec::new();
    for entry in std::fs::read_dir(format!("{ROOT}/docs/api")).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        if let Some(surface) = surface_of(&file) {
            check(surface, &file);
            surfaces.push(surface.to_owned());
        }
    }
    for known in ["native", "aly", "alvys", "alumia"] {
        assert!(surfaces.iter().any(|it| it == known), "no document of {known} is committed");
    }
}
