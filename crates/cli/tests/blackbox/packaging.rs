//! What `packaging/` says is what the binary knows, and what the tools that read it accept.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::world::World;

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

#[test]
fn helm_accepts_the_chart_and_its_templates_are_closed() {
    let chart = packaging().join("helm/hookyard");
    let mut templates = Vec::new();
    files(&chart.join("templates"), &mut templates);
    let values = std::fs::read_to_string(chart.join("values.yaml")).unwrap();
    for (path, text) in &templates {
        let shown = path.display();
        assert_eq!(text.matches("{{").count(), text.matches("}}").count(), "{shown}");
        let opened = ["{{- if ", "{{- with ", "{{- define ", "{{- range "];
        let opened: usize = opened.iter().map(|it| text.matches(it).count()).sum();
        let closed = text.matches("{{- end }}").count() + text.matches("{{- end -}}").count();
        assert_eq!(opened, closed, "{shown}");
        // Each value that is asked for is in `values.yaml`: its last name at least.
        let path = |it: char| it.is_ascii_alphanumeric() || it == '.';
        for value in words(text, ".Values.", path) {
            let last = value.rsplit('.').next().unwrap();
            assert!(values.contains(&format!("{last}:")), "{shown} asks for {value}");
        }
    }
    if tool("helm", "version") {
        let given = [
            "--set",
            "secret.databaseUrl=x",
            "--set",
            "secret.masterKey=x",
            "--set",
            "secret.operatorKey=x",
        ];
        accepts(Command::new("helm").arg("lint").arg(&chart).args(given));
    }
}
