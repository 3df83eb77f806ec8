//! `hookyard completions SHELL`.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::exit::Exit;
use crate::output;

/// Arguments of `completions`.
#[derive(clap::Args)]
pub struct Args {
    /// Which shell
    shell: Shell,
}

/// Prints the script.
pub fn run(args: &Args) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::Cli::command(), "hookyard", &mut script);
    output::say(String::from_utf8_lossy(&script).trim_end());
    Exit::Ok
}
