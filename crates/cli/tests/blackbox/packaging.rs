//! What `packaging/` says is what the binary knows, and what the tools that read it accept.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use crate::python::python;
use crate::world::{Ran, World};

/// Variables that are no flags: the secrets, and what the compose file reads for itself.
const OTHERS: [&str; 3] = ["HOOKYARD_MASTER_KEY", "HOOKYARD_OPERATOR_KEY", "HOOKYARD_PORT"];

fn packaging() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging")
}

fn files(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
}

fn words(text: &str, begin: &str, fits: impl Fn(char) -> bool) -> BTreeSet<String> {
    let places = text.match_indices(begin);
    places.map(|(at, _)| text[at..].chars().take_while(|it| fits(*it)).collect()).collect()
}

/// The program, if it can be run.
fn tool(name: &str, asking: &str) -> bool {
    let there = Command::new(name).arg(asking).output().is_ok_and(|it| it.status.success());
    if !there {
        eprintln!("{name} is not installed: what it would check is not checked");
    }
    there
}

#[track_caller]
fn accepts(command: &mut Command) {
    let ran = command.output().unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(ran.status.success(), "{command:?}\n{}{}", said(&ran.stdout), said(&ran.stderr));
}

#[tokio::test]
async fn every_option_and_variable_in_packaging_is_one_that_serve_knows() {
    let world = World::new();
    let help = world.run(&["serve", "--help"]).await.ok().stdout;
    let flag = |it: char| it.is_ascii_lowercase() || it == '-';
    let known: BTreeSet<String> = words(&help, "--", flag);
    let variable = |it: &String| format!("HOOKYARD_{}", it[2..].to_uppercase().replace('-', "_"));
    let variables: BTreeSet<String> = known.iter().map(variable).collect();
    let mut all = Vec::new();
    files(&packaging(), &mut all);
    let mut seen = 0;
    for (path, text) in &all {
        let upper = |it: char| it.is_ascii_uppercase() || it == '_';
        for name in words(text, "HOOKYARD_", upper) {
            let name = name.trim_end_matches('_').to_owned();
            let fits = variables.contains(&name) || OTHERS.contains(&name.as_str());
            assert!(fits, "{} names {name}, which is not known", path.display());
            seen += 1;
        }
        for line in text.lines().filter(|it| it.contains("hookyard serve")) {
            for option in words(line, "--", flag) {
                assert!(known.contains(&option), "{}: {option} is not known", path.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 20, "hardly anything was looked at: {seen}");
}

#[test]
fn systemd_accepts_the_unit_and_finds_it_hardened() {
    if !tool("systemd-analyze", "--version") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let unit = std::fs::read_to_string(packaging().join("systemd/hookyard.service")).unwrap();
    let here = unit.replace("=hookyard ", &format!("={} ", env!("CARGO_BIN_EXE_hookyard")));
    assert_ne!(unit, here);
    let path = folder.path().join("hookyard.service");
    std::fs::write(&path, here).unwrap();
    accepts(Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&path));
    // Of 100, where 0 is nothing left to take away.
    let security = ["security", "--offline=yes", "--threshold=20"];
    accepts(Command::new("systemd-analyze").args(security).arg(&path));
}

#[test]
fn docker_compose_accepts_the_compose_file() {
    let folder = tempfile::tempdir().unwrap();
    let env = std::fs::read_to_string(packaging().join("compose/example.env")).unwrap();
    let filled: Vec<String> = env
        .lines()
        .map(|line| if line.ends_with('=') { format!("{line}x") } else { line.to_owned() })
        .collect();
    let path = folder.path().join("env");
    std::fs::write(&path, filled.join("\n")).unwrap();
    let file = packaging().join("compose/compose.yaml");
    let mut command = if tool("docker-compose", "version") {
        Command::new("docker-compose")
    } else if Command::new("docker")
        .args(["compose", "version"])
        .output()
        .is_ok_and(|it| it.status.success())
    {
        let mut command = Command::new("docker");
        command.arg("compose");
        command
    } else {
        return;
    };
    accepts(command.arg("--env-file").arg(&path).arg("-f").arg(&file).args(["config", "-q"]));
}

#[test]
fn haproxy_accepts_its_settings() {
    if tool("haproxy", "-v") {
        accepts(
            Command::new("haproxy")
                .arg("-c")
                .arg("-f")
                .arg(packaging().join("compose/haproxy.cfg")),
        );
    }
}

/// What Helm's own engine says of the chart and makes of it.
async fn chart(values: &Value) -> Value {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verifiers/chart.py");
    let mut command = tokio::process::Command::new(python());
    command.arg(script).arg(packaging().join("helm/hookyard"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(values.to_string().as_bytes()).await.unwrap();
    drop(pipe);
    let ran = Ran::from(child.wait_with_output().await.unwrap()).ok();
    serde_json::from_str(&ran.stdout).unwrap()
}

#[tokio::test]
async fn helm_accepts_the_chart_and_what_it_makes_needs_nothing_but_the_binary() {
    if cfg!(not(target_arch = "x86_64")) {
        println!("there is no engine of Helm's for this machine: the chart is not checked");
        return;
    }
    let secret = json!({ "databaseUrl": "x", "masterKey": "x", "operatorKey": "x" });
    let everything = json!({
        "secret": secret, "publicUrl": "https://hooks.example.com", "replicas": 2,
        "settings": { "allowNetworks": ["10.0.0.0/8"], "databasePooler": true },
        "extraEnv": [{ "name": "A", "value": "b" }], "imagePullSecrets": [{ "name": "pull" }],
        "service": { "annotations": { "a": "b" } },
        "ingress": { "enabled": true, "className": "c", "tlsSecret": "tls", "annotations": { "a": "b" } },
        "nodeSelector": { "a": "b" }, "tolerations": [{ "key": "a", "operator": "Exists" }],
    });
    let own = json!({ "existingSecret": "mine" });
    for (values, kinds) in [(json!({ "secret": secret }), 5), (everything, 6), (own, 4)] {
        let made = chart(&values).await;
        assert_eq!(made["complaints"], json!([]), "{values}");
        let objects = made["objects"].as_array().unwrap();
        assert_eq!(objects.len(), kinds, "{objects:#?}");
        let set = objects.iter().find(|it| it["kind"] == "StatefulSet").unwrap();
        let container = &set["spec"]["template"]["spec"]["containers"][0];
        // The image has no shell and no other program.
        assert_eq!(container["args"], json!(["serve"]));
        assert!(container.get("command").is_none(), "{container}");
        for hook in ["livenessProbe", "readinessProbe"].map(|it| &container[it]) {
            assert!(hook["httpGet"].is_object() && hook.get("exec").is_none(), "{hook}");
        }
        assert!(container["lifecycle"]["preStop"].get("exec").is_none(), "{container}");
        let env = container["env"].as_array().unwrap();
        let has = |name: &str| env.iter().any(|it| it["name"] == name);
        for name in ["HOOKYARD_DATABASE_URL", "HOOKYARD_MASTER_KEY", "HOOKYARD_NODE_NAME"] {
            assert!(has(name), "{name} in {env:?}");
        }
        assert_eq!(has("HOOKYARD_ALLOW_NETWORK"), values["settings"].is_object());
    }
}
