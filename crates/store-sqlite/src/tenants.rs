//! Tenants.

use hookyard_domain::audit::AuditEntry;
use hookyard_domain::page::{Page, PageRequest};
use hookyard_domain::tenant::{Tenant, TenantId, TenantNo};
use hookyard_store::Answer;
use hookyard_store::tenants::{Retained, Tenants};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::codec::{short, time};
use crate::error::{Result, conflict, corrupt, or_conflict};
use crate::runs::{ListNo, Lists, last_written};
use crate::{SqliteStore, audit, sources};

const COLUMNS: &str =
    "no, id, name, profile, limits, retention_days, created_ms, updated_ms, version";

fn read(row: &Row<'_>) -> Result<Tenant> {
    let no: u32 = row.get(0)?;
    let bad = |column| corrupt("tenant", column, no);
    let limits: String = row.get(4)?;
    Ok(Tenant {
        no: TenantNo(no),
        id: row.get::<_, String>(1)?.parse().map_err(|_| bad("id"))?,
        name: row.get(2)?,
        profile: row.get::<_, String>(3)?.parse().map_err(|_| bad("profile"))?,
        limits: serde_json::from_str(&limits).map_err(|_| bad("limits"))?,
        retention_days: row.get(5)?,
        created_at: time(row.get(6)?),
        updated_at: time(row.get(7)?),
    })
}

fn limits_text(tenant: &Tenant) -> Result<String> {
    serde_json::to_string(&tenant.limits).map_err(|_| corrupt("tenant", "limits", &tenant.id))
}

/// A living tenant with its configuration version.
pub(crate) fn live(conn: &Connection, no: TenantNo) -> Result<Option<(Tenant, i64)>> {
    let sql = format!("SELECT {COLUMNS} FROM tenant WHERE no = ?1 AND deleted = 0");
    let mut find = conn.prepare_cached(&sql)?;
    let mut rows = find.query([no.0])?;
    match rows.next()? {
        None => Ok(None),
        Some(row) => Ok(Some((read(row)?, row.get(8)?))),
    }
}

/// Moves a living tenant's configuration version on; false when it is gone.
pub(crate) fn touch(tx: &Connection, no: TenantNo) -> Result<bool> {
    let touched = tx
        .prepare_cached("UPDATE tenant SET version = version + 1 WHERE no = ?1 AND deleted = 0")?
        .execute([no.0])?;
    Ok(touched == 1)
}

/// The same where it must be there.
pub(crate) fn touch_or_conflict(tx: &Connection, no: TenantNo) -> Result<()> {
    if touch(tx, no)? { Ok(()) } else { Err(conflict("the tenant")) }
}

fn create(tx: &Connection, mut tenant: Tenant, entry: &AuditEntry) -> Result<Tenant> {
    let inserted = tx
        .prepare_cached(
            "INSERT INTO tenant (id, name, profile, limits, retention_days, created_ms, updated_ms,
                version) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1)",
        )?
        .execute(params![
            tenant.id.as_str(),
            tenant.name,
            tenant.profile.as_str(),
            limits_text(&tenant)?,
            tenant.retention_days,
            tenant.created_at.as_millis(),
            tenant.updated_at.as_millis()
        ]);
    or_conflict(inserted, "a tenant of that name")?;
    tenant.no = TenantNo(short(tx.last_insert_rowid()));
    audit::write(tx, tenant.no, entry)?;
    Ok(tenant)
}

fn update(tx: &Connection, (old, tenant): (&Tenant, &Tenant), entry: &AuditEntry) -> Result<bool> {
    match live(tx, tenant.no)? {
        None => return Ok(false),
        Some((kept, _)) if kept != *old => return Err(conflict("the tenant")),
        Some(_) => {}
    }
    let updated = tx
        .prepare_cached(
            "UPDATE tenant SET name = ?2, profile = ?3, limits = ?4, retention_days = ?5,
                updated_ms = ?6, version = version + 1 WHERE no = ?1 AND deleted = 0",
        )?
        .execute(params![
            tenant.no.0,
            tenant.name,
            tenant.profile.as_str(),
            limits_text(tenant)?,
            tenant.retention_days,
            tenant.updated_at.as_millis()
        ])?;
    if updated == 1 {
        audit::write(tx, tenant.no, entry)?;
    }
    Ok(updated == 1)
}

fn delete(tx: &Connection, no: TenantNo, entry: &AuditEntry) -> Result<bool> {
    let Some((tenant, _)) = live(tx, no)? else { return Ok(false) };
    tx.execute("UPDATE tenant SET deleted = 1, version = version + 1 WHERE no = ?1", [no.0])?;
    tx.execute("DELETE FROM api_key WHERE tenant = ?1", [no.0])?;
    tx.execute("DELETE FROM event_type WHERE tenant = ?1", [no.0])?;
    // The next tenant of that name must not be given what this one was answered.
    tx.execute("DELETE FROM reply WHERE owner = ?1", [tenant.id.as_str()])?;
    tx.execute(
        "UPDATE endpoint SET deleted = 1, headers = NULL, secret = NULL, secret_before = NULL
         WHERE tenant = ?1",
        [no.0],
    )?;
    sources::delete_all(tx, no)?;
    audit::write(tx, no, entry)?;
    Ok(true)
}

fn retained(conn: &Connection, lists: &Lists) -> Result<Vec<Retained>> {
    let tails = lists.last_keys();
    let tx = conn.unchecked_transaction()?;
    let mut find =
        tx.prepare_cached("SELECT no, retention_days, deleted FROM tenant ORDER BY no")?;
    let mut rows = find.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let tenant = TenantNo(row.get(0)?);
        let days = row.get(1)?;
        if !row.get::<_, bool>(2)? {
            all.push(Retained { tenant, days: Some(days) });
            continue;
        }
        let list = ListNo::of_tenant(tenant);
        if tails.contains_key(&list) || last_written(&tx, list)?.is_some() {
            all.push(Retained { tenant, days: None });
        }
    }
    Ok(all)
}

fn operator_key(conn: &Connection) -> Result<Option<[u8; 32]>> {
    let sql = "SELECT value FROM meta WHERE name = 'operator_key'";
    let hash: Option<Vec<u8>> = conn.query_row(sql, [], |row| row.get(0)).optional()?;
    let bad = |_| corrupt("meta", "value", "operator_key");
    hash.map(|hash| hash.try_into().map_err(bad)).transpose()
}

impl Tenants for SqliteStore {
    fn create_tenant(&self, tenant: Tenant, audit: AuditEntry) -> Answer<'_, Tenant> {
        self.change(move |tx, _| create(tx, tenant, &audit))
    }

    fn tenant(&self, id: &TenantId) -> Answer<'_, Option<Tenant>> {
        let id = id.clone();
        self.read(move |conn, _| {
            let sql = format!("SELECT {COLUMNS} FROM tenant WHERE id = ?1 AND deleted = 0");
            let mut find = conn.prepare_cached(&sql)?;
            let mut rows = find.query([id.as_str()])?;
            rows.next()?.map(read).transpose()
        })
    }

    fn tenants(&self, page: PageRequest) -> Answer<'_, Page<Tenant>> {
        self.read(move |conn, _| {
            // The first parameter is a tenant's number in every such list; here all are wanted.
            let sql = format!(
                "SELECT {COLUMNS} FROM tenant WHERE no > ?1 AND deleted = 0 AND no < ?2
                 ORDER BY no DESC LIMIT ?3"
            );
            audit::page_by_no(conn, &sql, TenantNo(0), &page, read)
        })
    }

    fn update_tenant(&self, old: Tenant, new: Tenant, audit: AuditEntry) -> Answer<'_, bool> {
        self.change(move |tx, _| update(tx, (&old, &new), &audit))
    }

    fn delete_tenant(&self, tenant: TenantNo, audit: AuditEntry) -> Answer<'_, bool> {
        self.change(move |tx, _| delete(tx, tenant, &audit))
    }

    fn retained(&self) -> Answer<'_, Vec<Retained>> {
        self.read(retained)
    }

    fn operator_key(&self) -> Answer<'_, Option<[u8; 32]>> {
        self.read(|conn, _| operator_key(conn))
    }

    fn keep_operator_key(&self, hash: [u8; 32]) -> Answer<'_, [u8; 32]> {
        self.change(move |tx, _| {
            tx.execute(
                "INSERT OR IGNORE INTO meta (name, value) VALUES ('operator_key', ?1)",
                [&hash[..]],
            )?;
            Ok(operator_key(tx)?.unwrap_or(hash))
        })
    }
}
