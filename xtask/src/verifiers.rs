//! What the black-box tests check ours with, other than our own code: libraries in Python and in JavaScript, installed at
//! pinned versions in folders of `target`, and only when they are not there already.

mod node;
mod python;

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::run::{command, loudly, quietly};

/// One of the two, and how it is passed on.
pub struct Tool {
    /// What the gate calls it.
    pub name: &'static str,
    /// The variable by which the black-box tests find it.
    pub variable: &'static str,
    /// Installs it unless it is there already; answers what the variable must hold.
    pub prepare: fn() -> Result<PathBuf>,
}

/// All of them.
pub const TOOLS: [Tool; 2] = [
    Tool {
        name: "verifiers in Python",
        variable: "HOOKYARD_TEST_PYTHON",
        prepare: python::prepare,
    },
    Tool {
        name: "verifiers in JavaScript",
        variable: "HOOKYARD_TEST_NODE",
        prepare: node::prepare,
    },
];

/// Installs Debian's packages, if this user may.
pub fn install(packages: &[&str], lacking: &str) -> Result<()> {
    if !is_root() {
        bail!(
            "the tests need {lacking}, and this user may not install it: install it \
             (Debian: `apt-get install {}`) and run again",
            packages.join(" ")
        );
    }
    loudly(&mut command("apt-get", &["update", "-qq"]))?;
    let mut all = vec!["install", "-y", "-qq"];
    all.extend(packages);
    loudly(&mut command("apt-get", &all))
}

/// Whether this user may do everything.
pub fn is_root() -> bool {
    quietly(&mut command("id", &["-u"])).is_ok_and(|it| it.trim_ascii() == b"0")
}
