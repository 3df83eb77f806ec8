//! The project's own chores: `cargo xtask test` is the one gate, `cargo xtask codegen` renews generated files.
//!
//! **Never** here: product code, or a check that can pass without having looked.

mod browser;
mod codegen;
mod gate;
mod packages;
mod postgres;
mod run;
mod tally;
mod verifiers;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::packages::{Make, dist, sbom};

const USAGE: &str = "\
cargo xtask <task>

  test           the one gate: format, lints, build, every test; ends with `N passed, N failed`
  test --quick   the same without the black-box tests, for the loop between two edits
  verifiers      prepares what the black-box tests check signatures with, and says how to pass it on
  codegen        renews the generated files that are committed (docs/api/openapi*.json)

  dist           a release for this machine in target/dist: the static binary, manual pages, completions, and the list of
                 what it is made of
  deb            the same as a Debian package, looked over by lintian
  image          the same as a container image, built by buildah, started as it is meant to run, and given an event to deliver
  trial          the last two with a binary that is quick to make, as the gate tries them
  sbom           prints what the binary is made of (CycloneDX 1.6)";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<ExitCode> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["test"] => Ok(gate::run(gate::Scope::Whole)),
        ["test", "--quick"] => Ok(gate::run(gate::Scope::Quick)),
        ["verifiers"] => {
            let mut variables = Vec::new();
            for tool in verifiers::TOOLS {
                variables.push(format!("{}={}", tool.variable, (tool.prepare)()?.display()));
            }
            println!("{}", variables.join(" "));
            Ok(ExitCode::SUCCESS)
        }
        ["dist"] => dist::run(Make::Release).map(|_| ExitCode::SUCCESS),
        ["deb"] => packages::deb(Make::Release).map(|()| ExitCode::SUCCESS),
        ["image"] => packages::image(Make::Release).map(|()| ExitCode::SUCCESS),
        ["trial"] => {
            packages::deb(Make::Trial)?;
            packages::image(Make::Trial)?;
            Ok(ExitCode::SUCCESS)
        }
        ["sbom"] => {
            print!("{}", sbom::document()?);
            Ok(ExitCode::SUCCESS)
        }
        ["codegen"] => codegen::run().map(|()| ExitCode::SUCCESS),
        [] | ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        other => bail!("there is no task `{}`\n\n{USAGE}", other.join(" ")),
    }
}
