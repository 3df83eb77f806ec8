//! Rows of the table `delivery`, and deliveries that have no row yet.

use std::collections::{BTreeMap, HashMap};

use hookyard_domain::attempt::Trigger;
use hookyard_domain::delivery::{Delivery, DeliveryStatus};
use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::id::{EndpointId, TargetNo};
use hookyard_domain::tenant::TenantNo;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::codec::{self, no, time, uno};
use crate::db::{GenericClient, Uid, query};
use crate::error::{Result, corrupt};
use crate::events::{self, Head, Place};

/// A row to be written for a delivery that has none.
pub(crate) struct NewDelivery {
    pub(crate) tenant: TenantNo,
    pub(crate) place: Place,
    pub(crate) target: u32,
    pub(crate) endpoint: EndpointNo,
    /// The node that makes the next attempt.
    pub(crate) owner: i16,
    pub(crate) status: i16,
    pub(crate) reason: Option<i16>,
    pub(crate) set_off: i16,
    pub(crate) due_ms: Option<i64>,
    pub(crate) created_ms: Option<i64>,
    pub(crate) updated_ms: i64,
}

/// Writes rows: the columns of [`columns`] in their order.
pub(crate) const PUT: &str =
    "INSERT INTO delivery (tenant, key, node, target, endpoint, status, reason,
        set_off, due_ms, created_ms, updated_ms, owner, attempts)
    SELECT *, 0 FROM unnest($1::int4[], $2::int8[], $3::int2[], $4::int4[], $5::int4[],
        $6::int2[], $7::int2[], $8::int2[], $9::int8[], $10::int8[], $11::int8[],
        $12::int2[])";

/// Columns of new rows.
#[derive(Default)]
pub(crate) struct Columns {
    tenants: Vec<i32>,
    keys: Vec<i64>,
    nodes: Vec<i16>,
    targets: Vec<i32>,
    endpoints: Vec<i32>,
    statuses: Vec<i16>,
    reasons: Vec<Option<i16>>,
    set_offs: Vec<i16>,
    dues: Vec<Option<i64>>,
    created: Vec<Option<i64>>,
    updated: Vec<i64>,
    owners: Vec<i16>,
}

pub(crate) fn columns(new: &[NewDelivery]) -> Columns {
    let mut columns = Columns::default();
    for new in new {
        columns.tenants.push(no(new.tenant.0));
        columns.keys.push(new.place.key);
        columns.nodes.push(new.place.node);
        columns.targets.push(no(new.target));
        columns.endpoints.push(no(new.endpoint.0));
        columns.statuses.push(new.status);
        columns.reasons.push(new.reason);
        columns.set_offs.push(new.set_off);
        columns.dues.push(new.due_ms);
        columns.created.push(new.created_ms);
        columns.updated.push(new.updated_ms);
        columns.owners.push(new.owner);
    }
    columns
}

pub(crate) fn params(it: &Columns) -> [&(dyn ToSql + Sync); 12] {
    [
        &it.tenants,
        &it.keys,
        &it.nodes,
        &it.targets,
        &it.endpoints,
        &it.statuses,
        &it.reasons,
        &it.set_offs,
        &it.dues,
        &it.created,
        &it.updated,
        &it.owners,
    ]
}

/// A delivery's row, without its attempt.
#[derive(Clone)]
pub(crate) struct DeliveryRow {
    pub(crate) place: Place,
    pub(crate) target: u32,
    pub(crate) endpoint: EndpointNo,
    pub(crate) status: i16,
    reason: Option<i16>,
    attempts: u32,
    set_off: i16,
    due_ms: Option<i64>,
    created_ms: Option<i64>,
    updated_ms: i64,
    code: Option<u16>,
}

/// The columns of [`read`], of a row named `d`.
pub(crate) const COLUMNS: &str =
    "d.key, d.node, d.target, d.endpoint, d.status, d.reason, d.attempts,
    d.set_off, d.due_ms, d.created_ms, d.updated_ms, d.code";

/// The row that begins with [`COLUMNS`].
pub(crate) fn read(row: &Row) -> Result<DeliveryRow> {
    let code: Option<i32> = row.try_get(11)?;
    Ok(DeliveryRow {
        place: Place { key: row.try_get(0)?, node: row.try_get(1)? },
        target: uno(row.try_get(2)?),
        endpoint: EndpointNo(uno(row.try_get(3)?)),
        status: row.try_get(4)?,
        reason: row.try_get(5)?,
        attempts: uno(row.try_get(6)?),
        set_off: row.try_get(7)?,
        due_ms: row.try_get(8)?,
        created_ms: row.try_get(9)?,
        updated_ms: row.try_get(10)?,
        code: code.and_then(|code| u16::try_from(code).ok()),
    })
}

impl DeliveryRow {
    /// Its state, which is never `Sending`.
    pub(crate) fn status(&self) -> Result<DeliveryStatus> {
        codec::status(self.status).ok_or_else(|| corrupt("delivery", "status", self.status))
    }
}

/// The rows of these events' deliveries, by event, each in the order of targets; only those to `endpoint` if one is given.
pub(crate) async fn rows_of(
    db: &impl GenericClient,
    tenant: TenantNo,
    places: &[Place],
    endpoint: Option<EndpointNo>,
) -> Result<HashMap<Place, Vec<DeliveryRow>>> {
    let ((keys, nodes), (low, high)) = (events::columns(places), events::bounds(places));
    let endpoint = endpoint.map(|it| no(it.0));
    let sql = format!(
        "SELECT d.* FROM unnest($2::int8[], $3::int2[]) AS u (key, node) CROSS JOIN LATERAL (
            SELECT {COLUMNS} FROM delivery d
            WHERE d.tenant = $1 AND d.key = u.key AND d.node = u.node
                AND d.key BETWEEN $5 AND $6 AND ($4::int4 IS NULL OR d.endpoint = $4) ORDER BY d.target OFFSET 0
         ) d"
    );
    let rows = query(db, &sql, &[&no(tenant.0), &keys, &nodes, &endpoint, &low, &high]).await?;
    let mut by_event: HashMap<Place, Vec<DeliveryRow>> = HashMap::new();
    for row in &rows {
        let row = read(row)?;
        by_event.entry(row.place).or_default().push(row);
    }
    Ok(by_event)
}

/// Turns rows into deliveries as they are shown; knows the endpoints' ids.
#[derive(Default)]
pub(crate) struct Teller {
    endpoints: BTreeMap<EndpointNo, EndpointId>,
}

impl Teller {
    /// Learns the ids of these endpoints.
    pub(crate) async fn learn(
        &mut self,
        db: &impl GenericClient,
        endpoints: impl Iterator<Item = EndpointNo>,
    ) -> Result<()> {
        let mut unknown: Vec<i32> =
            endpoints.filter(|it| !self.endpoints.contains_key(it)).map(|it| no(it.0)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        if unknown.is_empty() {
            return Ok(());
        }
        for row in query(db, "SELECT no, id FROM endpoint WHERE no = ANY($1)", &[&unknown]).await? {
            let id: Uid = row.try_get(1)?;
            self.endpoints.insert(EndpointNo(uno(row.try_get(0)?)), EndpointId::from_u128(id.0));
        }
        Ok(())
    }

    fn endpoint(&self, no: EndpointNo) -> Result<EndpointId> {
        self.endpoints.get(&no).copied().ok_or_else(|| corrupt("endpoint", "id", no.0))
    }

    /// A delivery that has a row.
    pub(crate) fn recorded(&self, head: &Head, row: &DeliveryRow) -> Result<Delivery> {
        let id = head.place.id();
        let bad = |column| corrupt("delivery", column, format_args!("{id}/{}", row.target));
        let reason = row.reason.map(|code| codec::reason(code).ok_or_else(|| bad("reason")));
        Ok(Delivery {
            id: id.delivery(TargetNo(row.target)),
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
    pub(crate) fn derived(&self, head: &Head, target: u32) -> Result<Option<Delivery>> {
        let Some(to) = head.targets.get(target as usize) else { return Ok(None) };
        Ok(Some(Delivery {
            id: head.place.id().delivery(TargetNo(target)),
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
            trigger: Trigger::Automatic,
        }))
    }

    /// All deliveries of an event with a target below `below`, last target first; of `endpoint` alone if one is given.
    /// `rows` are those that were recorded of them.
    pub(crate) fn of_event(
        &self,
        head: &Head,
        rows: &[DeliveryRow],
        endpoint: Option<EndpointNo>,
        below: u64,
    ) -> Result<Vec<Delivery>> {
        let mut told: BTreeMap<u32, Delivery> = BTreeMap::new();
        for row in rows {
            told.insert(row.target, self.recorded(head, row)?);
        }
        for (target, to) in (0..).zip(&head.targets) {
            let is_wanted = endpoint.is_none_or(|endpoint| endpoint == to.endpoint);
            if is_wanted && !told.contains_key(&target) {
                told.extend(self.derived(head, target)?.map(|delivery| (target, delivery)));
            }
        }
        let below = u32::try_from(below).unwrap_or(u32::MAX);
        Ok(told.into_iter().rev().filter(|(target, _)| *target < below).map(|(_, it)| it).collect())
    }
}
