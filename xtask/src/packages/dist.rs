//! A release for this machine: one static binary and what goes with it, in `target/dist`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::{Make, gone, has, sbom};
use crate::browser;
use crate::run::{cargo, command, loudly, quietly, root};

/// What is made for each shell.
const COMPLETIONS: [(&str, &str); 3] =
    [("bash", "hookyard.bash"), ("zsh", "_hookyard"), ("fish", "hookyard.fish")];

/// Where it all is put.
pub fn folder() -> PathBuf {
    root().join("target/dist")
}

/// Makes all of it; answers the folder.
pub fn run(make: Make) -> Result<PathBuf> {
    let folder = folder();
    gone(&folder)?;
    fs::create_dir_all(folder.join("completions"))?;
    let placed = folder.join("hookyard");
    match make {
        Make::Release => release(&placed)?,
        Make::Trial => trial(&placed)?,
    }
    let kind = quietly(&mut command("file", &["--brief", text(&placed)?]));
    // `file` is not everywhere; where it is, it is asked.
    if let Ok(kind) = kind {
        let kind = String::from_utf8_lossy(&kind).into_owned();
        ensure!(kind.contains("static-pie linked"), "the binary is no static-pie: {kind}");
    }
    let placed = text(&placed)?;
    loudly(&mut command(placed, &["man", text(&folder.join("man"))?]))?;
    for (shell, file) in COMPLETIONS {
        let script = quietly(&mut command(placed, &["completions", shell]))?;
        fs::write(folder.join("completions").join(file), script)?;
    }
    fs::write(folder.join("hookyard.cdx.json"), sbom::document()?)?;
    println!("{}", folder.display());
    Ok(folder)
}

/// The release binary, which needs no library of the system, with the dashboard in it.
fn release(placed: &Path) -> Result<()> {
    let host = host()?;
    // With a target named, build scripts and macros are built as always; they cannot be static.
    let arguments =
        ["build", "--release", "--locked", "--package", "hookyard-cli", "--target", &host];
    let mut build = cargo(&arguments);
    let folder = root().join("target/static");
    build.arg("--target-dir").arg(&folder).env("RUSTFLAGS", "-C target-feature=+crt-static");
    loudly(build.env(browser::PAGES.0, browser::PAGES.1))?;
    let built = folder.join(host).join("release/hookyard");
    fs::copy(&built, placed).with_context(|| format!("copying {}", built.display()))?;
    Ok(())
}

/// The same from what the gate has built: of all that is linked, our own rooms alone are compiled again.
fn trial(placed: &Path) -> Result<()> {
    has("strip", &["binutils"])?;
    let mut build = cargo(&["build", "--locked", "--package", "hookyard-cli", "--bin", "hookyard"]);
    build.env("RUSTC_WORKSPACE_WRAPPER", root().join("xtask/static-rustc"));
    loudly(build.env(browser::PAGES.0, browser::PAGES.1))?;
    let built = root().join("target/debug/hookyard");
    loudly(&mut command("strip", &["-o", text(placed)?, text(&built)?]))
}

fn host() -> Result<String> {
    let told = String::from_utf8(quietly(&mut command("rustc", &["-vV"]))?)?;
    let host = told.lines().find_map(|it| it.strip_prefix("host: "));
    Ok(host.context("rustc does not say what it builds for")?.to_owned())
}

/// A path that commands can be given.
pub fn text(path: &Path) -> Result<&str> {
    path.to_str().context("the workspace's path is no UTF-8")
}
