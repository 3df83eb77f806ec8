//! Tenants.

use deadpool_postgres::Transaction;
use hookyard_domain::audit::AuditEntry;
use hookyard_domain::page::{Page, PageRequest};
use hookyard_domain::tenant::{Tenant, TenantId, TenantNo};
use hookyard_store::Answer;
use hookyard_store::tenants::{Retained, Tenants};
use tokio_postgres::Row;

use crate::codec::{no, time, uint, uno};
use crate::db::{GenericClient, execute, query, query_opt};
use crate::error::{Result, conflict, corrupt, or_conflict, unavailable};
use crate::node::NOW_MS;
use crate::{PostgresStore, audit, change, listen, read, sources};

const COLUMNS: &str =
    "no::int8, id, name, profile, limits, retention_days, created_ms, updated_ms, version";

fn tenant(row: &Row) -> Result<Tenant> {
    let no = TenantNo(u32::try_from(row.try_get::<_, i64>(0)?).unwrap_or(0));
    let bad = |column| corrupt("tenant", column, no.0);
    Ok(Tenant {
        no,
        id: row.try_get::<_, &str>(1)?.parse().map_err(|_| bad("id"))?,
        name: row.try_get(2)?,
        profile: row.try_get::<_, &str>(3)?.parse().map_err(|_| bad("profile"))?,
        limits: serde_json::from_str(row.try_get(4)?).map_err(|_| bad("limits"))?,
        retention_days: uno(row.try_get(5)?),
        created_at: time(row.try_get(6)?),
        updated_at: time(row.try_get(7)?),
    })
}

fn limits_text(tenant: &Tenant) -> Result<String> {
    serde_json::to_string(&tenant.limits).map_err(|_| corrupt("tenant", "limits", &tenant.id))
}

/// A living tenant with its configuration version.
pub(crate) async fn live(db: &impl GenericClient, of: TenantNo) -> Result<Option<(Tenant, u64)>> {
    let sql = format!("SELECT {COLUMNS} FROM tenant WHERE no = $1 AND NOT deleted");
    match query_opt(db, &sql, &[&no(of.0)]).await? {
        None => Ok(None),
        Some(row) => Ok(Some((tenant(&row)?, uint(row.try_get(8)?)))),
    }
}

/// Moves a living tenant's configuration version on; false when it is gone.
pub(crate) async fn touch(tx: &Transaction<'_>, of: TenantNo) -> Result<bool> {
    const SQL: &str = "UPDATE tenant SET version = version + 1 WHERE no = $1 AND NOT deleted";
    let touched = execute(tx, SQL, &[&no(of.0)]).await? == 1;
    moved(tx, of).await?;
    Ok(touched)
}

/// Tells every node that something of the tenant was changed.
pub(crate) async fn moved(tx: &Transaction<'_>, of: TenantNo) -> Result<()> {
    let sql = format!("UPDATE tenant SET moved_ms = {NOW_MS} WHERE no = $1 RETURNING version");
    if let Some(row) = query_opt(tx, &sql, &[&no(of.0)]).await? {
        listen::say(tx, &format!("c{}.{}", of.0, row.try_get::<_, i64>(0)?)).await?;
    }
    Ok(())
}

/// The same where it must be there.
pub(crate) async fn touch_or_conflict(tx: &Transaction<'_>, of: TenantNo) -> Result<()> {
    if touch(tx, of).await? { Ok(()) } else { Err(conflict("the tenant")) }
}

async fn create(tx: &Transaction<'_>, mut tenant: Tenant, entry: &AuditEntry) -> Result<Tenant> {
    const SQL: &str = "INSERT INTO tenant (id, name, profile, limits, retention_days, created_ms,
            updated_ms, version) VALUES ($1, $2, $3, $4, $5, $6, $7, 1) RETURNING no";
    let inserted = query_opt(
        tx,
        SQL,
        &[
            &tenant.id.as_str(),
            &tenant.name,
            &tenant.profile.as_str(),
            &limits_text(&tenant)?,
            &no(tenant.retention_days),
            &tenant.created_at.as_millis(),
            &tenant.updated_at.as_millis(),
        ],
    )
    .await;
    let row = or_conflict(inserted, "a tenant of that name")?;
    let row = row.ok_or_else(|| unavailable("the tenant was not made"))?;
    tenant.no = TenantNo(uno(row.try_get(0)?));
    audit::write(tx, tenant.no, entry).await?;
    Ok(tenant)
}

async fn update(
    tx: &Transaction<'_>,
    (old, tenant): (&Tenant, &Tenant),
    entry: &AuditEntry,
) -> Result<bool> {
    // Held until this is committed, so that what is compared here is what is replaced.
    execute(tx, "SELECT 1 FROM tenant WHERE no = $1 FOR UPDATE", &[&no(tenant.no.0)]).await?;
    match live(tx, tenant.no).await? {
        None => return Ok(false),
        Some((kept, _)) if kept != *old => return Err(conflict("the tenant")),
        Some(_) => {}
    }
    const SQL: &str = "UPDATE tenant SET name = $2, profile = $3, limits = $4, retention_days = $5,
            updated_ms = $6, version = version + 1 WHERE no = $1 AND NOT deleted";
    let updated = execute(
        tx,
        SQL,
        &[
            &no(tenant.no.0),
            &tenant.name,
            &tenant.profile.as_str(),
            &limits_text(tenant)?,
            &no(tenant.retention_days),
            &tenant.updated_at.as_millis(),
        ],
    )
    .await?;
    if updated == 1 {
        moved(tx, tenant.no).await?;
        audit::write(tx, tenant.no, entry).await?;
    }
    Ok(updated == 1)
}

async fn delete(tx: &Transaction<'_>, of: TenantNo, entry: &AuditEntry) -> Result<bool> {
    let Some((tenant, _)) = live(tx, of).await? else { return Ok(false) };
    let no = no(of.0);
    for sql in [
        "UPDATE tenant SET deleted = true, version = version + 1 WHERE no = $1",
        "DELETE FROM api_key WHERE tenant = $1",
        "DELETE FROM event_type WHERE tenant = $1",
        "UPDATE endpoint SET deleted = true, headers = NULL, secret = NULL, secret_before = NULL
         WHERE tenant = $1",
    ] {
        execute(tx, sql, &[&no]).await?;
    }
    // The next tenant of that name must not be given what this one was answered.
    execute(tx, "DELETE FROM reply WHERE owner = $1", &[&tenant.id.as_str()]).await?;
    sources::delete_all(tx, of).await?;
    moved(tx, of).await?;
    audit::write(tx, of, entry).await?;
    Ok(true)
}

async fn retained(db: &impl GenericClient) -> Result<Vec<Retained>> {
    const SQL: &str = "SELECT t.no, t.retention_days, t.deleted FROM tenant t
        WHERE NOT t.deleted OR EXISTS (SELECT 1 FROM event e WHERE e.tenant = t.no)
        ORDER BY t.no";
    let mut all = Vec::new();
    for row in query(db, SQL, &[]).await? {
        let days = uno(row.try_get(1)?);
        let is_deleted: bool = row.try_get(2)?;
        let tenant = TenantNo(uno(row.try_get(0)?));
        all.push(Retained { tenant, days: (!is_deleted).then_some(days) });
    }
    Ok(all)
}

async fn find(db: &impl GenericClient, id: &TenantId) -> Result<Option<Tenant>> {
    let sql = format!("SELECT {COLUMNS} FROM tenant WHERE id = $1 AND NOT deleted");
    query_opt(db, &sql, &[&id.as_str()]).await?.as_ref().map(tenant).transpose()
}

async fn operator_key(db: &impl GenericClient) -> Result<Option<[u8; 32]>> {
    let row = query_opt(db, "SELECT value FROM meta WHERE name = 'operator_key'", &[]).await?;
    let Some(row) = row else { return Ok(None) };
    let hash: &[u8] = row.try_get(0)?;
    hash.try_into().map(Some).map_err(|_| corrupt("meta", "value", "operator_key"))
}

async fn keep_operator_key(db: &impl GenericClient, hash: [u8; 32]) -> Result<[u8; 32]> {
    const SQL: &str =
        "INSERT INTO meta (name, value) VALUES ('operator_key', $1) ON CONFLICT (name) DO NOTHING";
    execute(db, SQL, &[&&hash[..]]).await?;
    Ok(operator_key(db).await?.unwrap_or(hash))
}

impl Tenants for PostgresStore {
    fn create_tenant(&self, tenant: Tenant, audit: AuditEntry) -> Answer<'_, Tenant> {
        change!(self, TenantNo(0), |tx| create(tx, tenant, &audit))
    }

    fn tenant(&self, id: &TenantId) -> Answer<'_, Option<Tenant>> {
        let id = id.clone();
        read!(self, |db| find(db, &id))
    }

    fn tenants(&self, page: PageRequest) -> Answer<'_, Page<Tenant>> {
        read!(self, |db| async {
            // The first parameter is a tenant's number in every such list; here all are wanted.
            let sql = format!(
                "SELECT {COLUMNS} FROM tenant WHERE no > $1 AND NOT deleted AND no < $2::int8
                 ORDER BY tenant.no DESC LIMIT $3"
            );
            audit::page_by_no(db, &sql, TenantNo(0), &page, tenant).await
        })
    }

    fn update_tenant(&self, old: Tenant, new: Tenant, audit: AuditEntry) -> Answer<'_, bool> {
        change!(self, new.no, |tx| update(tx, (&old, &new), &audit))
    }

    fn delete_tenant(&self, tenant: TenantNo, audit: AuditEntry) -> Answer<'_, bool> {
        change!(self, tenant, |tx| delete(tx, tenant, &audit))
    }

    fn retained(&self) -> Answer<'_, Vec<Retained>> {
        read!(self, |db| retained(db))
    }

    fn operator_key(&self) -> Answer<'_, Option<[u8; 32]>> {
        read!(self, |db| operator_key(db))
    }

    fn keep_operator_key(&self, hash: [u8; 32]) -> Answer<'_, [u8; 32]> {
        read!(self, |db| keep_operator_key(db, hash))
    }
}
