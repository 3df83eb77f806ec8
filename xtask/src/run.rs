//! Child processes, all in the workspace's root.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The workspace's root.
pub fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_owned()
}

/// A command that will run in the root.
pub fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    command
}

/// The cargo that built this.
pub fn cargo(arguments: &[&str]) -> Command {
    command(env!("CARGO"), arguments)
}

/// Where a program is, by the path.
pub fn found(program: &str) -> Option<PathBuf> {
    let path = quietly(&mut command("sh", &["-c", &format!("command -v {program}")])).ok()?;
    let path = String::from_utf8(path).ok()?;
    Some(Path::new(path.trim()).to_owned()).filter(|it| it.is_absolute())
}

/// How the command is typed.
pub fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|it| it.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// Says what it runs, runs it, and fails unless it succeeds.
pub fn loudly(command: &mut Command) -> Result<()> {
    println!("$ {}", shown(command));
    let status = command.status().with_context(|| format!("starting `{}`", shown(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", shown(command));
    }
    Ok(())
}

/// Runs it without a word and answers what it printed.
pub fn quietly(command: &mut Command) -> Result<Vec<u8>> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("starting `{}`", shown(command)))?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` failed ({}): {}", shown(command), output.status, error.trim_end());
    }
    Ok(output.stdout)
}

/// As [`loudly`], and shows each line it prints to `see` as well as to the terminal.
pub fn seen(command: &mut Command, mut see: impl FnMut(&str)) -> Result<()> {
    println!("$ {}", shown(command));
    let starting = format!("starting `{}`", shown(command));
    let mut child = command.stdout(Stdio::piped()).spawn().context(starting)?;
    let output = child.stdout.take().context("a piped child has an output")?;
    // By bytes: a test may print what is no UTF-8.
    for line in BufReader::new(output).split(b'\n') {
        let line = line.context("reading what it prints")?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        see(&line);
    }
    let status = child.wait().context("waiting for it")?;
    if !status.success() {
        bail!("`{}` failed ({status})", shown(command));
    }
    Ok(())
}
