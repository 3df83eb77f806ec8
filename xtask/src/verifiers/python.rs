//! A Python environment in `target/verifiers`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::install;
use crate::run::{command, loudly, quietly, root};

const REQUIREMENTS: &str = include_str!("../../verifiers.txt");

/// Answers its Python.
pub fn prepare() -> Result<PathBuf> {
    let home = root().join("target/verifiers");
    let python = home.join("bin/python");
    let stamp = home.join("installed.txt");
    let wanted: Vec<&str> = REQUIREMENTS.lines().filter(|it| !it.starts_with('#')).collect();
    let wanted = wanted.join(" ");
    if fs::read_to_string(&stamp).is_ok_and(|it| it == wanted) && works(&python) {
        println!("target/verifiers holds {wanted} already");
        return Ok(python);
    }
    if home.exists() {
        println!("target/verifiers is out of date or broken: made anew");
        fs::remove_dir_all(&home).context("removing target/verifiers")?;
    }
    make_environment()?;
    // Of these libraries a few files are used: those are compiled when they are.
    let mut arguments = vec!["-m", "pip", "install", "--quiet", "--no-compile"];
    arguments.extend(["--requirement", "xtask/verifiers.txt"]);
    loudly(&mut command(&python.to_string_lossy(), &arguments))
        .context("installing the verifiers in Python")?;
    if !works(&python) {
        bail!("the verifiers in Python were installed but cannot be imported");
    }
    fs::write(&stamp, &wanted).context("writing target/verifiers/installed.txt")?;
    println!("target/verifiers holds {wanted}");
    Ok(python)
}

/// Whether it runs and has a library. Which ones it should have is for the stamp to say: importing all takes seconds.
fn works(python: &Path) -> bool {
    let import = ["-c", "import nacl.signing, schemathesis, standardwebhooks"];
    python.exists() && quietly(&mut command(&python.to_string_lossy(), &import)).is_ok()
}

/// `python3 -m venv`; where Python or its venv module is missing and we may, Debian's packages are installed first.
fn make_environment() -> Result<()> {
    let make = || loudly(&mut command("python3", &["-m", "venv", "target/verifiers"]));
    let Err(error) = make() else { return Ok(()) };
    println!("{error:#}");
    install(&["python3", "python3-venv"], "`python3` with its `venv` module")?;
    make().context("making target/verifiers after installing python3")
}
