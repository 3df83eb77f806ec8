//! A release for this machine: one static binary and what goes with it, in `target/dist`.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::run::{cargo, command, loudly, quietly, root};
use crate::sbom;

/// What is made for each shell.
const COMPLETIONS: [(&str, &str); 3] =
    [("bash", "hookyard.bash"), ("zsh", "_hookyard"), ("fish", "hookyard.fish")];

/// Makes all of it; answers the folder.
pub fn run() -> Result<PathBuf> {
    let binary = static_binary()?;
    let folder = root().join("target/dist");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("emptying {}", folder.display()))?;
    }
    fs::create_dir_all(folder.join("completions"))?;
    let placed = folder.join("hookyard");
    fs::copy(&binary, &placed).with_context(|| format!("copying {}", binary.display()))?;
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

/// The release binary, which needs no library of the system.
fn static_binary() -> Result<PathBuf> {
    let host = host()?;
    // With a target named, build scripts and macros are built as always; they cannot be static.
    let arguments =
        ["build", "--release", "--locked", "--package", "hookyard-cli", "--target", &host];
    let mut build = cargo(&arguments);
    let folder = root().join("target/static");
    build.arg("--target-dir").arg(&folder).env("RUSTFLAGS", "-C target-feature=+crt-static");
    loudly(&mut build)?;
    Ok(folder.join(host).join("release/hookyard"))
}

fn host() -> Result<String> {
    let told = String::from_utf8(quietly(&mut command("rustc", &["-vV"]))?)?;
    let host = told.lines().find_map(|it| it.strip_prefix("host: "));
    Ok(host.context("rustc does not say what it builds for")?.to_owned())
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("the workspace's path is no UTF-8")
}

/// The release as a Debian package.
pub fn deb() -> Result<()> {
    run()?;
    let folder = root().join("target/debian");
    let arguments = ["deb", "--no-build", "--no-strip", "--package", "hookyard-cli", "--output"];
    loudly(cargo(&arguments).arg(&folder))?;
    let made = fs::read_dir(&folder)?.filter_map(Result::ok).map(|it| it.path());
    let mut made: Vec<_> = made.filter(|it| it.extension() == Some(OsStr::new("deb"))).collect();
    made.sort_by_key(|it| fs::metadata(it).and_then(|it| it.modified()).ok());
    let made = made.pop().context("cargo-deb made no package")?;
    ensure!(fs::metadata(&made)?.len() > 0, "the package is empty");
    let lintian =
        ["--fail-on", "error,warning", "--suppress-tags-from-file", "packaging/debian/lintian"];
    loudly(command("lintian", &lintian).arg(&made))
}
