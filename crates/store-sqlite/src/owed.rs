//! What is owed: at start, by refill in order, and retries by their time.

use std::collections::HashSet;

use hookyard_domain::endpoint::{Activity, EndpointNo};
use hookyard_domain::id::{DeliveryId, EventId, EventKey, TargetNo};
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_store::ledger::{Due, DuePage, Overdue, Owed, Refill, Share};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::codec::{self, int, short, time, uint};
use crate::deliveries::has_row;
use crate::error::{Result, corrupt};
use crate::events;
use crate::runs::{ListNo, ListReader, Lists, last_written};

/// Events one refill looks at, at most: most of them may have been recorded already.
const REFILL_SCAN_MAX: u32 = 20_000;

/// Reads [`Activity`] from four columns beginning at `at`.
pub(crate) fn activity(row: &Row<'_>, at: usize) -> rusqlite::Result<Activity> {
    Ok(Activity {
        delivery_count: uint(row.get(at)?),
        last_delivery_at: row.get::<_, Option<i64>>(at + 1)?.map(time),
        consecutive_failures: row.get(at + 2)?,
        failing_since: row.get::<_, Option<i64>>(at + 3)?.map(time),
    })
}

/// Every endpoint with something owed or waiting, or with counts.
pub(crate) fn owed(conn: &Connection, lists: &Lists) -> Result<Vec<Owed>> {
    let tails = lists.last_keys();
    let tx = conn.unchecked_transaction()?;
    let mut find = tx.prepare_cached(
        "SELECT no, endpoint.tenant, mark, coalesce(delivery_count, 0), last_delivery_ms,
            coalesce(consecutive_failures, 0), failing_since_ms, deleted,
            (SELECT min(due_ms) FROM delivery
             WHERE delivery.endpoint = endpoint.no AND due_ms IS NOT NULL)
         FROM endpoint LEFT JOIN lane ON lane.endpoint = endpoint.no",
    )?;
    let mut rows = find.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let endpoint = EndpointNo(short(row.get(0)?));
        let list = ListNo::of_endpoint(endpoint);
        let last = match tails.get(&list) {
            Some(last) => Some(*last),
            None => last_written(&tx, list)?,
        };
        let mark: Option<i64> = row.get(2)?;
        // No event has key 0, so an endpoint without any stands above "the last one".
        let from = EventKey(mark.map_or(1, uint).max(1));
        let due: Option<i64> = row.get(8)?;
        let one = Owed {
            tenant: TenantNo(short(row.get(1)?)),
            endpoint,
            from,
            last: EventKey(last.unwrap_or(0)),
            due: due.map(time),
            activity: activity(row, 3)?,
        };
        let counted = mark.is_some() && !row.get::<_, bool>(7)?;
        if one.last >= from || due.is_some() || counted {
            all.push(one);
        }
    }
    Ok(all)
}

/// What a refill asks for.
pub(crate) struct Wanted {
    pub(crate) tenant: TenantNo,
    pub(crate) endpoint: EndpointNo,
    pub(crate) from: EventKey,
    pub(crate) share: Share,
}

/// Deliveries of the endpoint without a row, in order.
pub(crate) fn refill(conn: &Connection, lists: &Lists, wanted: &Wanted) -> Result<Refill> {
    let list = ListNo::of_endpoint(wanted.endpoint);
    let tail = lists.tail(list);
    let tx = conn.unchecked_transaction()?;
    let reader = ListReader::new(&tx, list, tail)?;
    let mut keys = reader.up(wanted.from.0);
    let mut refill = Refill {
        owed: Vec::new(),
        through: EventKey(wanted.from.0.saturating_sub(1)),
        more: false,
    };
    let mut bytes = 0_u64;
    let mut looked_at = 0;
    while let Some(key) = keys.next()? {
        let full =
            refill.owed.len() >= wanted.share.deliveries as usize || bytes >= wanted.share.bytes;
        if looked_at >= REFILL_SCAN_MAX || (full && !refill.owed.is_empty()) {
            refill.more = true;
            break;
        }
        looked_at += 1;
        for target in owed_targets(&tx, wanted, key)? {
            let Some(stored) = events::load(&tx, key)? else { break };
            bytes += stored.event.content.bytes();
            refill.owed.push((stored.event, target));
        }
        refill.through = EventKey(key);
    }
    Ok(refill)
}

fn owed_targets(conn: &Connection, wanted: &Wanted, key: u64) -> Result<Vec<TargetNo>> {
    let Some(head) = events::head(conn, key)?.filter(|head| head.tenant == wanted.tenant) else {
        return Ok(Vec::new());
    };
    let mut owed = Vec::new();
    for (at, target) in (0_u32..).zip(&head.targets) {
        if target.endpoint == wanted.endpoint && !has_row(conn, int(key), TargetNo(at))? {
            owed.push(TargetNo(at));
        }
    }
    Ok(owed)
}

/// Endpoints with something that was due before that time, from one that anything waits for to the next.
pub(crate) fn overdue(
    conn: &Connection,
    (before, after): (Timestamp, Option<(TenantNo, EndpointNo)>),
    limit: u32,
) -> Result<Overdue> {
    const NEXT: &str = "SELECT endpoint, tenant, due_ms FROM delivery
         WHERE due_ms IS NOT NULL AND endpoint > ?1 ORDER BY endpoint, due_ms LIMIT 1";
    let tx = conn.unchecked_transaction()?;
    let mut find = tx.prepare_cached(NEXT)?;
    let mut found = Overdue::default();
    let mut last = after.map_or(0, |(_, endpoint)| endpoint.0);
    for _ in 0..limit.max(1) {
        let next = find.query_row([last], |row| {
            Ok((EndpointNo(row.get(0)?), TenantNo(row.get(1)?), row.get::<_, i64>(2)?))
        });
        let Some((endpoint, tenant, due_ms)) = next.optional()? else {
            found.next = None;
            return Ok(found);
        };
        if due_ms < before.as_millis() {
            found.lanes.push((tenant, endpoint));
        }
        last = endpoint.0;
        found.next = Some((tenant, endpoint));
    }
    Ok(found)
}

/// In which order waiting deliveries come.
#[derive(Clone, Copy)]
pub(crate) enum Order {
    /// By their time.
    Time,
    /// By their place, up to the first that is not due.
    Place,
}

/// Waiting deliveries of the endpoint in that order, those in `skip` left out.
pub(crate) fn due(
    conn: &Connection,
    (tenant, endpoint): (TenantNo, EndpointNo),
    (now, order): (Timestamp, Order),
    share: Share,
    skip: &HashSet<DeliveryId>,
) -> Result<DuePage> {
    const BY_TIME: &str = "SELECT event, target, attempts, set_off, due_ms FROM delivery
         WHERE endpoint = ?1 AND tenant = ?2 AND due_ms IS NOT NULL
         ORDER BY due_ms, event, target";
    const BY_PLACE: &str = "SELECT event, target, attempts, set_off, due_ms FROM delivery
         WHERE endpoint = ?1 AND tenant = ?2 AND due_ms IS NOT NULL
         ORDER BY event, target";
    let tx = conn.unchecked_transaction()?;
    let mut find = tx.prepare_cached(match order {
        Order::Time => BY_TIME,
        Order::Place => BY_PLACE,
    })?;
    let mut rows = find.query(params![endpoint.0, tenant.0])?;
    let mut page = DuePage::default();
    let mut bytes = 0_u64;
    while let Some(row) = rows.next()? {
        let key = uint(row.get(0)?);
        let target = TargetNo(row.get(1)?);
        let delivery = EventId::of(EventKey(key), 0).delivery(target);
        if skip.contains(&delivery) {
            continue;
        }
        let at = time(row.get(4)?);
        let full = page.due.len() >= share.deliveries as usize || bytes >= share.bytes;
        if at > now || (full && !page.due.is_empty()) {
            page.next = Some(at);
            break;
        }
        let Some(stored) = events::load(&tx, key)? else { continue };
        bytes += stored.event.content.bytes();
        let set_off: i64 = row.get(3)?;
        page.due.push(Due {
            event: stored.event,
            delivery,
            attempts: row.get(2)?,
            trigger: codec::trigger(set_off)
                .ok_or_else(|| corrupt("delivery", "set_off", delivery))?,
            at,
        });
    }
    Ok(page)
}
