//! The one gate. Every step runs even if one before it failed, so that one run tells everything there is to mend.

use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::Result;

use crate::browser;
use crate::packages::{self, Make, NotHad};
use crate::postgres::{self, Server};
use crate::run::{cargo, loudly, seen};
use crate::tally::Tally;
use crate::verifiers;

/// How much is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything.
    Whole,
    /// All but the black-box tests.
    Quick,
}

/// What is known so far.
struct Report {
    tally: Tally,
    steps: Vec<Step>,
}

/// A step that is over.
struct Step {
    name: &'static str,
    seconds: f64,
    came: Came,
}

/// What a step came to.
enum Came {
    Ok,
    Failed,
    /// What it needs cannot be had here.
    NotRun(String),
}

impl Came {
    fn shown(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "FAILED",
            Self::NotRun(_) => "NOT RUN",
        }
    }
}

impl Report {
    fn step(&mut self, name: &'static str, work: impl FnOnce(&mut Tally) -> Result<()>) {
        println!("\n=== {name} ===");
        let started = now();
        let failed_before = self.tally.failed;
        let came = match work(&mut self.tally) {
            Ok(()) => Came::Ok,
            Err(error) => match error.downcast_ref::<NotHad>() {
                Some(why) => {
                    self.tally.skipped += 1;
                    println!("--- {name}: NOT RUN: {why}");
                    Came::NotRun(why.to_string())
                }
                None => {
                    if self.tally.failed == failed_before {
                        // No test says it, so the step itself must: a gate that failed never ends with `0 failed`.
                        self.tally.failed += 1;
                    }
                    println!("--- {name}: FAILED: {error:#}");
                    Came::Failed
                }
            },
        };
        self.steps.push(Step { name, seconds: started.elapsed().as_secs_f64(), came });
    }

    fn close(mut self, scope: Scope) -> ExitCode {
        println!("\n=== summary ===");
        for Step { name, seconds, came } in &self.steps {
            let why = match came {
                Came::Ok | Came::Failed => String::new(),
                Came::NotRun(why) => format!(": {why}"),
            };
            println!("{:<8}{seconds:>7.1} s  {name}{why}", came.shown());
        }
        if scope == Scope::Quick {
            println!("left out by --quick: {LEFT_OUT}");
        }
        if self.tally.passed + self.tally.failed == 0 {
            println!("FAILED  no test was run");
            self.tally.failed = 1;
        }
        println!("{}", self.tally);
        if self.tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

const LEFT_OUT: &str = "the black-box tests (crates/cli/tests), the independent signature verifiers they use, the dashboard, and \
                        the packages";

/// What is handed out, each made and tried; one test each.
const PACKAGES: [(&str, Pack); 2] =
    [("Debian package", packages::deb), ("container image", packages::image)];

type Pack = fn(Make) -> Result<()>;

#[expect(
    clippy::disallowed_methods,
    reason = "the gate says how long its steps took; no clock is handed to it"
)]
fn now() -> Instant {
    Instant::now()
}

/// Runs the gate; the last line it prints is `N passed, N failed`.
pub fn run(scope: Scope) -> ExitCode {
    if scope == Scope::Quick {
        println!("--quick leaves out {LEFT_OUT}; `cargo xtask test` is the gate");
    }
    let mut report = Report { tally: Tally::default(), steps: Vec::new() };
    report.step("format", |_| loudly(&mut cargo(&["fmt", "--all", "--check"])));
    report.step("lints", |_| {
        let lints = ["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"];
        loudly(built(scope, &mut cargo(&lints)))
    });
    report.step("build", |_| {
        let build = ["build", "--package", "hookyard-cli", "--bin", "hookyard"];
        loudly(built(scope, &mut cargo(&build)))
    });
    match scope {
        Scope::Whole => whole(&mut report),
        Scope::Quick => quick(&mut report),
    }
    report.close(scope)
}

fn whole(report: &mut Report) {
    let mut variables = Vec::new();
    for tool in verifiers::TOOLS {
        report.step(tool.name, |_| {
            variables.push((tool.variable, (tool.prepare)()?));
            Ok(())
        });
    }
    let mut server = None;
    report.step("PostgreSQL", |_| {
        server = Some(Server::start()?);
        Ok(())
    });
    report.step("tests", |tally| {
        let mut tests = cargo(&["test", "--workspace", "--no-fail-fast"]);
        built(Scope::Whole, &mut tests);
        tests.envs(variables);
        tests.envs(server.iter().map(|it| (postgres::VARIABLE, it.url())));
        seen(&mut tests, |line| tally.see(line))
    });
    report.step("dashboard", browser::check);
    report.step("browser", browser::stories);
    for (name, pack) in PACKAGES {
        report.step(name, |tally| {
            pack(Make::Trial)?;
            tally.passed += 1;
            Ok(())
        });
    }
}

/// The whole gate builds the dashboard's pages in, so that what is tested is what is shipped.
fn built(scope: Scope, command: &mut Command) -> &mut Command {
    match scope {
        Scope::Whole => command.env(browser::PAGES.0, browser::PAGES.1),
        Scope::Quick => command,
    }
}

fn quick(report: &mut Report) {
    report.step("tests of all rooms but cli", |tally| {
        let tests = ["test", "--workspace", "--exclude", "hookyard-cli", "--no-fail-fast"];
        seen(&mut cargo(&tests), |line| tally.see(line))
    });
    report.step("tests inside cli", |tally| {
        seen(&mut cargo(&["test", "--package", "hookyard-cli", "--bins"]), |line| tally.see(line))
    });
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn what_cannot_be_had_is_skipped_and_never_passed_and_what_fails_is_counted_once() {
        let mut report = Report { tally: Tally::default(), steps: Vec::new() };
        report.step("a", |_| Err(NotHad("no `tool`".to_owned()).into()));
        assert_eq!(report.tally, Tally { passed: 0, failed: 0, skipped: 1 });
        assert!(matches!(&report.steps[0].came, Came::NotRun(why) if why == "no `tool`"));
        report.step("b", |_| Err(anyhow!("wrong")));
        report.step("c", |tally| {
            tally.failed += 2;
            Err(anyhow!("tests failed"))
        });
        report.step("d", |tally| {
            tally.passed += 1;
            Ok(())
        });
        assert_eq!(report.tally, Tally { passed: 1, failed: 3, skipped: 1 });
        assert!(matches!(report.steps[1].came, Came::Failed));
        assert!(matches!(report.steps[3].came, Came::Ok));
    }
}
