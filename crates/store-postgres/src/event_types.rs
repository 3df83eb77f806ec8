//! A tenant's catalogue of event types.

use deadpool_postgres::Transaction;
use hookyard_domain::audit::AuditEntry;
use hookyard_domain::event_type::{CatalogueEntry, EventType};
use hookyard_domain::page::{Page, PageRequest};
use hookyard_domain::tenant::TenantNo;
use hookyard_store::Answer;
use hookyard_store::event_types::EventTypes;
use tokio_postgres::Row;

use crate::codec::{no, time};
use crate::db::{GenericClient, execute, query_opt};
use crate::error::{Result, conflict, corrupt, or_conflict};
use crate::{PostgresStore, audit, change, read, tenants};

const COLUMNS: &str =
    "no, name, description, \"group\", schema, sample, deprecated, created_ms, updated_ms";

fn entry(row: &Row) -> Result<CatalogueEntry> {
    let no: i64 = row.try_get(0)?;
    let name: &str = row.try_get(1)?;
    Ok(CatalogueEntry {
        name: name.parse().map_err(|_| corrupt("event_type", "name", no))?,
        description: row.try_get(2)?,
        group: row.try_get(3)?,
        schema: row.try_get(4)?,
        sample: row.try_get(5)?,
        deprecated: row.try_get(6)?,
        created_at: time(row.try_get(7)?),
        updated_at: time(row.try_get(8)?),
    })
}

async fn put(
    tx: &Transaction<'_>,
    tenant: TenantNo,
    entries: &[CatalogueEntry],
    replace: bool,
    entry: &AuditEntry,
) -> Result<()> {
    if tenants::live(tx, tenant).await?.is_none() {
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
    let sql = format!(
        "INSERT INTO event_type (tenant, name, description, \"group\", schema, sample, deprecated,
            created_ms, updated_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) {otherwise}"
    );
    for entry in entries {
        let inserted = execute(
            tx,
            &sql,
            &[
                &no(tenant.0),
                &entry.name.as_str(),
                &entry.description,
                &entry.group,
                &entry.schema,
                &entry.sample,
                &entry.deprecated,
                &entry.created_at.as_millis(),
                &entry.updated_at.as_millis(),
            ],
        )
        .await;
        or_conflict(inserted, "an event type of that name")?;
    }
    audit::write(tx, tenant, entry).await
}

async fn find(
    db: &impl GenericClient,
    tenant: TenantNo,
    name: &EventType,
) -> Result<Option<CatalogueEntry>> {
    let sql = format!("SELECT {COLUMNS} FROM event_type WHERE tenant = $1 AND name = $2");
    let row = query_opt(db, &sql, &[&no(tenant.0), &name.as_str()]).await?;
    row.as_ref().map(entry).transpose()
}

async fn delete(
    tx: &Transaction<'_>,
    tenant: TenantNo,
    name: &EventType,
    entry: &AuditEntry,
) -> Result<bool> {
    const SQL: &str = "DELETE FROM event_type WHERE tenant = $1 AND name = $2";
    let deleted = execute(tx, SQL, &[&no(tenant.0), &name.as_str()]).await? == 1;
    if deleted {
        audit::write(tx, tenant, entry).await?;
    }
    Ok(deleted)
}

impl EventTypes for PostgresStore {
    fn put_event_types(
        &self,
        tenant: TenantNo,
        entries: Vec<CatalogueEntry>,
        replace: bool,
        audit: AuditEntry,
    ) -> Answer<'_, ()> {
        change!(self, tenant, |tx| put(tx, tenant, &entries, replace, &audit))
    }

    fn event_type(&self, tenant: TenantNo, name: &EventType) -> Answer<'_, Option<CatalogueEntry>> {
        let name = name.clone();
        read!(self, |db| find(db, tenant, &name))
    }

    fn event_types(&self, tenant: TenantNo, page: PageRequest) -> Answer<'_, Page<CatalogueEntry>> {
        read!(self, |db| async {
            let sql = format!(
                "SELECT {COLUMNS} FROM event_type WHERE tenant = $1 AND no < $2
                 ORDER BY no DESC LIMIT $3"
            );
            audit::page_by_no(db, &sql, tenant, &page, entry).await
        })
    }

    fn delete_event_type(
        &self,
        tenant: TenantNo,
        name: &EventType,
        audit: AuditEntry,
    ) -> Answer<'_, bool> {
        let name = name.clone();
        change!(self, tenant, |tx| delete(tx, tenant, &name, &audit))
    }
}
