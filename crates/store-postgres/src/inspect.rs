//! Looking at a database from outside, and bringing it up to date without serving from it.

mod health;

use hookyard_domain::time::Timestamp;
use hookyard_store::StoreError;

use crate::codec::time;
use crate::db::query_opt;
use crate::error::{Fault, Result, unavailable};
use crate::open::{self, Settings};
use crate::{migrate, node};

pub use self::health::{Days, Health, Standby, health};

/// The schema version that this binary works with.
pub const KNOWN: u32 = migrate::KNOWN.unsigned_abs();

/// What can be seen of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What the server says it is, as in `15.9`.
    pub server: String,
    /// The same as a number, as in 150009.
    pub server_no: u32,
    /// The schema's version; 0 where there is none yet.
    pub schema: u32,
    /// It can be written to: it is no standby, and not set to be read only.
    pub is_writable: bool,
    /// The time it has.
    pub now: Timestamp,
}

/// Brings the schema to the newest version; the versions before and after.
///
/// # Errors
/// When the database cannot be reached, or when a newer version made the store.
pub async fn migrate(settings: &Settings) -> std::result::Result<(u32, u32), StoreError> {
    let mut client = open::pool(settings, 1)?.get().await.map_err(Fault::from)?;
    let before = version(&client).await?;
    migrate::migrate(&mut client).await?;
    Ok((before, version(&client).await?))
}

/// Looks at the database and changes nothing.
///
/// # Errors
/// When it cannot be reached.
pub async fn look(settings: &Settings) -> std::result::Result<Report, StoreError> {
    let client = open::pool(settings, 1)?.get().await.map_err(Fault::from)?;
    Ok(report(&client).await?)
}

async fn report(client: &deadpool_postgres::Client) -> Result<Report> {
    let sql = format!(
        "SELECT current_setting('server_version'), current_setting('server_version_num')::int4,
            NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off', {}",
        node::NOW_MS
    );
    let row = query_opt(client, &sql, &[]).await?;
    let row = row.ok_or_else(|| unavailable("the database says nothing of itself"))?;
    Ok(Report {
        server: row.try_get(0)?,
        server_no: row.try_get::<_, i32>(1)?.unsigned_abs(),
        schema: version(client).await?,
        is_writable: row.try_get(2)?,
        now: time(row.try_get(3)?),
    })
}

async fn version(client: &deadpool_postgres::Client) -> Result<u32> {
    let there = query_opt(client, "SELECT 1 WHERE to_regclass('schema_version') IS NULL", &[]);
    if there.await?.is_some() {
        return Ok(0);
    }
    let row = query_opt(client, "SELECT version FROM schema_version", &[]).await?;
    Ok(row.map(|row| row.try_get::<_, i32>(0)).transpose()?.unwrap_or(0).unsigned_abs())
}
