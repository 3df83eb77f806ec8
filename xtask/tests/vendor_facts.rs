//! Every fact of a vendor's wire format has a test that names it.
//!
//! The specification numbers its facts (`ALY-SIG-4`) and its sections (`vendors.md §2.6`). A test names one in its own name
//! (`aly_sig_4_…`, `alv_diff_2_and_4_…`) or in a comment or message beside what it asserts. Facts that are open, since the
//! vendor says nothing and Hookyard chose, need none.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as loudly as the tests themselves")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Facts that are numbered from 1: their prefix, how many there are, and which are open.
const FACTS: &[(&str, u32, &[u32])] = &[
    ("ALY-SIG", 9, &[]),
    // The size of the jitter; switching off by itself.
    ("ALY-DEL", 10, &[8, 9]),
    // A handshake; a test event; limits.
    ("ALY-REG", 10, &[7, 8, 9]),
    // The form of keys; whether a retry has a fresh time.
    ("ALV-SIG", 11, &[5, 10]),
    // The form of a challenge.
    ("ALV-VER", 10, &[10]),
    // 1xx and 3xx; `Retry-After`; jitter; replays.
    ("ALV-DEL", 15, &[7, 9, 10, 15]),
    ("ALV-DIFF", 16, &[]),
    // The form of secrets.
    ("ALU-REG", 10, &[10]),
    ("ARY-SIG", 6, &[]),
    ("ARY-DEL", 11, &[]),
];

/// Sections with facts that have no number.
const SECTIONS: &[&str] = &[
    "§1.2", "§1.4", "§1.5", "§1.6", "§1.7", "§2.2", "§2.4", "§2.6", "§2.7", "§2.8", "§2.9",
    "§2.10", "§2.11", "§3.2", "§3.3", "§3.4", "§3.5", "§3.6", "§3.8", "§4.4", "§4.5",
];

/// What tests say: whole files of tests, and the tests at the end of other files.
fn tests() -> String {
    let mut text = String::new();
    let mut folders = vec![PathBuf::from(ROOT).join("crates")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if path.file_name().is_some_and(|it| it != "node_modules") {
                    folders.push(path);
                }
            } else {
                text.push_str(&tests_of(&path));
            }
        }
    }
    text
}

fn tests_of(path: &Path) -> String {
    let is = |endings: &[&str]| {
        path.extension().is_some_and(|it| endings.iter().any(|ending| it == *ending))
    };
    let name = path.to_str().unwrap();
    let all = name.contains("/tests/") || name.ends_with("/tests.rs");
    if !(is(&["rs"]) || all && is(&["py", "json"])) {
        return String::new();
    }
    let text = std::fs::read_to_string(path).unwrap();
    let from = if all { Some(0) } else { text.find("#[cfg(test)]") };
    from.map_or_else(String::new, |at| text[at..].to_owned())
}

/// The numbers that stand after a prefix: `ALY-SIG-1`, `ALY-SIG-1 to -4`, `ALY-SIG-1, -3 and -4`, `aly_sig_1_3_and_4_…`.
fn numbers(text: &str, prefix: &str) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    let upper = format!("{prefix}-");
    for (at, _) in text.match_indices(&upper) {
        // Written out in full further on, it reads the same.
        let words = &text[at + upper.len()..];
        let words: String = words.chars().take(120).collect::<String>().replace(&upper, "-");
        add(&mut found, &words, &[", -", " and -"], " to -");
    }
    let lower = format!("{}_", prefix.to_lowercase().replace('-', "_"));
    for (at, _) in text.match_indices(&lower) {
        add(&mut found, &text[at + lower.len()..], &["_and_", "_"], "_to_");
    }
    found
}

/// Reads a number and those that follow it.
fn add(found: &mut BTreeSet<u32>, text: &str, more: &[&str], up_to: &str) {
    let Some((mut last, mut rest)) = number(text) else { return };
    found.insert(last);
    loop {
        if let Some((next, after)) = rest.strip_prefix(up_to).and_then(number) {
            found.extend(last..=next);
            (last, rest) = (next, after);
        } else if let Some((next, after)) =
            more.iter().find_map(|it| rest.strip_prefix(it).and_then(number))
        {
            found.insert(next);
            (last, rest) = (next, after);
        } else {
            return;
        }
    }
}

fn number(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|it: char| !it.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

#[test]
fn every_fact_is_named_by_a_test() {
    let tests = tests();
    let mut missing = Vec::new();
    for (prefix, count, open) in FACTS {
        let named = numbers(&tests, prefix);
        let wanted = (1..=*count).filter(|it| !open.contains(it));
        let ids = wanted.filter(|it| !named.contains(it)).map(|it| format!("{prefix}-{it}"));
        missing.extend(ids);
        let unknown = named.iter().filter(|it| **it > *count || **it == 0);
        missing.extend(unknown.map(|it| format!("{prefix}-{it} is no fact")));
    }
    for section in SECTIONS {
        let cited = tests.lines().any(|line| {
            // Where several are cited, the page's name stands before the first one only.
            let after = line.split_once("vendors.md").map_or("", |it| it.1);
            after.match_indices(section).any(|(at, _)| {
                !after[at + section.len()..].starts_with(|it: char| it.is_ascii_digit())
            })
        });
        if !cited {
            missing.push(format!("vendors.md {section}"));
        }
    }
    assert!(missing.is_empty(), "facts and tests differ:\n  {}", missing.join("\n  "));
}

#[test]
fn citations_are_read_in_every_form() {
    for (text, want) in [
        ("// ALY-SIG-4.", vec![4]),
        ("ALY-SIG-1 to -4", vec![1, 2, 3, 4]),
        ("ALY-SIG-1 to ALY-SIG-3, ALY-SIG-7", vec![1, 2, 3, 7]),
        ("ALY-SIG-1, -2 and -9", vec![1, 2, 9]),
        ("fn aly_sig_1_2_and_9_every_3_delivery", vec![1, 2, 9]),
        ("fn aly_sig_5_a_time", vec![5]),
        ("ALY-SIGN-4 aly_sig_a_4", vec![]),
    ] {
        assert_eq!(numbers(text, "ALY-SIG").into_iter().collect::<Vec<_>>(), want, "{text}");
    }
}
