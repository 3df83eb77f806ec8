//! A tenant's catalogue of event types.

use hookyard_domain::audit::AuditEntry;
use hookyard_domain::event_type::{CatalogueEntry, EventType};
use hookyard_domain::page::{Page, PageRequest};
use hookyard_domain::tenant::TenantNo;
use hookyard_store::Answer;
use hookyard_store::event_types::EventTypes;
use rusqlite::{Connection, Row, params};

use crate::codec::time;
use crate::error::{Result, conflict, corrupt, or_conflict};
use crate::{SqliteStore, audit, tenants};

const COLUMNS: &str =
    "no, name, description, \"group\", schema, sample, deprecated, created_ms, updated_ms";

fn read(row: &Row<'_>) -> Result<CatalogueEntry> {
    let no: i64 = row.get(0)?;
    let name: String = row.get(1)?;
    Ok(CatalogueEntry {
        name: name.parse().map_err(|_| corrupt("event_type", "name", no))?,
        description: row.get(2)?,
        group: row.get(3)?,
        schema: row.get(4)?,
        sample: row.get(5)?,
        deprecated: row.get(6)?,
        created_at: time(row.get(7)?),
        updated_at: time(row.get(8)?),
    })
}

fn put(
    tx: &Connection,
    tenant: TenantNo,
    entries: &[CatalogueEntry],
    replace: bool,
    entry: &AuditEntry,
) -> Result<()> {
    if tenants::live(tx, tenant)?.is_none() {
        return Err(conflict("the tenant"));
    }
    // An entry that is replaced keeps its place in the list and the time it was made.
    let otherwise = if replace {
        "ON CONFLICT (tenant, name) DO UPDATE SET description = excluded.description,
            \"group\" = excluded.\"group\", schema = excluded.schema, sample = excluded.sample,
            deprecated = excluded.deprecated, updated_ms = excluded.updated_ms"
    } else {
        ""
    };
    let mut insert = tx.prepare_cached(&format!(
        "INSERT INTO event_type (tenant, name, description, \"group\", schema, sample, deprecated,
            created_ms, updated_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) {otherwise}"
    ))?;
    for entry in entries {
        let inserted = insert.execute(params![
            tenant.0,
            entry.name.as_str(),
            entry.description,
            entry.group,
            entry.schema,
            entry.sample,
            entry.deprecated,
            entry.created_at.as_millis(),
            entry.updated_at.as_millis()
        ]);
        or_conflict(inserted, "an event type of that name")?;
    }
    audit::write(tx, tenant, entry)
}

impl EventTypes for SqliteStore {
    fn put_event_types(
        &self,
        tenant: TenantNo,
        entries: Vec<CatalogueEntry>,
        replace: bool,
        audit: AuditEntry,
    ) -> Answer<'_, ()> {
        self.change(move |tx, _| put(tx, tenant, &entries, replace, &audit))
    }

    fn event_type(&self, tenant: TenantNo, name: &EventType) -> Answer<'_, Option<CatalogueEntry>> {
        let name = name.clone();
        self.read(move |conn, _| {
            let sql = format!("SELECT {COLUMNS} FROM event_type WHERE tenant = ?1 AND name = ?2");
            let mut find = conn.prepare_cached(&sql)?;
            let mut rows = find.query(params![tenant.0, name.as_str()])?;
            rows.next()?.map(read).transpose()
        })
    }

    fn event_types(&self, tenant: TenantNo, page: PageRequest) -> Answer<'_, Page<CatalogueEntry>> {
        self.read(move |conn, _| {
            let sql = format!(
                "SELECT {COLUMNS} FROM event_type WHERE tenant = ?1 AND no < ?2
                 ORDER BY no DESC LIMIT ?3"
            );
            audit::page_by_no(conn, &sql, tenant, &page, read)
        })
    }

    fn delete_event_type(
        &self,
        tenant: TenantNo,
        name: &EventType,
        audit: AuditEntry,
    ) -> Answer<'_, bool> {
        let name = name.clone();
        self.change(move |tx, _| {
            let deleted = tx.execute(
                "DELETE FROM event_type WHERE tenant = ?1 AND name = ?2",
                params![tenant.0, name.as_str()],
            )?;
            if deleted == 1 {
                audit::write(tx, tenant, &audit)?;
            }
            Ok(deleted == 1)
        })
    }
}
