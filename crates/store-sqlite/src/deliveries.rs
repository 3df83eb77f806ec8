//! Rows of the table `delivery`, and deliveries that have no row yet.

use std::collections::HashMap;

use hookyard_domain::delivery::{Delivery, DeliveryStatus};
use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::id::{EndpointId, TargetNo};
use hookyard_domain::tenant::TenantNo;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::codec::{self, PENDING, int, short, time};
use crate::error::{Fault, Result, corrupt};
use crate::events::{Head, id_of};

/// A delivery's row, without its attempt.
pub(crate) struct DeliveryRow {
    pub(crate) target: u32,
    pub(crate) tenant: TenantNo,
    pub(crate) endpoint: EndpointNo,
    pub(crate) status: i64,
    reason: Option<i64>,
    attempts: u32,
    set_off: i64,
    due_ms: Option<i64>,
    created_ms: Option<i64>,
    updated_ms: i64,
    code: Option<u16>,
}

const COLUMNS: &str = "target, tenant, endpoint, status, reason, attempts, set_off, due_ms,
    created_ms, updated_ms, code";

fn read(row: &Row<'_>) -> rusqlite::Result<DeliveryRow> {
    Ok(DeliveryRow {
        target: row.get(0)?,
        tenant: TenantNo(short(row.get(1)?)),
        endpoint: EndpointNo(short(row.get(2)?)),
        status: row.get(3)?,
        reason: row.get(4)?,
        attempts: row.get(5)?,
        set_off: row.get(6)?,
        due_ms: row.get(7)?,
        created_ms: row.get(8)?,
        updated_ms: row.get(9)?,
        code: row.get(10)?,
    })
}

impl DeliveryRow {
    /// Its state, which is never `Sending`.
    pub(crate) fn status(&self) -> Result<DeliveryStatus> {
        codec::status(self.status).ok_or_else(|| corrupt("delivery", "status", self.status))
    }
}

/// One delivery's row.
pub(crate) fn row(conn: &Connection, event: i64, target: TargetNo) -> Result<Option<DeliveryRow>> {
    let sql = format!("SELECT {COLUMNS} FROM delivery WHERE event = ?1 AND target = ?2");
    Ok(conn.prepare_cached(&sql)?.query_row(params![event, target.0], read).optional()?)
}

/// All rows of an event's deliveries, by target; only those to `endpoint` if one is given.
pub(crate) fn rows_of(
    conn: &Connection,
    event: i64,
    endpoint: Option<EndpointNo>,
) -> Result<Vec<DeliveryRow>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM delivery
         WHERE event = ?1 AND (?2 IS NULL OR endpoint = ?2) ORDER BY target"
    );
    let mut find = conn.prepare_cached(&sql)?;
    let rows = find.query_map(params![event, endpoint.map(|it| it.0)], read)?;
    rows.map(|row| row.map_err(Fault::from)).collect()
}

/// Whether something was recorded of a delivery.
pub(crate) fn has_row(conn: &Connection, event: i64, target: TargetNo) -> Result<bool> {
    let mut find =
        conn.prepare_cached("SELECT 1 FROM delivery WHERE event = ?1 AND target = ?2")?;
    Ok(find.exists(params![event, target.0])?)
}

/// How many deliveries of an event with so many targets were added by replays.
pub(crate) fn replays(conn: &Connection, event: i64, targets: usize) -> Result<u32> {
    let many = conn
        .prepare_cached("SELECT count(*) FROM delivery WHERE event = ?1 AND target >= ?2")?
        .query_row(params![event, int(targets as u64)], |row| row.get(0))?;
    Ok(many)
}

/// Turns rows into deliveries as they are shown; knows the endpoints' ids.
pub(crate) struct Teller<'c> {
    conn: &'c Connection,
    endpoints: HashMap<EndpointNo, EndpointId>,
}

impl<'c> Teller<'c> {
    pub(crate) fn new(conn: &'c Connection) -> Self {
        Self { conn, endpoints: HashMap::new() }
    }

    fn endpoint(&mut self, no: EndpointNo) -> Result<EndpointId> {
        if let Some(id) = self.endpoints.get(&no) {
            return Ok(*id);
        }
        let bytes: Option<Vec<u8>> = self
            .conn
            .prepare_cached("SELECT id FROM endpoint WHERE no = ?1")?
            .query_row([no.0], |row| row.get(0))
            .optional()?;
        let id = bytes.as_deref().and_then(id_of).ok_or_else(|| corrupt("endpoint", "id", no.0))?;
        let id = EndpointId::from_u128(id);
        self.endpoints.insert(no, id);
        Ok(id)
    }

    /// A delivery that has a row.
    pub(crate) fn recorded(&mut self, head: &Head, row: &DeliveryRow) -> Result<Delivery> {
        let bad = |column| corrupt("delivery", column, format_args!("{}/{}", head.id, row.target));
        let reason = row.reason.map(|code| codec::reason(code).ok_or_else(|| bad("reason")));
        Ok(Delivery {
            id: head.id.delivery(TargetNo(row.target)),
            endpoint: self.endpoint(row.endpoint)?,
            endpoint_no: row.endpoint,
            event_type: head.event_type.clone(),
            status: row.status()?,
            reason: reason.transpose()?,
            attempts: row.attempts,
            last_status_code: row.code,
            next_attempt_at: row.due_ms.map(time),
            created_at: row.created_ms.map_or(head.accepted_at, time),
            updated_at: time(row.updated_ms),
            trigger: codec::trigger(row.set_off).ok_or_else(|| bad("set_off"))?,
        })
    }

    /// A delivery to which nothing has happened; `None` when the event has no such target.
    pub(crate) fn derived(&mut self, head: &Head, target: TargetNo) -> Result<Option<Delivery>> {
        let Some(to) = usize::try_from(target.0).ok().and_then(|at| head.targets.get(at)) else {
            return Ok(None);
        };
        Ok(Some(Delivery {
            id: head.id.delivery(target),
            endpoint: self.endpoint(to.endpoint)?,
            endpoint_no: to.endpoint,
            event_type: head.event_type.clone(),
            status: DeliveryStatus::Pending,
            reason: None,
            attempts: 0,
            last_status_code: None,
            next_attempt_at: None,
            created_at: head.accepted_at,
            updated_at: head.accepted_at,
            trigger: hookyard_domain::attempt::Trigger::Automatic,
        }))
    }

    /// All deliveries of an event with a target below `below`, last target first; of `endpoint` alone if one is given.
    pub(crate) fn of_event(
        &mut self,
        head: &Head,
        endpoint: Option<EndpointNo>,
        below: u64,
    ) -> Result<Vec<Delivery>> {
        let wanted = |it: EndpointNo| endpoint.is_none_or(|endpoint| endpoint == it);
        let mut told = Vec::new();
        let mut rows = rows_of(self.conn, int(head.id.key().0), endpoint)?;
        // Derived ones stand between the rows: walk both downwards.
        let mut target = head.targets.len() as u64;
        loop {
            let derived = target.checked_sub(1);
            let recorded = rows.last().map(|row| u64::from(row.target));
            if recorded >= derived {
                let Some(row) = rows.pop() else { return Ok(told) };
                if recorded == derived {
                    target -= 1;
                }
                if u64::from(row.target) < below {
                    told.push(self.recorded(head, &row)?);
                }
            } else {
                target -= 1;
                let to = usize::try_from(target).ok().and_then(|at| head.targets.get(at));
                if target < below
                    && to.is_some_and(|to| wanted(to.endpoint))
                    && let Some(delivery) = self.derived(head, TargetNo(target as u32))?
                {
                    told.push(delivery);
                }
            }
        }
    }

    /// The targets of an event that have no row, to `endpoint` if one is given, last first, below `below`.
    pub(crate) fn owed_of(
        &mut self,
        head: &Head,
        endpoint: Option<EndpointNo>,
        below: u64,
    ) -> Result<Vec<Delivery>> {
        let mut owed = Vec::new();
        for (at, to) in head.targets.iter().enumerate().rev() {
            let target = TargetNo(at as u32);
            if (at as u64) < below
                && endpoint.is_none_or(|endpoint| endpoint == to.endpoint)
                && !has_row(self.conn, int(head.id.key().0), target)?
            {
                owed.extend(self.derived(head, target)?);
            }
        }
        Ok(owed)
    }
}

/// The rows in one state, newest event first, below a place: event keys and targets.
pub(crate) fn places_in_state(
    conn: &Connection,
    owner: Owner,
    status: i64,
    (below, from): ((u64, u64), u64),
    limit: usize,
) -> Result<Vec<(u64, TargetNo)>> {
    let column = owner.column();
    // `status <> 1` lets SQLite see that the partial index covers the question.
    let sql = format!(
        "SELECT event, target FROM delivery
         WHERE {column} = ?1 AND status = ?2 AND status <> 1
            AND event <= ?3 AND event >= ?5 AND (event < ?3 OR target < ?4)
         ORDER BY event DESC, target DESC LIMIT ?6"
    );
    let mut find = conn.prepare_cached(&sql)?;
    let bounds =
        params![owner.no(), status, int(below.0), int(below.1), int(from), int(limit as u64)];
    let rows =
        find.query_map(bounds, |row| Ok((codec::uint(row.get(0)?), TargetNo(short(row.get(1)?)))))?;
    rows.map(|row| row.map_err(Fault::from)).collect()
}

/// Whose rows are looked at.
#[derive(Clone, Copy)]
pub(crate) enum Owner {
    Tenant(TenantNo),
    Endpoint(EndpointNo),
}

impl Owner {
    fn column(self) -> &'static str {
        match self {
            Self::Tenant(_) => "tenant",
            Self::Endpoint(_) => "endpoint",
        }
    }

    fn no(self) -> u32 {
        match self {
            Self::Tenant(tenant) => tenant.0,
            Self::Endpoint(endpoint) => endpoint.0,
        }
    }
}

/// A row that waits.
pub(crate) const fn is_waiting(status: i64) -> bool {
    status == PENDING
}
