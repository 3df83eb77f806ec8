//! `hookyard migrate`: brings a schema up to date, or moves an embedded store into a database.

use std::path::{Path, PathBuf};

use crate::compose::moving::{self, Compared, Moved};
use crate::config::raw::DatabaseUrl;
use crate::config::settings::Database;
use crate::config::sources::{self, Flags, PlaceFlags};
use crate::exit::Exit;
use crate::{compose, data, output};

/// Arguments of `migrate`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: PlaceFlags,
    /// Certificates (PEM) that the database may prove itself by, beside this machine's own
    #[arg(long, value_name = "FILE")]
    database_ca: Option<PathBuf>,
    /// Move everything in this folder's embedded store into the database; run again, it goes on where it was
    #[arg(long, value_name = "DIR", conflicts_with = "data")]
    from: Option<PathBuf>,
    /// The empty database to move into; the same as --database-url
    #[arg(long, value_name = "URL", requires = "from", conflicts_with = "database_url")]
    to: Option<DatabaseUrl>,
    /// Rows that are carried in one transaction
    #[arg(long, value_name = "N", requires = "from", default_value_t = 2000,
        value_parser = clap::value_parser!(u32).range(1..=100_000))]
    batch: u32,
}

/// Brings the schema up to date, or moves; and says what was done.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    let Args { mut place, database_ca, from, to, batch } = args;
    place.database_url = place.database_url.or(to);
    let mut flags = Flags::from(place);
    flags.raw.database_ca = database_ca;
    let settings = sources::load(flags, &sources::environment)?;
    if let Some(from) = from {
        let database = settings.database.as_ref().ok_or_else(|| {
            Exit::Usage.because("`--from` needs the database to move into: add `--to postgres://…`")
        })?;
        return carry(&from, database, batch as usize).await;
    }
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

async fn carry(from: &Path, database: &Database, batch: usize) -> anyhow::Result<Exit> {
    let shown = from.display();
    let compared = match moving::run(from, database, batch).await? {
        Moved::Before => {
            output::say(format!("everything in {shown} was moved into the database before"));
            return Ok(Exit::Ok);
        }
        Moved::Now(compared) => compared,
    };
    for line in table(&compared) {
        output::say(line);
    }
    let rows: u64 = compared.iter().map(|it| it.left.rows).sum();
    output::say(format!("moved {shown} into the database: {rows} rows, the same on both sides"));
    let key = match data::key_file(from).exists() {
        true => format!("the content of {}", data::key_file(from).display()),
        false => format!("the one that {shown} was served with"),
    };
    output::talk(format!(
        "Secrets came along sealed, so every node needs the same HOOKYARD_MASTER_KEY: {key}. Do not serve from {shown} any \
         more: what is still owed would be sent twice."
    ));
    Ok(Exit::Ok)
}

fn table(compared: &[Compared]) -> Vec<String> {
    let row = |it: &Compared| format!("{:<12} {:>10}  {}", it.table, it.left.rows, it.left.hash());
    let head = format!("{:<12} {:>10}  hash", "table", "rows");
    std::iter::once(head).chain(compared.iter().map(row)).collect()
}
