//! What people look at, newest first: events walked downwards, rows looked up as a page needs them.

use std::collections::HashSet;

use hookyard_domain::attempt::Attempt;
use hookyard_domain::delivery::{Delivery, DeliveryStatus};
use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::event_type::EventType;
use hookyard_domain::id::{DeliveryId, EventId};
use hookyard_domain::page::{Cursor, Page, PageRequest};
use hookyard_domain::subscription::Pattern;
use hookyard_domain::tenant::TenantNo;
use hookyard_store::Answer;
use hookyard_store::history::{DeliveryFilter, EventFilter, History, ListedEvent};

use crate::codec::{self, int, no, uint};
use crate::db::{GenericClient, query, query_opt};
use crate::deliveries::{self, DeliveryRow, Teller};
use crate::error::{Result, corrupt};
use crate::events::{self, Head, Place, key_at};
use crate::runs::{Down, Lane, before};
use crate::{PostgresStore, event_list, read, record, snapshot};

/// Events or rows one page looks at, at most.
const SCAN_MAX: usize = 20_000;
/// Events looked at in one go.
const CHUNK_MIN: usize = 64;
const CHUNK_MAX: usize = 2048;
/// Bits of a target's number in a cursor.
const TARGET_BITS: u32 = 24;

/// Whether a pattern means a type.
pub(crate) fn means(pattern: Option<&Pattern>, event_type: &EventType) -> bool {
    match pattern {
        None | Some(Pattern::Any) => true,
        Some(Pattern::Below(prefix)) => event_type.as_str().starts_with(prefix.as_str()),
        Some(Pattern::Exact(exact)) => exact == event_type,
    }
}

/// Where a delivery stands in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Spot {
    event: Place,
    target: u64,
}

impl Spot {
    fn of(delivery: &Delivery) -> Self {
        let event = delivery.id.event();
        Self {
            event: Place {
                key: int(event.key().0),
                node: i16::try_from(event.node()).unwrap_or(i16::MAX),
            },
            target: delivery.id.target().map_or(0, |target| u64::from(target.0)),
        }
    }

    fn cursor(self) -> Cursor {
        let node = u64::from(self.event.node.unsigned_abs());
        Cursor(uint(self.event.key), (node << TARGET_BITS) | self.target)
    }

    fn at(cursor: Cursor) -> Self {
        let node = i16::try_from(cursor.1 >> TARGET_BITS).unwrap_or(i16::MAX);
        let target = cursor.1 & ((1 << TARGET_BITS) - 1);
        Self { event: Place { key: int(cursor.0), node }, target }
    }
}

/// Rows of a page in the making, and where the walk gave up, if it did.
struct Gathered {
    rows: Vec<Delivery>,
    stopped: Option<Spot>,
}

impl Gathered {
    fn page(mut self, limit: usize) -> Page<Delivery> {
        if self.rows.len() > limit {
            self.rows.truncate(limit);
            self.stopped = self.rows.last().map(Spot::of);
        }
        Page { rows: self.rows, next: self.stopped.map(Spot::cursor) }
    }
}

/// The events a question is about, downwards.
enum Places {
    OfTenant(Option<Place>),
    OfEndpoint(Box<Down>),
}

/// A question for deliveries.
struct Question<'a, C> {
    db: &'a C,
    tenant: TenantNo,
    filter: &'a DeliveryFilter,
    limit: usize,
    /// Rows must stand below this.
    below: Spot,
    since: i64,
}

impl<C: GenericClient> Question<'_, C> {
    fn places(&self) -> Places {
        match self.filter.endpoint {
            None => Places::OfTenant(Some(self.below.event)),
            Some(endpoint) => {
                let lane = Lane { tenant: self.tenant, endpoint };
                Places::OfEndpoint(Box::new(Down::new(lane, self.below.event)))
            }
        }
    }

    /// The heads of the next events, descending, and how far they reach; `None` at the end.
    async fn next_heads(
        &self,
        places: &mut Places,
        (from, many): (i64, usize),
    ) -> Result<Option<(Vec<Head>, usize, Place)>> {
        match places {
            Places::OfTenant(None) => Ok(None),
            Places::OfTenant(Some(top)) => {
                let sql = format!(
                    "SELECT {columns} FROM event e WHERE e.tenant = $1
                        AND (e.key, e.node) <= ($2, $3) AND e.key >= $4
                     ORDER BY e.key DESC, e.node DESC LIMIT $5",
                    columns = events::HEAD_COLUMNS
                );
                let tenant = no(self.tenant.0);
                let limit = int(many as u64);
                let rows =
                    query(self.db, &sql, &[&tenant, &top.key, &top.node, &from, &limit]).await?;
                let heads = rows.iter().map(events::head).collect::<Result<Vec<_>>>()?;
                let last = heads.last().map(|head| head.place);
                *places = Places::OfTenant(last.and_then(before));
                Ok(last.map(|last| (heads, rows.len(), last)))
            }
            Places::OfEndpoint(down) => {
                let mut found = down.next(self.db, many).await?;
                found.retain(|place| place.key >= from);
                let Some(last) = found.last().copied() else { return Ok(None) };
                let mut heads = events::heads(self.db, self.tenant, &found).await?;
                heads.sort_unstable_by_key(|head| std::cmp::Reverse(head.place));
                Ok(Some((heads, found.len(), last)))
            }
        }
    }

    /// Walks the events at or above key `from` and tells every delivery that `passes`.
    async fn walk(
        &self,
        from: i64,
        passes: impl Fn(&Delivery, &[DeliveryRow]) -> bool,
    ) -> Result<Gathered> {
        let mut gathered = Gathered { rows: Vec::new(), stopped: None };
        let mut teller = Teller::default();
        let mut places = self.places();
        let mut looked_at = 0;
        let mut many = (self.limit + 1).clamp(CHUNK_MIN, CHUNK_MAX);
        while let Some((mut heads, looked, last)) =
            self.next_heads(&mut places, (from, many)).await?
        {
            looked_at += looked;
            heads.retain(|head| means(self.filter.event_type.as_ref(), &head.event_type));
            let of: Vec<Place> = heads.iter().map(|head| head.place).collect();
            let rows = deliveries::rows_of(self.db, self.tenant, &of, self.filter.endpoint).await?;
            let targets = heads.iter().flat_map(|head| &head.targets).map(|it| it.endpoint);
            let recorded = rows.values().flatten().map(|row| row.endpoint);
            teller.learn(self.db, targets.chain(recorded)).await?;
            for head in &heads {
                let below =
                    if head.place == self.below.event { self.below.target } else { u64::MAX };
                let rows = rows.get(&head.place).map_or(&[][..], Vec::as_slice);
                let told = teller.of_event(head, rows, self.filter.endpoint, below)?;
                gathered.rows.extend(told.into_iter().filter(|it| passes(it, rows)));
                if gathered.rows.len() > self.limit {
                    return Ok(gathered);
                }
            }
            if looked_at >= SCAN_MAX {
                gathered.stopped = Some(Spot { event: last, target: 0 });
                return Ok(gathered);
            }
            many = (many * 2).min(CHUNK_MAX);
        }
        Ok(gathered)
    }

    /// Rows in one state, through its partial index.
    async fn recorded(&self, status: i16) -> Result<Gathered> {
        let owner = match self.filter.endpoint {
            Some(_) => "d.endpoint = $2",
            None => "$2::int4 IS NULL",
        };
        // `status <> 1` lets the planner see that the partial index covers the question.
        let sql = format!(
            "SELECT {columns} FROM delivery d WHERE d.tenant = $1 AND {owner}
                AND d.status = $3 AND d.status <> 1 AND (d.key, d.node, d.target) < ($4, $5, $6)
                AND d.key >= $7 ORDER BY d.key DESC, d.node DESC, d.target DESC LIMIT $8",
            columns = deliveries::COLUMNS
        );
        let (tenant, endpoint) = (no(self.tenant.0), self.filter.endpoint.map(|it| no(it.0)));
        let mut gathered = Gathered { rows: Vec::new(), stopped: None };
        let mut teller = Teller::default();
        let mut below = self.below;
        let mut looked_at = 0;
        let many = (self.limit + 1).clamp(1, CHUNK_MAX);
        loop {
            let target = i32::try_from(below.target).unwrap_or(i32::MAX);
            let (key, node, limit) = (below.event.key, below.event.node, int(many as u64));
            let rows = query(
                self.db,
                &sql,
                &[&tenant, &endpoint, &status, &key, &node, &target, &self.since, &limit],
            )
            .await?;
            let found = rows.iter().map(deliveries::read).collect::<Result<Vec<_>>>()?;
            let Some(last) = found.last() else { return Ok(gathered) };
            below = Spot { event: last.place, target: u64::from(last.target) };
            self.tell(&mut teller, &found, &mut gathered).await?;
            looked_at += found.len();
            if found.len() < many || gathered.rows.len() > self.limit {
                return Ok(gathered);
            }
            if looked_at >= SCAN_MAX {
                gathered.stopped = Some(below);
                return Ok(gathered);
            }
        }
    }

    async fn tell(
        &self,
        teller: &mut Teller,
        found: &[DeliveryRow],
        gathered: &mut Gathered,
    ) -> Result<()> {
        let of: HashSet<Place> = found.iter().map(|row| row.place).collect();
        let of: Vec<Place> = of.into_iter().collect();
        let heads = events::heads(self.db, self.tenant, &of).await?;
        teller.learn(self.db, found.iter().map(|row| row.endpoint)).await?;
        for row in found {
            let head = heads.iter().find(|head| head.place == row.place);
            let is_wanted = |head: &&Head| means(self.filter.event_type.as_ref(), &head.event_type);
            if let Some(head) = head.filter(is_wanted) {
                gathered.rows.push(teller.recorded(head, row)?);
            }
        }
        Ok(())
    }

    /// Waiting rows, and deliveries that have no row yet: those of events at or above the lanes' marks.
    async fn pending(&self) -> Result<Page<Delivery>> {
        let recorded = self.recorded(codec::PENDING).await?;
        let derived = match self.lowest_owed().await? {
            None => Gathered { rows: Vec::new(), stopped: None },
            Some(lowest) => {
                let has_no_row = |it: &Delivery, rows: &[DeliveryRow]| {
                    let target = it.id.target().map(|target| target.0);
                    rows.iter().all(|row| Some(row.target) != target)
                };
                self.walk(lowest.max(self.since), has_no_row).await?
            }
        };
        let mut rows = recorded.rows;
        rows.extend(derived.rows);
        rows.sort_by_key(|row| std::cmp::Reverse(row.id));
        rows.dedup_by_key(|row| row.id);
        // Below where either gave up, the other one's rows would hide what was not looked at.
        let floor = recorded.stopped.max(derived.stopped);
        if let Some(floor) = floor {
            rows.retain(|row| Spot::of(row) >= floor);
        }
        Ok(Gathered { rows, stopped: floor }.page(self.limit))
    }

    /// A key below which nothing is owed to the endpoints asked for.
    async fn lowest_owed(&self) -> Result<Option<i64>> {
        const SQL: &str = "SELECT min(r.key) FROM endpoint e CROSS JOIN node n
            LEFT JOIN lane l ON l.tenant = e.tenant AND l.endpoint = e.no AND l.node = n.no
            CROSS JOIN LATERAL (
                SELECT r.key FROM run r WHERE r.tenant = e.tenant AND r.endpoint = e.no
                    AND r.node = n.no AND r.key >= coalesce(l.mark, 0) ORDER BY r.key LIMIT 1
            ) r
            WHERE e.tenant = $1 AND ($2::int4 IS NULL OR e.no = $2)";
        let (tenant, endpoint) = (no(self.tenant.0), self.filter.endpoint.map(|it| no(it.0)));
        let row = query_opt(self.db, SQL, &[&tenant, &endpoint]).await?;
        let last: Option<i64> = row.map(|row| row.try_get(0)).transpose()?.flatten();
        // It is the last key of its run; the others share its millisecond.
        Ok(last.map(|last| last & !crate::runs::end_of_ms(0)))
    }
}

async fn deliveries(
    db: &impl GenericClient,
    tenant: TenantNo,
    filter: &DeliveryFilter,
    request: &PageRequest,
) -> Result<Page<Delivery>> {
    // Below the first target of `until`, or below where the page before ended.
    let until = Place { key: filter.until.map_or(i64::MAX, key_at), node: 0 };
    let top = Spot { event: until, target: 0 };
    let below = request.cursor.map_or(top, |cursor| Spot::at(cursor).min(top));
    let limit = request.limit as usize;
    let since = filter.since.map_or(0, key_at);
    let question = Question { db, tenant, filter, limit, below, since };
    match filter.status {
        None => Ok(question.walk(since, |_, _| true).await?.page(limit)),
        Some(DeliveryStatus::Succeeded) => {
            let succeeded =
                |it: &Delivery, _: &[DeliveryRow]| it.status == DeliveryStatus::Succeeded;
            Ok(question.walk(since, succeeded).await?.page(limit))
        }
        Some(DeliveryStatus::Pending | DeliveryStatus::Sending) => question.pending().await,
        Some(
            status @ (DeliveryStatus::Failed
            | DeliveryStatus::Cancelled
            | DeliveryStatus::Discarded),
        ) => Ok(question.recorded(codec::status_code(status)).await?.page(limit)),
    }
}

async fn one(
    db: &impl GenericClient,
    tenant: TenantNo,
    id: DeliveryId,
) -> Result<Option<Delivery>> {
    let Some((place, target)) = record::place(id) else { return Ok(None) };
    let Some(head) = events::own_head(db, tenant, id.event()).await? else { return Ok(None) };
    let rows = deliveries::rows_of(db, tenant, &[place], None).await?;
    let rows = rows.get(&place).map_or(&[][..], Vec::as_slice);
    let target = codec::uno(target);
    let mut teller = Teller::default();
    let of: Vec<EndpointNo> = rows.iter().map(|row| row.endpoint).collect();
    teller.learn(db, of.into_iter().chain(head.targets.iter().map(|it| it.endpoint))).await?;
    match rows.iter().find(|row| row.target == target) {
        Some(row) => teller.recorded(&head, row).map(Some),
        None => teller.derived(&head, target),
    }
}

async fn attempts(
    db: &impl GenericClient,
    tenant: TenantNo,
    id: DeliveryId,
    request: &PageRequest,
) -> Result<Option<Page<Attempt>>> {
    const SQL: &str = "SELECT number, attempt FROM attempt
            WHERE tenant = $1 AND key = $2 AND node = $3 AND target = $4 AND number < $5
        UNION ALL
        SELECT 1, first FROM delivery WHERE tenant = $1 AND key = $2 AND node = $3 AND target = $4
            AND first IS NOT NULL AND 1 < $5
        ORDER BY 1 DESC LIMIT $6";
    if one(db, tenant, id).await?.is_none() {
        return Ok(None);
    }
    let Some((place, target)) = record::place(id) else { return Ok(None) };
    let below = request.cursor.map_or(i32::MAX, |it| i32::try_from(it.0).unwrap_or(i32::MAX));
    let limit = request.limit as usize;
    let many = int(limit as u64 + 1);
    let (tenant, key, node) = (no(tenant.0), place.key, place.node);
    let rows = query(db, SQL, &[&tenant, &key, &node, &target, &below, &many]).await?;
    let mut page = Page { rows: Vec::<Attempt>::new(), next: None };
    for row in rows {
        if page.rows.len() == limit {
            page.next = page.rows.last().map(|row| Cursor(u64::from(row.number), 0));
            break;
        }
        let attempt = codec::attempt(row.try_get(1)?);
        page.rows.push(attempt.ok_or_else(|| corrupt("attempt", "attempt", id))?);
    }
    Ok(Some(page))
}

async fn deliveries_of(
    db: &impl GenericClient,
    tenant: TenantNo,
    event: EventId,
    request: &PageRequest,
) -> Result<Option<Page<Delivery>>> {
    let Some(head) = events::own_head(db, tenant, event).await? else { return Ok(None) };
    let rows = deliveries::rows_of(db, tenant, &[head.place], None).await?;
    let rows = rows.get(&head.place).map_or(&[][..], Vec::as_slice);
    let mut teller = Teller::default();
    let of: Vec<EndpointNo> = rows.iter().map(|row| row.endpoint).collect();
    teller.learn(db, of.into_iter().chain(head.targets.iter().map(|it| it.endpoint))).await?;
    let below = request.cursor.map_or(u64::MAX, |cursor| Spot::at(cursor).target);
    let rows = teller.of_event(&head, rows, None, below)?;
    Ok(Some(Gathered { rows, stopped: None }.page(request.limit as usize)))
}

impl History for PostgresStore {
    fn events(
        &self,
        tenant: TenantNo,
        filter: EventFilter,
        page: PageRequest,
    ) -> Answer<'_, Page<ListedEvent>> {
        read!(self, |db| event_list::events(db, tenant, &filter, &page))
    }

    fn event(&self, tenant: TenantNo, id: EventId) -> Answer<'_, Option<ListedEvent>> {
        read!(self, |db| async {
            match Place::of(id) {
                None => Ok(None),
                Some(place) => event_list::one(db, tenant, place).await,
            }
        })
    }

    fn deliveries(
        &self,
        tenant: TenantNo,
        filter: DeliveryFilter,
        page: PageRequest,
    ) -> Answer<'_, Page<Delivery>> {
        snapshot!(self, |db| deliveries(db, tenant, &filter, &page))
    }

    fn deliveries_of(
        &self,
        tenant: TenantNo,
        event: EventId,
        page: PageRequest,
    ) -> Answer<'_, Option<Page<Delivery>>> {
        snapshot!(self, |db| deliveries_of(db, tenant, event, &page))
    }

    fn delivery(&self, tenant: TenantNo, id: DeliveryId) -> Answer<'_, Option<Delivery>> {
        snapshot!(self, |db| one(db, tenant, id))
    }

    fn attempts(
        &self,
        tenant: TenantNo,
        delivery: DeliveryId,
        page: PageRequest,
    ) -> Answer<'_, Option<Page<Attempt>>> {
        snapshot!(self, |db| attempts(db, tenant, delivery, &page))
    }
}
