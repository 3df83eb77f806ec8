//! The audit log, and pages of rows that are numbered as they are made.

use hookyard_domain::audit::AuditEntry;
use hookyard_domain::id::AuditId;
use hookyard_domain::page::{Cursor, Page, PageRequest};
use hookyard_domain::tenant::TenantNo;
use hookyard_store::Answer;
use hookyard_store::audit::Audit;
use tokio_postgres::Row;

use crate::codec::{int, no, time, uint};
use crate::db::{GenericClient, Uid, execute, query};
use crate::error::Result;
use crate::{PostgresStore, read, share};

/// Writes an entry, in the transaction of what it tells of.
pub(crate) async fn write(
    tx: &impl GenericClient,
    tenant: TenantNo,
    entry: &AuditEntry,
) -> Result<()> {
    const SQL: &str =
        "INSERT INTO audit (tenant, id, at_ms, actor, origin, action, subject, before, after)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    execute(
        tx,
        SQL,
        &[
            &no(tenant.0),
            &Uid(entry.id.as_u128()),
            &entry.at.as_millis(),
            &entry.actor,
            &entry.origin,
            &entry.action,
            &entry.subject,
            &entry.before,
            &entry.after,
        ],
    )
    .await?;
    Ok(())
}

/// A page of a tenant's rows by their numbers, newest first. `sql` selects the number first, as a `bigint`, and takes the
/// tenant, the number to stay below, and how many.
pub(crate) async fn page_by_no<T>(
    db: &impl GenericClient,
    sql: &str,
    tenant: TenantNo,
    request: &PageRequest,
    read: impl Fn(&Row) -> Result<T>,
) -> Result<Page<T>> {
    let below = request.cursor.map_or(i64::MAX, |cursor| int(cursor.0));
    let limit = request.limit as usize;
    let rows = query(db, sql, &[&no(tenant.0), &below, &int(limit as u64 + 1)]).await?;
    let mut page = Page { rows: Vec::new(), next: None };
    let mut last = 0;
    for row in &rows {
        if page.rows.len() == limit {
            page.next = Some(Cursor(last, 0));
            break;
        }
        last = uint(row.try_get(0)?);
        page.rows.push(read(row)?);
    }
    Ok(page)
}

/// The columns of [`entry`].
pub(crate) const ENTRY: &str = "no, id, at_ms, actor, origin, action, subject, before, after";

/// The entry of a row that begins with [`ENTRY`].
pub(crate) fn entry(row: &Row) -> Result<AuditEntry> {
    Ok(AuditEntry {
        id: AuditId::from_u128(row.try_get::<_, Uid>(1)?.0),
        at: time(row.try_get(2)?),
        actor: row.try_get(3)?,
        origin: row.try_get(4)?,
        action: row.try_get(5)?,
        subject: row.try_get(6)?,
        before: row.try_get(7)?,
        after: row.try_get(8)?,
    })
}

impl Audit for PostgresStore {
    /// Under the tenant's lock as every entry, so that the feed can go by their numbers.
    fn note(&self, tenant: TenantNo, entry: AuditEntry) -> Answer<'_, ()> {
        share!(self, tenant, |tx| write(tx, tenant, &entry))
    }

    fn audit(&self, tenant: TenantNo, page: PageRequest) -> Answer<'_, Page<AuditEntry>> {
        read!(self, |db| async {
            let sql = format!(
                "SELECT {ENTRY} FROM audit WHERE tenant = $1 AND no < $2 ORDER BY no DESC LIMIT $3"
            );
            page_by_no(db, &sql, tenant, &page, entry).await
        })
    }
}
