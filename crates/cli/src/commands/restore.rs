//! `hookyard restore FILE`.

use std::path::PathBuf;

use crate::config::sources::{self, PlaceFlags};
use crate::exit::Exit;
use crate::{compose, data, output};

/// Arguments of `restore`.
#[derive(clap::Args)]
pub struct Args {
    /// The backup
    file: PathBuf,
    #[command(flatten)]
    place: PlaceFlags,
}

/// Puts a backup into a folder that holds no store.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    data::keep_private();
    let settings = sources::load(args.place.into(), &sources::environment)?;
    settings.must_be_embedded("restore", "use the database's own, such as `pg_restore`")?;
    let folder = settings.data.as_path();
    let shown = folder.display();
    compose::restore(&args.file, folder).await?;
    output::say(format!("restored {} into {shown}", args.file.display()));
    if !data::key_file(folder).exists() {
        output::talk(format!(
            "Before the next start put the master key of that store back: its file as `{}`, or HOOKYARD_MASTER_KEY.",
            data::key_file(folder).display()
        ));
    }
    Ok(Exit::Ok)
}
