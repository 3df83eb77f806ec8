//! Fails when a room imports a room, or a library, that `layers.toml` does not give it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as loudly as the tests themselves")]

use std::collections::BTreeMap;
use std::process::Command;

type Table = BTreeMap<String, Vec<String>>;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The walls as `layers.toml` draws them.
struct Layers {
    rooms: Table,
    dev: Vec<String>,
    owners: Table,
}

/// One line under `[dependencies]`, `[build-dependencies]` or `[dev-dependencies]` of a room.
struct Import {
    room: String,
    name: String,
    dev: bool,
}

impl Layers {
    fn parse(text: &str) -> Self {
        let mut tables: BTreeMap<String, Table> = toml::from_str(text).unwrap();
        let mut take = |name: &str| tables.remove(name).unwrap_or_else(|| panic!("no [{name}]"));
        let (rooms, owners, mut dev) = (take("rooms"), take("owners"), take("dev"));
        assert!(tables.is_empty(), "layers.toml: nobody reads {:?}", tables.keys());
        Self { rooms, dev: dev.remove("rooms").unwrap(), owners }
    }

    /// What is wrong with this import, if anything.
    fn breach(&self, import: &Import) -> Option<String> {
        let Import { room, name, dev } = import;
        let Some(may_import) = self.rooms.get(room) else {
            return Some(format!("{room} has no row under [rooms]"));
        };
        let allowed = match name.strip_prefix("hookyard-") {
            Some(other) if *dev => has(&self.dev, other) || has(may_import, other),
            Some(other) => has(may_import, other),
            None => *dev || self.owners.get(name).is_none_or(|rooms| has(rooms, room)),
        };
        (!allowed).then(|| format!("{room} may not import {name}"))
    }
}

fn has(list: &[String], name: &str) -> bool {
    list.iter().any(|it| it == name || it == "*")
}

/// Package `hookyard-<room>` stands in room `<room>`; `xtask` is its own.
fn room_of(package: &str) -> String {
    package.strip_prefix("hookyard-").unwrap_or(package).to_owned()
}

fn layers() -> Layers {
    Layers::parse(&std::fs::read_to_string(format!("{ROOT}/layers.toml")).unwrap())
}

fn workspace() -> Vec<serde_json::Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version=1", "--offline"])
        .current_dir(ROOT)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

fn imports(packages: &[serde_json::Value]) -> Vec<Import> {
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let mut imports = Vec::new();
    for package in packages {
        for dependency in package["dependencies"].as_array().unwrap() {
            imports.push(Import {
                room: room_of(package["name"].as_str().unwrap()),
                name: text(&dependency["name"]),
                dev: dependency["kind"] == "dev",
            });
        }
    }
    imports
}

#[test]
fn rooms_import_only_what_layers_toml_allows() {
    let layers = layers();
    let imports = imports(&workspace());
    assert!(!imports.is_empty(), "no imports were read, so nothing was checked");
    let breaches: Vec<_> = imports.iter().filter_map(|it| layers.breach(it)).collect();
    assert!(breaches.is_empty(), "layers.toml: {breaches:#?}");
}

#[test]
fn every_package_is_named_after_its_folder_and_has_a_row() {
    let layers = layers();
    for package in workspace() {
        let room = room_of(package["name"].as_str().unwrap());
        let manifest = package["manifest_path"].as_str().unwrap();
        assert!(manifest.ends_with(&format!("/{room}/Cargo.toml")), "{room} lives in {manifest}");
        assert!(layers.rooms.contains_key(&room), "layers.toml: {room} has no row under [rooms]");
    }
}

#[test]
fn layers_toml_names_only_rooms_it_lists() {
    let layers = layers();
    let named = layers.rooms.values().chain(layers.owners.values()).flatten().chain(&layers.dev);
    for room in named.filter(|it| *it != "*") {
        assert!(layers.rooms.contains_key(room), "layers.toml: there is no room `{room}`");
    }
}

#[track_caller]
fn check(room: &str, name: &str, dev: bool, want: Option<&str>) {
    let import = Import { room: room.to_owned(), name: name.to_owned(), dev };
    assert_eq!(layers().breach(&import).as_deref(), want);
}

#[test]
fn a_door_may_not_import_the_store() {
    check(
        "http",
        "hookyard-store-sqlite",
        false,
        Some("http may not import hookyard-store-sqlite"),
    );
    check("http", "hookyard-store", false, Some("http may not import hookyard-store"));
    check("http", "hookyard-app", false, None);
}

#[test]
fn the_pure_rooms_may_not_import_a_runtime() {
    check("rules", "tokio", false, Some("rules may not import tokio"));
    check("domain", "tracing", false, Some("domain may not import tracing"));
    check("rules", "tokio", true, None);
}

#[test]
fn tests_may_use_the_test_kit_and_the_test_store_but_no_other_room() {
    check("app", "hookyard-testkit", true, None);
    check("app", "hookyard-testkit", false, Some("app may not import hookyard-testkit"));
    check("rules", "hookyard-http", true, Some("rules may not import hookyard-http"));
}

#[test]
fn a_room_without_a_row_may_import_nothing() {
    check("attic", "serde", false, Some("attic has no row under [rooms]"));
}
