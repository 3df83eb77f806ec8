//! The flow: events accepted, what happened to their deliveries, and what is still owed.
//!
//! Owed = accepted − recorded. A delivery has no row until something happened to it; one that has none and whose event
//! stands at or above the endpoint's mark is owed. Events get their keys inside the commit, strictly increasing, so
//! "everything of this endpoint from key K on" never misses a later commit.

use std::ops::Range;
use std::sync::Arc;

use hookyard_domain::attempt::{Attempt, Trigger};
use hookyard_domain::audit::AuditEntry;
use hookyard_domain::delivery::{DeliveryStatus, EndReason, Next};
use hookyard_domain::endpoint::{Activity, EndpointNo};
use hookyard_domain::event::{Event, EventContent};
use hookyard_domain::id::{DeliveryId, EventId, EventKey, SourceId, TargetNo};
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;

use crate::Answer;

/// One endpoint an event is owed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The endpoint.
    pub endpoint: EndpointNo,
    /// It is off at the moment of publishing: the delivery ends here, listed with this reason.
    pub discarded: Option<EndReason>,
}

/// Makes a publish happen once: the publisher's own id, or an `Idempotency-Key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Once {
    /// The same id again answers the first event, whatever the rest says (contract §3).
    PublisherId(String),
    /// The same key again answers the first event if the content is the same, else [`Receipt::KeyReused`].
    Key {
        /// The header's value.
        key: String,
        /// Hash of the request's content.
        content: [u8; 32],
    },
    /// What repetitions of the same request to a source share. The same again answers the first event, whatever the rest
    /// says.
    Received {
        /// The source.
        source: SourceId,
        /// The sender's id, or a hash of what was sent.
        id: String,
        /// An earlier event counts only if it was accepted at or after this time; `None` is whenever. One that does not
        /// count leaves its place to the event that is accepted now.
        since: Option<Timestamp>,
    },
}

/// An event to be accepted.
#[derive(Clone, Debug)]
pub struct Accept {
    /// Whose it is.
    pub tenant: TenantNo,
    /// The configuration version it was matched against.
    pub version: u64,
    /// What it says.
    pub content: EventContent,
    /// Whom it is owed to; the position is the target's number.
    pub targets: Vec<Target>,
    /// Targets that one node alone sends to, of however many there are. A shared store gives it their deliveries, each with
    /// a row at once; [`crate::nodes::Nodes::sends_alone`] tells whether that is this node.
    pub singles: Vec<EndpointNo>,
    /// Its source is paused: it has no targets, and is kept for [`Ledger::held`] until it is released.
    pub held: bool,
    /// What makes it happen once; several may be given.
    pub once: Vec<Once>,
    /// Whoever publishes makes the first attempt himself (a test of an endpoint). Its deliveries get their rows at once,
    /// set off by [`Trigger::Test`] and due then, in case he never tells what came of it.
    pub sent_by_publisher: Option<Timestamp>,
}

/// What became of an [`Accept`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It is on disk.
    Accepted {
        /// Its id.
        id: EventId,
    },
    /// It was accepted before.
    Duplicate {
        /// The first one's id.
        id: EventId,
        /// How many deliveries the first one made.
        deliveries: u32,
    },
    /// The `Idempotency-Key` was used with other content.
    KeyReused,
    /// The tenant's configuration moved: match again. Nothing was written for it.
    Stale,
    /// The tenant is gone.
    NoTenant,
}

/// Something that happened to a delivery.
#[derive(Clone, Debug)]
pub struct Record {
    /// Whose.
    pub tenant: TenantNo,
    /// Where to.
    pub endpoint: EndpointNo,
    /// Which.
    pub delivery: DeliveryId,
    /// The attempt, unless it ended without one.
    pub attempt: Option<Attempt>,
    /// What becomes of it. A delivery that has ended stays as it is; the attempt is kept all the same.
    pub next: Next,
    /// When.
    pub at: Timestamp,
}

/// Where a lane stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneNote {
    /// Whose.
    pub tenant: TenantNo,
    /// Which endpoint's.
    pub endpoint: EndpointNo,
    /// Its low-water mark: every delivery of an event below it has a row. What is kept never moves back.
    pub mark: EventKey,
    /// What is counted of the endpoint.
    pub activity: Activity,
}

/// The events, outcomes and notes of one moment: one transaction, one sync.
#[derive(Debug, Default)]
pub struct Batch {
    /// When.
    pub now: Timestamp,
    /// Events to accept, in order.
    pub accepts: Vec<Accept>,
    /// What happened.
    pub records: Vec<Record>,
    /// Where lanes stand.
    pub notes: Vec<LaneNote>,
}

/// Something a restart finds owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owed {
    /// Whose.
    pub tenant: TenantNo,
    /// Which endpoint's.
    pub endpoint: EndpointNo,
    /// Its low-water mark.
    pub from: EventKey,
    /// The last event that names it; below `from` when nothing is owed.
    pub last: EventKey,
    /// When its earliest waiting retry is due.
    pub due: Option<Timestamp>,
    /// What is counted of it.
    pub activity: Activity,
}

/// How much a lane takes at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Deliveries at most.
    pub deliveries: u32,
    /// Bytes of payload after which no more is added; the first is given whatever its size.
    pub bytes: u64,
}

/// The next piece of what a lane is owed, in order.
#[derive(Clone, Debug, Default)]
pub struct Refill {
    /// Deliveries without a row.
    pub owed: Vec<(Arc<Event>, TargetNo)>,
    /// Everything up to this key has been looked at.
    pub through: EventKey,
    /// There is more behind it.
    pub more: bool,
}

/// A delivery that waits for its next attempt.
#[derive(Clone, Debug)]
pub struct Due {
    /// Its event.
    pub event: Arc<Event>,
    /// Which.
    pub delivery: DeliveryId,
    /// Attempts made.
    pub attempts: u32,
    /// What set the next one off.
    pub trigger: Trigger,
    /// When it is due.
    pub at: Timestamp,
}

/// Deliveries that are due, and when the next one will be.
#[derive(Clone, Debug, Default)]
pub struct DuePage {
    /// Due now, earliest first.
    pub due: Vec<Due>,
    /// The earliest one that was not answered: due later, or beyond the limit.
    pub next: Option<Timestamp>,
}

/// Lanes with something that is due for long.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overdue {
    /// Theirs, in order.
    pub lanes: Vec<(TenantNo, EndpointNo)>,
    /// Behind which one to look on; `None` is the end.
    pub next: Option<(TenantNo, EndpointNo)>,
}

/// What a change to one delivery met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// Done; the endpoint it goes to.
    Done(EndpointNo),
    /// It is in a state that does not allow it.
    Refused(DeliveryStatus),
    /// It is not there.
    Absent,
}

/// What pruning did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pruned {
    /// Events that are gone.
    pub dropped: u32,
    /// What is below has been looked at.
    pub through: EventKey,
}

/// The flow.
pub trait Ledger {
    /// Writes a batch whole or not at all, synced; answers a receipt for each accept, in order. It may block its thread:
    /// the engine's committer has one of its own.
    fn commit<'a>(&'a self, batch: &'a Batch) -> Answer<'a, Vec<Receipt>>;
    /// Every endpoint with something owed or waiting, or with counts; asked once at start.
    fn owed(&self) -> Answer<'_, Vec<Owed>>;
    /// What the endpoint is owed from key `from` on.
    fn refill(
        &self,
        tenant: TenantNo,
        endpoint: EndpointNo,
        from: EventKey,
        share: Share,
    ) -> Answer<'_, Refill>;
    /// Waiting deliveries of the endpoint that are due at `now`, without those in `skip` (a lane holds them already).
    fn due<'a>(
        &'a self,
        tenant: TenantNo,
        endpoint: EndpointNo,
        now: Timestamp,
        share: Share,
        skip: &'a [DeliveryId],
    ) -> Answer<'a, DuePage>;
    /// The same in order of acceptance, up to the first that is not due.
    fn due_in_order<'a>(
        &'a self,
        tenant: TenantNo,
        endpoint: EndpointNo,
        now: Timestamp,
        share: Share,
        skip: &'a [DeliveryId],
    ) -> Answer<'a, DuePage>;
    /// Endpoints with a delivery that was due before `before` and that this node is to send; of those behind `after` that
    /// anything waits for, the next `limit` are looked at.
    fn overdue(
        &self,
        before: Timestamp,
        after: Option<(TenantNo, EndpointNo)>,
        limit: u32,
    ) -> Answer<'_, Overdue>;
    /// Makes a delivery due at once: a waiting, failed, cancelled or discarded one; one with no row needs nothing and is
    /// `Done`; a succeeded one is refused.
    fn requeue(
        &self,
        tenant: TenantNo,
        delivery: DeliveryId,
        now: Timestamp,
        audit: AuditEntry,
    ) -> Answer<'_, Moved>;
    /// Cancels a delivery that has not ended.
    fn cancel(
        &self,
        tenant: TenantNo,
        delivery: DeliveryId,
        now: Timestamp,
        audit: AuditEntry,
    ) -> Answer<'_, Moved>;
    /// Makes a fresh delivery of an event to each endpoint, due at once, with target numbers never used before.
    /// Empty when the event is not there.
    fn replay(
        &self,
        tenant: TenantNo,
        event: EventId,
        endpoints: &[EndpointNo],
        now: Timestamp,
        audit: AuditEntry,
    ) -> Answer<'_, Vec<DeliveryId>>;
    /// Events that are held although their source is active by now, oldest first, at most `limit`.
    fn held(&self, limit: u32) -> Answer<'_, Vec<Arc<Event>>>;
    /// Ends an event's hold: a fresh delivery to each target, in order, with target numbers never used before, due at once
    /// unless it is discarded. `None` when the event is not held any more; `Conflict` when the tenant's configuration is not
    /// at `version`. Nothing is changed then.
    fn release<'a>(
        &'a self,
        tenant: TenantNo,
        event: EventId,
        version: u64,
        targets: &'a [Target],
        now: Timestamp,
    ) -> Answer<'a, Option<Vec<DeliveryId>>>;
    /// Discards whatever of the endpoint waits for a retry; answers how many. What has no row is the lane's to discard.
    fn discard_waiting(
        &self,
        tenant: TenantNo,
        endpoint: EndpointNo,
        reason: EndReason,
        now: Timestamp,
    ) -> Answer<'_, u64>;
    /// Begins a round of retention, with the key below which each tenant's events are too old. What is kept by days and too
    /// old for everybody goes whole at once; the rest is for [`Ledger::prune`]. False when the round is another node's.
    fn begin_pruning<'a>(&'a self, bounds: &'a [(TenantNo, EventKey)]) -> Answer<'a, bool>;
    /// Drops ended events of a tenant with these keys and all that belongs to them, at most `limit`, the oldest first. An
    /// event with a delivery that has not ended stays, and so does one that is held.
    fn prune(&self, tenant: TenantNo, keys: Range<EventKey>, limit: u32) -> Answer<'_, Pruned>;
    /// Work for idle moments: lists written out, the log folded in. Cheap when there is nothing to do.
    fn tidy(&self) -> Answer<'_, ()>;
}
