//! What the lock of the lanes guards, and the choice of the next delivery.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::task::Waker;

use hookyard_domain::delivery::EndReason;
use hookyard_domain::endpoint::{Activity, EndpointNo};
use hookyard_domain::id::DeliveryId;
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;

use super::dirty::Dirty;
use super::turns::Turns;
use super::{Fetch, Todo, Work};
use crate::lane::{Idle, Lane, Mode};
use crate::snapshot::Prepared;

#[derive(Default)]
pub(super) struct State {
    /// Counts how often others took over.
    pub term: u64,
    pub lanes: HashMap<EndpointNo, Lane>,
    pub prepared: HashMap<EndpointNo, Arc<Prepared>>,
    pub counted: HashMap<EndpointNo, Activity>,
    pub turns: Turns,
    /// Lanes that wait until fewer unproven ones are under way.
    pub benched: VecDeque<EndpointNo>,
    pub fetches: VecDeque<Fetch>,
    /// One a lane at most, its earliest.
    pub timers: BTreeSet<(Timestamp, EndpointNo)>,
    /// The time the timer task sleeps towards.
    pub timer_head: Option<Timestamp>,
    pub dirty: Dirty,
    pub sending: HashMap<DeliveryId, bool>,
    pub waiting: Vec<Option<Waker>>,
    pub idle: Vec<usize>,
    pub unproven: usize,
    pub unrecorded: usize,
    pub held_bytes: u64,
    pub bytes_max: u64,
    pub draining: bool,
    /// Other nodes may send too: the store gives what one alone is to send.
    pub shared: bool,
}

impl State {
    pub(super) fn lane(
        &mut self,
        tenant: TenantNo,
        endpoint: EndpointNo,
        now: Timestamp,
    ) -> &mut Lane {
        let Self { lanes, prepared, counted, shared, .. } = self;
        lanes.entry(endpoint).or_insert_with(|| {
            let activity = counted.get(&endpoint).copied().unwrap_or_default();
            let mut lane = Lane::new(tenant, prepared.get(&endpoint).cloned(), activity, now);
            lane.shared = *shared;
            lane
        })
    }

    /// Forgets an endpoint's failures: it was switched on again, and would be off with the next one otherwise.
    pub(super) fn start_afresh(&mut self, endpoint: EndpointNo) {
        let afresh = |it: &mut Activity| {
            it.consecutive_failures = 0;
            it.failing_since = None;
        };
        self.counted.entry(endpoint).and_modify(afresh);
        if let Some(lane) = self.lanes.get_mut(&endpoint) {
            afresh(&mut lane.activity);
            self.dirty.mark(endpoint, lane);
        }
    }

    /// The lane has something to note.
    pub(super) fn mark_dirty(&mut self, endpoint: EndpointNo) {
        if let Some(lane) = self.lanes.get_mut(&endpoint) {
            self.dirty.mark(endpoint, lane);
        }
    }

    pub(super) fn ring(&mut self, endpoint: EndpointNo) {
        if let Some(lane) = self.lanes.get_mut(&endpoint)
            && !lane.in_ring
            && lane.held() > 0
        {
            lane.in_ring = true;
            self.turns.push(lane.tenant, endpoint);
        }
    }

    /// Gives a lane its turn if it has something, and asks the store for what it lacks.
    pub(super) fn revive(&mut self, endpoint: EndpointNo, now: Timestamp) {
        let Some(lane) = self.lanes.get_mut(&endpoint) else { return };
        let room = self.held_bytes < self.bytes_max;
        if lane.wants_refill(room)
            && let Some(from) = lane.overflow
        {
            lane.refill_asked();
            self.fetches.push_back(Fetch::Owed { tenant: lane.tenant, endpoint, from, room });
        }
        if lane.wants_claim(now, room) {
            lane.claiming = true;
            lane.next_due = None;
            let skip = lane.claimed.iter().copied().collect();
            let until = lane.claims_until(now);
            let tenant = lane.tenant;
            let in_order = lane.claims_in_order();
            self.fetches.push_back(Fetch::Due { tenant, endpoint, until, skip, in_order, room });
        } else if let Some(at) = lane.next_due
            && at > now
        {
            self.wake_at(endpoint, at);
        }
        self.ring(endpoint);
    }

    /// Has the lane revived at that time; one timer a lane, the earliest.
    pub(super) fn wake_at(&mut self, endpoint: EndpointNo, at: Timestamp) {
        let Some(lane) = self.lanes.get_mut(&endpoint) else { return };
        if lane.timer.is_none_or(|it| at < it) {
            if let Some(later) = lane.timer.replace(at) {
                self.timers.remove(&(later, endpoint));
            }
            self.timers.insert((at, endpoint));
        }
    }

    pub(super) fn pick(&mut self, now: Timestamp, unproven_max: usize) -> Option<Work> {
        while let Some(endpoint) = self.turns.pop() {
            let Some(lane) = self.lanes.get_mut(&endpoint) else { continue };
            lane.in_ring = false;
            let sends = lane.mode() == Mode::Send;
            let proven = lane.proven();
            if sends && !proven && self.unproven >= unproven_max {
                lane.in_ring = true;
                self.benched.push_back(endpoint);
                continue;
            }
            let job = match lane.take(now) {
                Ok(job) => job,
                Err(Idle::Waiting) => continue,
                Err(Idle::Until(at)) => {
                    self.wake_at(endpoint, at);
                    continue;
                }
            };
            let tenant = lane.tenant;
            let todo = match (lane.mode(), &lane.prepared) {
                (Mode::Discard(reason), _) => Todo::Discard(reason),
                (Mode::Send | Mode::Hold, Some(prepared)) => Todo::Send(Arc::clone(prepared)),
                (Mode::Send | Mode::Hold, None) => Todo::Discard(EndReason::EndpointDeleted),
            };
            self.held_bytes = self.held_bytes.saturating_sub(job.bytes());
            if sends {
                self.sending.insert(job.delivery, proven);
                self.unproven += usize::from(!proven);
            }
            self.revive(endpoint, now);
            return Some(Work { term: self.term, tenant, endpoint, job, todo });
        }
        None
    }

    /// Gives benched lanes another turn, as many as `count` that have something.
    pub(super) fn unbench(&mut self, mut count: usize) {
        while count > 0
            && let Some(endpoint) = self.benched.pop_front()
        {
            if let Some(lane) = self.lanes.get_mut(&endpoint) {
                lane.in_ring = false;
                count -= usize::from(lane.held() > 0);
            }
            self.ring(endpoint);
        }
    }
}
