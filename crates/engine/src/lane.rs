//! One endpoint's lane: what it is owed in memory, how much it may have under way, and where it stands.
//!
//! A lane holds a bounded number of deliveries; what is beyond stays in the store and the lane remembers from where on.
//! It is a value without a lock or a clock: [`crate::lanes`] owns all of them and tells it the time.

mod given;
mod job;
pub(crate) mod series;
mod start;

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use hookyard_domain::delivery::EndReason;
use hookyard_domain::endpoint::{Activity, EndpointStatus};
use hookyard_domain::id::{DeliveryId, EventKey, TargetNo};
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_rules::profiles;

pub(crate) use self::job::Job;
use self::job::place;
use self::series::Series;
use crate::snapshot::Prepared;

/// Deliveries a lane holds in memory at most.
pub(crate) const HELD_MAX: usize = 1024;
/// Waiting retries a lane takes from the store at once.
pub(crate) const DUE_MAX: usize = 256;
/// Deliveries that were held and then go out one at a time, so that they arrive in order too. Whoever held more than that
/// is served faster, and still begins them in order.
const IN_ORDER_MAX: usize = 10_000;
/// What a lane may have under way before its receiver has shown that it answers.
const WINDOW_FIRST: u32 = 8;
/// With nothing finished for this long, a lane starts little more.
const STALLED_AFTER: Duration = Duration::from_secs(1);
/// An answer slower than this makes the window smaller.
const SLOW: Duration = Duration::from_secs(2);
/// So many failures in a row make the receiver suspect: one probe at a time.
const SUSPECT_AFTER: u32 = 3;
/// The same for failures that do not speak of overload, such as a 404 or a redirect: some events may be refused, but not
/// all of them.
const MISTAKEN_AFTER: u32 = 20;
/// So many failures in a row make the probes go slower and slower, so that a receiver that only fails does not take the
/// others' time and disk.
const PACED_AFTER: u32 = 20;
/// By how much each further failure makes them slower.
const PACE_STEP: Duration = Duration::from_millis(1);
/// The longest gap between probes: short enough for the retries of a few events a second to keep their schedule.
const PACE_MAX: Duration = Duration::from_millis(20);

/// What is done with a lane's deliveries at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Send,
    Hold,
    Discard(EndReason),
}

/// Why a lane gives nothing right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Idle {
    /// Nothing to do, or something else will wake it.
    Waiting,
    /// Ask again at this time.
    Until(Timestamp),
}

/// What an attempt means to the lane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Finished {
    pub succeeded: bool,
    pub slow_down: bool,
    pub took: Duration,
}

pub(crate) struct Lane {
    pub tenant: TenantNo,
    pub prepared: Option<Arc<Prepared>>,
    /// First attempts, in order of acceptance.
    pub queue: VecDeque<Job>,
    /// Retries and replays that are due.
    pub due: VecDeque<Job>,
    /// Deliveries taken, or claimed as due, and not yet recorded.
    pub claimed: HashSet<DeliveryId>,
    /// Deliveries cancelled while they were under way or being fetched.
    cancelled: HashSet<DeliveryId>,
    /// There is more in the store from here.
    pub overflow: Option<EventKey>,
    pub last_offered: EventKey,
    /// Everything up to this key came from the store: an offer of it comes late.
    covered: EventKey,
    /// An offer was left in the store since the fetch under way was asked for.
    missed: bool,
    pub refilling: bool,
    pub next_due: Option<Timestamp>,
    pub claiming: bool,
    /// The earliest timer that is set for it.
    pub timer: Option<Timestamp>,
    pub in_flight: u32,
    pub in_ring: bool,
    pub activity: Activity,
    /// Set and cleared by `Dirty` alone, which lists the lane when it is.
    dirty: bool,
    /// Other nodes may accept for it: what is to keep its order comes by the store alone.
    pub shared: bool,
    /// What the fetch under way brings has been overtaken.
    void: bool,
    series: Series,
    /// Deliveries that still go out one at a time.
    in_order: usize,
    outstanding: VecDeque<(EventKey, TargetNo, bool)>,
    window: u32,
    /// Failures in a row.
    streak: u32,
    /// Those of them in a row that speak of overload.
    overloaded: u32,
    proven: bool,
    progress_at: Timestamp,
    not_before: Timestamp,
    tokens: f64,
    tokens_at: Timestamp,
    turn: u32,
}

impl Lane {
    pub(crate) fn new(
        tenant: TenantNo,
        prepared: Option<Arc<Prepared>>,
        activity: Activity,
        now: Timestamp,
    ) -> Self {
        let mut lane = Self {
            tenant,
            prepared: None,
            queue: VecDeque::new(),
            due: VecDeque::new(),
            claimed: HashSet::new(),
            cancelled: HashSet::new(),
            overflow: None,
            last_offered: EventKey(0),
            covered: EventKey(0),
            missed: false,
            refilling: false,
            next_due: None,
            claiming: false,
            timer: None,
            in_flight: 0,
            in_ring: false,
            activity,
            dirty: false,
            shared: false,
            void: false,
            series: Series::default(),
            in_order: 0,
            outstanding: VecDeque::new(),
            window: WINDOW_FIRST,
            streak: 0,
            overloaded: 0,
            proven: false,
            progress_at: now,
            not_before: now,
            tokens: f64::MAX,
            tokens_at: now,
            turn: 0,
        };
        lane.configure(prepared);
        lane
    }

    /// Takes over changed settings; they count from the next attempt on.
    pub(crate) fn configure(&mut self, prepared: Option<Arc<Prepared>>) {
        let was_held = self.prepared.is_some() && self.mode() == Mode::Hold;
        self.prepared = prepared;
        let holds = self.held() > 0 || self.overflow.is_some() || self.next_due.is_some();
        if was_held && holds && self.mode() == Mode::Send {
            self.drain_in_order();
        }
        self.window = self.window.min(self.window_max());
    }

    pub(crate) fn mode(&self) -> Mode {
        let Some(prepared) = &self.prepared else {
            return Mode::Discard(EndReason::EndpointDeleted);
        };
        match prepared.endpoint.status {
            EndpointStatus::Active if prepared.way.is_none() => Mode::Hold,
            EndpointStatus::Active => Mode::Send,
            // What it was owed before its URL was changed waits for the challenge.
            EndpointStatus::Paused | EndpointStatus::Pending => Mode::Hold,
            EndpointStatus::Disabled => Mode::Discard(EndReason::EndpointDisabled),
        }
    }

    /// What it holds goes out one at a time, until it holds nothing or much has gone.
    pub(crate) fn drain_in_order(&mut self) {
        self.in_order = IN_ORDER_MAX;
    }

    fn ordered(&self) -> bool {
        self.prepared.as_ref().is_some_and(|it| it.endpoint.settings.ordered)
    }

    fn window_max(&self) -> u32 {
        if self.ordered() { 1 } else { self.prepared.as_ref().map_or(1, |it| it.in_flight_max) }
    }

    /// Its receiver has answered well lately; lanes that have not share a part of the slots only.
    pub(crate) fn proven(&self) -> bool {
        self.proven
    }

    /// Offers an accepted event; false when it stays in the store for now.
    pub(crate) fn offer(&mut self, job: Job, room: bool) -> bool {
        let (key, target) = place(&job);
        if key <= self.covered {
            // A refill saw it on disk before the committer could offer it.
            return false;
        }
        self.last_offered = key;
        if self.overflow.is_some() {
            self.missed = true;
            return false;
        }
        if self.queue.len() >= HELD_MAX || (!room && !self.queue.is_empty()) {
            self.overflow = Some(key);
            return false;
        }
        self.outstanding.push_back((key, target, false));
        self.queue.push_back(self.in_series(job));
        true
    }

    fn in_series(&self, job: Job) -> Job {
        let profile = self.prepared.as_ref().map(|it| it.endpoint.settings.profile);
        let series = job.series.filter(|_| profile.is_some_and(profiles::keeps_series));
        Job { series, ..job }
    }

    /// Takes in what the store gave, which is the next in order.
    pub(crate) fn refill(&mut self, jobs: Vec<Job>, through: EventKey, more: bool) {
        self.refilling = false;
        for job in jobs {
            if self.cancelled.remove(&job.delivery) {
                continue;
            }
            let (key, target) = place(&job);
            self.outstanding.push_back((key, target, false));
            self.queue.push_back(self.in_series(job));
        }
        self.covered = self.covered.max(through);
        self.last_offered = self.last_offered.max(through);
        self.overflow = (more || self.missed).then(|| through.next());
    }

    /// A fetch of what it is owed is asked for.
    pub(crate) fn refill_asked(&mut self) {
        self.refilling = true;
        self.missed = false;
    }

    /// Drops a delivery that was cancelled in the store; answers how many bytes that frees.
    pub(crate) fn cancel(&mut self, delivery: DeliveryId, is_sending: bool) -> u64 {
        let mut freed = 0;
        for jobs in [&mut self.queue, &mut self.due] {
            if let Some(at) = jobs.iter().position(|it| it.delivery == delivery)
                && let Some(job) = jobs.remove(at)
            {
                freed += job.bytes();
            }
        }
        if is_sending || self.refilling || self.claiming {
            self.cancelled.insert(delivery);
        } else {
            self.recorded(delivery, None);
        }
        if freed > 0 {
            self.recorded(delivery, None);
        }
        freed
    }

    /// Something was made due by hand; what was cancelled before may be meant.
    pub(crate) fn requeued(&mut self, now: Timestamp) {
        self.cancelled.clear();
        self.due_at(Some(now));
    }

    /// Takes in retries that are due.
    pub(crate) fn claim(&mut self, jobs: Vec<Job>, next: Option<Timestamp>) {
        self.claiming = false;
        if std::mem::take(&mut self.void) {
            // The store is asked again: something that stands before it waits by now.
            return self.due_at(next.or(jobs.first().map(|_| Timestamp::from_millis(0))));
        }
        for job in jobs {
            if self.cancelled.remove(&job.delivery) {
                continue;
            }
            if self.claimed.insert(job.delivery) {
                self.due.push_back(self.in_series(job));
            }
        }
        self.due_at(next);
    }

    /// Remembers that something is due then.
    pub(crate) fn due_at(&mut self, at: Option<Timestamp>) {
        self.next_due = match (self.next_due, at) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
    }

    /// Whether it should be given more of what it is owed; without room in memory, only when it has nothing left.
    pub(crate) fn wants_refill(&self, room: bool) -> bool {
        let enough = if room { HELD_MAX / 2 } else { 1 };
        self.overflow.is_some()
            && !self.refilling
            && self.queue.len() < enough
            && self.mode() != Mode::Hold
    }

    /// Up to when what waits is to be claimed. What an endpoint that is off is owed is discarded at once, not when it
    /// would have been due.
    pub(crate) fn claims_until(&self, now: Timestamp) -> Timestamp {
        match self.mode() {
            Mode::Send | Mode::Hold => now,
            Mode::Discard(_) => Timestamp::from_millis(i64::MAX),
        }
    }

    /// The same of what is due.
    pub(crate) fn wants_claim(&self, now: Timestamp, room: bool) -> bool {
        let enough = if room { DUE_MAX / 2 } else { 1 };
        self.next_due.is_some_and(|it| it <= self.claims_until(now))
            && !self.claiming
            && self.due.len() < enough
            && self.mode() != Mode::Hold
    }

    /// The next delivery to work on, if the lane may start one now.
    pub(crate) fn take(&mut self, now: Timestamp) -> Result<Job, Idle> {
        match self.mode() {
            Mode::Hold => Err(Idle::Waiting),
            Mode::Discard(_) => {
                let job = self.queue.pop_front().or_else(|| self.due.pop_front());
                let job = job.ok_or(Idle::Waiting)?;
                self.claimed.insert(job.delivery);
                Ok(job)
            }
            Mode::Send => {
                self.may_start(now)?;
                let job = self.choose().ok_or(Idle::Waiting)?;
                if self.in_flight == 0 {
                    self.progress_at = now;
                }
                self.in_flight += 1;
                self.claimed.insert(job.delivery);
                self.spend_token();
                let holds_more = self.held() > 0 || self.overflow.is_some() || self.claiming;
                self.in_order = if holds_more { self.in_order.saturating_sub(1) } else { 0 };
                Ok(job)
            }
        }
    }

    /// The attempt of a delivery ended: the next of its series may go.
    pub(crate) fn ended(&mut self, delivery: DeliveryId) {
        self.series.ended(delivery);
    }

    /// Learns from an attempt that ended.
    pub(crate) fn finished(&mut self, end: Finished, now: Timestamp) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.progress_at = now;
        let max = self.window_max();
        if end.succeeded {
            self.proven = true;
            self.streak = 0;
            self.overloaded = 0;
            self.window = if end.took > SLOW { self.window * 3 / 4 } else { self.window + 1 };
        } else {
            self.streak = self.streak.saturating_add(1);
            self.overloaded = if end.slow_down { self.overloaded.saturating_add(1) } else { 0 };
            if self.overloaded >= SUSPECT_AFTER || self.streak >= MISTAKEN_AFTER {
                self.proven = false;
                self.window = 1;
            } else if end.slow_down {
                self.window /= 2;
            }
            if self.only_fails() {
                let gap = PACE_STEP * (self.streak - PACED_AFTER + 1).min(100);
                self.not_before = now.plus(gap.min(PACE_MAX));
            }
        }
        self.window = self.window.clamp(1, max);
    }

    /// It has failed so often in a row that its failures are no news.
    pub(crate) fn only_fails(&self) -> bool {
        self.streak >= PACED_AFTER
    }

    /// Forgets a delivery that has its row by now; answers how many bytes that frees.
    pub(crate) fn recorded(&mut self, delivery: DeliveryId, retry_at: Option<Timestamp>) -> u64 {
        self.claimed.remove(&delivery);
        let mut freed = 0;
        if !self.cancelled.remove(&delivery) {
            self.due_at(retry_at);
            if retry_at.is_some() && self.claims_in_order() {
                freed = self.let_go();
            }
        }
        let key = delivery.event().key();
        let found = self.outstanding.binary_search_by_key(&key, |(key, ..)| *key);
        if let (Ok(at), Some(target)) = (found, delivery.target())
            && self.outstanding[at].1 == target
        {
            self.outstanding[at].2 = true;
            while self.outstanding.front().is_some_and(|(.., done)| *done) {
                self.outstanding.pop_front();
            }
        }
        freed
    }

    /// It has something to note; false when that was known.
    #[must_use]
    pub(crate) fn mark_dirty(&mut self) -> bool {
        !std::mem::replace(&mut self.dirty, true)
    }

    /// Its note is taken.
    pub(crate) fn noted(&mut self) {
        self.dirty = false;
    }

    /// Every delivery of an event below this key has its row.
    pub(crate) fn mark(&self) -> EventKey {
        let held = self.outstanding.front().map(|(key, ..)| *key);
        let rest = self.overflow.unwrap_or_else(|| self.last_offered.next());
        held.map_or(rest, |it| it.min(rest))
    }

    /// How many deliveries it holds in memory.
    pub(crate) fn held(&self) -> usize {
        self.queue.len() + self.due.len()
    }
}

#[cfg(test)]
mod tests;
