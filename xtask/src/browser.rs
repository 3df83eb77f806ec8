//! The dashboard's own tests: its types, lints and unit tests by Node.js, and its stories in a real browser against the real
//! binary, which was built with the pages in it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::run::{command, found, root, seen};
use crate::tally::Tally;
use crate::verifiers::install;

/// Set while the gate builds: the pages are built in, whatever the profile.
pub const PAGES: (&str, &str) = ("HOOKYARD_UI", "require");

/// What Chromium is called where it may be found.
const CHROMIUM: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

fn npm(arguments: &[&str]) -> Command {
    let mut npm = command("npm", arguments);
    npm.current_dir(root().join("crates/dashboard/ui"));
    npm
}

/// Types, lints, and unit tests.
pub fn check(tally: &mut Tally) -> Result<()> {
    let mut passed = 0;
    let checked = seen(npm(&["run", "check"]).env("NO_COLOR", "1"), |line| {
        passed += unit_tests(line).unwrap_or(0);
    });
    tally.passed += passed;
    checked?;
    if passed == 0 {
        bail!("no unit test was run");
    }
    Ok(())
}

/// Stories and pictures in a browser.
pub fn stories(tally: &mut Tally) -> Result<()> {
    let chromium = chromium()?;
    println!("the browser is {}", chromium.display());
    let mut browser = npm(&["run", "browser"]);
    browser
        .env("HOOKYARD_TEST_BIN", root().join("target/debug/hookyard"))
        .env("HOOKYARD_TEST_CHROMIUM", chromium);
    let mut checked = 0;
    let ran = seen(&mut browser, |line| {
        if let Some((passed, failed)) = suite(line) {
            tally.passed += passed;
            tally.failed += failed;
            checked += passed + failed;
        }
    });
    ran?;
    if checked == 0 {
        bail!("no story was run");
    }
    Ok(())
}

/// Where Chromium is; installs it where it is not and this user may.
fn chromium() -> Result<PathBuf> {
    if let Some(found) = CHROMIUM.iter().find_map(|it| found(it)) {
        return Ok(found);
    }
    install(&["chromium"], "a browser: Chromium")?;
    match found(CHROMIUM[0]) {
        Some(found) => Ok(found),
        None => bail!("Chromium was installed and is not found"),
    }
}

/// How many tests passed, by the line in which vitest says so: `      Tests  57 passed (57)`.
fn unit_tests(line: &str) -> Option<u64> {
    let (_, rest) = line.trim().split_once("Tests ")?;
    let (before, _) = rest.split_once(" passed")?;
    before.split_whitespace().last()?.parse().ok()
}

/// What passed and failed, by the line in which a suite says so: `stories: 41 checked, 0 failed`.
fn suite(line: &str) -> Option<(u64, u64)> {
    let (_, rest) = line.split_once(": ")?;
    let (checked, rest) = rest.split_once(" checked, ")?;
    let failed: u64 = rest.strip_suffix(" failed")?.parse().ok()?;
    let checked: u64 = checked.parse().ok()?;
    Some((checked.saturating_sub(failed), failed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_runners_say_is_counted() {
        assert_eq!(unit_tests("      Tests  57 passed (57)"), Some(57));
        assert_eq!(unit_tests("      Tests  1 failed | 56 passed (57)"), Some(56));
        assert_eq!(unit_tests(" Test Files  9 passed (9)"), None);
        assert_eq!(suite("stories: 41 checked, 2 failed"), Some((39, 2)));
        assert_eq!(suite("FAILED stories: nothing"), None);
    }
}
