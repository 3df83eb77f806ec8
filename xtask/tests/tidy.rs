//! Walls that neither cargo nor clippy can hold: text searches over the sources and the texts.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as loudly as the tests themselves")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Production lines of a file at most.
const LINES_MAX: usize = 500;

/// Characters of a line of prose at most.
const TEXT_COLUMNS_MAX: usize = 130;

/// Files that are longer for a reason, and the length they may not pass. Lower a number when its file shrinks.
const LONGER: &[(&str, usize)] = &[];

/// Folders that hold nothing of ours.
const SKIPPED: &[&str] = &["target", ".git", "node_modules", "hookyard-data"];

/// A file below the root: its path from there, and its text.
struct File {
    path: String,
    text: String,
}

/// Every text file with one of these endings.
fn files(endings: &[&str]) -> Vec<File> {
    let root = PathBuf::from(ROOT);
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    paths.sort();
    let is_wanted = |path: &PathBuf| {
        path.extension().is_some_and(|it| endings.iter().any(|ending| it == *ending))
    };
    let files: Vec<_> = paths
        .into_iter()
        .filter(is_wanted)
        .map(|path| File {
            text: std::fs::read_to_string(&path).unwrap(),
            path: path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(),
        })
        .collect();
    assert!(!files.is_empty(), "no {endings:?} files were found, so nothing was checked");
    files
}

fn walk(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let is_skipped = SKIPPED.iter().any(|it| entry.file_name() == *it);
        match entry.file_type().unwrap() {
            kind if kind.is_dir() && !is_skipped => walk(&entry.path(), into),
            kind if kind.is_file() => into.push(entry.path()),
            _ => {}
        }
    }
}

fn read(path: &str) -> String {
    std::fs::read_to_string(format!("{ROOT}/{path}")).unwrap()
}

#[track_caller]
fn assert_none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

/// `path:line: word` for every line of these files that holds one of the words.
fn lines_with(files: &[File], words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        for (at, line) in file.text.lines().enumerate() {
            for word in words.iter().filter(|it| line.contains(**it)) {
                found.push(format!("{}:{}: {word}", file.path, at + 1));
            }
        }
    }
    found
}

#[test]
fn every_source_file_says_first_what_it_is() {
    let silent: Vec<_> = files(&["rs"])
        .into_iter()
        .filter(|it| !it.text.starts_with("//!"))
        .map(|it| it.path)
        .collect();
    assert_none("these files do not begin with `//!`", &silent);
}

#[test]
fn nothing_is_left_for_later() {
    // Put together from halves, so that this list does not find itself.
    let words = [
        concat!("to", "do!("),
        concat!("unimple", "mented!("),
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("#[ig", "nore"),
        concat!("db", "g!("),
    ];
    assert_none("left for later", &lines_with(&files(&["rs", "toml", "sql"]), &words));
}

#[test]
fn texts_do_not_speak_of_the_machine_they_were_written_on() {
    let words = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/tmp/", "brief"),
        concat!("/opt/", "wheels"),
    ];
    let endings = ["md", "rs", "toml", "sql", "yml", "json", "sh", "py", "txt"];
    assert_none("paths of one machine", &lines_with(&files(&endings), &words));
}

/// Lines before the file's own tests.
fn production_lines(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let tests =
        lines.windows(2).position(|it| it[0] == "#[cfg(test)]" && it[1].starts_with("mod "));
    tests.unwrap_or(lines.len())
}

#[test]
fn no_file_outgrows_what_a_reader_can_hold() {
    let longer: BTreeMap<_, _> = LONGER.iter().copied().collect();
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for file in files(&["rs"]).iter().filter(|it| it.path.contains("/src/")) {
        let lines = production_lines(&file.text);
        match longer.get_key_value(file.path.as_str()) {
            None if lines > LINES_MAX => {
                found.push(format!("{}: {lines} lines, at most {LINES_MAX}", file.path));
            }
            Some((path, max)) => {
                seen.insert(*path);
                if lines > *max {
                    found.push(format!("{path}: {lines} lines, its exception allows {max}"));
                } else if lines <= LINES_MAX {
                    found.push(format!("{path}: {lines} lines, needs no exception any more"));
                }
            }
            None => {}
        }
    }
    found.extend(longer.keys().filter(|it| !seen.contains(*it)).map(|it| format!("{it}: is gone")));
    assert_none("file lengths", &found);
}

#[test]
fn tests_at_the_end_of_a_file_are_no_production_lines() {
    assert_eq!(production_lines("//! A.\n\nfn a() {}\n\n#[cfg(test)]\nmod tests {\n}\n"), 4);
    assert_eq!(production_lines("//! A.\n#[cfg(test)]\nfn only_for_tests() {}\n"), 3);
}

/// What a file of `http` may not reach for: a dialect stands alone, and nobody but the router and the table of dialects
/// reaches into one.
fn breaches_of_dialects(path: &str, text: &str) -> Vec<String> {
    let Some(inside) = path.strip_prefix("crates/http/src/") else { return Vec::new() };
    let own = inside.strip_prefix("dialects/").and_then(|it| it.split(['/', '.']).next());
    let mut found = Vec::new();
    for line in text.lines().filter(|it| !it.trim_start().starts_with("//")) {
        let names_native = line.contains("crate::native") || line.contains("super::native");
        let reached = line.split("dialects::").nth(1).map(|rest| {
            rest.split(|it: char| !it.is_alphanumeric() && it != '_').next().unwrap_or_default()
        });
        match (own, reached) {
            (Some("mod"), _) => {}
            (Some(_), _) if names_native => found.push(format!("{path} reaches into `native`")),
            (Some(own), Some(other)) if own != other => {
                found.push(format!("{path} reaches into dialect `{other}`"));
            }
            (None, Some(other)) if inside != "lib.rs" => {
                found.push(format!("{path} reaches into dialect `{other}`"));
            }
            _ => {}
        }
    }
    found
}

#[test]
fn a_dialect_stands_alone() {
    let found: Vec<_> =
        files(&["rs"]).iter().flat_map(|it| breaches_of_dialects(&it.path, &it.text)).collect();
    assert_none("walls inside http", &found);
}

#[test]
fn reaching_from_one_dialect_into_another_is_found() {
    let found = |path, text| breaches_of_dialects(path, text).len();
    assert_eq!(found("crates/http/src/dialects/a/wire.rs", "use crate::dialects::b::Wire;"), 1);
    assert_eq!(found("crates/http/src/dialects/a/wire.rs", "use crate::dialects::a::Wire;"), 0);
    assert_eq!(found("crates/http/src/dialects/a/wire.rs", "use crate::native::problem;"), 1);
    assert_eq!(found("crates/http/src/native/events.rs", "use crate::dialects::a;"), 1);
    assert_eq!(found("crates/http/src/lib.rs", "use crate::dialects::a;"), 0);
    assert_eq!(found("crates/app/src/lib.rs", "use crate::dialects::a;"), 0);
}

/// The rows of the table under a heading, cell by cell.
fn table(text: &str, heading: &str) -> Vec<Vec<String>> {
    let start = text.find(heading).unwrap_or_else(|| panic!("no heading `{heading}`"));
    let section = &text[start + heading.len()..];
    let section = &section[..section.find("\n## ").unwrap_or(section.len())];
    let rows: Vec<Vec<String>> = section
        .lines()
        .filter(|it| it.starts_with('|'))
        .map(|it| it.trim_matches('|').split('|').map(|it| it.trim().to_owned()).collect())
        .collect();
    assert!(rows.len() > 2, "no table under `{heading}`");
    rows[2..].to_vec()
}

/// What stands in backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// `crates/*` and `xtask`.
fn rooms_on_disk() -> BTreeSet<String> {
    let folders = std::fs::read_dir(format!("{ROOT}/crates")).unwrap();
    let names = folders.map(|it| it.unwrap().file_name().to_str().unwrap().to_owned());
    names.chain(["xtask".to_owned()]).collect()
}

#[test]
fn the_map_lists_the_rooms_that_exist_and_no_others() {
    let map = read("ARCHITECTURE.md");
    let rows = table(&map, "\n## The rooms\n");
    let listed: BTreeSet<_> =
        rows.iter().flat_map(|it| quoted(&it[0])).map(str::to_owned).collect();
    assert_eq!(listed, rooms_on_disk(), "ARCHITECTURE.md, The rooms");
}

#[test]
fn the_import_table_says_what_layers_toml_says() {
    let map = read("ARCHITECTURE.md");
    let layers: BTreeMap<String, toml::Value> = toml::from_str(&read("layers.toml")).unwrap();
    let rooms = rooms_on_disk();
    let mut listed = BTreeSet::new();
    for row in table(&map, "\n## Who may import whom\n") {
        let imports: BTreeSet<&str> = quoted(&row[1]).into_iter().collect();
        for room in quoted(&row[0]) {
            listed.insert(room.to_owned());
            let allowed = layers["rooms"][room].as_array().unwrap();
            let allowed = allowed.iter().map(|it| it.as_str().unwrap());
            // The map speaks of rooms that exist; layers.toml may be ahead of it.
            let allowed: BTreeSet<&str> =
                allowed.filter(|it| *it == "*" || rooms.contains(*it)).collect();
            assert_eq!(imports, allowed, "ARCHITECTURE.md, imports of {room}");
        }
    }
    assert_eq!(listed, rooms, "ARCHITECTURE.md, Who may import whom");
}

/// Whether a name that ARCHITECTURE.md puts in backticks is a file, folder or function that exists; names of other kinds
/// are not judged.
fn is_gone(name: &str, sources: &[File]) -> bool {
    if let Some(function) = name.strip_suffix("()") {
        let function = function.rsplit("::").next().unwrap();
        let wanted = [format!("fn {function}("), format!("fn {function}<")];
        return !sources.iter().any(|it| wanted.iter().any(|wanted| it.text.contains(wanted)));
    }
    if name.contains([' ', '*', '{', '<', ':']) {
        return false;
    }
    let is_file = [".rs", ".toml", ".md", ".sql", ".json"].iter().any(|it| name.ends_with(it));
    let rooms = rooms_on_disk();
    let is_ours = name.split_once('/').is_some_and(|(it, _)| rooms.contains(it) || it == "crates");
    if !is_file && !is_ours {
        return false;
    }
    // `engine/attempt.rs` is short for `crates/engine/src/attempt.rs`.
    let (room, rest) = name.split_once('/').unwrap_or(("", name));
    let places = [
        format!("{ROOT}/{name}"),
        format!("{ROOT}/crates/{name}"),
        format!("{ROOT}/crates/{room}/src/{rest}"),
    ];
    !places.iter().any(|it| Path::new(it).exists())
}

#[test]
fn what_the_map_names_exists() {
    let sources = files(&["rs"]);
    let mut found = Vec::new();
    for path in ["ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = outside_of_fences(&read(path));
        let gone = quoted(&text).into_iter().filter(|it| is_gone(it, &sources));
        found.extend(gone.map(|it| format!("{path}: `{it}`")));
    }
    assert_none("named but not there", &found);
}

#[test]
fn a_name_that_is_gone_is_found() {
    let sources = files(&["rs"]);
    assert!(!is_gone("what_the_map_names_exists()", &sources));
    assert!(is_gone(concat!("no_such", "_function()"), &sources));
    assert!(!is_gone("domain/delivery.rs", &sources));
    assert!(is_gone("domain/no_such_file.rs", &sources));
    assert!(!is_gone("layers.toml", &sources));
    assert!(!is_gone("/v1/tenants", &sources));
    assert!(!is_gone("rules/signing/<name>.rs", &sources));
}

/// The text with its fenced blocks blanked out, whose backticks and brackets mean something else.
fn outside_of_fences(text: &str) -> String {
    let mut inside = false;
    let mut outside = String::new();
    for line in text.lines() {
        let is_fence = line.trim_start().starts_with("```");
        inside ^= is_fence;
        if !inside && !is_fence {
            outside.push_str(line);
        }
        outside.push('\n');
    }
    outside
}

#[test]
fn links_between_the_texts_lead_somewhere() {
    let mut found = Vec::new();
    for file in files(&["md"]) {
        let text = outside_of_fences(&file.text);
        for link in text.split("](").skip(1).filter_map(|it| it.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            let is_outside = link.contains("://") || link.starts_with("mailto:");
            let folder = Path::new(ROOT).join(&file.path);
            let exists = folder.parent().unwrap().join(target).exists();
            if !is_outside && !exists {
                found.push(format!("{}: {link}", file.path));
            }
        }
    }
    assert_none("links that lead nowhere", &found);
}

#[test]
fn metrics_that_operators_are_told_of_exist() {
    let manual = read("docs/operations.md");
    let sources = files(&["rs"]);
    let mut told_of = 0;
    let mut found = Vec::new();
    for name in quoted(&outside_of_fences(&manual)) {
        let name = name.split('{').next().unwrap();
        if name.starts_with("hookyard_") && !name.contains(['=', ',']) {
            told_of += 1;
            let literal = format!("\"{name}\"");
            if !sources.iter().any(|it| it.text.contains(&literal)) {
                found.push(name.to_owned());
            }
        }
    }
    assert!(told_of > 0, "docs/operations.md names no metric, so nothing was checked");
    assert_none("docs/operations.md names metrics that are gone", &found);
}

#[test]
fn lines_of_texts_have_a_readable_width() {
    let mut found = Vec::new();
    for file in files(&["md"]) {
        for (at, line) in outside_of_fences(&file.text).lines().enumerate() {
            // Rows of a table cannot be broken.
            if line.chars().count() > TEXT_COLUMNS_MAX && !line.starts_with('|') {
                found.push(format!("{}:{}", file.path, at + 1));
            }
        }
    }
    assert_none("lines too wide to read", &found);
}
