//! Sources: inbound receivers, and the endpoints that forward for them.

use hookyard_domain::audit::AuditEntry;
use hookyard_domain::endpoint::Endpoint;
use hookyard_domain::id::{EndpointId, SourceId};
use hookyard_domain::page::{Page, PageRequest};
use hookyard_domain::secret::{Sealed, SealedSecrets};
use hookyard_domain::source::{Source, SourceActivity, SourceStatus};
use hookyard_domain::tenant::TenantNo;
use hookyard_store::sources::{Forward, Sources};
use hookyard_store::{Answer, StoreError};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::codec::{self, int, short, time, uint};
use crate::error::{Result, conflict, corrupt, or_conflict};
use crate::events::id_of;
use crate::{SqliteStore, audit, endpoints, held, tenants};

const COLUMNS: &str = "no, id, tenant, settings, secret, secret_before, secret_before_until_ms,
    verify_token, status, created_ms, updated_ms, revision";

/// The number a source is listed by; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SourceNo(pub(crate) u32);

fn read(row: &Row<'_>) -> Result<Source> {
    let no: u32 = row.get(0)?;
    let bad = |column| corrupt("source", column, no);
    let id: Vec<u8> = row.get(1)?;
    let settings: String = row.get(3)?;
    let before: Option<Vec<u8>> = row.get(5)?;
    let until: Option<i64> = row.get(6)?;
    Ok(Source {
        id: SourceId::from_u128(id_of(&id).ok_or_else(|| bad("id"))?),
        tenant: TenantNo(row.get(2)?),
        settings: serde_json::from_str(&settings).map_err(|_| bad("settings"))?,
        secrets: SealedSecrets {
            current: row.get::<_, Option<Vec<u8>>>(4)?.map(Sealed),
            previous: before.zip(until).map(|(sealed, until)| (Sealed(sealed), time(until))),
        },
        verify_token: row.get::<_, Option<Vec<u8>>>(7)?.map(Sealed),
        status: codec::source_status(row.get(8)?).ok_or_else(|| bad("status"))?,
        created_at: time(row.get(9)?),
        updated_at: time(row.get(10)?),
        revision: uint(row.get(11)?),
    })
}

fn find(conn: &Connection, tenant: TenantNo, id: SourceId) -> Result<Option<Source>> {
    let sql = format!("SELECT {COLUMNS} FROM source WHERE id = ?1 AND tenant = ?2 AND deleted = 0");
    let mut find = conn.prepare_cached(&sql)?;
    let mut rows = find.query(params![id.as_u128().to_be_bytes(), tenant.0])?;
    rows.next()?.map(read).transpose()
}

/// The number of a tenant's source, even if it was deleted.
pub(crate) fn no_of(conn: &Connection, tenant: TenantNo, id: SourceId) -> Result<Option<SourceNo>> {
    let no: Option<i64> = conn
        .prepare_cached("SELECT no FROM source WHERE id = ?1 AND tenant = ?2")?
        .query_row(params![id.as_u128().to_be_bytes(), tenant.0], |row| row.get(0))
        .optional()?;
    Ok(no.map(|no| SourceNo(short(no))))
}

/// A tenant's sources, oldest first.
pub(crate) fn of_tenant(conn: &Connection, tenant: TenantNo) -> Result<Vec<Source>> {
    let sql = format!("SELECT {COLUMNS} FROM source WHERE tenant = ?1 AND deleted = 0 ORDER BY no");
    let mut find = conn.prepare_cached(&sql)?;
    let mut rows = find.query([tenant.0])?;
    let mut sources = Vec::new();
    while let Some(row) = rows.next()? {
        sources.push(read(row)?);
    }
    Ok(sources)
}

fn settings_text(source: &Source) -> Result<String> {
    serde_json::to_string(&source.settings).map_err(|_| corrupt("source", "settings", source.id))
}

/// The endpoint that forwards for a source, by the id they share.
fn endpoint_of(id: SourceId) -> EndpointId {
    EndpointId::from_u128(id.as_u128())
}

fn forward_to(tx: &Connection, source: &Source, forward: Forward) -> Result<()> {
    match forward {
        Forward::Keep => Ok(()),
        Forward::Put { endpoint, endpoints_max } => {
            debug_assert_eq!(
                (endpoint.tenant, endpoint.id),
                (source.tenant, endpoint_of(source.id)),
                "it would outlive its source"
            );
            room_for(tx, &endpoint, endpoints_max)?;
            endpoints::put_under_its_id(tx, *endpoint)
        }
        Forward::Remove => {
            endpoints::take_away(tx, source.tenant, endpoint_of(source.id)).map(|_| ())
        }
    }
}

/// Refuses an endpoint that is not there yet and would be one too many.
fn room_for(tx: &Connection, endpoint: &Endpoint, endpoints_max: Option<u32>) -> Result<()> {
    let Some(limit) = endpoints_max else { return Ok(()) };
    let others: u32 = tx
        .prepare_cached(
            "SELECT count(*) FROM endpoint WHERE tenant = ?1 AND deleted = 0 AND NOT EXISTS
                (SELECT 1 FROM endpoint WHERE id = ?2 AND tenant = ?1 AND deleted = 0)",
        )?
        .query_row(params![endpoint.tenant.0, endpoint.id.as_u128().to_be_bytes()], |row| {
            row.get(0)
        })?;
    if others >= limit {
        return Err(StoreError::Full { what: "endpoints", limit }.into());
    }
    Ok(())
}

fn create(
    tx: &Connection,
    source: Source,
    forward: Forward,
    limit: u32,
    entry: &AuditEntry,
) -> Result<Source> {
    tenants::touch_or_conflict(tx, source.tenant)?;
    let many: u32 = tx
        .prepare_cached("SELECT count(*) FROM source WHERE tenant = ?1 AND deleted = 0")?
        .query_row([source.tenant.0], |row| row.get(0))?;
    if many >= limit {
        return Err(StoreError::Full { what: "sources", limit }.into());
    }
    let previous = source.secrets.previous.as_ref();
    let inserted = tx
        .prepare_cached(
            "INSERT INTO source (id, tenant, provider, settings, secret, secret_before,
                secret_before_until_ms, verify_token, status, created_ms, updated_ms, revision)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute(params![
            source.id.as_u128().to_be_bytes(),
            source.tenant.0,
            source.settings.provider,
            settings_text(&source)?,
            source.secrets.current.as_ref().map(|sealed| &sealed.0),
            previous.map(|(sealed, _)| &sealed.0),
            previous.map(|(_, until)| until.as_millis()),
            source.verify_token.as_ref().map(|sealed| &sealed.0),
            codec::source_status_code(source.status),
            source.created_at.as_millis(),
            source.updated_at.as_millis(),
            int(source.revision)
        ]);
    or_conflict(inserted, "the source")?;
    forward_to(tx, &source, forward)?;
    audit::write(tx, source.tenant, entry)?;
    Ok(source)
}

fn update(
    tx: &Connection,
    source: Source,
    forward: Forward,
    entry: &AuditEntry,
) -> Result<Option<Source>> {
    let Some(kept) = find(tx, source.tenant, source.id)? else { return Ok(None) };
    if kept.revision != source.revision {
        return Err(conflict("the source"));
    }
    let next = Source { created_at: kept.created_at, revision: kept.revision + 1, ..source };
    put(tx, &next)?;
    forward_to(tx, &next, forward)?;
    tenants::touch(tx, next.tenant)?;
    audit::write(tx, next.tenant, entry)?;
    Ok(Some(next))
}

fn put(tx: &Connection, source: &Source) -> Result<()> {
    let previous = source.secrets.previous.as_ref();
    tx.prepare_cached(
        "UPDATE source SET provider = ?2, settings = ?3, secret = ?4, secret_before = ?5,
            secret_before_until_ms = ?6, verify_token = ?7, status = ?8, updated_ms = ?9,
            revision = ?10 WHERE id = ?1",
    )?
    .execute(params![
        source.id.as_u128().to_be_bytes(),
        source.settings.provider,
        settings_text(source)?,
        source.secrets.current.as_ref().map(|sealed| &sealed.0),
        previous.map(|(sealed, _)| &sealed.0),
        previous.map(|(_, until)| until.as_millis()),
        source.verify_token.as_ref().map(|sealed| &sealed.0),
        codec::source_status_code(source.status),
        source.updated_at.as_millis(),
        int(source.revision)
    ])?;
    Ok(())
}

fn reseal(tx: &Connection, source: &Source) -> Result<bool> {
    let previous = source.secrets.previous.as_ref();
    let sealed = tx
        .prepare_cached(
            "UPDATE source SET secret = ?4, secret_before = ?5, verify_token = ?6
             WHERE id = ?1 AND tenant = ?2 AND revision = ?3 AND deleted = 0",
        )?
        .execute(params![
            source.id.as_u128().to_be_bytes(),
            source.tenant.0,
            int(source.revision),
            source.secrets.current.as_ref().map(|sealed| &sealed.0),
            previous.map(|(sealed, _)| &sealed.0),
            source.verify_token.as_ref().map(|sealed| &sealed.0),
        ])?;
    Ok(sealed > 0)
}

/// What is wiped of a source that goes.
const GONE: &str = "deleted = 1, secret = NULL, secret_before = NULL, verify_token = NULL";

fn delete(tx: &Connection, tenant: TenantNo, id: SourceId, entry: &AuditEntry) -> Result<bool> {
    let no: Option<i64> = tx
        .prepare_cached(&format!(
            "UPDATE source SET {GONE} WHERE id = ?1 AND tenant = ?2 AND deleted = 0 RETURNING no"
        ))?
        .query_row(params![id.as_u128().to_be_bytes(), tenant.0], |row| row.get(0))
        .optional()?;
    let Some(no) = no else { return Ok(false) };
    held::forget(tx, SourceNo(short(no)))?;
    endpoints::take_away(tx, tenant, endpoint_of(id))?;
    tenants::touch(tx, tenant)?;
    audit::write(tx, tenant, entry)?;
    Ok(true)
}

/// Takes all sources of a tenant away, with what is held of them.
pub(crate) fn delete_all(tx: &Connection, tenant: TenantNo) -> Result<()> {
    tx.execute(
        "DELETE FROM held
         WHERE source IN (SELECT no FROM source WHERE tenant = ?1 AND deleted = 0)",
        [tenant.0],
    )?;
    tx.execute(&format!("UPDATE source SET {GONE} WHERE tenant = ?1 AND deleted = 0"), [tenant.0])?;
    Ok(())
}

fn activities(conn: &Connection, tenant: TenantNo, of: &[SourceId]) -> Result<Vec<SourceActivity>> {
    let tx = conn.unchecked_transaction()?;
    let mut find = tx.prepare_cached(
        "SELECT event_count, last_event_ms FROM source WHERE id = ?1 AND tenant = ?2",
    )?;
    let mut all = Vec::with_capacity(of.len());
    for id in of {
        let found = find
            .query_row(params![id.as_u128().to_be_bytes(), tenant.0], |row| {
                Ok(SourceActivity {
                    event_count: uint(row.get(0)?),
                    last_event_at: row.get::<_, Option<i64>>(1)?.map(time),
                })
            })
            .optional()?;
        all.push(found.unwrap_or_default());
    }
    Ok(all)
}

fn of_provider(
    conn: &Connection,
    provider: &str,
    each: u32,
    limit: u32,
) -> Result<Vec<(TenantNo, SourceId)>> {
    let mut find = conn.prepare_cached(
        "SELECT tenant, id FROM (
            SELECT tenant, id, no, row_number() OVER (PARTITION BY tenant ORDER BY no) AS rank
            FROM source WHERE provider = ?1 AND deleted = 0 AND status <> ?2
         ) WHERE rank <= ?3 ORDER BY rank, no LIMIT ?4",
    )?;
    let off = codec::source_status_code(SourceStatus::Disabled);
    let mut rows = find.query(params![provider, off, each, limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let tenant = TenantNo(row.get(0)?);
        let id: Vec<u8> = row.get(1)?;
        let id = id_of(&id).ok_or_else(|| corrupt("source", "id", tenant.0))?;
        found.push((tenant, SourceId::from_u128(id)));
    }
    Ok(found)
}

impl Sources for SqliteStore {
    fn create_source(
        &self,
        source: Source,
        forward: Forward,
        sources_max: u32,
        audit: AuditEntry,
    ) -> Answer<'_, Source> {
        self.change(move |tx, _| create(tx, source, forward, sources_max, &audit))
    }

    fn source(&self, tenant: TenantNo, id: SourceId) -> Answer<'_, Option<Source>> {
        self.read(move |conn, _| find(conn, tenant, id))
    }

    fn sources(&self, tenant: TenantNo, page: PageRequest) -> Answer<'_, Page<Source>> {
        self.read(move |conn, _| {
            let sql = format!(
                "SELECT {COLUMNS} FROM source WHERE tenant = ?1 AND deleted = 0 AND no < ?2
                 ORDER BY no DESC LIMIT ?3"
            );
            audit::page_by_no(conn, &sql, tenant, &page, read)
        })
    }

    fn update_source(
        &self,
        source: Source,
        forward: Forward,
        audit: AuditEntry,
    ) -> Answer<'_, Option<Source>> {
        self.change(move |tx, _| update(tx, source, forward, &audit))
    }

    fn reseal_source(&self, source: Source) -> Answer<'_, bool> {
        self.change(move |tx, _| reseal(tx, &source))
    }

    fn delete_source(&self, tenant: TenantNo, id: SourceId, audit: AuditEntry) -> Answer<'_, bool> {
        self.change(move |tx, _| delete(tx, tenant, id, &audit))
    }

    fn source_activity<'a>(
        &'a self,
        tenant: TenantNo,
        sources: &'a [SourceId],
    ) -> Answer<'a, Vec<SourceActivity>> {
        let of = sources.to_vec();
        self.read(move |conn, _| activities(conn, tenant, &of))
    }

    fn source_tenant(&self, id: SourceId) -> Answer<'_, Option<TenantNo>> {
        self.read(move |conn, _| {
            let tenant: Option<u32> = conn
                .prepare_cached("SELECT tenant FROM source WHERE id = ?1 AND deleted = 0")?
                .query_row([id.as_u128().to_be_bytes()], |row| row.get(0))
                .optional()?;
            Ok(tenant.map(TenantNo))
        })
    }

    fn sources_of_provider<'a>(
        &'a self,
        provider: &'a str,
        each: u32,
        limit: u32,
    ) -> Answer<'a, Vec<(TenantNo, SourceId)>> {
        let provider = provider.to_owned();
        self.read(move |conn, _| of_provider(conn, &provider, each, limit))
    }
}
