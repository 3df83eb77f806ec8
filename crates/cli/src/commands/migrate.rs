//! `hookyard migrate`.

use crate::config::sources::{self, PlaceFlags};
use crate::exit::Exit;
use crate::{compose, data, output};

/// Arguments of `migrate`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: PlaceFlags,
}

/// Brings the schema up to date and says what was done.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    let settings = sources::load(args.place.into(), &sources::environment)?;
    data::keep_private();
    data::prepare(&settings.data)?;
    let before = compose::schema_version(&settings.data)?;
    drop(compose::open_store(&settings.data).await?);
    let after = compose::schema_version(&settings.data)?;
    let shown = settings.data.display();
    output::say(match before == after {
        true => format!("the store in {shown} is already at version {after}"),
        false => format!("the store in {shown} went from version {before} to {after}"),
    });
    Ok(Exit::Ok)
}
