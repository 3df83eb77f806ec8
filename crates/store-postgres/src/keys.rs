//! API keys.

use deadpool_postgres::Transaction;
use hookyard_domain::audit::AuditEntry;
use hookyard_domain::id::KeyId;
use hookyard_domain::key::{Key, KeyHash};
use hookyard_domain::page::{Page, PageRequest};
use hookyard_domain::tenant::{Tenant, TenantNo};
use hookyard_store::Answer;
use hookyard_store::keys::Keys;
use tokio_postgres::Row;

use crate::codec::{no, time, uno};
use crate::db::{GenericClient, Params, Uid, execute, query_opt};
use crate::error::{Result, conflict, corrupt, or_conflict};
use crate::{PostgresStore, audit, change, read, tenants};

const COLUMNS: &str = "no, id, tenant, name, scopes, hash, hint, expires_ms, created_ms";

fn key(row: &Row) -> Result<Key> {
    let no: i64 = row.try_get(0)?;
    let bad = |column| corrupt("api_key", column, no);
    let hash: &[u8] = row.try_get(5)?;
    Ok(Key {
        id: KeyId::from_u128(row.try_get::<_, Uid>(1)?.0),
        tenant: TenantNo(uno(row.try_get(2)?)),
        name: row.try_get(3)?,
        scopes: serde_json::from_str(row.try_get(4)?).map_err(|_| bad("scopes"))?,
        hash: KeyHash(hash.try_into().map_err(|_| bad("hash"))?),
        hint: row.try_get(6)?,
        expires_at: row.try_get::<_, Option<i64>>(7)?.map(time),
        created_at: time(row.try_get(8)?),
    })
}

async fn find(db: &impl GenericClient, condition: &str, params: Params<'_>) -> Result<Option<Key>> {
    let sql = format!("SELECT {COLUMNS} FROM api_key WHERE {condition}");
    query_opt(db, &sql, params).await?.as_ref().map(key).transpose()
}

async fn create(tx: &Transaction<'_>, key: &Key, entry: &AuditEntry) -> Result<()> {
    const SQL: &str =
        "INSERT INTO api_key (id, tenant, name, scopes, hash, hint, expires_ms, created_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    if tenants::live(tx, key.tenant).await?.is_none() {
        return Err(conflict("the tenant"));
    }
    let scopes =
        serde_json::to_string(&key.scopes).map_err(|_| corrupt("api_key", "scopes", key.id))?;
    let inserted = execute(
        tx,
        SQL,
        &[
            &Uid(key.id.as_u128()),
            &no(key.tenant.0),
            &key.name,
            &scopes,
            &&key.hash.0[..],
            &key.hint,
            &key.expires_at.map(|at| at.as_millis()),
            &key.created_at.as_millis(),
        ],
    )
    .await;
    or_conflict(inserted, "the key")?;
    tenants::moved(tx, key.tenant).await?;
    audit::write(tx, key.tenant, entry).await
}

async fn delete(
    tx: &Transaction<'_>,
    tenant: TenantNo,
    id: KeyId,
    entry: &AuditEntry,
) -> Result<bool> {
    const SQL: &str = "DELETE FROM api_key WHERE id = $1 AND tenant = $2";
    let deleted = execute(tx, SQL, &[&Uid(id.as_u128()), &no(tenant.0)]).await? == 1;
    if deleted {
        tenants::moved(tx, tenant).await?;
        audit::write(tx, tenant, entry).await?;
    }
    Ok(deleted)
}

async fn by_hash(db: &impl GenericClient, hash: KeyHash) -> Result<Option<(Tenant, Key)>> {
    let Some(key) = find(db, "hash = $1", &[&&hash.0[..]]).await? else { return Ok(None) };
    let tenant = tenants::live(db, key.tenant).await?;
    Ok(tenant.map(|(tenant, _)| (tenant, key)))
}

impl Keys for PostgresStore {
    fn create_key(&self, key: Key, audit: AuditEntry) -> Answer<'_, ()> {
        change!(self, key.tenant, |tx| create(tx, &key, &audit))
    }

    fn key(&self, tenant: TenantNo, id: KeyId) -> Answer<'_, Option<Key>> {
        read!(self, |db| find(db, "id = $1 AND tenant = $2", &[&Uid(id.as_u128()), &no(tenant.0)]))
    }

    fn keys(&self, tenant: TenantNo, page: PageRequest) -> Answer<'_, Page<Key>> {
        read!(self, |db| async {
            let sql = format!(
                "SELECT {COLUMNS} FROM api_key WHERE tenant = $1 AND no < $2
                 ORDER BY no DESC LIMIT $3"
            );
            audit::page_by_no(db, &sql, tenant, &page, key).await
        })
    }

    fn delete_key(&self, tenant: TenantNo, id: KeyId, audit: AuditEntry) -> Answer<'_, bool> {
        change!(self, tenant, |tx| delete(tx, tenant, id, &audit))
    }

    fn key_by_hash(&self, hash: KeyHash) -> Answer<'_, Option<(Tenant, Key)>> {
        read!(self, |db| by_hash(db, hash))
    }
}
