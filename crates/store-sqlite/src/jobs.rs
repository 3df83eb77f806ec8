//! Jobs, and their steps.
//!
//! One process serves from this store, so a job is whoever's claimed it while that process lives: leases have no meaning.

use std::time::Duration;

use hookyard_domain::attempt::Trigger;
use hookyard_domain::audit::AuditEntry;
use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::id::{EndpointId, JobId};
use hookyard_domain::job::{Job, JobStatus, Recovery};
use hookyard_domain::page::{Page, PageRequest};
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_store::jobs::{Jobs, Step, Stepped};
use hookyard_store::{Answer, StoreError};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::codec::{self, PENDING, RUNNING, int, short, time, uint};
use crate::error::{Fault, Result, corrupt};
use crate::events::{id_of, key_at};
use crate::{SqliteStore, audit};

/// In the place of the process that works on a job: nobody does. Processes count from 1.
const NOBODY: i64 = 0;

/// The columns of [`job`], of a row named `j`, its endpoint's id among them.
const COLUMNS: &str = "j.no, j.id, j.tenant, j.endpoint,
    (SELECT e.id FROM endpoint e WHERE e.no = j.endpoint), j.recovery, j.status, j.total, j.done,
    j.error, j.created_ms, j.finished_ms";

fn job(row: &Row<'_>) -> Result<Job> {
    let no: i64 = row.get(0)?;
    let bad = |column| corrupt("job", column, no);
    let id: Vec<u8> = row.get(1)?;
    let endpoint: Option<Vec<u8>> = row.get(4)?;
    let endpoint = endpoint.as_deref().and_then(id_of).ok_or_else(|| bad("endpoint"))?;
    let recovery: String = row.get(5)?;
    Ok(Job {
        id: JobId::from_u128(id_of(&id).ok_or_else(|| bad("id"))?),
        tenant: TenantNo(short(row.get(2)?)),
        endpoint: EndpointId::from_u128(endpoint),
        endpoint_no: EndpointNo(short(row.get(3)?)),
        recovery: serde_json::from_str(&recovery).map_err(|_| bad("recovery"))?,
        status: codec::job_status(row.get(6)?).ok_or_else(|| bad("status"))?,
        total: uint(row.get(7)?),
        done: uint(row.get(8)?),
        error: row.get(9)?,
        created_at: time(row.get(10)?),
        finished_at: row.get::<_, Option<i64>>(11)?.map(time),
    })
}

fn find(conn: &Connection, tenant: TenantNo, id: JobId) -> Result<Option<Job>> {
    let sql = format!("SELECT {COLUMNS} FROM job j WHERE j.id = ?1 AND j.tenant = ?2");
    let mut find = conn.prepare_cached(&sql)?;
    let mut rows = find.query(params![id.as_u128().to_be_bytes(), tenant.0])?;
    rows.next()?.map(job).transpose()
}

/// The states a recovery asks for, as they are kept; never one that succeeded.
fn states(recovery: &Recovery) -> Vec<i64> {
    let mut states: Vec<i64> = recovery.statuses.iter().map(|it| codec::status_code(*it)).collect();
    states.retain(|it| *it != codec::SUCCEEDED);
    states.sort_unstable();
    states.dedup();
    states
}

fn recoverable(conn: &Connection, endpoint: EndpointNo, recovery: &Recovery) -> Result<u64> {
    let mut many = 0;
    for state in states(recovery) {
        // `status <> 1` lets SQLite see that the partial index covers the question.
        let found: i64 = conn
            .prepare_cached(
                "SELECT count(*) FROM delivery WHERE endpoint = ?1 AND status = ?2 AND status <> 1
                    AND event >= ?3 AND event < ?4",
            )?
            .query_row(
                params![
                    endpoint.0,
                    state,
                    int(key_at(recovery.since)),
                    int(key_at(recovery.until))
                ],
                |row| row.get(0),
            )?;
        many += uint(found);
    }
    Ok(recovery.limit.map_or(many, |limit| many.min(limit)))
}

fn create(tx: &Connection, job: &Job, running_max: u32, entry: &AuditEntry) -> Result<()> {
    let running: u32 = tx
        .prepare_cached("SELECT count(*) FROM job WHERE tenant = ?1 AND status = ?2")?
        .query_row(params![job.tenant.0, RUNNING], |row| row.get(0))?;
    if running >= running_max {
        return Err(StoreError::Full { what: "running jobs", limit: running_max }.into());
    }
    let recovery =
        serde_json::to_string(&job.recovery).map_err(|_| corrupt("job", "recovery", job.id))?;
    tx.prepare_cached(
        "INSERT INTO job (id, tenant, endpoint, recovery, status, total, done, at_event, at_target,
            owner, error, created_ms, finished_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, 0, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        job.id.as_u128().to_be_bytes(),
        job.tenant.0,
        job.endpoint_no.0,
        recovery,
        codec::job_status_code(job.status),
        int(job.total),
        int(job.done),
        NOBODY,
        job.error,
        job.created_at.as_millis(),
        job.finished_at.map(|at| at.as_millis()),
    ])?;
    audit::write(tx, job.tenant, entry)
}

fn end(
    tx: &Connection,
    id: JobId,
    status: JobStatus,
    (error, now): (Option<&str>, Timestamp),
) -> Result<bool> {
    let ended = tx
        .prepare_cached(
            "UPDATE job SET status = ?2, error = ?3, finished_ms = ?4 WHERE id = ?1 AND status = ?5",
        )?
        .execute(params![
            id.as_u128().to_be_bytes(),
            codec::job_status_code(status),
            error,
            now.as_millis(),
            RUNNING
        ])?;
    Ok(ended == 1)
}

fn claim(tx: &Connection, incarnation: i64) -> Result<Option<Job>> {
    let found: Option<i64> = tx
        .prepare_cached(
            "SELECT no FROM job WHERE status = ?1 AND status = 0 AND owner <> ?2 ORDER BY no LIMIT 1",
        )?
        .query_row(params![RUNNING, incarnation], |row| row.get(0))
        .optional()?;
    let Some(no) = found else { return Ok(None) };
    tx.prepare_cached("UPDATE job SET owner = ?2 WHERE no = ?1")?
        .execute(params![no, incarnation])?;
    let sql = format!("SELECT {COLUMNS} FROM job j WHERE j.no = ?1");
    let mut find = tx.prepare_cached(&sql)?;
    let mut rows = find.query([no])?;
    rows.next()?.map(job).transpose()
}

/// The deliveries a job works on next, in order.
fn next_places(
    tx: &Connection,
    job: &Job,
    (at_event, at_target): (i64, u32),
    limit: i64,
) -> Result<Vec<(i64, u32)>> {
    let from = int(key_at(job.recovery.since)).max(at_event);
    let mut places = Vec::new();
    for state in states(&job.recovery) {
        let mut find = tx.prepare_cached(
            "SELECT event, target FROM delivery WHERE endpoint = ?1 AND status = ?2 AND status <> 1
                AND event >= ?3 AND event < ?4 AND (event > ?5 OR target > ?6)
             ORDER BY event, target LIMIT ?7",
        )?;
        let until = int(key_at(job.recovery.until));
        let bounds = params![job.endpoint_no.0, state, from, until, at_event, at_target, limit];
        for place in find.query_map(bounds, |row| Ok((row.get(0)?, row.get(1)?)))? {
            places.push(place.map_err(Fault::from)?);
        }
    }
    places.sort_unstable();
    places.truncate(usize::try_from(limit).unwrap_or(0));
    Ok(places)
}

fn recover_next(
    tx: &Connection,
    incarnation: i64,
    (tenant, id): (TenantNo, JobId),
    step: Step,
) -> Result<Stepped> {
    let place: Option<(i64, u32)> = tx
        .prepare_cached(
            "SELECT at_event, at_target FROM job
             WHERE id = ?1 AND tenant = ?2 AND status = ?3 AND owner = ?4",
        )?
        .query_row(params![id.as_u128().to_be_bytes(), tenant.0, RUNNING, incarnation], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let (Some(place), Some(job)) = (place, find(tx, tenant, id)?) else { return Ok(Stepped::Lost) };
    let left = job.recovery.limit.map_or(u64::MAX, |limit| limit.saturating_sub(job.done));
    let limit = u64::from(step.deliveries).min(left);
    let places = next_places(tx, &job, place, int(limit))?;
    let mut update = tx.prepare_cached(
        "UPDATE delivery SET status = ?3, reason = NULL, due_ms = ?4, updated_ms = ?4, set_off = ?5
         WHERE event = ?1 AND target = ?2",
    )?;
    let now = step.now.as_millis();
    for (event, target) in &places {
        let set_off = codec::trigger_code(Trigger::Manual);
        update.execute(params![event, target, PENDING, now, set_off])?;
    }
    let many = places.len() as u64;
    let (event, target) = places.last().copied().unwrap_or(place);
    tx.prepare_cached(
        "UPDATE job SET done = done + ?2, at_event = ?3, at_target = ?4 WHERE id = ?1",
    )?
    .execute(params![id.as_u128().to_be_bytes(), int(many), event, target])?;
    if many < u64::from(step.deliveries) {
        end(tx, id, JobStatus::Done, (None, step.now))?;
        return Ok(Stepped::Done(many));
    }
    Ok(Stepped::Running(many))
}

impl Jobs for SqliteStore {
    fn recoverable(
        &self,
        _tenant: TenantNo,
        endpoint: EndpointNo,
        recovery: Recovery,
    ) -> Answer<'_, u64> {
        self.read(move |conn, _| recoverable(conn, endpoint, &recovery))
    }

    fn create_job(&self, job: Job, running_max: u32, audit: AuditEntry) -> Answer<'_, ()> {
        self.change(move |tx, _| create(tx, &job, running_max, &audit))
    }

    fn job(&self, tenant: TenantNo, id: JobId) -> Answer<'_, Option<Job>> {
        self.read(move |conn, _| find(conn, tenant, id))
    }

    fn jobs(&self, tenant: TenantNo, page: PageRequest) -> Answer<'_, Page<Job>> {
        self.read(move |conn, _| {
            let sql = format!(
                "SELECT {COLUMNS} FROM job j WHERE j.tenant = ?1 AND j.no < ?2
                 ORDER BY j.no DESC LIMIT ?3"
            );
            audit::page_by_no(conn, &sql, tenant, &page, job)
        })
    }

    fn cancel_job(
        &self,
        tenant: TenantNo,
        id: JobId,
        now: Timestamp,
        audit: AuditEntry,
    ) -> Answer<'_, Option<Job>> {
        self.change(move |tx, _| {
            if find(tx, tenant, id)?.is_some() && end(tx, id, JobStatus::Cancelled, (None, now))? {
                audit::write(tx, tenant, &audit)?;
            }
            find(tx, tenant, id)
        })
    }

    fn claim_job(&self, _lease: Duration) -> Answer<'_, Option<Job>> {
        Box::pin(async move {
            // Asked for again and again, mostly for nothing: the writer is not to be held up by it.
            let is_there = self.read(|conn, _| {
                let mut find = conn.prepare_cached("SELECT 1 FROM job WHERE status = 0 LIMIT 1")?;
                Ok(find.exists([])?)
            });
            if !is_there.await? {
                return Ok(None);
            }
            self.change(|tx, state| claim(tx, state.incarnation)).await
        })
    }

    fn recover_next(&self, tenant: TenantNo, id: JobId, step: Step) -> Answer<'_, Stepped> {
        self.change(move |tx, state| recover_next(tx, state.incarnation, (tenant, id), step))
    }

    fn fail_job<'a>(
        &'a self,
        tenant: TenantNo,
        id: JobId,
        error: &'a str,
        now: Timestamp,
    ) -> Answer<'a, ()> {
        let error = error.to_owned();
        self.change(move |tx, _| {
            if find(tx, tenant, id)?.is_some() {
                end(tx, id, JobStatus::Failed, (Some(&error), now))?;
            }
            Ok(())
        })
    }

    fn forget_jobs(&self, before: Timestamp) -> Answer<'_, u64> {
        self.change(move |tx, _| {
            let gone = tx
                .prepare_cached(
                    "DELETE FROM job WHERE finished_ms < ?1
                        OR tenant IN (SELECT no FROM tenant WHERE deleted = 1)",
                )?
                .execute([before.as_millis()])?;
            Ok(gone as u64)
        })
    }
}
