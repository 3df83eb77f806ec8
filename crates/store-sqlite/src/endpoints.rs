//! Endpoints, and a tenant's configuration.

use std::collections::HashMap;

use hookyard_domain::audit::AuditEntry;
use hookyard_domain::endpoint::{Activity, Endpoint, EndpointNo, EndpointSettings, EndpointStatus};
use hookyard_domain::id::EndpointId;
use hookyard_domain::page::{Page, PageRequest};
use hookyard_domain::secret::{Sealed, SealedSecrets};
use hookyard_domain::tenant::TenantNo;
use hookyard_store::endpoints::{Endpoints, PastEndpoint, StatusChange, TenantConfig};
use hookyard_store::{Answer, StoreError};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::codec::{self, int, short, time, uint};
use crate::error::{Result, conflict, corrupt, or_conflict};
use crate::events::id_of;
use crate::{SqliteStore, audit, owed, sources, tenants};

const COLUMNS: &str = "no, id, tenant, settings, headers, secret, secret_before,
    secret_before_until_ms, status, disabled_reason, disabled_ms, created_ms, updated_ms, revision";

fn read(row: &Row<'_>) -> Result<Endpoint> {
    let no: u32 = row.get(0)?;
    let bad = |column| corrupt("endpoint", column, no);
    let id: Vec<u8> = row.get(1)?;
    let settings: String = row.get(3)?;
    let before: Option<Vec<u8>> = row.get(6)?;
    let until: Option<i64> = row.get(7)?;
    let reason: Option<i64> = row.get(9)?;
    let reason = reason.map(|it| codec::disabled(it).ok_or_else(|| bad("disabled_reason")));
    Ok(Endpoint {
        no: EndpointNo(no),
        id: EndpointId::from_u128(id_of(&id).ok_or_else(|| bad("id"))?),
        tenant: TenantNo(row.get(2)?),
        settings: serde_json::from_str(&settings).map_err(|_| bad("settings"))?,
        headers: row.get::<_, Option<Vec<u8>>>(4)?.map(Sealed),
        secrets: SealedSecrets {
            current: row.get::<_, Option<Vec<u8>>>(5)?.map(Sealed),
            previous: before.zip(until).map(|(sealed, until)| (Sealed(sealed), time(until))),
        },
        status: codec::endpoint_status(row.get(8)?).ok_or_else(|| bad("status"))?,
        disabled_reason: reason.transpose()?,
        disabled_at: row.get::<_, Option<i64>>(10)?.map(time),
        created_at: time(row.get(11)?),
        updated_at: time(row.get(12)?),
        revision: uint(row.get(13)?),
    })
}

fn find(conn: &Connection, tenant: TenantNo, id: EndpointId) -> Result<Option<Endpoint>> {
    let sql =
        format!("SELECT {COLUMNS} FROM endpoint WHERE id = ?1 AND tenant = ?2 AND deleted = 0");
    let mut find = conn.prepare_cached(&sql)?;
    let mut rows = find.query(params![id.as_u128().to_be_bytes(), tenant.0])?;
    rows.next()?.map(read).transpose()
}

fn settings_text(endpoint: &Endpoint) -> Result<String> {
    serde_json::to_string(&endpoint.settings)
        .map_err(|_| corrupt("endpoint", "settings", endpoint.id))
}

fn create(
    tx: &Connection,
    endpoint: Endpoint,
    endpoints_max: Option<u32>,
    entry: &AuditEntry,
) -> Result<Endpoint> {
    tenants::touch_or_conflict(tx, endpoint.tenant)?;
    if let Some(limit) = endpoints_max {
        let many: u32 = tx
            .prepare_cached("SELECT count(*) FROM endpoint WHERE tenant = ?1 AND deleted = 0")?
            .query_row([endpoint.tenant.0], |row| row.get(0))?;
        if many >= limit {
            return Err(StoreError::Full { what: "endpoints", limit }.into());
        }
    }
    let endpoint = insert(tx, endpoint)?;
    audit::write(tx, endpoint.tenant, entry)?;
    Ok(endpoint)
}

fn insert(tx: &Connection, mut endpoint: Endpoint) -> Result<Endpoint> {
    let previous = endpoint.secrets.previous.as_ref();
    let inserted = tx
        .prepare_cached(
            "INSERT INTO endpoint (id, tenant, settings, headers, secret, secret_before,
                secret_before_until_ms, status, disabled_reason, disabled_ms, created_ms,
                updated_ms, revision)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?
        .execute(params![
            endpoint.id.as_u128().to_be_bytes(),
            endpoint.tenant.0,
            settings_text(&endpoint)?,
            endpoint.headers.as_ref().map(|sealed| &sealed.0),
            endpoint.secrets.current.as_ref().map(|sealed| &sealed.0),
            previous.map(|(sealed, _)| &sealed.0),
            previous.map(|(_, until)| until.as_millis()),
            codec::endpoint_status_code(endpoint.status),
            endpoint.disabled_reason.map(codec::disabled_code),
            endpoint.disabled_at.map(|at| at.as_millis()),
            endpoint.created_at.as_millis(),
            endpoint.updated_at.as_millis(),
            int(endpoint.revision)
        ]);
    or_conflict(inserted, "the endpoint")?;
    endpoint.no = EndpointNo(short(tx.last_insert_rowid()));
    Ok(endpoint)
}

fn update(tx: &Connection, endpoint: Endpoint, entry: &AuditEntry) -> Result<Option<Endpoint>> {
    let Some(kept) = find(tx, endpoint.tenant, endpoint.id)? else { return Ok(None) };
    let next = replace(tx, &kept, endpoint)?;
    tenants::touch(tx, next.tenant)?;
    audit::write(tx, next.tenant, entry)?;
    Ok(Some(next))
}

fn replace(tx: &Connection, kept: &Endpoint, by: Endpoint) -> Result<Endpoint> {
    if kept.revision != by.revision {
        return Err(conflict("the endpoint"));
    }
    let next =
        Endpoint { no: kept.no, created_at: kept.created_at, revision: kept.revision + 1, ..by };
    put(tx, &next)?;
    start_afresh(tx, kept.status, &next)?;
    Ok(next)
}

/// Makes an endpoint, replaces the one of that id, or brings a deleted one back under its number. The transaction is
/// another change's, which also moves the version and tells the audit log.
pub(crate) fn put_under_its_id(tx: &Connection, endpoint: Endpoint) -> Result<()> {
    if let Some(kept) = find(tx, endpoint.tenant, endpoint.id)? {
        return replace(tx, &kept, endpoint).map(|_| ());
    }
    let deleted: Option<(u32, i64)> = tx
        .prepare_cached(
            "UPDATE endpoint SET deleted = 0, created_ms = ?3
             WHERE id = ?1 AND tenant = ?2 RETURNING no, revision",
        )?
        .query_row(
            params![
                endpoint.id.as_u128().to_be_bytes(),
                endpoint.tenant.0,
                endpoint.created_at.as_millis()
            ],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let Some((no, revision)) = deleted else { return insert(tx, endpoint).map(|_| ()) };
    // Whoever saw it before it was deleted must not write that back.
    let next = Endpoint { no: EndpointNo(no), revision: uint(revision) + 1, ..endpoint };
    put(tx, &next)?;
    start_afresh(tx, EndpointStatus::Disabled, &next)
}

/// Whoever switches an endpoint on again has mended it: it would be off with the next failure otherwise.
fn start_afresh(tx: &Connection, was: EndpointStatus, is: &Endpoint) -> Result<()> {
    let off = matches!(was, EndpointStatus::Pending | EndpointStatus::Disabled);
    let on = matches!(is.status, EndpointStatus::Active | EndpointStatus::Paused);
    if off && on {
        tx.prepare_cached(
            "UPDATE lane SET consecutive_failures = 0, failing_since_ms = NULL WHERE endpoint = ?1",
        )?
        .execute([is.no.0])?;
    }
    Ok(())
}

fn put(tx: &Connection, endpoint: &Endpoint) -> Result<()> {
    let previous = endpoint.secrets.previous.as_ref();
    tx.prepare_cached(
        "UPDATE endpoint SET settings = ?2, headers = ?3, secret = ?4, secret_before = ?5,
            secret_before_until_ms = ?6, status = ?7, disabled_reason = ?8, disabled_ms = ?9,
            updated_ms = ?10, revision = ?11 WHERE no = ?1",
    )?
    .execute(params![
        endpoint.no.0,
        settings_text(endpoint)?,
        endpoint.headers.as_ref().map(|sealed| &sealed.0),
        endpoint.secrets.current.as_ref().map(|sealed| &sealed.0),
        previous.map(|(sealed, _)| &sealed.0),
        previous.map(|(_, until)| until.as_millis()),
        codec::endpoint_status_code(endpoint.status),
        endpoint.disabled_reason.map(codec::disabled_code),
        endpoint.disabled_at.map(|at| at.as_millis()),
        endpoint.updated_at.as_millis(),
        int(endpoint.revision)
    ])?;
    Ok(())
}

fn reseal(tx: &Connection, endpoint: &Endpoint) -> Result<bool> {
    let previous = endpoint.secrets.previous.as_ref();
    let sealed = tx
        .prepare_cached(
            "UPDATE endpoint SET headers = ?4, secret = ?5, secret_before = ?6
             WHERE id = ?1 AND tenant = ?2 AND revision = ?3 AND deleted = 0",
        )?
        .execute(params![
            endpoint.id.as_u128().to_be_bytes(),
            endpoint.tenant.0,
            int(endpoint.revision),
            endpoint.headers.as_ref().map(|sealed| &sealed.0),
            endpoint.secrets.current.as_ref().map(|sealed| &sealed.0),
            previous.map(|(sealed, _)| &sealed.0),
        ])?;
    Ok(sealed > 0)
}

fn set_status(
    tx: &Connection,
    tenant: TenantNo,
    no: EndpointNo,
    change: StatusChange,
    entry: &AuditEntry,
) -> Result<Option<Endpoint>> {
    let sql =
        format!("SELECT {COLUMNS} FROM endpoint WHERE no = ?1 AND tenant = ?2 AND deleted = 0");
    let mut find = tx.prepare_cached(&sql)?;
    let mut rows = find.query(params![no.0, tenant.0])?;
    let Some(kept) = rows.next()?.map(read).transpose()? else { return Ok(None) };
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
    put(tx, &next)?;
    start_afresh(tx, was, &next)?;
    tenants::touch(tx, tenant)?;
    audit::write(tx, tenant, entry)?;
    Ok(Some(next))
}

fn delete(tx: &Connection, tenant: TenantNo, id: EndpointId, entry: &AuditEntry) -> Result<bool> {
    if !take_away(tx, tenant, id)? {
        return Ok(false);
    }
    tenants::touch(tx, tenant)?;
    audit::write(tx, tenant, entry)?;
    Ok(true)
}

/// The same in another change's transaction, which also moves the version and tells the audit log.
pub(crate) fn take_away(tx: &Connection, tenant: TenantNo, id: EndpointId) -> Result<bool> {
    // The row stays for its number and id, which deliveries are listed by; its secrets go.
    let deleted = tx
        .prepare_cached(
            "UPDATE endpoint SET deleted = 1, headers = NULL, secret = NULL, secret_before = NULL
             WHERE id = ?1 AND tenant = ?2 AND deleted = 0",
        )?
        .execute(params![id.as_u128().to_be_bytes(), tenant.0])?;
    Ok(deleted > 0)
}

fn config(conn: &Connection, no: TenantNo) -> Result<Option<TenantConfig>> {
    let tx = conn.unchecked_transaction()?;
    let Some((tenant, version)) = tenants::live(&tx, no)? else { return Ok(None) };
    let sql =
        format!("SELECT {COLUMNS} FROM endpoint WHERE tenant = ?1 AND deleted = 0 ORDER BY no");
    let mut find = tx.prepare_cached(&sql)?;
    let mut rows = find.query([no.0])?;
    let mut endpoints = Vec::new();
    while let Some(row) = rows.next()? {
        endpoints.push(read(row)?);
    }
    let sources = sources::of_tenant(&tx, no)?;
    Ok(Some(TenantConfig { version: uint(version), tenant, endpoints, sources }))
}

fn activities(conn: &Connection, tenant: TenantNo, of: &[EndpointNo]) -> Result<Vec<Activity>> {
    let tx = conn.unchecked_transaction()?;
    let mut find = tx.prepare_cached(
        "SELECT delivery_count, last_delivery_ms, consecutive_failures, failing_since_ms
         FROM lane WHERE endpoint = ?1 AND tenant = ?2",
    )?;
    let mut known: HashMap<EndpointNo, Activity> = HashMap::new();
    let mut all = Vec::with_capacity(of.len());
    for endpoint in of {
        if !known.contains_key(endpoint) {
            let found = find
                .query_row(params![endpoint.0, tenant.0], |row| owed::activity(row, 0))
                .optional()?;
            known.insert(*endpoint, found.unwrap_or_default());
        }
        all.push(known.get(endpoint).copied().unwrap_or_default());
    }
    Ok(all)
}

impl Endpoints for SqliteStore {
    fn create_endpoint(
        &self,
        endpoint: Endpoint,
        endpoints_max: Option<u32>,
        audit: AuditEntry,
    ) -> Answer<'_, Endpoint> {
        self.change(move |tx, _| create(tx, endpoint, endpoints_max, &audit))
    }

    fn endpoint(&self, tenant: TenantNo, id: EndpointId) -> Answer<'_, Option<Endpoint>> {
        self.read(move |conn, _| find(conn, tenant, id))
    }

    fn endpoints(&self, tenant: TenantNo, page: PageRequest) -> Answer<'_, Page<Endpoint>> {
        self.read(move |conn, _| {
            let sql = format!(
                "SELECT {COLUMNS} FROM endpoint WHERE tenant = ?1 AND deleted = 0 AND no < ?2
                 ORDER BY no DESC LIMIT ?3"
            );
            audit::page_by_no(conn, &sql, tenant, &page, read)
        })
    }

    fn update_endpoint(
        &self,
        endpoint: Endpoint,
        audit: AuditEntry,
    ) -> Answer<'_, Option<Endpoint>> {
        self.change(move |tx, _| update(tx, endpoint, &audit))
    }

    fn reseal_endpoint(&self, endpoint: Endpoint) -> Answer<'_, bool> {
        self.change(move |tx, _| reseal(tx, &endpoint))
    }

    fn set_endpoint_status(
        &self,
        tenant: TenantNo,
        endpoint: EndpointNo,
        change: StatusChange,
        audit: AuditEntry,
    ) -> Answer<'_, Option<Endpoint>> {
        self.change(move |tx, _| set_status(tx, tenant, endpoint, change, &audit))
    }

    fn delete_endpoint(
        &self,
        tenant: TenantNo,
        id: EndpointId,
        audit: AuditEntry,
    ) -> Answer<'_, bool> {
        self.change(move |tx, _| delete(tx, tenant, id, &audit))
    }

    fn endpoint_no(&self, tenant: TenantNo, id: EndpointId) -> Answer<'_, Option<PastEndpoint>> {
        self.read(move |conn, _| {
            let row: Option<(u32, String)> = conn
                .prepare_cached("SELECT no, settings FROM endpoint WHERE id = ?1 AND tenant = ?2")?
                .query_row(params![id.as_u128().to_be_bytes(), tenant.0], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()?;
            let Some((no, settings)) = row else { return Ok(None) };
            let settings: EndpointSettings =
                serde_json::from_str(&settings).map_err(|_| corrupt("endpoint", "settings", no))?;
            let EndpointSettings { profile, scope, .. } = settings;
            Ok(Some(PastEndpoint { no: EndpointNo(no), profile, scope }))
        })
    }

    fn activity(&self, tenant: TenantNo, endpoints: &[EndpointNo]) -> Answer<'_, Vec<Activity>> {
        let of = endpoints.to_vec();
        self.read(move |conn, _| activities(conn, tenant, &of))
    }

    fn tenant_config(&self, tenant: TenantNo) -> Answer<'_, Option<TenantConfig>> {
        self.read(move |conn, _| config(conn, tenant))
    }
}
