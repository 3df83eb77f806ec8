//! A folder with Node packages, `target/verifiers-node`. What is in it, to the last file, is said by the lock file that
//! stands beside the script that uses them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::install;
use crate::run::{command, loudly, quietly, root};

const FILES: [(&str, &str); 2] = [
    ("package.json", include_str!("../../../crates/cli/tests/verifiers/node/package.json")),
    (
        "package-lock.json",
        include_str!("../../../crates/cli/tests/verifiers/node/package-lock.json"),
    ),
];
/// The oldest that the packages run on.
const VERSION_MIN: (u32, u32) = (20, 19);

/// Answers the folder.
pub fn prepare() -> Result<PathBuf> {
    let home = root().join("target/verifiers-node");
    let stamp = home.join("installed.json");
    let (_, lock) = FILES[1];
    find_node()?;
    if fs::read_to_string(&stamp).is_ok_and(|it| it == lock) && works(&home) {
        println!("target/verifiers-node holds what package-lock.json names already");
        return Ok(home);
    }
    if home.exists() {
        println!("target/verifiers-node is out of date or broken: made anew");
        fs::remove_dir_all(&home).context("removing target/verifiers-node")?;
    }
    fs::create_dir_all(&home).context("making target/verifiers-node")?;
    for (name, text) in FILES {
        fs::write(home.join(name), text).with_context(|| format!("writing {name}"))?;
    }
    let mut arguments = vec!["ci", "--prefix", "target/verifiers-node"];
    arguments.extend(["--ignore-scripts", "--no-audit", "--no-fund"]);
    loudly(&mut command("npm", &arguments)).context("installing the verifiers in JavaScript")?;
    if !works(&home) {
        bail!("the verifiers in JavaScript were installed but cannot be imported");
    }
    fs::write(&stamp, lock).context("writing target/verifiers-node/installed.json")?;
    println!("target/verifiers-node holds what package-lock.json names");
    Ok(home)
}

fn works(home: &Path) -> bool {
    const IMPORT: &str =
        "await import('@octokit/webhooks-methods'); await import('@linear/sdk/webhooks');";
    let mut import = command("node", &["--input-type=module", "--eval", IMPORT]);
    quietly(import.current_dir(home)).is_ok()
}

/// Node and npm; where they are missing and we may, Debian's packages are installed first.
fn find_node() -> Result<()> {
    if version("npm").is_err() || version("node").is_err() {
        install(&["nodejs", "npm"], "`node` and `npm`")?;
        version("npm")?;
    }
    let (major, minor) = version("node")?;
    if (major, minor) < VERSION_MIN {
        bail!(
            "the black-box tests need Node.js {}.{} or newer, and `node` is {major}.{minor}: \
             put a newer one first in the path and run again",
            VERSION_MIN.0,
            VERSION_MIN.1
        );
    }
    Ok(())
}

/// What `--version` says: major and minor.
fn version(program: &str) -> Result<(u32, u32)> {
    let said = quietly(&mut command(program, &["--version"]))?;
    let said = String::from_utf8_lossy(&said);
    let mut numbers = said.trim().trim_start_matches('v').split('.').map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => Ok((major, minor)),
        _ => bail!("`{program} --version` says `{}`", said.trim()),
    }
}
