//! Taking over what nodes owe that are not there: piece by piece, each in a transaction of its own that holds the node's row,
//! so that no two take the same and the node itself, should it come back, waits.
//!
//! Retries change their owner. What was accepted and has no row gets one, due since it was accepted, so that it goes the
//! way of a retry: the lane's mark moves up behind it.

use std::collections::BTreeSet;
use std::time::Duration;

use deadpool_postgres::{Client, Transaction};
use hookyard_domain::attempt::Trigger;
use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::id::EventKey;
use hookyard_domain::tenant::TenantNo;
use hookyard_store::nodes::TakenOver;
use tokio::time::Instant;

use crate::codec::{self, PENDING, int, no, uno};
use crate::db::{execute, query, query_opt};
use crate::deliveries::{self, NewDelivery};
use crate::error::{Fault, Result};
use crate::events::Place;
use crate::node::{self, GONE, LEFT, LOST, NOW_MS, Node, SERVING, millis};
use crate::runs::{self, Lane};
use crate::{listen, locks, owed, sender};

/// Endpoints looked at in one transaction.
const ENDPOINTS: i64 = 1000;
/// Events looked at in one go, and in one transaction: most may have rows already.
const EVENTS: usize = 512;
const LOOK_MAX: usize = 5000;
/// A transaction ends about then, however little it has done: whoever changes one of its tenants waits for it.
const TAKE_MAX: Duration = Duration::from_millis(500);

/// A node that is taken over.
struct Lost {
    no: i16,
    taken: i32,
}

/// Who inherits an endpoint's deliveries.
struct Heir<'a> {
    lost: &'a Lost,
    /// Who takes over.
    me: i16,
    /// Who sends from now on: the one that alone does, else this node.
    owner: i16,
}

/// An endpoint, and what the lost node owes it.
struct Debt {
    lane: Lane,
    mark: i64,
}

/// What is left of a piece.
struct Piece {
    deliveries: u64,
    events: usize,
    until: Instant,
}

impl Piece {
    fn is_over(&self) -> bool {
        self.deliveries == 0 || self.events == 0 || Instant::now() >= self.until
    }
}

/// Takes one piece; see [`hookyard_store::nodes::Nodes::take_over`].
pub(crate) async fn take_over(
    client: &mut Client,
    me: Node,
    silent: Option<Duration>,
    limit: u32,
) -> Result<TakenOver> {
    // Who is being taken over takes nothing; whoever would take us over passes us by meanwhile.
    const STEP: &str = "UPDATE node SET taken = $2 WHERE no = $1";
    const END: &str = "UPDATE node SET status = $2 WHERE no = $1";
    let tx = client.transaction().await?;
    node::hold(&tx, me).await?;
    let mut taken = TakenOver::default();
    let Some(lost) = find(&tx, me, silent, &mut taken).await? else { return Ok(taken) };
    let (debts, last) = debts(&tx, &lost).await?;
    let until = Instant::now() + TAKE_MAX;
    let mut piece = Piece { deliveries: u64::from(limit), events: LOOK_MAX, until };
    let mut through = last;
    let lanes: Vec<_> =
        debts.iter().map(|(_, debt)| (debt.lane.tenant, debt.lane.endpoint)).collect();
    // Held until the end: whoever takes over from one of them comes after this piece, and finds it.
    let senders = sender::owners(&tx, &lanes, me.no).await?;
    for (place, debt) in debts {
        let owner = senders.of(debt.lane.tenant, debt.lane.endpoint).unwrap_or(me.no);
        let who = Heir { lost: &lost, me: me.no, owner };
        let is_over = piece.is_over();
        if is_over || !settle(&tx, &who, &debt, &mut piece, &mut taken).await? {
            through = Some(place - 1);
            break;
        }
    }
    match through {
        Some(through) => execute(&tx, STEP, &[&lost.no, &through]).await?,
        None => execute(&tx, END, &[&lost.no, &GONE]).await?,
    };
    if let Err(error) = tx.commit().await {
        let fault = Fault::from(error);
        if !fault.is_a_lost_connection() {
            return Err(fault);
        }
        // The piece may be this node's all the same, and is not found again: the lanes are to look, and nothing is counted.
        tracing::warn!("it is not known whether a piece was taken over: its lanes look for it");
        taken = TakenOver { lanes: taken.lanes, ..TakenOver::default() };
    }
    // There may be other nodes too.
    taken.more = true;
    Ok(taken)
}

/// Finds a node to take over that nobody else is at, and fences it off.
async fn find(
    tx: &Transaction<'_>,
    me: Node,
    silent: Option<Duration>,
    taken: &mut TakenOver,
) -> Result<Option<Lost>> {
    const FENCE: &str = "UPDATE node SET status = $2, incarnation = incarnation + 1, taken = 0
        WHERE no = $1";
    const SENDER: &str = "UPDATE sender s SET node = $2
        FROM (SELECT tenant, endpoint FROM sender WHERE node = $1
            ORDER BY tenant, endpoint FOR UPDATE) w
        WHERE (s.tenant, s.endpoint) = (w.tenant, w.endpoint)";
    let sql = format!(
        "SELECT no, status, taken, name FROM node WHERE no <> $1 AND (status IN ({LEFT}, {LOST})
            OR (status = {SERVING} AND beat_ms < {NOW_MS} - $2::int8))
         ORDER BY no LIMIT 1 FOR UPDATE SKIP LOCKED"
    );
    let silent_ms = silent.map_or(i64::MAX / 2, millis);
    let Some(row) = query_opt(tx, &sql, &[&me.no, &silent_ms]).await? else { return Ok(None) };
    let lost = Lost { no: row.try_get(0)?, taken: row.try_get(2)? };
    let status: i16 = row.try_get(1)?;
    if status == SERVING {
        execute(tx, FENCE, &[&lost.no, &LOST]).await?;
        taken.lost = 1;
        let name: &str = row.try_get(3)?;
        tracing::warn!(
            node.name = name,
            node.no = lost.no,
            "a node is silent: taking over from it"
        );
    }
    // Before anything else: what is accepted for them from here on is given to this node.
    execute(tx, SENDER, &[&lost.no, &me.no]).await?;
    Ok(Some(lost))
}

/// The next endpoints that the node owes something, each with its number, and where to go on; `None` is the end.
async fn debts(tx: &Transaction<'_>, lost: &Lost) -> Result<(Vec<(i32, Debt)>, Option<i32>)> {
    const SQL: &str = "SELECT e.no, e.tenant, coalesce(l.mark, 1),
            EXISTS (SELECT FROM delivery d WHERE d.tenant = e.tenant AND d.endpoint = e.no
                AND d.owner = $1 AND d.due_ms IS NOT NULL)
            OR EXISTS (SELECT FROM run r WHERE r.tenant = e.tenant AND r.endpoint = e.no
                AND r.node = $1 AND r.key >= coalesce(l.mark, 1))
        FROM endpoint e
        LEFT JOIN lane l ON l.tenant = e.tenant AND l.endpoint = e.no AND l.node = $1
        WHERE e.no > $2 ORDER BY e.no LIMIT $3";
    let rows = query(tx, SQL, &[&lost.no, &lost.taken, &ENDPOINTS]).await?;
    let mut debts = Vec::new();
    let mut last = None;
    for row in &rows {
        let place: i32 = row.try_get(0)?;
        last = Some(place);
        if row.try_get(3)? {
            let tenant = TenantNo(uno(row.try_get(1)?));
            let lane = Lane { tenant, endpoint: EndpointNo(uno(place)) };
            debts.push((place, Debt { lane, mark: row.try_get(2)? }));
        }
    }
    let last = last.filter(|_| rows.len() as i64 == ENDPOINTS);
    // As a commit does: nothing is pruned or reconfigured meanwhile.
    let buckets: BTreeSet<i32> =
        debts.iter().map(|(_, debt)| locks::bucket(debt.lane.tenant)).collect();
    let buckets: Vec<i32> = buckets.into_iter().collect();
    query(tx, locks::SHARE_ALL, &[&locks::class(), &buckets]).await?;
    Ok((debts, last))
}

/// Moves what is owed one endpoint, as far as the piece goes; whether that was all.
async fn settle(
    tx: &Transaction<'_>,
    Heir { lost, me, owner }: &Heir<'_>,
    debt: &Debt,
    piece: &mut Piece,
    taken: &mut TakenOver,
) -> Result<bool> {
    let (lane, owner) = (debt.lane, *owner);
    let mut moved = retries(tx, lane, (lost.no, owner), piece.deliveries).await?;
    piece.deliveries = piece.deliveries.saturating_sub(moved);
    let mut all = piece.deliveries > 0;
    if all {
        let made;
        (made, all) = unrecorded(tx, lost, debt, owner, piece).await?;
        moved += made;
    }
    if moved > 0 {
        taken.deliveries += moved;
        if owner == *me {
            taken.lanes.push((lane.tenant, lane.endpoint));
        } else {
            listen::say(tx, &listen::due(owner, lane.tenant, lane.endpoint)).await?;
        }
    }
    Ok(all)
}

/// Gives waiting deliveries another owner.
async fn retries(
    tx: &Transaction<'_>,
    lane: Lane,
    (from, to): (i16, i16),
    limit: u64,
) -> Result<u64> {
    const SQL: &str = "UPDATE delivery d SET owner = $4
        FROM (SELECT tenant, key, node, target FROM delivery
            WHERE tenant = $1 AND endpoint = $2 AND owner = $3 AND due_ms IS NOT NULL
            ORDER BY key, node, target LIMIT $5 FOR UPDATE) w
        WHERE (d.tenant, d.key, d.node, d.target) = (w.tenant, w.key, w.node, w.target)";
    let (tenant, endpoint) = (no(lane.tenant.0), no(lane.endpoint.0));
    execute(tx, SQL, &[&tenant, &endpoint, &from, &to, &int(limit)]).await
}

/// Makes rows of deliveries that have none; how many, and whether those were all.
async fn unrecorded(
    tx: &Transaction<'_>,
    lost: &Lost,
    debt: &Debt,
    owner: i16,
    piece: &mut Piece,
) -> Result<(u64, bool)> {
    const MARK: &str = "INSERT INTO lane AS l (tenant, endpoint, node, mark, delivery_count,
            consecutive_failures) VALUES ($1, $2, $3, $4, 0, 0)
        ON CONFLICT (tenant, endpoint, node) DO UPDATE SET mark = greatest(l.mark, excluded.mark)";
    let (mut made, mut next) = (0, debt.mark);
    let mut all = false;
    while !all && !piece.is_over() {
        let (mut keys, more) = runs::up(tx, debt.lane, lost.no, (next, EVENTS)).await?;
        all = !more && keys.len() <= EVENTS;
        keys.truncate(EVENTS);
        let Some(last) = keys.last() else { break };
        piece.events = piece.events.saturating_sub(keys.len());
        next = int(*last) + 1;
        let found = owed::without_row(tx, debt.lane, lost.no, &keys).await?;
        let new: Vec<NewDelivery> =
            found.iter().map(|it| row(debt.lane, (lost.no, owner), it.key, it.target)).collect();
        if !new.is_empty() {
            let columns = deliveries::columns(&new);
            execute(tx, deliveries::PUT, &deliveries::params(&columns)).await?;
        }
        made += new.len() as u64;
        piece.deliveries = piece.deliveries.saturating_sub(new.len() as u64);
    }
    let (tenant, endpoint) = (no(debt.lane.tenant.0), no(debt.lane.endpoint.0));
    execute(tx, MARK, &[&tenant, &endpoint, &lost.no, &next]).await?;
    Ok((made, all))
}

/// A delivery that was accepted and has not been tried: due since then, so that it stands in its old place.
fn row(lane: Lane, (node, owner): (i16, i16), key: i64, target: u32) -> NewDelivery {
    let accepted_ms = EventKey(codec::uint(key)).time().as_millis();
    NewDelivery {
        tenant: lane.tenant,
        place: Place { key, node },
        target,
        endpoint: lane.endpoint,
        owner,
        status: PENDING,
        reason: None,
        set_off: codec::trigger_code(Trigger::Automatic),
        due_ms: Some(accepted_ms),
        created_ms: None,
        updated_ms: accepted_ms,
    }
}
