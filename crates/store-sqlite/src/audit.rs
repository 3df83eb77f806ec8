//! The audit log, and pages of rows that are numbered as they are made.

use hookyard_domain::audit::AuditEntry;
use hookyard_domain::id::AuditId;
use hookyard_domain::page::{Cursor, Page, PageRequest};
use hookyard_domain::tenant::TenantNo;
use hookyard_store::Answer;
use hookyard_store::audit::Audit;
use rusqlite::{Connection, Row, params};

use crate::SqliteStore;
use crate::codec::{int, time, uint};
use crate::error::{Result, corrupt};
use crate::events::id_of;

/// Writes an entry, in the transaction of what it tells of.
pub(crate) fn write(tx: &Connection, tenant: TenantNo, entry: &AuditEntry) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO audit (tenant, id, at_ms, actor, origin, action, subject, before, after)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        tenant.0,
        entry.id.as_u128().to_be_bytes(),
        entry.at.as_millis(),
        entry.actor,
        entry.origin,
        entry.action,
        entry.subject,
        entry.before,
        entry.after
    ])?;
    Ok(())
}

/// A page of a tenant's rows by their numbers, newest first. `sql` selects `no` first and takes the tenant, the number to
/// stay below, and how many.
pub(crate) fn page_by_no<T>(
    conn: &Connection,
    sql: &str,
    tenant: TenantNo,
    request: &PageRequest,
    read: impl Fn(&Row<'_>) -> Result<T>,
) -> Result<Page<T>> {
    let below = request.cursor.map_or(i64::MAX, |cursor| int(cursor.0));
    let limit = request.limit as usize;
    let mut find = conn.prepare_cached(sql)?;
    let mut rows = find.query(params![tenant.0, below, int(limit as u64 + 1)])?;
    let mut page = Page { rows: Vec::new(), next: None };
    let mut last = 0;
    while let Some(row) = rows.next()? {
        if page.rows.len() == limit {
            page.next = Some(Cursor(last, 0));
            break;
        }
        last = uint(row.get(0)?);
        page.rows.push(read(row)?);
    }
    Ok(page)
}

/// The columns of [`entry`].
pub(crate) const ENTRY: &str = "no, id, at_ms, actor, origin, action, subject, before, after";

/// The entry of a row that begins with [`ENTRY`].
pub(crate) fn entry(row: &Row<'_>) -> Result<AuditEntry> {
    let no: i64 = row.get(0)?;
    let id: Vec<u8> = row.get(1)?;
    Ok(AuditEntry {
        id: AuditId::from_u128(id_of(&id).ok_or_else(|| corrupt("audit", "id", no))?),
        at: time(row.get(2)?),
        actor: row.get(3)?,
        origin: row.get(4)?,
        action: row.get(5)?,
        subject: row.get(6)?,
        before: row.get(7)?,
        after: row.get(8)?,
    })
}

impl Audit for SqliteStore {
    fn note(&self, tenant: TenantNo, entry: AuditEntry) -> Answer<'_, ()> {
        self.change(move |tx, _| write(tx, tenant, &entry))
    }

    fn audit(&self, tenant: TenantNo, page: PageRequest) -> Answer<'_, Page<AuditEntry>> {
        self.read(move |conn, _| {
            let sql = format!(
                "SELECT {ENTRY} FROM audit WHERE tenant = ?1 AND no < ?2 ORDER BY no DESC LIMIT ?3"
            );
            page_by_no(conn, &sql, tenant, &page, entry)
        })
    }
}
