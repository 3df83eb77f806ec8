//! What the binary is made of, in CycloneDX 1.6: every package that is linked into it, its version, licence and checksum, and
//! who depends on whom. The same for the same lock file, without a time or a number of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::run::{cargo, quietly, root};

/// A package: its name and version.
type Package = (String, String);

/// What `cargo tree` shows.
#[derive(Default)]
struct Tree {
    /// Each package's licence, and whether it is one of the workspace's own.
    packages: BTreeMap<Package, (String, bool)>,
    /// On whom each depends.
    edges: BTreeMap<Package, BTreeSet<Package>>,
}

/// The document as text.
pub fn document() -> Result<String> {
    let printed = quietly(&mut cargo(&[
        "tree",
        "--package",
        "hookyard-cli",
        "--edges",
        "normal",
        "--prefix",
        "depth",
        "--format",
        "|{p}|{l}",
    ]))?;
    let tree = Tree::read(&String::from_utf8(printed).context("reading cargo's tree")?)?;
    let document = tree.to_cyclonedx(&checksums()?)?;
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

/// Each package's checksum by the lock file.
fn checksums() -> Result<BTreeMap<Package, String>> {
    let lock: toml::Table = fs::read_to_string(root().join("Cargo.lock"))?.parse()?;
    let packages = lock.get("package").and_then(toml::Value::as_array);
    let packages = packages.context("Cargo.lock lists no packages")?;
    let text = |it: &toml::Value, key: &str| Some(it.get(key)?.as_str()?.to_owned());
    let row =
        |it: &toml::Value| Some(((text(it, "name")?, text(it, "version")?), text(it, "checksum")?));
    Ok(packages.iter().filter_map(row).collect())
}

impl Tree {
    /// Reads lines of the form `2|name v1.2.3 (notes)|licence (*)`, each below the last one that is a step nearer to the root.
    fn read(text: &str) -> Result<Self> {
        let mut tree = Self::default();
        let mut path: Vec<Package> = Vec::new();
        for line in text.lines().filter(|it| !it.is_empty()) {
            let mut parts = line.splitn(3, '|');
            let mut part = || parts.next().with_context(|| format!("`{line}` is not understood"));
            let depth: usize = part()?.parse().with_context(|| format!("the depth of `{line}`"))?;
            let (package, licence) = (part()?, part()?.trim_end_matches(" (*)"));
            let (name, rest) = package.split_once(" v").with_context(|| line.to_owned())?;
            let (version, notes) = rest.split_once(' ').unwrap_or((rest, ""));
            let package = (name.to_owned(), version.to_owned());
            let is_ours = notes.contains('/');
            ensure!(depth <= path.len(), "`{line}` is below nothing");
            path.truncate(depth);
            if let Some(parent) = path.last() {
                tree.edges.entry(parent.clone()).or_default().insert(package.clone());
            }
            tree.packages.insert(package.clone(), (licence.to_owned(), is_ours));
            path.push(package);
        }
        ensure!(!tree.packages.is_empty(), "cargo shows no packages");
        Ok(tree)
    }

    fn to_cyclonedx(&self, checksums: &BTreeMap<Package, String>) -> Result<Value> {
        let is_root = |it: &&Package| it.0 == "hookyard-cli";
        let root = self.packages.keys().find(is_root).context("no hookyard-cli in the tree")?;
        let mut components = Vec::new();
        for (package, (licence, is_ours)) in &self.packages {
            if package == root {
                continue;
            }
            let mut it = json!({
                "type": "library", "bom-ref": purl(package), "name": package.0, "version": package.1,
                "purl": purl(package), "licenses": [{ "expression": licence.replace('/', " OR ") }],
            });
            match checksums.get(package) {
                Some(sum) => it["hashes"] = json!([{ "alg": "SHA-256", "content": sum }]),
                None => {
                    ensure!(*is_ours, "Cargo.lock has no checksum of {} {}", package.0, package.1)
                }
            }
            components.push(it);
        }
        let depends = |it: &Package| {
            let on = self.edges.get(it).into_iter().flatten().map(purl).collect::<Vec<_>>();
            json!({ "ref": purl(it), "dependsOn": on })
        };
        Ok(json!({
            "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
            "metadata": { "component": {
                "type": "application", "bom-ref": purl(root), "name": "hookyard", "version": root.1,
                "licenses": [{ "expression": "Apache-2.0" }],
            } },
            "components": components,
            "dependencies": self.packages.keys().map(depends).collect::<Vec<_>>(),
        }))
    }
}

/// A package's URL (<https://github.com/package-url/purl-spec>).
fn purl((name, version): &Package) -> String {
    format!("pkg:cargo/{name}@{}", version.replace('+', "%2B"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_becomes_components_and_who_depends_on_whom() {
        let text = "0|hookyard-cli v0.1.0 (/x/cli)|Apache-2.0\n1|a v1.0.0|MIT/ISC\n2|b v2.0.0+x (proc-macro)|MIT\n\
            1|b v2.0.0+x (proc-macro)|MIT (*)\n";
        let tree = Tree::read(text).unwrap();
        let sum =
            |name: &str, version: &str| ((name.to_owned(), version.to_owned()), "00".to_owned());
        let document =
            tree.to_cyclonedx(&BTreeMap::from([sum("a", "1.0.0"), sum("b", "2.0.0+x")])).unwrap();
        assert_eq!(document["components"][0]["licenses"][0]["expression"], "MIT OR ISC");
        assert_eq!(document["components"][1]["purl"], "pkg:cargo/b@2.0.0%2Bx");
        assert_eq!(document["dependencies"][0]["dependsOn"][0], "pkg:cargo/b@2.0.0%2Bx");
        assert_eq!(document["dependencies"][2]["dependsOn"].as_array().unwrap().len(), 2);
        assert!(tree.to_cyclonedx(&BTreeMap::new()).is_err(), "a package without a checksum");
        assert!(Tree::read("2|a v1|MIT\n").is_err());
    }

    #[test]
    fn the_document_lists_everything_that_is_linked_in_and_each_reference_leads_somewhere() {
        let document: Value = serde_json::from_str(&document().unwrap()).unwrap();
        let components = document["components"].as_array().unwrap();
        for name in ["rustls", "tokio", "hyper", "rusqlite", "hookyard-rules"] {
            assert!(components.iter().any(|it| it["name"] == name), "{name}");
        }
        assert!(!components.iter().any(|it| it["name"] == "proptest"), "tests are not in it");
        let name = |it: &Value| it["bom-ref"].as_str().unwrap().to_owned();
        let mut refs: BTreeSet<_> = components.iter().map(name).collect();
        assert_eq!(refs.len(), components.len());
        refs.insert(name(&document["metadata"]["component"]));
        for it in document["dependencies"].as_array().unwrap() {
            let mut on = it["dependsOn"].as_array().unwrap().iter();
            assert!(on.all(|it| refs.contains(it.as_str().unwrap())), "{it}");
        }
    }
}
