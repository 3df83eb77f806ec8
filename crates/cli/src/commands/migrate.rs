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
    if let Some(database) = &settings.database {
        let versions = compose::shared::migrate(database).await?;
        output::say(told("the store in the database", versions));
        return Ok(Exit::Ok);
    }
    data::keep_private();
    data::prepare(&settings.data)?;
    let before = compose::schema_version(&settings.data)?;
    drop(compose::open_store(&settings.data).await?);
    let after = compose::schema_version(&settings.data)?;
    output::say(told(&format!("the store in {}", settings.data.display()), (before, after)));
    Ok(Exit::Ok)
}

fn told(store: &str, (before, after): (u32, u32)) -> String {
    match before == after {
        true => format!("{store} is already at version {after}"),
        false => format!("{store} went from version {before} to {after}"),
    }
}
