//! Holds the dependency tree to `deny.toml`: licences, doubled versions, banned libraries, sources.
//!
//! Read off `cargo tree`, which lists what is really built; `cargo metadata` also lists optional packages that no feature
//! switches on.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as loudly as the tests themselves")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use toml::{Table, Value};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// One package of the tree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Package {
    name: String,
    version: String,
    licence: String,
    /// What stands behind name and version: a folder, an address, or nothing for the registry.
    origin: String,
}

impl Package {
    /// Reads `name v1.2.3 (origin)|licence`, as `cargo tree` was asked to print it.
    fn parse(line: &str) -> Option<Self> {
        let (package, licence) = line.split_once('|')?;
        let (name, rest) = package.split_once(" v")?;
        let (version, notes) = rest.split_once(' ').unwrap_or((rest, ""));
        let origin = notes.replace("(proc-macro)", "").trim().to_owned();
        // Cargo marks a package whose children it has shown already.
        let licence = licence.trim_end_matches(" (*)").to_owned();
        Some(Self { name: name.to_owned(), version: version.to_owned(), licence, origin })
    }

    /// Whether `name` or `name@1.2` of `deny.toml` means this package.
    fn is(&self, wanted: &str) -> bool {
        match wanted.split_once('@') {
            None => self.name == wanted,
            Some((name, version)) => {
                let rest = self.version.strip_prefix(version);
                self.name == name && rest.is_some_and(|it| it.is_empty() || it.starts_with('.'))
            }
        }
    }
}

fn tree() -> BTreeSet<Package> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--workspace", "--edges", "normal,build,dev"])
        .args(["--prefix", "none", "--format", "{p}|{l}"])
        .current_dir(ROOT)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let tree: BTreeSet<_> = text.lines().filter_map(Package::parse).collect();
    assert!(tree.iter().any(|it| it.name == "serde"), "the tree was not understood: {text}");
    tree
}

fn deny_toml() -> Table {
    std::fs::read_to_string(format!("{ROOT}/deny.toml")).unwrap().parse().unwrap()
}

/// The texts of an array: the strings themselves, or the `crate` of each entry, which must give a reason.
fn names(section: &Value, key: &str) -> Vec<String> {
    let name = |entry: &Value| {
        if let Some(name) = entry.as_str() {
            return name.to_owned();
        }
        let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
        assert!(!text("reason").is_empty(), "deny.toml: {entry} gives no reason");
        text("crate").to_owned()
    };
    section[key].as_array().unwrap().iter().map(name).collect()
}

/// Whether an SPDX expression can be met with the allowed licences alone: `A OR B` by one side, `A AND B` by both.
fn may_be_used(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let allowed = either(&words, &mut at, allowed);
    allowed && at == words.len()
}

fn either(words: &[&str], at: &mut usize, allowed: &[String]) -> bool {
    let mut good = both(words, at, allowed);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        good |= both(words, at, allowed);
    }
    good
}

fn both(words: &[&str], at: &mut usize, allowed: &[String]) -> bool {
    let mut good = one(words, at, allowed);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        good &= one(words, at, allowed);
    }
    good
}

fn one(words: &[&str], at: &mut usize, allowed: &[String]) -> bool {
    let Some(word) = words.get(*at) else { return false };
    *at += 1;
    if *word == "(" {
        let good = either(words, at, allowed);
        let closed = words.get(*at) == Some(&")");
        *at += 1;
        return good && closed;
    }
    let mut licence = (*word).to_owned();
    if words.get(*at) == Some(&"WITH") {
        let exception = words.get(*at + 1).copied().unwrap_or_default();
        licence = format!("{licence} WITH {exception}");
        *at += 2;
    }
    allowed.contains(&licence)
}

#[test]
fn every_package_may_be_used_under_an_allowed_licence() {
    let allowed = names(&deny_toml()["licenses"], "allow");
    let tree = tree();
    let refused: Vec<_> = tree.iter().filter(|it| !may_be_used(&it.licence, &allowed)).collect();
    assert!(refused.is_empty(), "deny.toml does not allow the licences of {refused:#?}");
    for licence in &allowed {
        let rest: Vec<_> = allowed.iter().filter(|it| *it != licence).cloned().collect();
        let needed = tree.iter().any(|it| !may_be_used(&it.licence, &rest));
        assert!(needed, "deny.toml allows {licence}, which nothing needs: remove it");
    }
}

#[test]
fn no_library_comes_in_two_versions_without_a_reason() {
    let skip = names(&deny_toml()["bans"], "skip");
    let mut by_name: BTreeMap<String, Vec<Package>> = BTreeMap::new();
    for package in tree() {
        by_name.entry(package.name.clone()).or_default().push(package);
    }
    by_name.retain(|_, versions| versions.len() > 1);
    for (name, versions) in &by_name {
        let plain: Vec<_> =
            versions.iter().filter(|it| !skip.iter().any(|skip| it.is(skip))).collect();
        assert!(plain.len() <= 1, "{name} comes in several versions: {plain:#?}");
    }
    for skip in &skip {
        let needed = by_name.values().flatten().any(|it| it.is(skip));
        assert!(needed, "deny.toml skips {skip}, which is not doubled: remove it");
    }
}

#[test]
fn banned_libraries_stay_out() {
    let banned = names(&deny_toml()["bans"], "deny");
    assert!(!banned.is_empty());
    let tree = tree();
    let found: Vec<_> =
        tree.iter().filter(|it| banned.iter().any(|banned| it.is(banned))).collect();
    assert!(found.is_empty(), "deny.toml bans {found:#?}");
}

#[test]
fn every_package_is_our_own_or_from_the_registry() {
    let root = std::fs::canonicalize(ROOT).unwrap();
    let is_ours = |origin: &str| {
        let folder = origin.trim_start_matches('(').trim_end_matches(')');
        std::fs::canonicalize(folder).is_ok_and(|it| it.starts_with(&root))
    };
    let is_known = |it: &Package| it.origin.is_empty() || is_ours(&it.origin);
    let foreign: Vec<_> = tree().into_iter().filter(|it| !is_known(it)).collect();
    assert!(foreign.is_empty(), "deny.toml knows no such source: {foreign:#?}");
}

#[test]
fn deny_toml_says_nothing_that_is_not_held() {
    let held = |section: &str, key: &str| match (section, key) {
        ("licenses", "allow") | ("bans", "skip" | "deny") => None,
        ("bans", "multiple-versions") => Some("deny"),
        ("sources", "unknown-registry" | "unknown-git") => Some("deny"),
        _ => panic!("deny.toml: no test holds [{section}] {key}"),
    };
    for (section, keys) in deny_toml() {
        for (key, value) in keys.as_table().unwrap() {
            if let Some(want) = held(&section, key) {
                assert_eq!(value.as_str(), Some(want), "[{section}] {key}");
            }
        }
    }
}

#[track_caller]
fn check(expression: &str, want: bool) {
    let allowed = ["MIT".to_owned(), "ISC".to_owned()];
    assert_eq!(may_be_used(expression, &allowed), want, "{expression}");
}

#[test]
fn one_allowed_licence_of_a_choice_is_enough() {
    check("MIT", true);
    check("GPL-3.0-only OR MIT", true);
    check("GPL-3.0-only/MIT", true);
    check("GPL-3.0-only", false);
    check("", false);
}

#[test]
fn licences_that_hold_together_must_all_be_allowed() {
    check("ISC AND MIT", true);
    check("MIT AND GPL-3.0-only", false);
    check("ISC AND (GPL-3.0-only OR MIT)", true);
    check("(ISC OR GPL-3.0-only) AND (GPL-3.0-only OR MPL-2.0)", false);
}

#[test]
fn an_exception_makes_another_licence_of_it() {
    check("MIT WITH Some-exception", false);
    check("MIT WITH Some-exception OR ISC", true);
}

#[test]
fn a_line_of_the_tree_is_understood() {
    let parsed =
        Package::parse("serde_derive v1.0.229 (proc-macro)|MIT OR Apache-2.0 (*)").unwrap();
    assert_eq!(
        (parsed.name.as_str(), parsed.version.as_str(), parsed.licence.as_str()),
        ("serde_derive", "1.0.229", "MIT OR Apache-2.0")
    );
    assert!(parsed.origin.is_empty());
    let from_git = Package::parse("a v0.1.0 (https://example.com/a.git#0123)|MIT").unwrap();
    assert_eq!(from_git.origin, "(https://example.com/a.git#0123)");
}

#[test]
fn a_version_is_named_by_its_leading_parts() {
    let rand = Package::parse("rand v0.9.5|MIT").unwrap();
    assert!(rand.is("rand") && rand.is("rand@0.9") && rand.is("rand@0.9.5"));
    assert!(!rand.is("rand@0.1") && !rand.is("rand@0.9.50") && !rand.is("rand_core"));
}
