//! API keys.

use hookyard_domain::audit::AuditEntry;
use hookyard_domain::id::KeyId;
use hookyard_domain::key::{Key, KeyHash};
use hookyard_domain::page::{Page, PageRequest};
use hookyard_domain::tenant::{Tenant, TenantNo};
use hookyard_store::Answer;
use hookyard_store::keys::Keys;
use rusqlite::{Connection, Params, Row, params};

use crate::codec::time;
use crate::error::{Result, conflict, corrupt, or_conflict};
use crate::events::id_of;
use crate::{SqliteStore, audit, tenants};

const COLUMNS: &str = "no, id, tenant, name, scopes, hash, hint, expires_ms, created_ms";

fn read(row: &Row<'_>) -> Result<Key> {
    let no: i64 = row.get(0)?;
    let bad = |column| corrupt("api_key", column, no);
    let id: Vec<u8> = row.get(1)?;
    let scopes: String = row.get(4)?;
    let hash: Vec<u8> = row.get(5)?;
    Ok(Key {
        id: KeyId::from_u128(id_of(&id).ok_or_else(|| bad("id"))?),
        tenant: TenantNo(row.get(2)?),
        name: row.get(3)?,
        scopes: serde_json::from_str(&scopes).map_err(|_| bad("scopes"))?,
        hash: KeyHash(hash.try_into().map_err(|_| bad("hash"))?),
        hint: row.get(6)?,
        expires_at: row.get::<_, Option<i64>>(7)?.map(time),
        created_at: time(row.get(8)?),
    })
}

fn find(conn: &Connection, condition: &str, values: impl Params) -> Result<Option<Key>> {
    let mut find =
        conn.prepare_cached(&format!("SELECT {COLUMNS} FROM api_key WHERE {condition}"))?;
    let mut rows = find.query(values)?;
    rows.next()?.map(read).transpose()
}

fn create(tx: &Connection, key: &Key, entry: &AuditEntry) -> Result<()> {
    if tenants::live(tx, key.tenant)?.is_none() {
        return Err(conflict("the tenant"));
    }
    let scopes =
        serde_json::to_string(&key.scopes).map_err(|_| corrupt("api_key", "scopes", key.id))?;
    let inserted = tx
        .prepare_cached(
            "INSERT INTO api_key (id, tenant, name, scopes, hash, hint, expires_ms, created_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            key.id.as_u128().to_be_bytes(),
            key.tenant.0,
            key.name,
            scopes,
            key.hash.0,
            key.hint,
            key.expires_at.map(|at| at.as_millis()),
            key.created_at.as_millis()
        ]);
    or_conflict(inserted, "the key")?;
    audit::write(tx, key.tenant, entry)
}

impl Keys for SqliteStore {
    fn create_key(&self, key: Key, audit: AuditEntry) -> Answer<'_, ()> {
        self.change(move |tx, _| create(tx, &key, &audit))
    }

    fn key(&self, tenant: TenantNo, id: KeyId) -> Answer<'_, Option<Key>> {
        self.read(move |conn, _| {
            find(conn, "id = ?1 AND tenant = ?2", params![id.as_u128().to_be_bytes(), tenant.0])
        })
    }

    fn keys(&self, tenant: TenantNo, page: PageRequest) -> Answer<'_, Page<Key>> {
        self.read(move |conn, _| {
            let sql = format!(
                "SELECT {COLUMNS} FROM api_key WHERE tenant = ?1 AND no < ?2
                 ORDER BY no DESC LIMIT ?3"
            );
            audit::page_by_no(conn, &sql, tenant, &page, read)
        })
    }

    fn delete_key(&self, tenant: TenantNo, id: KeyId, audit: AuditEntry) -> Answer<'_, bool> {
        self.change(move |tx, _| {
            let deleted = tx.execute(
                "DELETE FROM api_key WHERE id = ?1 AND tenant = ?2",
                params![id.as_u128().to_be_bytes(), tenant.0],
            )?;
            if deleted == 1 {
                audit::write(tx, tenant, &audit)?;
            }
            Ok(deleted == 1)
        })
    }

    fn key_by_hash(&self, hash: KeyHash) -> Answer<'_, Option<(Tenant, Key)>> {
        self.read(move |conn, _| {
            let tx = conn.unchecked_transaction()?;
            let Some(key) = find(&tx, "hash = ?1", params![hash.0])? else { return Ok(None) };
            let tenant = tenants::live(&tx, key.tenant)?;
            Ok(tenant.map(|(tenant, _)| (tenant, key)))
        })
    }
}
