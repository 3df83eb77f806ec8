//! All lanes, and who may send next: fair turns over tenants, then endpoints, within the bounds of the whole.
//!
//! One lock, held for a few hundred nanoseconds at a time. The committer offers what was accepted and tells what was
//! recorded; the attempt tasks take work; the refill tasks bring what the store holds; timers bring back who must wait.
//! Whoever takes work wakes one more task while there is more, so a whole batch costs the committer one wake-up.

mod change;
mod dirty;
mod gauges;
mod given;
mod recorded;
mod state;
mod term;
mod turns;

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use hookyard_domain::delivery::EndReason;
use hookyard_domain::endpoint::{Activity, EndpointNo};
use hookyard_domain::event::Event;
use hookyard_domain::id::{DeliveryId, EventKey, TargetNo};
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::{Clock, Timestamp};
use hookyard_store::ledger::Due;
use tokio::sync::Notify;

pub use self::gauges::Gauges;
pub(crate) use self::given::Given;
use self::state::State;
use crate::lane::series::{self, SeriesKey};
use crate::lane::{Finished, Job};
use crate::snapshot::Prepared;

/// Attempts that may wait for their record; beyond, nothing new is started, since the store does not keep up.
const UNRECORDED_MAX: usize = 16_384;
/// Benched lanes that get another turn when an unproven one has finished.
const UNBENCHED: usize = 8;
/// How long a waiting timer sleeps at most: the clock may be set meanwhile.
const TIMER_NAP: Duration = Duration::from_millis(500);

/// Something an attempt task is to do.
pub(crate) struct Work {
    /// The term it was begun in: what is told of it in a later one is stale.
    pub term: u64,
    pub tenant: TenantNo,
    pub endpoint: EndpointNo,
    pub job: Job,
    pub todo: Todo,
}

pub(crate) enum Todo {
    Send(Arc<Prepared>),
    Discard(EndReason),
}

/// Something a refill task is to fetch.
#[derive(Clone, Debug)]
pub(crate) enum Fetch {
    Owed {
        tenant: TenantNo,
        endpoint: EndpointNo,
        from: EventKey,
        /// There is room in memory; else one delivery is all the lane gets.
        room: bool,
    },
    Due {
        tenant: TenantNo,
        endpoint: EndpointNo,
        until: Timestamp,
        skip: Vec<DeliveryId>,
        /// In order of acceptance, not of their times.
        in_order: bool,
        /// As above.
        room: bool,
    },
}

/// What the lanes say to an attempt that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Its outcome is to be written soon.
    News,
    /// Its endpoint only fails.
    NoNews,
    /// It began before others took over.
    Stale,
}

pub(crate) struct Lanes {
    state: Mutex<State>,
    clock: Arc<dyn Clock>,
    fetch_ready: Notify,
    timer_set: Notify,
    quiet: Notify,
    unproven_max: usize,
}

impl Lanes {
    pub(crate) fn new(clock: Arc<dyn Clock>, workers: usize, bytes_max: u64, shared: bool) -> Self {
        let waiting = (0..workers).map(|_| None).collect();
        let state = State { waiting, bytes_max, shared, ..State::default() };
        Self {
            state: Mutex::new(state),
            clock,
            fetch_ready: Notify::new(),
            timer_set: Notify::new(),
            quiet: Notify::new(),
            unproven_max: (workers / 2).max(1),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Offers an event accepted in this term to the lanes of its targets.
    pub(crate) fn offer(
        &self,
        term: u64,
        offers: impl Iterator<Item = (Arc<Event>, TargetNo, EndpointNo)>,
    ) {
        let now = self.clock.now();
        let jobs = in_series(offers);
        let mut state = self.lock();
        if state.term != term {
            return;
        }
        for (job, endpoint) in jobs {
            let room = state.held_bytes < state.bytes_max;
            let tenant = job.event.tenant;
            let bytes = job.bytes();
            if state.lane(tenant, endpoint, now).offer(job, room) {
                state.held_bytes += bytes;
            }
            state.revive(endpoint, now);
        }
        self.release(state, 1);
    }

    /// Something of the endpoint is due now.
    pub(crate) fn requeued(&self, tenant: TenantNo, endpoint: EndpointNo) {
        let now = self.clock.now();
        let mut state = self.lock();
        state.lane(tenant, endpoint, now).requeued(now);
        state.revive(endpoint, now);
        self.release(state, 1);
    }

    /// The same of what was held on the way to it.
    pub(crate) fn released(&self, tenant: TenantNo, endpoint: EndpointNo) {
        let now = self.clock.now();
        self.lock().lane(tenant, endpoint, now).drain_in_order();
        self.requeued(tenant, endpoint);
    }

    /// The delivery is not to be sent any more.
    pub(crate) fn cancelled(&self, endpoint: EndpointNo, delivery: DeliveryId) {
        let now = self.clock.now();
        let mut guard = self.lock();
        let state = &mut *guard;
        let is_sending = state.sending.contains_key(&delivery);
        let Some(lane) = state.lanes.get_mut(&endpoint) else { return };
        let freed = lane.cancel(delivery, is_sending);
        state.dirty.mark(endpoint, lane);
        // An ordered lane may have been waiting for it: the store knows what is due next.
        lane.due_at(Some(now));
        state.held_bytes = state.held_bytes.saturating_sub(freed);
        state.revive(endpoint, now);
        self.release(guard, 1);
    }

    pub(crate) fn is_sending(&self, delivery: DeliveryId) -> bool {
        self.lock().sending.contains_key(&delivery)
    }

    /// Waits for the next thing to do; `None` when draining.
    pub(crate) async fn next(&self, worker: usize) -> Option<Work> {
        poll_fn(|cx| self.poll_next(worker, cx)).await
    }

    fn poll_next(&self, worker: usize, cx: &mut Context<'_>) -> Poll<Option<Work>> {
        let mut state = self.lock();
        if state.draining {
            return Poll::Ready(None);
        }
        let now = self.clock.now();
        let work = if state.unrecorded < UNRECORDED_MAX {
            state.pick(now, self.unproven_max)
        } else {
            None
        };
        let Some(work) = work else {
            if state.waiting[worker].replace(cx.waker().clone()).is_none() {
                state.idle.push(worker);
            }
            self.release(state, 0);
            return Poll::Pending;
        };
        state.waiting[worker] = None;
        state.unrecorded += 1;
        self.release(state, 1);
        Poll::Ready(Some(work))
    }

    /// An attempt ended; its record is on the way. Counts it.
    pub(crate) fn finished(
        &self,
        term: u64,
        endpoint: EndpointNo,
        delivery: DeliveryId,
        end: Finished,
        count: impl FnOnce(Activity) -> Activity,
    ) -> Told {
        let now = self.clock.now();
        let mut guard = self.lock();
        let state = &mut *guard;
        if state.term != term {
            return Told::Stale;
        }
        if state.sending.remove(&delivery) == Some(false) {
            state.unproven = state.unproven.saturating_sub(1);
            state.unbench(UNBENCHED);
        }
        let mut only_fails = false;
        if let Some(lane) = state.lanes.get_mut(&endpoint) {
            lane.ended(delivery);
            lane.finished(end, now);
            only_fails = lane.only_fails();
            lane.activity = count(lane.activity);
            // So that what is counted goes to disk with the record and not with whatever comes next.
            state.dirty.mark(endpoint, lane);
            state.revive(endpoint, now);
        }
        // The task that calls this takes the next work itself.
        self.release(guard, 0);
        if only_fails { Told::NoNews } else { Told::News }
    }

    /// Gives every benched lane another turn: one of the few that were given theirs may have had nothing to start.
    pub(crate) fn sweep(&self) {
        let mut state = self.lock();
        state.unbench(usize::MAX);
        self.release(state, 1);
    }

    /// An attempt was made outside the lanes; its record is on the way.
    pub(crate) fn began(&self) {
        self.lock().unrecorded += 1;
    }

    /// What a refill task is to fetch next.
    pub(crate) async fn next_fetch(&self) -> (u64, Fetch) {
        loop {
            let ready = self.fetch_ready.notified();
            let fetch = {
                let mut state = self.lock();
                state.fetches.pop_front().map(|fetch| (state.term, fetch))
            };
            if let Some(fetch) = fetch {
                return fetch;
            }
            ready.await;
        }
    }

    /// The store gave what an endpoint is owed; `None` when it could not be reached.
    pub(crate) fn refilled(
        &self,
        term: u64,
        endpoint: EndpointNo,
        answer: Option<hookyard_store::ledger::Refill>,
    ) {
        let now = self.clock.now();
        let answer = answer.map(|it| {
            let owed = it.owed.into_iter().map(|(event, no)| (event, no, endpoint));
            let jobs: Vec<_> = in_series(owed).into_iter().map(|it| it.0).collect();
            (jobs, it.through, it.more)
        });
        let mut guard = self.lock();
        let state = &mut *guard;
        if state.term != term {
            return;
        }
        if let Some(lane) = state.lanes.get_mut(&endpoint) {
            let mut bytes = 0;
            match answer {
                Some((jobs, through, more)) => {
                    bytes = jobs.iter().map(Job::bytes).sum();
                    // Nothing of what was looked at is owed: that is worth a note, or it is looked at again at every start.
                    let looked_in_vain = jobs.is_empty();
                    lane.refill(jobs, through, more);
                    if looked_in_vain {
                        state.dirty.mark(endpoint, lane);
                    }
                }
                None => lane.refilling = false,
            }
            state.held_bytes += bytes;
            state.revive(endpoint, now);
        }
        self.release(guard, 1);
    }

    /// The store gave what is due of an endpoint; `None` when it could not be reached.
    pub(crate) fn claimed(
        &self,
        term: u64,
        endpoint: EndpointNo,
        answer: Option<hookyard_store::ledger::DuePage>,
    ) {
        let now = self.clock.now();
        let answer = answer.map(|it| {
            let due: Vec<_> = it.due.into_iter().map(|it| (it.at, retry(it))).collect();
            (due, it.next)
        });
        let mut state = self.lock();
        if state.term != term {
            return;
        }
        if let Some(lane) = state.lanes.get_mut(&endpoint) {
            let before: u64 = lane.due.iter().map(Job::bytes).sum();
            match answer {
                Some((due, next)) => {
                    // It may have been switched on again meanwhile: then what is not due waits on.
                    let until = lane.claims_until(now);
                    let (due, early): (Vec<_>, Vec<_>) =
                        due.into_iter().partition(|(at, _)| *at <= until);
                    let jobs = due.into_iter().map(|it| it.1).collect();
                    lane.claim(jobs, early.into_iter().map(|it| it.0).chain(next).min());
                }
                None => lane.claim(Vec::new(), Some(now.plus(Duration::from_secs(1)))),
            }
            let after: u64 = lane.due.iter().map(Job::bytes).sum();
            state.held_bytes += after.saturating_sub(before);
            state.revive(endpoint, now);
        }
        self.release(state, 1);
    }

    /// Brings back lanes whose time has come; runs for ever.
    pub(crate) async fn run_timers(&self) {
        let mut before = self.clock.now();
        loop {
            let set = self.timer_set.notified();
            let now = self.clock.now();
            let nap = {
                let mut state = self.lock();
                // When the clock was set back, nobody's time is what it was thought to be.
                let until = if now < before { Timestamp::from_millis(i64::MAX) } else { now };
                before = now;
                let due: Vec<_> =
                    state.timers.iter().take_while(|(at, _)| *at <= until).copied().collect();
                for timer in due {
                    state.timers.remove(&timer);
                    if let Some(lane) = state.lanes.get_mut(&timer.1) {
                        lane.timer = None;
                    }
                    state.revive(timer.1, now);
                }
                state.timer_head = state.timers.first().map(|(at, _)| *at);
                let nap = state.timer_head.map(|at| at.since(now).min(TIMER_NAP));
                self.release(state, 1);
                nap
            };
            match nap {
                Some(nap) => {
                    let nap = nap.max(Duration::from_millis(1));
                    // Ended early by an earlier timer.
                    let _ = tokio::time::timeout(nap, set).await;
                }
                None => set.await,
            }
        }
    }

    /// Nothing new is started from now on.
    pub(crate) fn drain(&self) {
        let mut state = self.lock();
        state.draining = true;
        let wakers: Vec<_> = state.waiting.iter_mut().filter_map(Option::take).collect();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.lock().draining
    }

    /// Returns when every attempt that was started is on disk.
    pub(crate) async fn quiet(&self) {
        loop {
            let quiet = self.quiet.notified();
            if self.lock().unrecorded == 0 {
                return;
            }
            quiet.await;
        }
    }

    /// Unlocks, and wakes whom the change concerns: at most `tasks` attempt tasks, who wake each other from then on.
    fn release(&self, mut state: MutexGuard<'_, State>, tasks: usize) {
        let mut woken = None;
        if tasks > 0 && !state.turns.is_empty() && state.unrecorded < UNRECORDED_MAX {
            while let Some(worker) = state.idle.pop() {
                if let Some(waker) = state.waiting[worker].take() {
                    woken = Some(waker);
                    break;
                }
            }
        }
        let fetch = !state.fetches.is_empty();
        let head = state.timers.first().map(|(at, _)| *at);
        let earlier = head.is_some_and(|at| state.timer_head.is_none_or(|known| at < known));
        if earlier {
            state.timer_head = head;
        }
        drop(state);
        if let Some(waker) = woken {
            waker.wake();
        }
        if fetch {
            self.fetch_ready.notify_one();
        }
        if earlier {
            self.timer_set.notify_one();
        }
    }
}

/// First deliveries as jobs. An event's series is looked for once, however many endpoints it goes to.
fn in_series(
    offers: impl Iterator<Item = (Arc<Event>, TargetNo, EndpointNo)>,
) -> Vec<(Job, EndpointNo)> {
    let mut last: Option<(EventKey, Option<SeriesKey>)> = None;
    let jobs = offers.map(|(event, target, endpoint)| {
        let key = event.id.key();
        let series = match last {
            Some((known, series)) if known == key => series,
            _ => series::of(&event),
        };
        last = Some((key, series));
        (Job::first(event, target, series), endpoint)
    });
    jobs.collect()
}

fn retry(due: Due) -> Job {
    let series = series::of(&due.event);
    let Due { event, delivery, attempts, trigger, .. } = due;
    Job { event, delivery, attempts, trigger, series }
}

#[cfg(test)]
mod tests;
