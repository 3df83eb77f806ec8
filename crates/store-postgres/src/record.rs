//! Recording what happened to deliveries, and where lanes stand.

use std::collections::{BTreeMap, HashMap};

use hookyard_domain::attempt::Trigger;
use hookyard_domain::delivery::{DeliveryStatus, Next};
use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::id::DeliveryId;
use hookyard_domain::tenant::TenantNo;
use hookyard_store::ledger::{LaneNote, Record};

use crate::codec::{self, PENDING, int, no};
use crate::events::Place;

/// Bytes of attempts in one statement, and rows.
const CHUNK_BYTES: usize = 16 * 1024 * 1024;
const CHUNK_ROWS: usize = 4096;

/// A row for each record, or the row that is there moved on unless it has ended; then the attempts that are not the
/// delivery's first. What belongs to no event of the tenant is nothing. The columns of [`RecordColumns`] in their order,
/// the node that makes the next attempt, and the lowest and highest key, which tell what partitions to look into.
pub(crate) const PUT_RECORDS: &str = "WITH given AS (
        SELECT * FROM unnest($1::int4[], $2::int8[], $3::int2[], $4::int4[], $5::int4[], $6::int2[],
            $7::int2[], $8::int4[], $9::int2[], $10::int8[], $11::int8[], $12::int4[], $13::bytea[])
        AS g (tenant, key, node, target, endpoint, status, reason, attempts, set_off, due_ms,
            updated_ms, code, attempt)
    ), put AS (
        INSERT INTO delivery AS d (tenant, key, node, target, endpoint, status, reason, attempts,
            set_off, due_ms, updated_ms, code, first, owner)
        SELECT g.tenant, g.key, g.node, g.target, g.endpoint, g.status, g.reason, g.attempts,
            g.set_off, g.due_ms, g.updated_ms, g.code,
            CASE WHEN g.attempts = 1 THEN g.attempt END, $14::int2
        FROM given g
        WHERE (SELECT true FROM event e WHERE e.tenant = g.tenant AND e.key = g.key
            AND e.node = g.node AND e.key BETWEEN $15 AND $16)
        ON CONFLICT (tenant, key, node, target) DO UPDATE SET
            status = CASE WHEN d.status = 0 THEN excluded.status ELSE d.status END,
            reason = CASE WHEN d.status = 0 THEN excluded.reason ELSE d.reason END,
            due_ms = CASE WHEN d.status = 0 THEN excluded.due_ms ELSE d.due_ms END,
            updated_ms = CASE WHEN d.status = 0 THEN excluded.updated_ms ELSE d.updated_ms END,
            owner = CASE WHEN d.status = 0 THEN excluded.owner ELSE d.owner END,
            set_off = CASE WHEN d.status = 0 AND (excluded.attempts > 0 OR excluded.status = 0)
                THEN excluded.set_off ELSE d.set_off END,
            attempts = greatest(d.attempts, excluded.attempts),
            code = CASE WHEN excluded.attempts > 0 THEN excluded.code ELSE d.code END,
            first = coalesce(d.first, excluded.first)
        WHERE d.status = 0 OR excluded.attempts > 0
        RETURNING d.tenant, d.key, d.node, d.target, d.first
    )
    INSERT INTO attempt (tenant, key, node, target, number, attempt)
    SELECT g.tenant, g.key, g.node, g.target, g.attempts, g.attempt
    FROM given g JOIN put p USING (tenant, key, node, target)
    WHERE g.attempts > 1 OR (g.attempts = 1 AND p.first <> g.attempt)
    ON CONFLICT (tenant, key, node, target, number) DO UPDATE SET attempt = excluded.attempt";

/// What a [`Next`] is in the row: status, reason, due.
fn fate(next: Next) -> (i16, Option<i16>, Option<i64>) {
    match next {
        Next::Succeeded => (codec::status_code(DeliveryStatus::Succeeded), None, None),
        Next::RetryAt(at) => (PENDING, None, Some(at.as_millis())),
        Next::Failed(reason) => {
            (codec::status_code(DeliveryStatus::Failed), Some(codec::reason_code(reason)), None)
        }
        Next::Discarded(reason) => {
            (codec::status_code(DeliveryStatus::Discarded), Some(codec::reason_code(reason)), None)
        }
    }
}

/// What set off the next attempt if there is one, else the last. Without either the row's own stays.
fn set_off(record: &Record) -> Trigger {
    match (record.next, &record.attempt) {
        (Next::RetryAt(_), _) | (_, None) => Trigger::Automatic,
        (_, Some(attempt)) => attempt.trigger,
    }
}

/// The place of a delivery; `None` for an id that no event of any store has.
pub(crate) fn place(delivery: DeliveryId) -> Option<(Place, i32)> {
    let event = delivery.event();
    let target = delivery.target()?;
    let place = Place::of(event)?;
    (event.delivery(target) == delivery).then_some((place, no(target.0)))
}

/// Columns of records.
#[derive(Default)]
pub(crate) struct RecordColumns {
    pub(crate) tenants: Vec<i32>,
    pub(crate) keys: Vec<i64>,
    pub(crate) nodes: Vec<i16>,
    pub(crate) targets: Vec<i32>,
    pub(crate) endpoints: Vec<i32>,
    pub(crate) statuses: Vec<i16>,
    pub(crate) reasons: Vec<Option<i16>>,
    pub(crate) attempts: Vec<i32>,
    pub(crate) set_offs: Vec<i16>,
    pub(crate) dues: Vec<Option<i64>>,
    pub(crate) updated: Vec<i64>,
    pub(crate) codes: Vec<Option<i32>>,
    pub(crate) bodies: Vec<Option<Vec<u8>>>,
    pub(crate) lowest: i64,
    pub(crate) highest: i64,
    bytes: usize,
}

impl RecordColumns {
    fn push(&mut self, record: &Record, (place, target): (Place, i32)) {
        let (status, reason, due) = fate(record.next);
        let attempt = record.attempt.as_ref();
        let body = attempt.map(codec::attempt_to_bytes);
        self.bytes += body.as_ref().map_or(0, Vec::len);
        self.lowest = if self.keys.is_empty() { place.key } else { self.lowest.min(place.key) };
        self.highest = self.highest.max(place.key);
        self.tenants.push(no(record.tenant.0));
        self.keys.push(place.key);
        self.nodes.push(place.node);
        self.targets.push(target);
        self.endpoints.push(no(record.endpoint.0));
        self.statuses.push(status);
        self.reasons.push(reason);
        self.attempts.push(attempt.map_or(0, |attempt| no(attempt.number)));
        self.set_offs.push(codec::trigger_code(set_off(record)));
        self.dues.push(due);
        self.updated.push(record.at.as_millis());
        self.codes.push(attempt.and_then(|attempt| attempt.status_code).map(i32::from));
        self.bodies.push(body);
    }

    fn is_full(&self) -> bool {
        self.bytes > CHUNK_BYTES || self.keys.len() == CHUNK_ROWS
    }
}

/// The records in pieces that one statement takes: one of each delivery at most, in their order.
pub(crate) fn columns(records: &[Record]) -> Vec<RecordColumns> {
    let mut seen: HashMap<DeliveryId, usize> = HashMap::new();
    let mut waves: Vec<Vec<(&Record, (Place, i32))>> = Vec::new();
    for record in records {
        let Some(place) = place(record.delivery) else { continue };
        let wave = seen.entry(record.delivery).or_default();
        if waves.len() == *wave {
            waves.push(Vec::new());
        }
        waves[*wave].push((record, place));
        *wave += 1;
    }
    let mut all = Vec::new();
    for mut wave in waves {
        // In order, so that two nodes that record of the same ones wait for each other and not in a circle.
        wave.sort_by_key(|(record, place)| (record.tenant, *place));
        let mut columns = RecordColumns::default();
        for (record, place) in wave {
            if columns.is_full() {
                all.push(std::mem::take(&mut columns));
            }
            columns.push(record, place);
        }
        all.push(columns);
    }
    all
}

/// Notes where lanes stand: the columns of [`note_columns`] in their order, and the node.
pub(crate) const PUT_NOTES: &str = "INSERT INTO lane AS l (tenant, endpoint, mark, delivery_count,
        last_delivery_ms, consecutive_failures, failing_since_ms, node)
    SELECT *, $8::int2 FROM unnest($1::int4[], $2::int4[], $3::int8[], $4::int8[], $5::int8[],
        $6::int4[], $7::int8[])
    ON CONFLICT (tenant, endpoint, node) DO UPDATE SET mark = greatest(l.mark, excluded.mark),
        delivery_count = excluded.delivery_count, last_delivery_ms = excluded.last_delivery_ms,
        consecutive_failures = excluded.consecutive_failures,
        failing_since_ms = excluded.failing_since_ms";

/// Columns of notes.
#[derive(Default)]
pub(crate) struct NoteColumns {
    pub(crate) tenants: Vec<i32>,
    pub(crate) endpoints: Vec<i32>,
    pub(crate) marks: Vec<i64>,
    pub(crate) counts: Vec<i64>,
    pub(crate) last: Vec<Option<i64>>,
    pub(crate) failures: Vec<i32>,
    pub(crate) since: Vec<Option<i64>>,
}

/// The notes as columns, one of each endpoint: the last, with the highest mark.
pub(crate) fn note_columns(notes: &[LaneNote]) -> NoteColumns {
    let mut by_lane: BTreeMap<(TenantNo, EndpointNo), LaneNote> = BTreeMap::new();
    for note in notes {
        let kept = by_lane.entry((note.tenant, note.endpoint)).or_insert(*note);
        *kept = LaneNote { mark: kept.mark.max(note.mark), ..*note };
    }
    let mut columns = NoteColumns::default();
    for note in by_lane.values() {
        let activity = note.activity;
        columns.tenants.push(no(note.tenant.0));
        columns.endpoints.push(no(note.endpoint.0));
        columns.marks.push(int(note.mark.0));
        columns.counts.push(int(activity.delivery_count));
        columns.last.push(activity.last_delivery_at.map(|at| at.as_millis()));
        columns.failures.push(no(activity.consecutive_failures));
        columns.since.push(activity.failing_since.map(|at| at.as_millis()));
    }
    columns
}
