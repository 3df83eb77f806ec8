//! Which event was published when and arrived when, for every round of a run. Written by generator and
//! sink at once without a lock: two clock readings per delivery, in preallocated slots.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use super::measure::Latencies;

/// Events of one round at most; sequence numbers of round `r` start at `r` times this.
pub(super) const EVENTS_PER_ROUND_MAX: usize = 10_000_000;

/// The rounds of a run.
#[derive(Debug)]
pub(super) struct Ledger {
    rounds: Box<[OnceLock<Arc<Round>>]>,
    strays: AtomicU64,
}

/// One round's events.
#[derive(Debug)]
pub(super) struct Round {
    origin: Instant,
    first_seq: u64,
    endpoints: usize,
    /// Nanoseconds since `origin`, 0 where nothing happened yet.
    published: Box<[AtomicU64]>,
    arrived: Box<[AtomicU64]>,
    arrivals: AtomicU64,
    duplicates: AtomicU64,
    complete: Notify,
}

impl Ledger {
    /// Room for `rounds` rounds.
    pub(super) fn new(rounds: usize) -> Self {
        Self { rounds: (0..rounds).map(|_| OnceLock::new()).collect(), strays: AtomicU64::new(0) }
    }

    /// Opens round `number` for `events` events to `endpoints` endpoints each.
    pub(super) fn open(
        &self,
        number: usize,
        events: usize,
        endpoints: usize,
    ) -> anyhow::Result<Arc<Round>> {
        let cell =
            self.rounds.get(number).ok_or_else(|| anyhow::anyhow!("no round {number} here"))?;
        Ok(Arc::clone(cell.get_or_init(|| Arc::new(Round::new(number, events, endpoints)))))
    }

    /// A delivery with this sequence number came to that endpoint.
    pub(super) fn arrive(&self, seq: Option<u64>, endpoint: usize) {
        let known = seq.and_then(|seq| {
            let per_round = EVENTS_PER_ROUND_MAX as u64;
            let round = self.rounds.get(usize::try_from(seq / per_round).ok()?)?.get()?;
            round.arrive(usize::try_from(seq % per_round).ok()?, endpoint)
        });
        if known.is_none() {
            self.strays.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Requests that belong to no event of this run.
    pub(super) fn strays(&self) -> u64 {
        self.strays.load(Ordering::Relaxed)
    }
}

impl Round {
    fn new(number: usize, events: usize, endpoints: usize) -> Self {
        let zeros = |count: usize| (0..count).map(|_| AtomicU64::new(0)).collect();
        Self {
            origin: Instant::now(),
            first_seq: (number * EVENTS_PER_ROUND_MAX) as u64,
            endpoints,
            published: zeros(events),
            arrived: zeros(events * endpoints),
            arrivals: AtomicU64::new(0),
            duplicates: AtomicU64::new(0),
            complete: Notify::new(),
        }
    }

    /// The sequence number of the round's event `index`.
    pub(super) fn seq(&self, index: usize) -> u64 {
        self.first_seq + index as u64
    }

    /// How many events the round has.
    pub(super) fn events(&self) -> usize {
        self.published.len()
    }

    /// How many deliveries the round owes.
    pub(super) fn owed(&self) -> u64 {
        self.arrived.len() as u64
    }

    /// Nanoseconds since the round was opened, never 0.
    pub(super) fn now_ns(&self) -> u64 {
        self.ns_at(Instant::now())
    }

    /// The same reading for a given instant.
    pub(super) fn ns_at(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.origin).as_nanos();
        u64::try_from(since).unwrap_or(u64::MAX).max(1)
    }

    /// Event `index` is being published.
    pub(super) fn publish(&self, index: usize, at_ns: u64) {
        if let Some(slot) = self.published.get(index) {
            slot.store(at_ns, Ordering::Relaxed);
        }
    }

    fn arrive(&self, index: usize, endpoint: usize) -> Option<()> {
        if endpoint >= self.endpoints {
            return None;
        }
        let slot = self.arrived.get(index * self.endpoints + endpoint)?;
        let first =
            slot.compare_exchange(0, self.now_ns(), Ordering::Release, Ordering::Relaxed).is_ok();
        if !first {
            self.duplicates.fetch_add(1, Ordering::Relaxed);
        } else if self.arrivals.fetch_add(1, Ordering::AcqRel) + 1 == self.owed() {
            self.complete.notify_one();
        }
        Some(())
    }

    /// Waits until everything owed has arrived, or until nothing more has for `patience`.
    pub(super) async fn settled(&self, patience: Duration) {
        let mut seen = self.arrivals.load(Ordering::Acquire);
        while seen < self.owed() {
            let complete = timeout(patience, self.complete.notified()).await.is_ok();
            let now = self.arrivals.load(Ordering::Acquire);
            if complete || now == seen {
                return;
            }
            seen = now;
        }
    }

    /// Deliveries that arrived, each counted once.
    pub(super) fn arrivals(&self) -> u64 {
        self.arrivals.load(Ordering::Acquire)
    }

    /// Deliveries that never arrived.
    pub(super) fn missing(&self) -> u64 {
        self.owed() - self.arrivals()
    }

    /// Arrivals beyond the first of a delivery.
    pub(super) fn duplicates(&self) -> u64 {
        self.duplicates.load(Ordering::Relaxed)
    }

    /// From an event's publish to its arrival, for each delivery that arrived.
    pub(super) fn delivery_latencies(&self) -> Latencies {
        let arrived = self.arrived.iter().enumerate();
        let both = arrived.filter_map(|(at, arrived)| {
            let arrived = arrived.load(Ordering::Acquire);
            let published = self.published.get(at / self.endpoints)?.load(Ordering::Relaxed);
            (arrived > 0).then(|| arrived.saturating_sub(published))
        });
        Latencies::new(both.collect())
    }

    /// The first and the last arrival.
    pub(super) fn arrival_span_ns(&self) -> Option<(u64, u64)> {
        let times =
            || self.arrived.iter().map(|at| at.load(Ordering::Acquire)).filter(|at| *at > 0);
        Some((times().min()?, times().max()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn arrivals_are_counted_once_and_the_rest_as_duplicates_or_strays() {
        let ledger = Ledger::new(2);
        let round = ledger.open(1, 2, 2).unwrap();
        for endpoint in 0..2 {
            ledger.arrive(Some(round.seq(0)), endpoint);
            ledger.arrive(Some(round.seq(1)), endpoint);
        }
        ledger.arrive(Some(round.seq(1)), 1);
        ledger.arrive(Some(round.seq(1)), 2);
        ledger.arrive(Some(0), 0);
        ledger.arrive(None, 0);
        round.settled(Duration::from_secs(60)).await;
        assert_eq!((round.missing(), round.duplicates(), ledger.strays()), (0, 1, 3));
    }

    #[tokio::test]
    async fn waiting_ends_when_nothing_comes_any_more() {
        let ledger = Ledger::new(1);
        let round = ledger.open(0, 2, 1).unwrap();
        ledger.arrive(Some(0), 0);
        round.settled(Duration::ZERO).await;
        assert_eq!(round.missing(), 1);
    }
}
