//! What is owed to this node's lanes: at start, by refill in order, and retries by their time.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use hookyard_domain::endpoint::{Activity, EndpointNo};
use hookyard_domain::event::Event;
use hookyard_domain::id::{DeliveryId, EventKey, TargetNo};
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_store::ledger::{Due, DuePage, Owed, Refill, Share};
use tokio_postgres::Row;

use crate::codec::{self, int, no, time, uint, uno};
use crate::db::{GenericClient, query};
use crate::deliveries;
use crate::error::{Result, corrupt};
use crate::events::{self, Place};
use crate::runs::{self, Lane};

/// Endpoints asked about in one statement.
const OWED_PAGE: i64 = 1000;
/// Events one refill looks at, at most: most of them may have been recorded already.
const REFILL_SCAN_MAX: usize = 20_000;
/// Events looked at in one go.
const CHUNK_MIN: usize = 64;
const CHUNK_MAX: usize = 2048;

/// Reads [`Activity`] from four columns beginning at `at`.
pub(crate) fn activity(row: &Row, at: usize) -> Result<Activity> {
    Ok(Activity {
        delivery_count: uint(row.try_get(at)?),
        last_delivery_at: row.try_get::<_, Option<i64>>(at + 1)?.map(time),
        consecutive_failures: uno(row.try_get(at + 2)?),
        failing_since: row.try_get::<_, Option<i64>>(at + 3)?.map(time),
    })
}

/// Every endpoint with something owed by this node or waiting for it, or with counts of it. Page by page: of many endpoints
/// and many days one statement would take longer than any may.
pub(crate) async fn owed(db: &impl GenericClient, node: i16) -> Result<Vec<Owed>> {
    let mut all = Vec::new();
    let mut behind = 0;
    loop {
        let rows = owed_page(db, node, behind).await?;
        for row in &rows {
            behind = row.try_get(0)?;
            all.extend(owed_of(row)?);
        }
        if rows.len() < OWED_PAGE as usize {
            return Ok(all);
        }
    }
}

/// The next endpoints by their number.
async fn owed_page(db: &impl GenericClient, node: i16, behind: i32) -> Result<Vec<Row>> {
    const SQL: &str =
        "SELECT e.no, e.tenant, l.mark, coalesce(l.delivery_count, 0), l.last_delivery_ms,
            coalesce(l.consecutive_failures, 0), l.failing_since_ms, e.deleted,
            (SELECT d.due_ms FROM delivery d WHERE d.tenant = e.tenant AND d.endpoint = e.no
                AND d.owner = $1 AND d.due_ms IS NOT NULL ORDER BY d.due_ms LIMIT 1),
            (SELECT r.key FROM run r WHERE r.tenant = e.tenant AND r.endpoint = e.no
                AND r.node = $1 AND r.key >= coalesce(l.mark, 0) ORDER BY r.key DESC LIMIT 1)
        FROM endpoint e
        LEFT JOIN lane l ON l.tenant = e.tenant AND l.endpoint = e.no AND l.node = $1
        WHERE e.no > $2 ORDER BY e.no LIMIT $3";
    query(db, SQL, &[&node, &behind, &OWED_PAGE]).await
}

fn owed_of(row: &Row) -> Result<Option<Owed>> {
    let mark: Option<i64> = row.try_get(2)?;
    let due: Option<i64> = row.try_get(8)?;
    let last: Option<i64> = row.try_get(9)?;
    let one = Owed {
        tenant: TenantNo(uno(row.try_get(1)?)),
        endpoint: EndpointNo(uno(row.try_get(0)?)),
        // No event has key 0, so an endpoint without any stands above "the last one".
        from: EventKey(mark.map_or(1, uint).max(1)),
        last: EventKey(last.map_or(0, uint)),
        due: due.map(time),
        activity: activity(row, 3)?,
    };
    let counted = mark.is_some() && !row.try_get::<_, bool>(7)?;
    Ok((one.last >= one.from || due.is_some() || counted).then_some(one))
}

/// A delivery without a row.
pub(crate) struct Found {
    pub(crate) key: i64,
    pub(crate) target: u32,
    bytes: u64,
}

/// Those of this node's events with these keys that have no row for the endpoint, in order.
pub(crate) async fn without_row(
    db: &impl GenericClient,
    lane: Lane,
    node: i16,
    keys: &[u64],
) -> Result<Vec<Found>> {
    let places: Vec<Place> = keys.iter().map(|key| Place { key: int(*key), node }).collect();
    let mut heads = events::heads(db, lane.tenant, &places).await?;
    heads.sort_unstable_by_key(|head| head.place);
    let rows = deliveries::rows_of(db, lane.tenant, &places, Some(lane.endpoint)).await?;
    let mut found = Vec::new();
    for head in &heads {
        let rows = rows.get(&head.place).map_or(&[][..], Vec::as_slice);
        let recorded: HashSet<u32> = rows.iter().map(|row| row.target).collect();
        for (target, to) in (0..).zip(&head.targets) {
            if to.endpoint == lane.endpoint && !recorded.contains(&target) {
                found.push(Found { key: head.place.key, target, bytes: head.bytes });
            }
        }
    }
    Ok(found)
}

/// What a refill gathers.
struct Gathered {
    share: Share,
    owed: Vec<Found>,
    bytes: u64,
    looked_at: usize,
    through: u64,
}

impl Gathered {
    fn is_full(&self) -> bool {
        let many = self.owed.len() >= self.share.deliveries as usize;
        (many || self.bytes >= self.share.bytes) && !self.owed.is_empty()
    }

    /// Takes events in until the share is full; false when something is left behind.
    fn take(&mut self, keys: &[u64], found: Vec<Found>) -> bool {
        let mut found = found.into_iter().peekable();
        for key in keys {
            if self.looked_at >= REFILL_SCAN_MAX || self.is_full() {
                return false;
            }
            self.looked_at += 1;
            while let Some(one) = found.next_if(|it| it.key == int(*key)) {
                self.bytes += one.bytes;
                self.owed.push(one);
            }
            self.through = *key;
        }
        true
    }
}

/// Deliveries of the endpoint without a row, of this node's events, in order.
pub(crate) async fn refill(
    db: &impl GenericClient,
    lane: Lane,
    node: i16,
    (from, share): (EventKey, Share),
) -> Result<Refill> {
    let through = from.0.saturating_sub(1);
    let mut gathered = Gathered { share, owed: Vec::new(), bytes: 0, looked_at: 0, through };
    let chunk = (share.deliveries as usize).saturating_add(1).clamp(CHUNK_MIN, CHUNK_MAX);
    let mut next = int(from.0);
    let mut more = false;
    loop {
        let (mut keys, mut is_more) = runs::up(db, lane, node, (next, chunk)).await?;
        if keys.len() > CHUNK_MAX {
            keys.truncate(CHUNK_MAX);
            is_more = true;
        }
        let Some(last) = keys.last() else { break };
        next = int(*last) + 1;
        let found = without_row(db, lane, node, &keys).await?;
        if !gathered.take(&keys, found) {
            more = true;
            break;
        }
        if !is_more {
            break;
        }
    }
    let places: Vec<Place> = gathered.owed.iter().map(|it| Place { key: it.key, node }).collect();
    let events = events::load(db, lane.tenant, &places).await?;
    let events: HashMap<i64, Arc<Event>> =
        events.into_iter().map(|event| (int(event.id.key().0), event)).collect();
    let one = |it: &Found| Some((Arc::clone(events.get(&it.key)?), TargetNo(it.target)));
    let owed = gathered.owed.iter().filter_map(one).collect();
    Ok(Refill { owed, through: EventKey(gathered.through), more })
}

/// A row that waits, without its event.
struct Waiting {
    place: Place,
    delivery: DeliveryId,
    attempts: u32,
    set_off: i16,
    at: Timestamp,
}

fn waiting(row: &Row) -> Result<Waiting> {
    let place = Place { key: row.try_get(0)?, node: row.try_get(1)? };
    let target = TargetNo(uno(row.try_get(2)?));
    Ok(Waiting {
        place,
        delivery: place.id().delivery(target),
        attempts: uno(row.try_get(3)?),
        set_off: row.try_get(4)?,
        at: time(row.try_get(5)?),
    })
}

/// In which order waiting deliveries come.
#[derive(Clone, Copy)]
pub(crate) enum Order {
    /// By their time.
    Time,
    /// By their place, up to the first that is not due.
    Place,
}

/// What of an endpoint waits for a node's next attempt, by its time: tenant, endpoint, node, and how many.
pub(crate) const BY_TIME: &str = "SELECT key, node, target, attempts, set_off, due_ms FROM delivery
    WHERE tenant = $1 AND endpoint = $2 AND owner = $3 AND due_ms IS NOT NULL
    ORDER BY due_ms, key, node, target LIMIT $4";
/// What waits is pending, which is what there is an index for.
const BY_PLACE: &str = "SELECT key, node, target, attempts, set_off, due_ms FROM delivery
    WHERE tenant = $1 AND endpoint = $2 AND owner = $3 AND due_ms IS NOT NULL AND status = 0
        AND status <> 1
    ORDER BY key, node, target LIMIT $4";

/// The rows that are due, as many as are wanted, and the time of the next one.
async fn due_rows(
    db: &impl GenericClient,
    lane: Lane,
    node: i16,
    (now, order, wanted): (Timestamp, Order, usize),
    skip: &HashSet<DeliveryId>,
) -> Result<(Vec<Waiting>, Option<Timestamp>)> {
    let sql = match order {
        Order::Time => BY_TIME,
        Order::Place => BY_PLACE,
    };
    // Room for what is skipped, and one more for the time of the next.
    let many = int((wanted + skip.len() + 1) as u64);
    let (tenant, endpoint) = (no(lane.tenant.0), no(lane.endpoint.0));
    let mut due: Vec<Waiting> = Vec::new();
    for row in &query(db, sql, &[&tenant, &endpoint, &node, &many]).await? {
        let one = waiting(row)?;
        if skip.contains(&one.delivery) {
            continue;
        }
        if one.at > now || due.len() == wanted {
            return Ok((due, Some(one.at)));
        }
        due.push(one);
    }
    Ok((due, None))
}

/// Waiting deliveries of the endpoint whose next attempt this node makes, in that order, those in `skip` left out.
pub(crate) async fn due(
    db: &impl GenericClient,
    lane: Lane,
    node: i16,
    (now, order, share): (Timestamp, Order, Share),
    skip: &HashSet<DeliveryId>,
) -> Result<DuePage> {
    let wanted = (share.deliveries as usize).max(1);
    let (mut rows, next) = due_rows(db, lane, node, (now, order, wanted), skip).await?;
    let mut page = DuePage { due: Vec::new(), next };
    if rows.is_empty() {
        return Ok(page);
    }
    let heads = events::heads(db, lane.tenant, &places_of(&rows)).await?;
    let sizes: HashMap<Place, u64> = heads.iter().map(|head| (head.place, head.bytes)).collect();
    let mut bytes = 0;
    for at in 0..rows.len() {
        if at > 0 && bytes >= share.bytes {
            page.next = Some(rows[at].at);
            rows.truncate(at);
            break;
        }
        bytes += sizes.get(&rows[at].place).copied().unwrap_or_default();
    }
    let events = events::load(db, lane.tenant, &places_of(&rows)).await?;
    let events: HashMap<_, _> = events.into_iter().map(|it| (it.id, it)).collect();
    for one in rows {
        let Some(event) = events.get(&one.place.id()) else { continue };
        page.due.push(Due {
            event: Arc::clone(event),
            delivery: one.delivery,
            attempts: one.attempts,
            trigger: codec::trigger(one.set_off)
                .ok_or_else(|| corrupt("delivery", "set_off", one.delivery))?,
            at: one.at,
        });
    }
    Ok(page)
}

/// The events of rows, each once.
fn places_of(rows: &[Waiting]) -> Vec<Place> {
    let places: HashSet<Place> = rows.iter().map(|row| row.place).collect();
    places.into_iter().collect()
}
