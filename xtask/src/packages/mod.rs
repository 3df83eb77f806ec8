//! What is handed out: a release, as files, as a Debian package and as a container image; and the gate's trials of the last
//! two, with a binary that is quicker to make.

pub mod deb;
pub mod dist;
pub mod image;
pub mod sbom;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::run::{found, root};
use crate::verifiers;

/// Which binary is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Make {
    /// What is handed out.
    Release,
    /// The same program with the libraries that the gate has built already: linked the same way, stripped, not optimised.
    Trial,
}

/// A tool can not be had here: what needs it was not tried, which is neither a success nor a failure.
#[derive(Debug)]
pub struct NotHad(pub String);

impl std::fmt::Display for NotHad {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotHad {}

/// Installs Debian's packages unless a program of theirs is there.
fn has(program: &str, packages: &[&str]) -> Result<()> {
    if found(program).is_some() {
        return Ok(());
    }
    println!("`{program}` is not there: installing {}", packages.join(", "));
    let lacking = format!("`{program}`");
    verifiers::install(packages, &lacking).map_err(|error| NotHad(format!("{error:#}")).into())
}

/// A release that stands in `target/dist`, out of the way of a trial; put back when this is dropped.
struct Aside {
    place: PathBuf,
    kept: PathBuf,
    there: bool,
}

impl Aside {
    fn put(make: Make) -> Result<Option<Self>> {
        if make == Make::Release {
            return Ok(None);
        }
        let (place, kept) = (dist::folder(), root().join("target/dist.kept"));
        let there = place.exists();
        if there {
            gone(&kept)?;
            fs::rename(&place, &kept).context("putting target/dist aside")?;
        }
        Ok(Some(Self { place, kept, there }))
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        let back = gone(&self.place).and_then(|()| {
            if self.there {
                fs::rename(&self.kept, &self.place).context("putting it back")?;
            }
            Ok(())
        });
        if let Err(error) = back {
            println!("target/dist: {error:#}");
        }
    }
}

fn gone(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("emptying {}", folder.display()))?;
    }
    Ok(())
}

/// Whether a Debian package can be made, and what Debian's own checker says of it.
pub fn deb(make: Make) -> Result<()> {
    let _aside = Aside::put(make)?;
    deb::run(make)
}

/// Whether an image can be made, and what it does when it is started.
pub fn image(make: Make) -> Result<()> {
    let _aside = Aside::put(make)?;
    image::run(make)
}
