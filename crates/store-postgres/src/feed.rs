//! The feed: events, attempts by notes that each commit writes, changes of configuration by the audit log.
//!
//! A node's commits are one behind the other, since each holds the node's row to its end, and its events and notes draw
//! their keys from one number in that row. So in one snapshot everything of a node up to its row's key is there, and a
//! reader's place is a key for each node. Changes of configuration come in the order of the tenant's lock.

mod notes;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::db::GenericClient;
use hookyard_domain::attempt::Attempt;
use hookyard_domain::event::Event;
use hookyard_domain::feed::{FeedPlace, FeedPosition};
use hookyard_domain::id::{EventId, EventKey};
use hookyard_domain::subscription::Scope;
use hookyard_domain::tenant::TenantNo;
use hookyard_store::Answer;
use hookyard_store::feed::{Feed, FeedEntry, FeedFilter, FeedItem, FeedPage};
use hookyard_store::ledger::Share;

use crate::audit::{self, ENTRY};
use crate::codec::{self, int, no, uint, uno};
use crate::db::{query, query_opt};
use crate::deliveries::{self, DeliveryRow, Teller};
use crate::error::{Result, corrupt};
use crate::events::{self, Head, Place};
use crate::history::means;
use crate::{PostgresStore, read, snapshot};

pub(crate) use self::notes::{NoteColumns, PUT, columns};
use self::notes::{Spot, spots};

/// Events and notes of each node that one page looks at, at least.
const LOOK_MIN: i64 = 500;

/// Something that stands in a node's part.
#[derive(Clone)]
enum Thing {
    /// An event that passes.
    Event(Box<Head>),
    /// An event that does not.
    Other,
    /// An attempt that may pass.
    Attempt(Spot),
}

/// A thing, where it stands, and where a reader stands behind it.
#[derive(Clone)]
struct Candidate {
    at: (Place, u32),
    behind: FeedPlace,
    thing: Thing,
}

/// What one node's part holds from a place on.
struct Part {
    node: u16,
    candidates: Vec<Candidate>,
    /// Where a reader stands who has read all candidates.
    behind: FeedPlace,
    /// There is more behind that.
    more: bool,
}

/// A question for a piece of the feed.
struct Question<'a, C> {
    db: &'a C,
    tenant: TenantNo,
    filter: &'a FeedFilter,
    share: Share,
}

impl<C: GenericClient> Question<'_, C> {
    fn look(&self) -> i64 {
        i64::from(self.share.deliveries).max(LOOK_MIN)
    }

    fn passes(&self, head: &Head, scope: Option<&str>) -> bool {
        let FeedFilter { types, source, .. } = self.filter;
        (types.is_empty() || types.iter().any(|it| means(Some(it), &head.event_type)))
            && source.is_none_or(|it| head.source == Some(it))
            && self.filter.scope.as_ref().map(Scope::as_str).is_none_or(|it| scope == Some(it))
    }

    /// One node's part from a place on. `end` is the last key that the node has given, if the node is known.
    async fn part(&self, node: u16, from: FeedPlace, end: Option<i64>) -> Result<Part> {
        let mut part = Part { node, candidates: Vec::new(), behind: from, more: false };
        let first = int(from.key.0);
        let last = end.unwrap_or(i64::MAX - 1);
        if last < first {
            return Ok(part);
        }
        let keys = (first, last);
        let mut bound = last;
        if self.filter.accepted {
            bound = bound.min(self.events(&mut part, keys).await?.unwrap_or(last));
        }
        if self.filter.finished {
            bound = bound.min(self.notes(&mut part, (keys, from)).await?.unwrap_or(last));
        }
        part.more = bound < last;
        part.candidates.retain(|it| it.at.0.key <= bound);
        part.candidates.sort_unstable_by_key(|it| it.at);
        if end.is_some() || part.more {
            part.behind = FeedPlace::behind(EventKey(uint(bound)));
        } else if let Some(last) = part.candidates.last() {
            part.behind = last.behind;
        }
        Ok(part)
    }

    /// The events of a part; the last key looked at if there are more.
    async fn events(&self, part: &mut Part, (first, last): (i64, i64)) -> Result<Option<i64>> {
        let sql = format!(
            "SELECT {columns}, e.scope FROM event e WHERE e.tenant = $1 AND e.node = $2
                AND e.key >= $3 AND e.key <= $4 ORDER BY e.key LIMIT $5",
            columns = events::HEAD_COLUMNS
        );
        let (tenant, node, look) = (no(self.tenant.0), part.node.cast_signed(), self.look());
        let rows = query(self.db, &sql, &[&tenant, &node, &first, &last, &look]).await?;
        let mut seen = None;
        for row in &rows {
            let head = events::head(row)?;
            let place = head.place;
            seen = Some(place.key);
            let is_wanted = self
                .filter
                .endpoint
                .is_none_or(|it| head.targets.iter().any(|to| to.endpoint == it));
            let passes = is_wanted && self.passes(&head, row.try_get(events::HEAD_COLUMNS_LEN)?);
            part.candidates.push(Candidate {
                at: (place, 0),
                behind: FeedPlace::behind(EventKey(uint(place.key))),
                thing: if passes { Thing::Event(Box::new(head)) } else { Thing::Other },
            });
        }
        Ok(seen.filter(|_| rows.len() as i64 == look))
    }

    /// The attempts of a part; the last key looked at if there are more.
    async fn notes(
        &self,
        part: &mut Part,
        ((first, last), from): ((i64, i64), FeedPlace),
    ) -> Result<Option<i64>> {
        const SQL: &str = "SELECT key, ids FROM feed WHERE tenant = $1 AND node = $2
            AND key >= $3 AND key <= $4 ORDER BY key LIMIT $5";
        let node = part.node.cast_signed();
        let many = self.look();
        let rows = query(self.db, SQL, &[&no(self.tenant.0), &node, &first, &last, &many]).await?;
        let mut seen = None;
        let mut looked_at = 0;
        for row in &rows {
            let key: i64 = row.try_get(0)?;
            seen = Some(key);
            let all = spots(row.try_get(1)?).ok_or_else(|| corrupt("feed", "ids", key))?;
            let done = if uint(key) == from.key.0 { from.done as usize } else { 0 };
            let key_of = EventKey(uint(key));
            let many = all.len();
            for (at, spot) in (1..).zip(all).skip(done) {
                let inside = FeedPlace { key: key_of, done: at };
                let is_last = at as usize == many;
                let behind = if is_last { FeedPlace::behind(key_of) } else { inside };
                let at = (Place { key, node }, at);
                part.candidates.push(Candidate { at, behind, thing: Thing::Attempt(spot) });
                looked_at += 1;
            }
            // Whole notes, so that what is behind them can be told by a key.
            if looked_at >= self.look() {
                return Ok(seen);
            }
        }
        Ok(seen.filter(|_| rows.len() as i64 == many))
    }

    /// What of the candidates goes on the page: as many as fit.
    fn chosen(&self, parts: &[Part]) -> Vec<(u16, Candidate)> {
        let all =
            parts.iter().flat_map(|part| part.candidates.iter().map(|it| (part.node, it.clone())));
        let mut all: Vec<(u16, Candidate)> = all.collect();
        all.sort_by_key(|(_, it)| it.at);
        let (mut things, mut bytes) = (0, 0);
        let fits = all.iter().take_while(|(_, it)| {
            let is_full = things >= self.share.deliveries || bytes >= self.share.bytes;
            match &it.thing {
                Thing::Event(head) => {
                    things += 1;
                    bytes += if self.carries(head) { head.bytes } else { 0 };
                }
                Thing::Attempt(_) => things += 1,
                Thing::Other => {}
            }
            !is_full
        });
        let many = fits.count();
        all.truncate(many);
        all
    }

    fn carries(&self, head: &Head) -> bool {
        self.filter.payload.is_some_and(|most| head.bytes <= most)
    }

    /// The page, and what changed beside the flow.
    async fn page(&self, from: &FeedPosition, parts: Vec<Part>) -> Result<FeedPage> {
        let chosen = self.chosen(&parts);
        let mut items = self.items(&chosen).await?;
        let mut page = FeedPage { entries: Vec::new(), position: from.clone(), more: false };
        let mut taken: HashMap<u16, usize> = HashMap::new();
        for (at, (node, candidate)) in chosen.iter().enumerate() {
            *taken.entry(*node).or_default() += 1;
            page.position.nodes.insert(*node, candidate.behind);
            if let Some(item) = items.remove(&at) {
                page.entries.push(FeedEntry { item, position: page.position.clone() });
            }
        }
        for part in parts {
            let all = taken.get(&part.node).copied().unwrap_or(0) == part.candidates.len();
            page.more |= part.more || !all;
            if all {
                page.position.nodes.insert(part.node, part.behind);
            }
        }
        if self.filter.changed {
            page.more |= self.changes(&mut page).await?;
        } else {
            page.position.changes = last_change(self.db, self.tenant).await?;
        }
        Ok(page)
    }

    /// What the chosen candidates are, by their place among them.
    async fn items(&self, chosen: &[(u16, Candidate)]) -> Result<HashMap<usize, FeedItem>> {
        let mut items = HashMap::new();
        let heads = chosen.iter().enumerate().filter_map(|(at, (_, it))| match &it.thing {
            Thing::Event(head) => Some((at, head)),
            Thing::Other | Thing::Attempt(_) => None,
        });
        let (whole, bare): (Vec<_>, Vec<_>) = heads.partition(|(_, head)| self.carries(head));
        for (heads, is_whole) in [(whole, true), (bare, false)] {
            let places: Vec<Place> = heads.iter().map(|(_, head)| head.place).collect();
            let events = match is_whole {
                true => events::load(self.db, self.tenant, &places).await?,
                false => events::load_bare(self.db, self.tenant, &places).await?,
            };
            let mut events: HashMap<EventId, Arc<Event>> =
                events.into_iter().map(|event| (event.id, event)).collect();
            for (at, head) in heads {
                let Some(event) = events.remove(&head.place.id()) else { continue };
                let event = Box::new(Arc::unwrap_or_clone(event));
                let deliveries = u32::try_from(head.targets.len()).unwrap_or(u32::MAX);
                let bytes = head.bytes;
                items.insert(at, FeedItem::Accepted { event, deliveries, bytes, is_whole });
            }
        }
        self.attempts(chosen, &mut items).await?;
        Ok(items)
    }

    /// The attempts among the candidates, those that pass.
    async fn attempts(
        &self,
        chosen: &[(u16, Candidate)],
        items: &mut HashMap<usize, FeedItem>,
    ) -> Result<()> {
        let wanted: Vec<(usize, Spot)> = chosen
            .iter()
            .enumerate()
            .filter_map(|(at, (_, it))| match it.thing {
                Thing::Attempt(spot) => Some((at, spot)),
                Thing::Event(_) | Thing::Other => None,
            })
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let mut places: Vec<Place> = wanted.iter().map(|(_, spot)| spot.event).collect();
        places.sort_unstable();
        places.dedup();
        let heads = self.heads(&places).await?;
        let rows = deliveries::rows_of(self.db, self.tenant, &places, self.filter.endpoint).await?;
        let mut kept = self.kept(&wanted, &places).await?;
        let mut teller = Teller::default();
        teller.learn(self.db, rows.values().flatten().map(|row| row.endpoint)).await?;
        for (at, spot) in wanted {
            let row = rows.get(&spot.event).and_then(|rows| {
                rows.iter().find(|row: &&DeliveryRow| row.target == uno(spot.target))
            });
            let (Some(head), Some(row)) = (heads.get(&spot.event), row) else { continue };
            let Some(attempt) = kept.remove(&at) else { continue };
            let delivery = Box::new(teller.recorded(head, row)?);
            items.insert(at, FeedItem::Finished { delivery, attempt: Box::new(attempt) });
        }
        Ok(())
    }

    /// The heads of events that pass.
    async fn heads(&self, places: &[Place]) -> Result<HashMap<Place, Head>> {
        let ((keys, nodes), (low, high)) = (events::columns(places), events::bounds(places));
        let sql = format!(
            "SELECT e.* FROM unnest($2::int8[], $3::int2[]) AS u (key, node) CROSS JOIN LATERAL (
                SELECT {columns}, e.scope FROM event e
                WHERE e.tenant = $1 AND e.key = u.key AND e.node = u.node
                    AND e.key BETWEEN $4 AND $5 OFFSET 0
             ) e",
            columns = events::HEAD_COLUMNS
        );
        let tenant = no(self.tenant.0);
        let mut heads = HashMap::new();
        for row in query(self.db, &sql, &[&tenant, &keys, &nodes, &low, &high]).await? {
            let head = events::head(&row)?;
            if self.passes(&head, row.try_get(events::HEAD_COLUMNS_LEN)?) {
                heads.insert(head.place, head);
            }
        }
        Ok(heads)
    }

    /// The attempts themselves.
    async fn kept(
        &self,
        wanted: &[(usize, Spot)],
        places: &[Place],
    ) -> Result<HashMap<usize, Attempt>> {
        const SQL: &str = "SELECT u.at, a.attempt
            FROM unnest($2::int8[], $3::int2[], $4::int4[], $5::int4[], $6::int4[])
                AS u (key, node, target, number, at)
            CROSS JOIN LATERAL (
                SELECT a.attempt FROM attempt a WHERE a.tenant = $1 AND a.key = u.key
                    AND a.node = u.node AND a.target = u.target AND a.number = u.number
                    AND a.key BETWEEN $7 AND $8
                UNION ALL
                SELECT d.first FROM delivery d WHERE d.tenant = $1 AND d.key = u.key
                    AND d.node = u.node AND d.target = u.target AND u.number = 1
                    AND d.first IS NOT NULL AND d.key BETWEEN $7 AND $8
                LIMIT 1
            ) a";
        let (low, high) = events::bounds(places);
        let of = |it: fn(&Spot) -> i32| wanted.iter().map(|(_, spot)| it(spot)).collect::<Vec<_>>();
        let events: Vec<Place> = wanted.iter().map(|(_, spot)| spot.event).collect();
        let (keys, nodes) = events::columns(&events);
        let (targets, numbers) = (of(|it| it.target), of(|it| it.number));
        let ats: Vec<i32> = wanted.iter().map(|(at, _)| i32::try_from(*at).unwrap_or(0)).collect();
        let tenant = no(self.tenant.0);
        let params: crate::db::Params<'_> =
            &[&tenant, &keys, &nodes, &targets, &numbers, &ats, &low, &high];
        let mut kept = HashMap::new();
        for row in query(self.db, SQL, params).await? {
            let at: i32 = row.try_get(0)?;
            let attempt = codec::attempt(row.try_get(1)?);
            let attempt = attempt.ok_or_else(|| corrupt("attempt", "attempt", at))?;
            kept.insert(usize::try_from(at).unwrap_or(0), attempt);
        }
        Ok(kept)
    }

    /// Changes of configuration; whether there are more.
    async fn changes(&self, page: &mut FeedPage) -> Result<bool> {
        let sql = format!(
            "SELECT {ENTRY} FROM audit WHERE tenant = $1 AND no > $2
                AND (action LIKE 'endpoint.%' OR action LIKE 'source.%') ORDER BY no LIMIT $3"
        );
        let most = i64::from(self.share.deliveries);
        let from = int(page.position.changes);
        let rows = query(self.db, &sql, &[&no(self.tenant.0), &from, &most]).await?;
        for row in &rows {
            page.position.changes = uint(row.try_get(0)?);
            let entry = audit::entry(row)?;
            if entry.is_of_a_change() {
                let item = FeedItem::Changed(Box::new(entry));
                page.entries.push(FeedEntry { item, position: page.position.clone() });
            }
        }
        let more = rows.len() as i64 == most;
        if !more {
            let last = last_change(self.db, self.tenant).await?;
            page.position.changes = last.max(page.position.changes);
        }
        Ok(more)
    }
}

/// The last entry of the audit log. Whoever writes one has at least shared the tenant's lock, and a change of configuration
/// has it alone: none with a lower number comes to light later.
async fn last_change(db: &impl GenericClient, tenant: TenantNo) -> Result<u64> {
    const SQL: &str = "SELECT max(no) FROM audit WHERE tenant = $1";
    let row = query_opt(db, SQL, &[&no(tenant.0)]).await?;
    let last: Option<i64> = row.map(|row| row.try_get(0)).transpose()?.flatten();
    Ok(last.map_or(0, uint))
}

/// The last key that each node has given.
async fn ends(db: &impl GenericClient) -> Result<BTreeMap<u16, i64>> {
    let mut ends = BTreeMap::new();
    for row in query(db, "SELECT no, last_key FROM node", &[]).await? {
        ends.insert(row.try_get::<_, i16>(0)?.unsigned_abs(), row.try_get(1)?);
    }
    Ok(ends)
}

async fn end(db: &impl GenericClient, tenant: TenantNo) -> Result<FeedPosition> {
    let behind = |(node, last)| (node, FeedPlace::behind(EventKey(uint(last))));
    let nodes = ends(db).await?.into_iter().map(behind).collect();
    let changes = last_change(db, tenant).await?;
    Ok(FeedPosition { changes, nodes, ..FeedPosition::default() })
}

async fn feed(
    db: &impl GenericClient,
    tenant: TenantNo,
    filter: &FeedFilter,
    (from, share): (&FeedPosition, Share),
) -> Result<Option<FeedPage>> {
    let ends = ends(db).await?;
    let is_ahead = from
        .nodes
        .iter()
        .any(|(node, place)| ends.get(node).is_some_and(|end| place.key.0 > uint(*end) + 1));
    if from.nodes.is_empty() || is_ahead || from.changes > last_change(db, tenant).await? {
        return Ok(None);
    }
    let question = Question { db, tenant, filter, share };
    let mut parts = Vec::new();
    let nodes: BTreeMap<u16, FeedPlace> = ends
        .keys()
        .map(|node| (*node, FeedPlace::default()))
        .chain(from.nodes.iter().map(|(node, place)| (*node, *place)))
        .collect();
    for (node, place) in nodes {
        parts.push(question.part(node, place, ends.get(&node).copied()).await?);
    }
    Ok(Some(question.page(from, parts).await?))
}

async fn forget(db: &impl GenericClient, before: EventKey, limit: u32) -> Result<u32> {
    // From one lane of notes to the next: there is no index by key alone, which each commit would have to keep.
    const SQL: &str = "WITH RECURSIVE lane AS (
            (SELECT tenant, node FROM feed ORDER BY tenant, node LIMIT 1)
            UNION ALL
            SELECT f.tenant, f.node FROM lane l CROSS JOIN LATERAL (
                SELECT f.tenant, f.node FROM feed f WHERE (f.tenant, f.node) > (l.tenant, l.node)
                ORDER BY f.tenant, f.node LIMIT 1
            ) f
        ), old AS (
            SELECT f.tenant, f.node, f.key FROM lane l CROSS JOIN LATERAL (
                SELECT f.tenant, f.node, f.key FROM feed f
                WHERE f.tenant = l.tenant AND f.node = l.node AND f.key < $1
                ORDER BY f.key LIMIT $2
            ) f LIMIT $2
        )
        DELETE FROM feed f USING old o
        WHERE f.tenant = o.tenant AND f.node = o.node AND f.key = o.key";
    let before = i64::try_from(before.0).unwrap_or(i64::MAX);
    let gone = crate::db::execute(db, SQL, &[&before, &i64::from(limit)]).await?;
    Ok(u32::try_from(gone).unwrap_or(u32::MAX))
}

impl Feed for PostgresStore {
    fn feed_end(&self, tenant: TenantNo) -> Answer<'_, FeedPosition> {
        snapshot!(self, |db| end(db, tenant))
    }

    fn feed<'a>(
        &'a self,
        tenant: TenantNo,
        filter: &'a FeedFilter,
        from: &'a FeedPosition,
        share: Share,
    ) -> Answer<'a, Option<FeedPage>> {
        snapshot!(self, |db| feed(db, tenant, filter, (from, share)))
    }

    fn forget_feed(&self, before: EventKey, limit: u32) -> Answer<'_, u32> {
        read!(self, |db| forget(db, before, limit))
    }
}
