//! `hookyard man DIR`: manual pages, one for each command.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::CommandFactory as _;

use crate::exit::Exit;

/// Arguments of `man`.
#[derive(clap::Args)]
pub struct Args {
    /// Where they go, as `hookyard.1`, `hookyard-serve.1` …; the folder is made if it is not there
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Writes the pages.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let shown = args.folder.display();
    std::fs::create_dir_all(&args.folder).with_context(|| format!("making {shown}"))?;
    clap_mangen::generate_to(super::Cli::command(), &args.folder)
        .with_context(|| format!("writing to {shown}"))?;
    Ok(Exit::Ok)
}
