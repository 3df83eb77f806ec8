//! Endpoints, and a tenant's configuration.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use hookyard_domain::audit::AuditEntry;
use hookyard_domain::endpoint::{Activity, Endpoint, EndpointNo, EndpointSettings, EndpointStatus};
use hookyard_domain::id::EndpointId;
use hookyard_domain::page::{Page, PageRequest};
use hookyard_domain::profile::Profile;
use hookyard_domain::secret::{Sealed, SealedSecrets};
use hookyard_domain::tenant::TenantNo;
use hookyard_store::endpoints::{Endpoints, StatusChange, TenantConfig};
use hookyard_store::{Answer, StoreError};
use tokio_postgres::Row;

use crate::codec::{self, int, no, time, uint, uno};
use crate::db::{GenericClient, Uid, execute, query, query_opt};
use crate::error::{Result, conflict, corrupt, or_conflict, unavailable};
use crate::{PostgresStore, audit, change, owed, read, snapshot, sources, tenants};

const COLUMNS: &str = "no::int8, id, tenant, settings, headers, secret, secret_before,
    secret_before_until_ms, status, disabled_reason, disabled_ms, created_ms, updated_ms, revision";

fn endpoint(row: &Row) -> Result<Endpoint> {
    let no = EndpointNo(u32::try_from(row.try_get::<_, i64>(0)?).unwrap_or(0));
    let bad = |column| corrupt("endpoint", column, no.0);
    let before: Option<Vec<u8>> = row.try_get(6)?;
    let until: Option<i64> = row.try_get(7)?;
    let reason: Option<i16> = row.try_get(9)?;
    let reason = reason.map(|it| codec::disabled(it).ok_or_else(|| bad("disabled_reason")));
    Ok(Endpoint {
        no,
        id: EndpointId::from_u128(row.try_get::<_, Uid>(1)?.0),
        tenant: TenantNo(uno(row.try_get(2)?)),
        settings: serde_json::from_str(row.try_get(3)?).map_err(|_| bad("settings"))?,
        headers: row.try_get::<_, Option<Vec<u8>>>(4)?.map(Sealed),
        secrets: SealedSecrets {
            current: row.try_get::<_, Option<Vec<u8>>>(5)?.map(Sealed),
            previous: before.zip(until).map(|(sealed, until)| (Sealed(sealed), time(until))),
        },
        status: codec::endpoint_status(row.try_get(8)?).ok_or_else(|| bad("status"))?,
        disabled_reason: reason.transpose()?,
        disabled_at: row.try_get::<_, Option<i64>>(10)?.map(time),
        created_at: time(row.try_get(11)?),
        updated_at: time(row.try_get(12)?),
        revision: uint(row.try_get(13)?),
    })
}

async fn find(
    db: &impl GenericClient,
    tenant: TenantNo,
    id: EndpointId,
) -> Result<Option<Endpoint>> {
    let sql =
        format!("SELECT {COLUMNS} FROM endpoint WHERE id = $1 AND tenant = $2 AND NOT deleted");
    let row = query_opt(db, &sql, &[&Uid(id.as_u128()), &no(tenant.0)]).await?;
    row.as_ref().map(endpoint).transpose()
}

fn settings_text(endpoint: &Endpoint) -> Result<String> {
    serde_json::to_string(&endpoint.settings)
        .map_err(|_| corrupt("endpoint", "settings", endpoint.id))
}

async fn create(
    tx: &Transaction<'_>,
    endpoint: Endpoint,
    endpoints_max: Option<u32>,
    entry: &AuditEntry,
) -> Result<Endpoint> {
    tenants::touch_or_conflict(tx, endpoint.tenant).await?;
    make_sure_of_room(tx, endpoint.tenant, endpoints_max).await?;
    let endpoint = insert(tx, endpoint).await?;
    audit::write(tx, endpoint.tenant, entry).await?;
    Ok(endpoint)
}

/// `Full` when the tenant has as many endpoints as it may.
async fn make_sure_of_room(
    tx: &Transaction<'_>,
    tenant: TenantNo,
    endpoints_max: Option<u32>,
) -> Result<()> {
    const MANY: &str = "SELECT count(*) FROM endpoint WHERE tenant = $1 AND NOT deleted";
    let Some(limit) = endpoints_max else { return Ok(()) };
    let row = query_opt(tx, MANY, &[&no(tenant.0)]).await?;
    let many: i64 = row.map(|row| row.try_get(0)).transpose()?.unwrap_or(0);
    if many >= i64::from(limit) {
        return Err(StoreError::Full { what: "endpoints", limit }.into());
    }
    Ok(())
}

async fn insert(tx: &Transaction<'_>, mut endpoint: Endpoint) -> Result<Endpoint> {
    const SQL: &str = "INSERT INTO endpoint (id, tenant, settings, headers, secret, secret_before,
            secret_before_until_ms, status, disabled_reason, disabled_ms, created_ms, updated_ms,
            revision)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING no";
    let previous = endpoint.secrets.previous.as_ref();
    let inserted = query_opt(
        tx,
        SQL,
        &[
            &Uid(endpoint.id.as_u128()),
            &no(endpoint.tenant.0),
            &settings_text(&endpoint)?,
            &endpoint.headers.as_ref().map(|sealed| &sealed.0),
            &endpoint.secrets.current.as_ref().map(|sealed| &sealed.0),
            &previous.map(|(sealed, _)| &sealed.0),
            &previous.map(|(_, until)| until.as_millis()),
            &codec::endpoint_status_code(endpoint.status),
            &endpoint.disabled_reason.map(codec::disabled_code),
            &endpoint.disabled_at.map(|at| at.as_millis()),
            &endpoint.created_at.as_millis(),
            &endpoint.updated_at.as_millis(),
            &int(endpoint.revision),
        ],
    )
    .await;
    let row = or_conflict(inserted, "the endpoint")?;
    let row = row.ok_or_else(|| unavailable("the endpoint was not made"))?;
    endpoint.no = EndpointNo(uno(row.try_get(0)?));
    Ok(endpoint)
}

async fn update(
    tx: &Transaction<'_>,
    endpoint: Endpoint,
    entry: &AuditEntry,
) -> Result<Option<Endpoint>> {
    let Some(kept) = find(tx, endpoint.tenant, endpoint.id).await? else { return Ok(None) };
    let next = replace(tx, &kept, endpoint).await?;
    tenants::touch(tx, next.tenant).await?;
    audit::write(tx, next.tenant, entry).await?;
    Ok(Some(next))
}

async fn replace(tx: &Transaction<'_>, kept: &Endpoint, by: Endpoint) -> Result<Endpoint> {
    if kept.revision != by.revision {
        return Err(conflict("the endpoint"));
    }
    let next =
        Endpoint { no: kept.no, created_at: kept.created_at, revision: kept.revision + 1, ..by };
    put(tx, &next).await?;
    start_afresh(tx, kept.status, &next).await?;
    Ok(next)
}

/// Makes an endpoint, replaces the one of that id, or brings a deleted one back under its number. The transaction is
/// another change's, which also moves the version and tells the audit log.
pub(crate) async fn put_under_its_id(
    tx: &Transaction<'_>,
    endpoint: Endpoint,
    endpoints_max: Option<u32>,
) -> Result<()> {
    const BACK: &str = "UPDATE endpoint SET deleted = false, created_ms = $3
        WHERE id = $1 AND tenant = $2 RETURNING no, revision";
    if let Some(kept) = find(tx, endpoint.tenant, endpoint.id).await? {
        return replace(tx, &kept, endpoint).await.map(|_| ());
    }
    make_sure_of_room(tx, endpoint.tenant, endpoints_max).await?;
    let id = Uid(endpoint.id.as_u128());
    let made = endpoint.created_at.as_millis();
    let back = query_opt(tx, BACK, &[&id, &no(endpoint.tenant.0), &made]).await?;
    let Some(row) = back else { return insert(tx, endpoint).await.map(|_| ()) };
    // Whoever saw it before it was deleted must not write that back.
    let revision = uint(row.try_get(1)?) + 1;
    let next = Endpoint { no: EndpointNo(uno(row.try_get(0)?)), revision, ..endpoint };
    put(tx, &next).await?;
    start_afresh(tx, EndpointStatus::Disabled, &next).await
}

/// Whoever switches an endpoint on again has mended it: it would be off with the next failure otherwise.
async fn start_afresh(tx: &Transaction<'_>, was: EndpointStatus, is: &Endpoint) -> Result<()> {
    const SQL: &str = "UPDATE lane SET consecutive_failures = 0, failing_since_ms = NULL
        WHERE tenant = $1 AND endpoint = $2";
    let off = matches!(was, EndpointStatus::Pending | EndpointStatus::Disabled);
    let on = matches!(is.status, EndpointStatus::Active | EndpointStatus::Paused);
    if off && on {
        execute(tx, SQL, &[&no(is.tenant.0), &no(is.no.0)]).await?;
    }
    Ok(())
}

async fn put(tx: &Transaction<'_>, endpoint: &Endpoint) -> Result<()> {
    const SQL: &str = "UPDATE endpoint SET settings = $2, headers = $3, secret = $4,
            secret_before = $5, secret_before_until_ms = $6, status = $7, disabled_reason = $8,
            disabled_ms = $9, updated_ms = $10, revision = $11 WHERE no = $1";
    let previous = endpoint.secrets.previous.as_ref();
    execute(
        tx,
        SQL,
        &[
            &no(endpoint.no.0),
            &settings_text(endpoint)?,
            &endpoint.headers.as_ref().map(|sealed| &sealed.0),
            &endpoint.secrets.current.as_ref().map(|sealed| &sealed.0),
            &previous.map(|(sealed, _)| &sealed.0),
            &previous.map(|(_, until)| until.as_millis()),
            &codec::endpoint_status_code(endpoint.status),
            &endpoint.disabled_reason.map(codec::disabled_code),
            &endpoint.disabled_at.map(|at| at.as_millis()),
            &endpoint.updated_at.as_millis(),
            &int(endpoint.revision),
        ],
    )
    .await?;
    Ok(())
}

async fn reseal(tx: &Transaction<'_>, endpoint: &Endpoint) -> Result<bool> {
    const SQL: &str = "UPDATE endpoint SET headers = $4, secret = $5, secret_before = $6
        WHERE id = $1 AND tenant = $2 AND revision = $3 AND NOT deleted";
    let previous = endpoint.secrets.previous.as_ref();
    let sealed = execute(
        tx,
        SQL,
        &[
            &Uid(endpoint.id.as_u128()),
            &no(endpoint.tenant.0),
            &int(endpoint.revision),
            &endpoint.headers.as_ref().map(|sealed| &sealed.0),
            &endpoint.secrets.current.as_ref().map(|sealed| &sealed.0),
            &previous.map(|(sealed, _)| &sealed.0),
        ],
    )
    .await?;
    Ok(sealed > 0)
}

async fn set_status(
    tx: &Transaction<'_>,
    (tenant, of): (TenantNo, EndpointNo),
    change: StatusChange,
    entry: &AuditEntry,
) -> Result<Option<Endpoint>> {
    let sql =
        format!("SELECT {COLUMNS} FROM endpoint WHERE no = $1 AND tenant = $2 AND NOT deleted");
    let row = query_opt(tx, &sql, &[&no(of.0), &no(tenant.0)]).await?;
    let Some(kept) = row.as_ref().map(endpoint).transpose()? else { return Ok(None) };
    let is_other = change.url.as_ref().is_some_and(|url| *url != kept.settings.url);
    if is_other || change.from.is_some_and(|from| from != kept.status) {
        return Ok(None);
    }
    let is_disabled = change.to == EndpointStatus::Disabled;
    let was = kept.status;
    let next = Endpoint {
        status: change.to,
        disabled_reason: change.reason.filter(|_| is_disabled),
        disabled_at: is_disabled.then_some(change.at),
        updated_at: change.at,
        // Somebody who read the endpoint before must not write the old state back.
        revision: kept.revision + 1,
        ..kept
    };
    put(tx, &next).await?;
    start_afresh(tx, was, &next).await?;
    tenants::touch(tx, tenant).await?;
    audit::write(tx, tenant, entry).await?;
    Ok(Some(next))
}

async fn delete(
    tx: &Transaction<'_>,
    tenant: TenantNo,
    id: EndpointId,
    entry: &AuditEntry,
) -> Result<bool> {
    if !take_away(tx, tenant, id).await? {
        return Ok(false);
    }
    tenants::touch(tx, tenant).await?;
    audit::write(tx, tenant, entry).await?;
    Ok(true)
}

/// The same in another change's transaction, which also moves the version and tells the audit log.
pub(crate) async fn take_away(
    tx: &Transaction<'_>,
    tenant: TenantNo,
    id: EndpointId,
) -> Result<bool> {
    // The row stays for its number and id, which deliveries are listed by; its secrets go.
    const SQL: &str = "UPDATE endpoint SET deleted = true, headers = NULL, secret = NULL,
            secret_before = NULL WHERE id = $1 AND tenant = $2 AND NOT deleted";
    Ok(execute(tx, SQL, &[&Uid(id.as_u128()), &no(tenant.0)]).await? > 0)
}

async fn config(db: &impl GenericClient, of: TenantNo) -> Result<Option<TenantConfig>> {
    let Some((tenant, version)) = tenants::live(db, of).await? else { return Ok(None) };
    let sql = format!(
        "SELECT {COLUMNS} FROM endpoint WHERE tenant = $1 AND NOT deleted ORDER BY endpoint.no"
    );
    let rows = query(db, &sql, &[&no(of.0)]).await?;
    let endpoints = rows.iter().map(endpoint).collect::<Result<Vec<_>>>()?;
    let sources = sources::of_tenant(db, of).await?;
    Ok(Some(TenantConfig { version, tenant, endpoints, sources }))
}

/// What all nodes have counted together. Failures count that came after every node's last success.
async fn activities(
    db: &impl GenericClient,
    tenant: TenantNo,
    of: &[EndpointNo],
) -> Result<Vec<Activity>> {
    const SQL: &str = "WITH own AS (
            SELECT endpoint, delivery_count, last_delivery_ms, consecutive_failures, failing_since_ms
            FROM lane WHERE tenant = $1 AND endpoint = ANY($2)
        ), good AS (
            SELECT endpoint, coalesce(max(last_delivery_ms) FILTER (WHERE failing_since_ms IS NULL), 0)
                AS at_ms FROM own GROUP BY endpoint
        )
        SELECT sum(delivery_count)::int8, max(last_delivery_ms),
            coalesce(sum(consecutive_failures) FILTER (WHERE failing_since_ms > at_ms), 0)::int4,
            min(failing_since_ms) FILTER (WHERE failing_since_ms > at_ms), endpoint
        FROM own JOIN good USING (endpoint) GROUP BY endpoint";
    let asked: Vec<i32> = of.iter().map(|it| no(it.0)).collect();
    let mut known: HashMap<EndpointNo, Activity> = HashMap::new();
    for row in query(db, SQL, &[&no(tenant.0), &asked]).await? {
        known.insert(EndpointNo(uno(row.try_get(4)?)), owed::activity(&row, 0)?);
    }
    Ok(of.iter().map(|it| known.get(it).copied().unwrap_or_default()).collect())
}

async fn endpoint_no(
    db: &impl GenericClient,
    tenant: TenantNo,
    id: EndpointId,
) -> Result<Option<(EndpointNo, Profile)>> {
    const SQL: &str = "SELECT no, settings FROM endpoint WHERE id = $1 AND tenant = $2";
    let row = query_opt(db, SQL, &[&Uid(id.as_u128()), &no(tenant.0)]).await?;
    row.map(|row| {
        let no = uno(row.try_get(0)?);
        let settings: EndpointSettings = serde_json::from_str(row.try_get(1)?)
            .map_err(|_| corrupt("endpoint", "settings", no))?;
        Ok((EndpointNo(no), settings.profile))
    })
    .transpose()
}

impl Endpoints for PostgresStore {
    fn create_endpoint(
        &self,
        endpoint: Endpoint,
        endpoints_max: Option<u32>,
        audit: AuditEntry,
    ) -> Answer<'_, Endpoint> {
        change!(self, endpoint.tenant, |tx| create(tx, endpoint, endpoints_max, &audit))
    }

    fn endpoint(&self, tenant: TenantNo, id: EndpointId) -> Answer<'_, Option<Endpoint>> {
        read!(self, |db| find(db, tenant, id))
    }

    fn endpoints(&self, tenant: TenantNo, page: PageRequest) -> Answer<'_, Page<Endpoint>> {
        read!(self, |db| async {
            let sql = format!(
                "SELECT {COLUMNS} FROM endpoint WHERE tenant = $1 AND NOT deleted AND no < $2::int8
                 ORDER BY endpoint.no DESC LIMIT $3"
            );
            audit::page_by_no(db, &sql, tenant, &page, endpoint).await
        })
    }

    fn update_endpoint(
        &self,
        endpoint: Endpoint,
        audit: AuditEntry,
    ) -> Answer<'_, Option<Endpoint>> {
        change!(self, endpoint.tenant, |tx| update(tx, endpoint, &audit))
    }

    fn reseal_endpoint(&self, endpoint: Endpoint) -> Answer<'_, bool> {
        change!(self, endpoint.tenant, |tx| reseal(tx, &endpoint))
    }

    fn set_endpoint_status(
        &self,
        tenant: TenantNo,
        endpoint: EndpointNo,
        change: StatusChange,
        audit: AuditEntry,
    ) -> Answer<'_, Option<Endpoint>> {
        change!(self, tenant, |tx| set_status(tx, (tenant, endpoint), change, &audit))
    }

    fn delete_endpoint(
        &self,
        tenant: TenantNo,
        id: EndpointId,
        audit: AuditEntry,
    ) -> Answer<'_, bool> {
        change!(self, tenant, |tx| delete(tx, tenant, id, &audit))
    }

    fn endpoint_no(
        &self,
        tenant: TenantNo,
        id: EndpointId,
    ) -> Answer<'_, Option<(EndpointNo, Profile)>> {
        read!(self, |db| endpoint_no(db, tenant, id))
    }

    fn activity(&self, tenant: TenantNo, endpoints: &[EndpointNo]) -> Answer<'_, Vec<Activity>> {
        let of = endpoints.to_vec();
        read!(self, |db| activities(db, tenant, &of))
    }

    fn tenant_config(&self, tenant: TenantNo) -> Answer<'_, Option<TenantConfig>> {
        snapshot!(self, |db| config(db, tenant))
    }
}
