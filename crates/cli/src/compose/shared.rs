//! The shared store: how this process reaches its database, and under which name it serves from it.

use std::net::SocketAddr;
use std::sync::Arc;

use hookyard_store::{Store, StoreError};
pub use hookyard_store_postgres::Report;
pub use hookyard_store_postgres::inspect::Health;
use hookyard_store_postgres::{PostgresStore, Settings, inspect};

use crate::config::settings::Database;
use crate::exit::Exit;

/// How the adapter reaches it. A file or an address that cannot be read is a wrong setting.
pub(super) fn settings(database: &Database) -> anyhow::Result<Settings> {
    let root_certificates = match &database.ca {
        None => None,
        Some(path) => Some(std::fs::read_to_string(path).map_err(|error| {
            Exit::Usage.because(format!("`--database-ca {}`: {error}", path.display()))
        })?),
    };
    let settings = Settings {
        root_certificates,
        connections: database.connections,
        statement_timeout: database.statement_timeout,
        pooler: database.pooler,
        ..Settings::new(database.url.clone())
    };
    settings.check().map_err(|error| Exit::Usage.because(full(error)))?;
    Ok(settings)
}

/// What an error says, and why.
fn full(error: StoreError) -> String {
    format!("{:#}", anyhow::Error::from(error))
}

/// What went wrong while something was done; a database that cannot be reached has an exit code of its own.
fn told(error: StoreError, doing: &str) -> anyhow::Error {
    let error = anyhow::Error::from(error);
    if error.chain().any(|it| it.is::<std::io::Error>()) {
        return Exit::Network.because(format!("{doing}: {error:#}"));
    }
    error.context(doing.to_owned())
}

/// The node's name where none was given: two servers of one machine have different ports, and it stays after a restart.
fn name(database: &Database, address: SocketAddr) -> String {
    let machine = || {
        let uname = rustix::system::uname();
        format!("{}:{}", uname.nodename().to_string_lossy(), address.port())
    };
    database.node_name.clone().unwrap_or_else(machine)
}

/// Opens the shared store as a node of it, its schema brought up to date.
pub async fn open(database: &Database, address: SocketAddr) -> anyhow::Result<Arc<dyn Store>> {
    let settings = settings(database)?;
    let store = PostgresStore::connect(&settings, &name(database, address)).await;
    Ok(store.map_err(|it| told(it, "opening the store in the database of `--database-url`"))?)
}

/// Opens the shared store to look at it, without being a node.
pub async fn visit(database: &Database) -> anyhow::Result<Arc<dyn Store>> {
    Ok(PostgresStore::visit(&settings(database)?)?)
}

/// Brings its schema up to date; the versions before and after.
pub async fn migrate(database: &Database) -> anyhow::Result<(u32, u32)> {
    let migrated = inspect::migrate(&settings(database)?).await;
    migrated.map_err(|it| told(it, "bringing the database of `--database-url` up to date"))
}

/// What can be seen of the database.
pub async fn look(database: &Database) -> anyhow::Result<Report> {
    Ok(inspect::look(&settings(database)?).await?)
}

/// What can be seen of a database that is served from.
pub async fn health(database: &Database) -> anyhow::Result<Health> {
    Ok(inspect::health(&settings(database)?).await?)
}

/// The schema version that this binary works with.
pub fn schema_version_known() -> u32 {
    inspect::KNOWN
}
