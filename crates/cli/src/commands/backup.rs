//! `hookyard backup FILE`.

use std::path::PathBuf;

use crate::config::sources::{self, PlaceFlags};
use crate::exit::Exit;
use crate::{compose, data, output};

/// Arguments of `backup`.
#[derive(clap::Args)]
pub struct Args {
    /// Where to; must not exist
    file: PathBuf,
    #[command(flatten)]
    place: PlaceFlags,
}

/// Copies the store as it is at one moment.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    data::keep_private();
    let settings = sources::load(args.place.into(), &sources::environment)?;
    settings.must_be_embedded(
        "backup",
        "use the database's own, such as `pg_basebackup` or `pg_dump`",
    )?;
    if args.file.exists() {
        let message = format!("{} is there already; name a new file", args.file.display());
        return Err(Exit::Refused.because(message));
    }
    compose::back_up(&settings.data, &args.file).await?;
    output::say(format!("backed up {} to {}", settings.data.display(), args.file.display()));
    output::talk(format!(
        "The master key is not in it, and without it the secrets in the backup cannot be read: keep a copy of `{}` or of \
         HOOKYARD_MASTER_KEY in another place.",
        data::key_file(&settings.data).display()
    ));
    Ok(Exit::Ok)
}
