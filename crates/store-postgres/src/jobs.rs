//! Jobs, and their steps. A job is the process's that claimed it, until its lease is over by the database's own time.

use std::time::Duration;

use crate::db::GenericClient;
use deadpool_postgres::Transaction;
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
use tokio_postgres::Row;

use crate::codec::{self, int, no, time, uint, uno};
use crate::db::{Uid, execute, query, query_opt};
use crate::error::{Result, corrupt};
use crate::events::{Place, key_at};
use crate::node::{NOW_MS, Node};
use crate::{PostgresStore, audit, change, give, read, sender, share};

/// In the place of the process that works on a job: nobody does. Nodes count from 1.
const NOBODY: i16 = 0;

/// The columns of [`job`], of a row named `j`, its endpoint's id among them.
const COLUMNS: &str = "j.no, j.id, j.tenant, j.endpoint,
    (SELECT e.id FROM endpoint e WHERE e.no = j.endpoint), j.recovery, j.status, j.total, j.done,
    j.error, j.created_ms, j.finished_ms";

fn job(row: &Row) -> Result<Job> {
    let id: i64 = row.try_get(0)?;
    let bad = |column| corrupt("job", column, id);
    let endpoint: Option<Uid> = row.try_get(4)?;
    Ok(Job {
        id: JobId::from_u128(row.try_get::<_, Uid>(1)?.0),
        tenant: TenantNo(uno(row.try_get(2)?)),
        endpoint: EndpointId::from_u128(endpoint.ok_or_else(|| bad("endpoint"))?.0),
        endpoint_no: EndpointNo(uno(row.try_get(3)?)),
        recovery: serde_json::from_str(row.try_get(5)?).map_err(|_| bad("recovery"))?,
        status: codec::job_status(row.try_get(6)?).ok_or_else(|| bad("status"))?,
        total: uint(row.try_get(7)?),
        done: uint(row.try_get(8)?),
        error: row.try_get(9)?,
        created_at: time(row.try_get(10)?),
        finished_at: row.try_get::<_, Option<i64>>(11)?.map(time),
    })
}

async fn find(db: &impl GenericClient, tenant: TenantNo, id: JobId) -> Result<Option<Job>> {
    let sql = format!("SELECT {COLUMNS} FROM job j WHERE j.id = $1 AND j.tenant = $2");
    let row = query_opt(db, &sql, &[&Uid(id.as_u128()), &no(tenant.0)]).await?;
    row.as_ref().map(job).transpose()
}

/// The states a recovery asks for, as they are kept; never one that succeeded.
fn states(recovery: &Recovery) -> Vec<i16> {
    let mut states: Vec<i16> = recovery.statuses.iter().map(|it| codec::status_code(*it)).collect();
    states.retain(|it| *it != codec::SUCCEEDED);
    states.sort_unstable();
    states.dedup();
    states
}

async fn recoverable(
    db: &impl GenericClient,
    (tenant, endpoint): (TenantNo, EndpointNo),
    recovery: &Recovery,
) -> Result<u64> {
    // `status <> 1` lets the planner see that the partial index covers the question.
    const SQL: &str = "SELECT count(*) FROM delivery d WHERE d.tenant = $1 AND d.endpoint = $2
        AND d.status = ANY($3) AND d.status <> 1 AND d.key >= $4 AND d.key < $5";
    let states = states(recovery);
    let (since, until) = (key_at(recovery.since), key_at(recovery.until));
    let row =
        query_opt(db, SQL, &[&no(tenant.0), &no(endpoint.0), &states, &since, &until]).await?;
    let many: i64 = row.map(|row| row.try_get(0)).transpose()?.unwrap_or(0);
    let many = uint(many);
    Ok(recovery.limit.map_or(many, |limit| many.min(limit)))
}

async fn create(
    tx: &Transaction<'_>,
    job: &Job,
    running_max: u32,
    entry: &AuditEntry,
) -> Result<()> {
    const RUNNING_NOW: &str = "SELECT count(*) FROM job WHERE tenant = $1 AND status = 0";
    const INSERT: &str = "INSERT INTO job (id, tenant, endpoint, recovery, status, total, done,
            error, created_ms, finished_ms, owner, at_key, at_node, at_target, incarnation, lease_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, 0, 0, 0, 0)";
    let row = query_opt(tx, RUNNING_NOW, &[&no(job.tenant.0)]).await?;
    let running: i64 = row.map(|row| row.try_get(0)).transpose()?.unwrap_or(0);
    if running >= i64::from(running_max) {
        return Err(StoreError::Full { what: "running jobs", limit: running_max }.into());
    }
    let recovery =
        serde_json::to_string(&job.recovery).map_err(|_| corrupt("job", "recovery", job.id))?;
    execute(
        tx,
        INSERT,
        &[
            &Uid(job.id.as_u128()),
            &no(job.tenant.0),
            &no(job.endpoint_no.0),
            &recovery,
            &codec::job_status_code(job.status),
            &int(job.total),
            &int(job.done),
            &job.error,
            &job.created_at.as_millis(),
            &job.finished_at.map(|at| at.as_millis()),
            &NOBODY,
        ],
    )
    .await?;
    audit::write(tx, job.tenant, entry).await
}

async fn end(
    tx: &impl GenericClient,
    (tenant, id): (TenantNo, JobId),
    status: JobStatus,
    (error, now): (Option<&str>, Timestamp),
) -> Result<bool> {
    const SQL: &str = "UPDATE job SET status = $3, error = $4, finished_ms = $5
        WHERE id = $1 AND tenant = $2 AND status = 0";
    let status = codec::job_status_code(status);
    let id = Uid(id.as_u128());
    let params = [&id as _, &no(tenant.0) as _, &status as _, &error as _, &now.as_millis() as _];
    Ok(execute(tx, SQL, &params).await? == 1)
}

async fn cancel(
    tx: &Transaction<'_>,
    (tenant, id): (TenantNo, JobId),
    now: Timestamp,
    entry: &AuditEntry,
) -> Result<Option<Job>> {
    if end(tx, (tenant, id), JobStatus::Cancelled, (None, now)).await? {
        audit::write(tx, tenant, entry).await?;
    }
    find(tx, tenant, id).await
}

async fn claim(db: &impl GenericClient, node: Node, lease: Duration) -> Result<Option<Job>> {
    let sql = format!(
        "UPDATE job j SET owner = $1, incarnation = $2, lease_ms = {NOW_MS} + $3
         WHERE j.no = (SELECT no FROM job WHERE status = 0
            AND (lease_ms <= {NOW_MS} OR (owner = $1 AND incarnation <> $2))
            ORDER BY no LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING {COLUMNS}"
    );
    let lease = millis(lease);
    let row = query_opt(db, &sql, &[&node.no, &node.incarnation, &lease]).await?;
    row.as_ref().map(job).transpose()
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// Where a delivery stands in the order of jobs.
type Spot = (Place, i32);

/// The deliveries a job works on next, in order. Each state apart, since together they have no order in the index.
async fn next_spots(
    tx: &Transaction<'_>,
    job: &Job,
    (at, target): Spot,
    limit: i64,
) -> Result<Vec<Spot>> {
    const SQL: &str = "SELECT d.key, d.node, d.target FROM unnest($3::int2[]) AS s (status)
        CROSS JOIN LATERAL (
            SELECT d.key, d.node, d.target FROM delivery d
            WHERE d.tenant = $1 AND d.endpoint = $2 AND d.status = s.status AND d.status <> 1
                AND d.key >= $4 AND d.key < $5 AND (d.key, d.node, d.target) > ($6, $7, $8)
            ORDER BY d.key, d.node, d.target LIMIT $9
        ) d
        ORDER BY d.key, d.node, d.target LIMIT $9";
    let states = states(&job.recovery);
    let (since, until) = (key_at(job.recovery.since).max(at.key), key_at(job.recovery.until));
    let (tenant, endpoint) = (no(job.tenant.0), no(job.endpoint_no.0));
    let params: crate::db::Params<'_> =
        &[&tenant, &endpoint, &states, &since, &until, &at.key, &at.node, &target, &limit];
    let mut spots = Vec::new();
    for row in query(tx, SQL, params).await? {
        let place = Place { key: row.try_get(0)?, node: row.try_get(1)? };
        spots.push((place, row.try_get(2)?));
    }
    Ok(spots)
}

async fn recover_next(
    tx: &Transaction<'_>,
    node: Node,
    (tenant, id): (TenantNo, JobId),
    step: Step,
) -> Result<Stepped> {
    const HOLD: &str = "SELECT at_key, at_node, at_target FROM job WHERE id = $1 AND tenant = $2
        AND status = 0 AND owner = $3 AND incarnation = $4 FOR UPDATE";
    const REQUEUE: &str = "UPDATE delivery d SET status = 0, reason = NULL, due_ms = $6,
            updated_ms = $6, set_off = $7, owner = $8
        FROM unnest($3::int8[], $4::int2[], $5::int4[]) AS u (key, node, target)
        WHERE d.tenant = $1 AND d.key = u.key AND d.node = u.node AND d.target = u.target
            AND d.status = ANY($2) AND d.key BETWEEN $9 AND $10";
    let uid = Uid(id.as_u128());
    let claimed = [&uid as _, &no(tenant.0) as _, &node.no as _, &node.incarnation as _];
    let Some(held) = query_opt(tx, HOLD, &claimed).await? else { return Ok(Stepped::Lost) };
    let at = (Place { key: held.try_get(0)?, node: held.try_get(1)? }, held.try_get(2)?);
    let Some(job) = find(tx, tenant, id).await? else { return Ok(Stepped::Lost) };
    let left = job.recovery.limit.map_or(u64::MAX, |limit| limit.saturating_sub(job.done));
    let limit = u64::from(step.deliveries).min(left);
    let spots = next_spots(tx, &job, at, int(limit)).await?;
    let mut many = 0;
    if let (Some((low, _)), Some((high, _))) = (spots.first(), spots.last()) {
        let (keys, nodes): (Vec<i64>, Vec<i16>) =
            spots.iter().map(|(place, _)| (place.key, place.node)).unzip();
        let targets: Vec<i32> = spots.iter().map(|(_, target)| *target).collect();
        let (now, set_off) = (step.now.as_millis(), codec::trigger_code(Trigger::Manual));
        // Whoever works on the job sends them, unless one node alone does.
        let owner = sender::owner(tx, (tenant, job.endpoint_no), node.no).await?;
        let (tenant, states) = (no(tenant.0), states(&job.recovery));
        let params: crate::db::Params<'_> = &[
            &tenant, &states, &keys, &nodes, &targets, &now, &set_off, &owner, &low.key, &high.key,
        ];
        many = execute(tx, REQUEUE, params).await?;
    }
    move_on(tx, id, (spots.last().copied().unwrap_or(at), many), step.lease).await?;
    if (spots.len() as u64) < u64::from(step.deliveries) {
        end(tx, (tenant, id), JobStatus::Done, (None, step.now)).await?;
        return Ok(Stepped::Done(many));
    }
    Ok(Stepped::Running(many))
}

async fn move_on(
    tx: &Transaction<'_>,
    id: JobId,
    ((at, target), many): (Spot, u64),
    lease: Duration,
) -> Result<()> {
    let sql = format!(
        "UPDATE job SET done = done + $2, at_key = $3, at_node = $4, at_target = $5,
            lease_ms = {NOW_MS} + $6 WHERE id = $1"
    );
    let (id, lease) = (Uid(id.as_u128()), millis(lease));
    execute(tx, &sql, &[&id, &int(many), &at.key, &at.node, &target, &lease]).await?;
    Ok(())
}

async fn forget(db: &impl GenericClient, before: Timestamp) -> Result<u64> {
    const SQL: &str = "DELETE FROM job WHERE finished_ms < $1
        OR tenant IN (SELECT no FROM tenant WHERE deleted)";
    execute(db, SQL, &[&before.as_millis()]).await
}

impl Jobs for PostgresStore {
    fn recoverable(
        &self,
        tenant: TenantNo,
        endpoint: EndpointNo,
        recovery: Recovery,
    ) -> Answer<'_, u64> {
        read!(self, |db| recoverable(db, (tenant, endpoint), &recovery))
    }

    fn create_job(&self, job: Job, running_max: u32, audit: AuditEntry) -> Answer<'_, ()> {
        change!(self, job.tenant, |tx| create(tx, &job, running_max, &audit))
    }

    fn job(&self, tenant: TenantNo, id: JobId) -> Answer<'_, Option<Job>> {
        read!(self, |db| find(db, tenant, id))
    }

    fn jobs(&self, tenant: TenantNo, page: PageRequest) -> Answer<'_, Page<Job>> {
        read!(self, |db| async {
            let sql = format!(
                "SELECT {COLUMNS} FROM job j WHERE j.tenant = $1 AND j.no < $2
                 ORDER BY j.no DESC LIMIT $3"
            );
            audit::page_by_no(db, &sql, tenant, &page, job).await
        })
    }

    fn cancel_job(
        &self,
        tenant: TenantNo,
        id: JobId,
        now: Timestamp,
        audit: AuditEntry,
    ) -> Answer<'_, Option<Job>> {
        share!(self, tenant, |tx| cancel(tx, (tenant, id), now, &audit))
    }

    fn claim_job(&self, lease: Duration) -> Answer<'_, Option<Job>> {
        read!(self, |db| claim(db, self.node(), lease))
    }

    fn recover_next(&self, tenant: TenantNo, id: JobId, step: Step) -> Answer<'_, Stepped> {
        let me = self.node();
        give!(self, me, tenant, |tx| recover_next(tx, me, (tenant, id), step))
    }

    fn fail_job<'a>(
        &'a self,
        tenant: TenantNo,
        id: JobId,
        error: &'a str,
        now: Timestamp,
    ) -> Answer<'a, ()> {
        read!(self, |db| async {
            end(db, (tenant, id), JobStatus::Failed, (Some(error), now)).await.map(drop)
        })
    }

    fn forget_jobs(&self, before: Timestamp) -> Answer<'_, u64> {
        read!(self, |db| forget(db, before))
    }
}
