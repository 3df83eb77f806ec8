//! The Debian package: made by `cargo-deb`, looked over by Debian's own checker, unpacked and run.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::dist::text;
use super::{Make, NotHad, dist, gone, has};
use crate::run::{cargo, command, found, loudly, quietly, root};

/// The version that is installed where there is none.
const CARGO_DEB: &str = "3.8.0";

/// Makes it and looks it over.
pub fn run(make: Make) -> Result<()> {
    has("lintian", &["lintian"])?;
    let cargo_deb = cargo_deb()?;
    dist::run(make)?;
    let folder = root().join(match make {
        Make::Release => "target/debian",
        Make::Trial => "target/debian-trial",
    });
    gone(&folder)?;
    fs::create_dir_all(&folder)?;
    let arguments = ["deb", "--no-build", "--no-strip", "--package", "hookyard-cli"];
    let mut pack = command(text(&cargo_deb)?, &arguments);
    if make == Make::Trial {
        pack.arg("--fast");
    }
    loudly(pack.arg("--output").arg(&folder))?;
    let mut made = fs::read_dir(&folder)?.filter_map(Result::ok).map(|it| it.path());
    let made = made.find(|it| it.extension() == Some(OsStr::new("deb")));
    let made = made.context("cargo-deb made no package")?;
    loudly(command("lintian", &["--fail-on", "error,warning", "--allow-root"]).arg(&made))?;
    unpacked(&made, &folder.join("unpacked"))
}

/// What is installed is what there is to run, and all that the unit and the manual name.
fn unpacked(package: &Path, folder: &Path) -> Result<()> {
    gone(folder)?;
    loudly(&mut command("dpkg-deb", &["--extract", text(package)?, text(folder)?]))?;
    let binary = folder.join("usr/bin/hookyard");
    let said = quietly(&mut command(text(&binary)?, &["--version"]))?;
    let said = String::from_utf8_lossy(&said).trim().to_owned();
    for file in [
        "etc/hookyard/hookyard.env",
        "usr/lib/systemd/system/hookyard.service",
        "usr/share/man/man1/hookyard-serve.1.gz",
        "usr/share/bash-completion/completions/hookyard",
        "usr/share/doc/hookyard/hookyard.cdx.json",
    ] {
        ensure!(folder.join(file).is_file(), "the package has no {file}");
    }
    let control = quietly(&mut command("dpkg-deb", &["--field", text(package)?, "Version"]))?;
    let version = String::from_utf8_lossy(&control).trim().to_owned();
    let version = version.split('-').next().unwrap_or_default();
    ensure!(said.ends_with(version), "the package is of {version}, its binary says `{said}`");
    gone(folder)?;
    println!("{} is clean, and what is in it runs: {said}", package.display());
    Ok(())
}

/// `cargo-deb`: the one on the path, else one of our own in `target/tools`.
fn cargo_deb() -> Result<PathBuf> {
    if let Some(found) = found("cargo-deb") {
        return Ok(found);
    }
    let home = root().join("target/tools");
    let own = home.join("bin/cargo-deb");
    if own.exists() {
        return Ok(own);
    }
    println!("`cargo-deb` is not there: installing it into target/tools");
    let install = ["install", "--locked", "--quiet", "cargo-deb", "--version", CARGO_DEB, "--root"];
    loudly(cargo(&install).arg(&home))
        .map_err(|error| NotHad(format!("cargo-deb cannot be installed: {error:#}")))?;
    Ok(own)
}
