//! A Python environment in `target/verifiers` with what the black-box tests check ours with, other than our own code.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::run::{command, loudly, quietly, root};

/// The variable by which the black-box tests find the environment's Python.
pub const VARIABLE: &str = "HOOKYARD_TEST_PYTHON";

const REQUIREMENTS: &str = include_str!("../verifiers.txt");

/// Makes the environment unless it is there already; answers its Python.
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
    let install = ["-m", "pip", "install", "--quiet", "--requirement", "xtask/verifiers.txt"];
    let python_text = python.to_string_lossy();
    loudly(&mut command(&python_text, &install)).context("installing the verifiers")?;
    if !works(&python) {
        bail!("the verifiers were installed but cannot be imported");
    }
    fs::write(&stamp, &wanted).context("writing target/verifiers/installed.txt")?;
    println!("target/verifiers holds {wanted}");
    Ok(python)
}

fn works(python: &std::path::Path) -> bool {
    let import = ["-c", "import nacl.signing, schemathesis, standardwebhooks"];
    python.exists() && quietly(&mut command(&python.to_string_lossy(), &import)).is_ok()
}

/// `python3 -m venv`; where Python or its venv module is missing and we may, Debian's packages are installed first.
fn make_environment() -> Result<()> {
    let make = || loudly(&mut command("python3", &["-m", "venv", "target/verifiers"]));
    let Err(error) = make() else { return Ok(()) };
    println!("{error:#}");
    if !is_root() {
        bail!(
            "the black-box tests need `python3` with its `venv` module, and this user may not install it: \
             install it (Debian: `apt-get install python3 python3-venv`) and run again"
        );
    }
    loudly(&mut command("apt-get", &["update", "-qq"]))?;
    loudly(&mut command("apt-get", &["install", "-y", "-qq", "python3", "python3-venv"]))?;
    make().context("making target/verifiers after installing python3")
}

fn is_root() -> bool {
    quietly(&mut command("id", &["-u"])).is_ok_and(|it| it.trim_ascii() == b"0")
}
