//! Sources: inbound receivers, and the endpoints that forward for them.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use hookyard_domain::audit::AuditEntry;
use hookyard_domain::id::{EndpointId, SourceId};
use hookyard_domain::page::{Page, PageRequest};
use hookyard_domain::secret::{Sealed, SealedSecrets};
use hookyard_domain::source::{Source, SourceActivity, SourceStatus};
use hookyard_domain::tenant::TenantNo;
use hookyard_store::sources::{Forward, Sources};
use hookyard_store::{Answer, StoreError};
use tokio_postgres::Row;

use crate::codec::{self, int, no, time, uint, uno};
use crate::db::{GenericClient, Uid, execute, query, query_opt};
use crate::error::{Result, conflict, corrupt, or_conflict};
use crate::{PostgresStore, audit, change, endpoints, read, tenants};

const COLUMNS: &str = "no, id, tenant, settings, secret, secret_before, secret_before_until_ms,
    verify_token, status, created_ms, updated_ms, revision";

fn source(row: &Row) -> Result<Source> {
    let no: i64 = row.try_get(0)?;
    let bad = |column| corrupt("source", column, no);
    let before: Option<Vec<u8>> = row.try_get(5)?;
    let until: Option<i64> = row.try_get(6)?;
    Ok(Source {
        id: SourceId::from_u128(row.try_get::<_, Uid>(1)?.0),
        tenant: TenantNo(uno(row.try_get(2)?)),
        settings: serde_json::from_str(row.try_get(3)?).map_err(|_| bad("settings"))?,
        secrets: SealedSecrets {
            current: row.try_get::<_, Option<Vec<u8>>>(4)?.map(Sealed),
            previous: before.zip(until).map(|(sealed, until)| (Sealed(sealed), time(until))),
        },
        verify_token: row.try_get::<_, Option<Vec<u8>>>(7)?.map(Sealed),
        status: codec::source_status(row.try_get(8)?).ok_or_else(|| bad("status"))?,
        created_at: time(row.try_get(9)?),
        updated_at: time(row.try_get(10)?),
        revision: uint(row.try_get(11)?),
    })
}

async fn find(db: &impl GenericClient, tenant: TenantNo, id: SourceId) -> Result<Option<Source>> {
    let sql = format!("SELECT {COLUMNS} FROM source WHERE id = $1 AND tenant = $2 AND NOT deleted");
    let row = query_opt(db, &sql, &[&Uid(id.as_u128()), &no(tenant.0)]).await?;
    row.as_ref().map(source).transpose()
}

/// A tenant's sources, oldest first.
pub(crate) async fn of_tenant(db: &impl GenericClient, tenant: TenantNo) -> Result<Vec<Source>> {
    let sql = format!("SELECT {COLUMNS} FROM source WHERE tenant = $1 AND NOT deleted ORDER BY no");
    query(db, &sql, &[&no(tenant.0)]).await?.iter().map(source).collect()
}

fn settings_text(source: &Source) -> Result<String> {
    serde_json::to_string(&source.settings).map_err(|_| corrupt("source", "settings", source.id))
}

/// A provider as it is looked up; PostgreSQL's texts hold no zero.
fn provider_text(provider: &str) -> String {
    provider.replace('\0', " ")
}

/// The endpoint that forwards for a source, by the id they share.
fn endpoint_of(id: SourceId) -> EndpointId {
    EndpointId::from_u128(id.as_u128())
}

async fn forward_to(tx: &Transaction<'_>, source: &Source, forward: Forward) -> Result<()> {
    match forward {
        Forward::Keep => Ok(()),
        Forward::Put { endpoint, endpoints_max } => {
            endpoints::put_under_its_id(tx, *endpoint, endpoints_max).await
        }
        Forward::Remove => {
            endpoints::take_away(tx, source.tenant, endpoint_of(source.id)).await.map(|_| ())
        }
    }
}

async fn create(
    tx: &Transaction<'_>,
    source: Source,
    forward: Forward,
    limit: u32,
    entry: &AuditEntry,
) -> Result<Source> {
    const MANY: &str = "SELECT count(*) FROM source WHERE tenant = $1 AND NOT deleted";
    tenants::touch_or_conflict(tx, source.tenant).await?;
    let row = query_opt(tx, MANY, &[&no(source.tenant.0)]).await?;
    let many: i64 = row.map(|row| row.try_get(0)).transpose()?.unwrap_or(0);
    if many >= i64::from(limit) {
        return Err(StoreError::Full { what: "sources", limit }.into());
    }
    or_conflict(insert(tx, &source).await, "the source")?;
    forward_to(tx, &source, forward).await?;
    audit::write(tx, source.tenant, entry).await?;
    Ok(source)
}

async fn insert(tx: &Transaction<'_>, source: &Source) -> Result<u64> {
    const SQL: &str = "INSERT INTO source (id, tenant, provider, settings, secret, secret_before,
            secret_before_until_ms, verify_token, status, created_ms, updated_ms, revision)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    let previous = source.secrets.previous.as_ref();
    execute(
        tx,
        SQL,
        &[
            &Uid(source.id.as_u128()),
            &no(source.tenant.0),
            &provider_text(&source.settings.provider),
            &settings_text(source)?,
            &source.secrets.current.as_ref().map(|sealed| &sealed.0),
            &previous.map(|(sealed, _)| &sealed.0),
            &previous.map(|(_, until)| until.as_millis()),
            &source.verify_token.as_ref().map(|sealed| &sealed.0),
            &codec::source_status_code(source.status),
            &source.created_at.as_millis(),
            &source.updated_at.as_millis(),
            &int(source.revision),
        ],
    )
    .await
}

async fn update(
    tx: &Transaction<'_>,
    source: Source,
    forward: Forward,
    entry: &AuditEntry,
) -> Result<Option<Source>> {
    let Some(kept) = find(tx, source.tenant, source.id).await? else { return Ok(None) };
    if kept.revision != source.revision {
        return Err(conflict("the source"));
    }
    let next = Source { created_at: kept.created_at, revision: kept.revision + 1, ..source };
    put(tx, &next).await?;
    forward_to(tx, &next, forward).await?;
    tenants::touch(tx, next.tenant).await?;
    audit::write(tx, next.tenant, entry).await?;
    Ok(Some(next))
}

async fn put(tx: &Transaction<'_>, source: &Source) -> Result<()> {
    const SQL: &str = "UPDATE source SET provider = $2, settings = $3, secret = $4,
            secret_before = $5, secret_before_until_ms = $6, verify_token = $7, status = $8,
            updated_ms = $9, revision = $10 WHERE id = $1";
    let previous = source.secrets.previous.as_ref();
    execute(
        tx,
        SQL,
        &[
            &Uid(source.id.as_u128()),
            &provider_text(&source.settings.provider),
            &settings_text(source)?,
            &source.secrets.current.as_ref().map(|sealed| &sealed.0),
            &previous.map(|(sealed, _)| &sealed.0),
            &previous.map(|(_, until)| until.as_millis()),
            &source.verify_token.as_ref().map(|sealed| &sealed.0),
            &codec::source_status_code(source.status),
            &source.updated_at.as_millis(),
            &int(source.revision),
        ],
    )
    .await?;
    Ok(())
}

async fn reseal(tx: &Transaction<'_>, source: &Source) -> Result<bool> {
    const SQL: &str = "UPDATE source SET secret = $4, secret_before = $5, verify_token = $6
        WHERE id = $1 AND tenant = $2 AND revision = $3 AND NOT deleted";
    let previous = source.secrets.previous.as_ref();
    let sealed = execute(
        tx,
        SQL,
        &[
            &Uid(source.id.as_u128()),
            &no(source.tenant.0),
            &int(source.revision),
            &source.secrets.current.as_ref().map(|sealed| &sealed.0),
            &previous.map(|(sealed, _)| &sealed.0),
            &source.verify_token.as_ref().map(|sealed| &sealed.0),
        ],
    )
    .await?;
    Ok(sealed > 0)
}

/// What is wiped of a source that goes.
const GONE: &str = "deleted = true, secret = NULL, secret_before = NULL, verify_token = NULL";

async fn delete(
    tx: &Transaction<'_>,
    tenant: TenantNo,
    id: SourceId,
    entry: &AuditEntry,
) -> Result<bool> {
    const FORGET: &str = "DELETE FROM held WHERE tenant = $1 AND source = $2";
    let sql = format!("UPDATE source SET {GONE} WHERE id = $1 AND tenant = $2 AND NOT deleted");
    let (source, owner) = (Uid(id.as_u128()), no(tenant.0));
    if execute(tx, &sql, &[&source, &owner]).await? == 0 {
        return Ok(false);
    }
    execute(tx, FORGET, &[&owner, &source]).await?;
    endpoints::take_away(tx, tenant, endpoint_of(id)).await?;
    tenants::touch(tx, tenant).await?;
    audit::write(tx, tenant, entry).await?;
    Ok(true)
}

/// Takes all sources of a tenant away, with what is held of them.
pub(crate) async fn delete_all(tx: &Transaction<'_>, tenant: TenantNo) -> Result<()> {
    execute(tx, "DELETE FROM held WHERE tenant = $1", &[&no(tenant.0)]).await?;
    execute(tx, &format!("UPDATE source SET {GONE} WHERE tenant = $1"), &[&no(tenant.0)]).await?;
    Ok(())
}

async fn activities(
    db: &impl GenericClient,
    tenant: TenantNo,
    of: &[SourceId],
) -> Result<Vec<SourceActivity>> {
    const SQL: &str = "SELECT source, sum(event_count)::int8, max(last_event_ms) FROM received
        WHERE tenant = $1 AND source = ANY($2) GROUP BY source";
    let asked: Vec<Uid> = of.iter().map(|it| Uid(it.as_u128())).collect();
    let mut known: HashMap<Uid, SourceActivity> = HashMap::new();
    for row in query(db, SQL, &[&no(tenant.0), &asked]).await? {
        let activity = SourceActivity {
            event_count: uint(row.try_get(1)?),
            last_event_at: Some(time(row.try_get(2)?)),
        };
        known.insert(row.try_get(0)?, activity);
    }
    Ok(asked.iter().map(|it| known.get(it).copied().unwrap_or_default()).collect())
}

async fn tenant_of(db: &impl GenericClient, id: SourceId) -> Result<Option<TenantNo>> {
    const SQL: &str = "SELECT tenant FROM source WHERE id = $1 AND NOT deleted";
    let row = query_opt(db, SQL, &[&Uid(id.as_u128())]).await?;
    row.map(|row| Ok(TenantNo(uno(row.try_get(0)?)))).transpose()
}

async fn of_provider(
    db: &impl GenericClient,
    provider: &str,
    (each, limit): (u32, u32),
) -> Result<Vec<(TenantNo, SourceId)>> {
    const SQL: &str = "SELECT tenant, id FROM (
            SELECT tenant, id, no, row_number() OVER (PARTITION BY tenant ORDER BY no) AS rank
            FROM source WHERE provider = $1 AND NOT deleted AND status <> $2
        ) s WHERE rank <= $3 ORDER BY rank, no LIMIT $4";
    let disabled = codec::source_status_code(SourceStatus::Disabled);
    let (each, limit) = (i64::from(each), i64::from(limit));
    let one = |row: &Row| {
        let id: Uid = row.try_get(1)?;
        Ok((TenantNo(uno(row.try_get(0)?)), SourceId::from_u128(id.0)))
    };
    let rows = query(db, SQL, &[&provider_text(provider), &disabled, &each, &limit]).await?;
    rows.iter().map(one).collect()
}

impl Sources for PostgresStore {
    fn create_source(
        &self,
        source: Source,
        forward: Forward,
        sources_max: u32,
        audit: AuditEntry,
    ) -> Answer<'_, Source> {
        change!(self, source.tenant, |tx| create(tx, source, forward, sources_max, &audit))
    }

    fn source(&self, tenant: TenantNo, id: SourceId) -> Answer<'_, Option<Source>> {
        read!(self, |db| find(db, tenant, id))
    }

    fn sources(&self, tenant: TenantNo, page: PageRequest) -> Answer<'_, Page<Source>> {
        read!(self, |db| async {
            let sql = format!(
                "SELECT {COLUMNS} FROM source WHERE tenant = $1 AND NOT deleted AND no < $2::int8
                 ORDER BY no DESC LIMIT $3"
            );
            audit::page_by_no(db, &sql, tenant, &page, source).await
        })
    }

    fn update_source(
        &self,
        source: Source,
        forward: Forward,
        audit: AuditEntry,
    ) -> Answer<'_, Option<Source>> {
        change!(self, source.tenant, |tx| update(tx, source, forward, &audit))
    }

    fn reseal_source(&self, source: Source) -> Answer<'_, bool> {
        change!(self, source.tenant, |tx| reseal(tx, &source))
    }

    fn delete_source(&self, tenant: TenantNo, id: SourceId, audit: AuditEntry) -> Answer<'_, bool> {
        change!(self, tenant, |tx| delete(tx, tenant, id, &audit))
    }

    fn source_activity<'a>(
        &'a self,
        tenant: TenantNo,
        sources: &'a [SourceId],
    ) -> Answer<'a, Vec<SourceActivity>> {
        read!(self, |db| activities(db, tenant, sources))
    }

    fn source_tenant(&self, id: SourceId) -> Answer<'_, Option<TenantNo>> {
        read!(self, |db| tenant_of(db, id))
    }

    fn sources_of_provider<'a>(
        &'a self,
        provider: &'a str,
        each: u32,
        limit: u32,
    ) -> Answer<'a, Vec<(TenantNo, SourceId)>> {
        read!(self, |db| of_provider(db, provider, (each, limit)))
    }
}
