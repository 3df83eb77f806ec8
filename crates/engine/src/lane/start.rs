//! Whether a lane may start something now, and what: window, pace, rate, order.

use std::time::Duration;

use hookyard_domain::time::Timestamp;

use super::{Idle, Job, Lane, PACE_MAX, STALLED_AFTER};

impl Lane {
    pub(super) fn may_start(&mut self, now: Timestamp) -> Result<(), Idle> {
        if self.queue.is_empty() && self.due.is_empty() {
            return Err(Idle::Waiting);
        }
        let stalled = self.in_flight > 0 && now.since(self.progress_at) > STALLED_AFTER;
        let window = if stalled { (self.window / 8).max(2) } else { self.window };
        let window = if self.in_order > 0 { 1 } else { window.min(self.window) };
        if self.in_flight >= window {
            return Err(Idle::Waiting);
        }
        // A clock set back must not turn a pause of moments into one of hours.
        if now < self.not_before && self.not_before.since(now) <= PACE_MAX {
            return Err(Idle::Until(self.not_before));
        }
        self.earn_tokens(now)
    }

    pub(super) fn choose(&mut self) -> Option<Job> {
        if self.ordered() {
            // What is being tried again stands before what came later.
            let waiting = self.next_due.is_some() || self.claiming || !self.claimed.is_empty();
            // Until it is on disk what became of the one before, the next stays.
            if self.shared && self.claimed.len() > self.due.len() {
                return None;
            }
            return match self.due.pop_front() {
                None if waiting => None,
                None => self.queue.pop_front(),
                due => due,
            };
        }
        self.turn = self.turn.wrapping_add(1);
        let Self { series, due, queue, .. } = self;
        if self.turn.is_multiple_of(4) {
            series.take(due).or_else(|| series.take(queue))
        } else {
            series.take(queue).or_else(|| series.take(due))
        }
    }

    fn earn_tokens(&mut self, now: Timestamp) -> Result<(), Idle> {
        let Some(rate) = self.prepared.as_ref().and_then(|it| it.endpoint.settings.rate_limit)
        else {
            return Ok(());
        };
        let burst = rate.burst.map_or(rate.per_s.max(1.0), f64::from);
        let elapsed = now.since(self.tokens_at).as_secs_f64();
        self.tokens = (self.tokens.min(burst) + elapsed * rate.per_s).min(burst);
        self.tokens_at = now;
        if self.tokens >= 1.0 {
            return Ok(());
        }
        let wait = Duration::from_secs_f64((1.0 - self.tokens) / rate.per_s.max(0.001));
        Err(Idle::Until(now.plus(wait + Duration::from_millis(1))))
    }

    pub(super) fn spend_token(&mut self) {
        if self.prepared.as_ref().is_some_and(|it| it.endpoint.settings.rate_limit.is_some()) {
            self.tokens -= 1.0;
        }
    }
}
