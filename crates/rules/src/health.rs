//! How an endpoint fares: what is counted of its attempts, and when it is switched off for nothing but failures.

use std::time::Duration;

use hookyard_domain::endpoint::{Activity, DisabledReason};
use hookyard_domain::retry::AutoDisable;
use hookyard_domain::time::Timestamp;

/// What is known of an attempt that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The receiver took it.
    pub succeeded: bool,
    /// Nothing more is tried for this event.
    pub event_over: bool,
    /// It was the first attempt of its delivery.
    pub first_attempt: bool,
}

/// The endpoint's counters after an attempt that ended at `now`, and whether it is to be switched off.
#[must_use]
pub fn after(
    before: Activity,
    ended: Ended,
    policy: AutoDisable,
    now: Timestamp,
) -> (Activity, Option<DisabledReason>) {
    let mut activity = Activity {
        delivery_count: before.delivery_count.saturating_add(u64::from(ended.first_attempt)),
        last_delivery_at: Some(now),
        ..before
    };
    if ended.succeeded {
        activity.consecutive_failures = 0;
        activity.failing_since = None;
        return (activity, None);
    }
    activity.failing_since.get_or_insert(now);
    if ended.event_over {
        activity.consecutive_failures = activity.consecutive_failures.saturating_add(1);
    }
    // One event counts once, when all its attempts are used (vendors.md ALV-DEL-12).
    let counts = ended.event_over || !matches!(policy, AutoDisable::AfterEvents(_));
    let hopeless = counts && is_hopeless(&activity, policy, now);
    (activity, hopeless.then_some(DisabledReason::Failures))
}

/// Whether what is counted at `now` says that the endpoint is to be switched off.
#[must_use]
pub fn is_hopeless(activity: &Activity, policy: AutoDisable, now: Timestamp) -> bool {
    match policy {
        AutoDisable::Never => false,
        AutoDisable::AfterEvents(events) => activity.consecutive_failures >= events,
        AutoDisable::AfterSeconds(seconds) => activity
            .failing_since
            .is_some_and(|since| now.since(since) >= Duration::from_secs(seconds)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST_OK: Ended = Ended { succeeded: true, event_over: true, first_attempt: true };
    const FIRST_FAILS: Ended = Ended { succeeded: false, event_over: false, first_attempt: true };
    const RETRY_FAILS: Ended = Ended { succeeded: false, event_over: false, first_attempt: false };
    const GIVEN_UP: Ended = Ended { succeeded: false, event_over: true, first_attempt: false };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(seconds)
    }

    /// Counters after these attempts, one a second from second 1, and when the endpoint was to be switched off.
    fn run(policy: AutoDisable, attempts: &[Ended]) -> (Activity, Vec<i64>) {
        let mut activity = Activity::default();
        let mut off = Vec::new();
        for (second, ended) in (1..).zip(attempts) {
            let (next, disable) = after(activity, *ended, policy, at(second));
            activity = next;
            if disable == Some(DisabledReason::Failures) {
                off.push(second);
            }
        }
        (activity, off)
    }

    #[test]
    fn a_delivery_counts_once_and_every_attempt_moves_the_time() {
        let (activity, _) =
            run(AutoDisable::Never, &[FIRST_FAILS, RETRY_FAILS, GIVEN_UP, FIRST_OK]);
        assert_eq!(activity.delivery_count, 2);
        assert_eq!(activity.last_delivery_at, Some(at(4)));
    }

    #[test]
    fn failures_are_counted_by_events_and_timed_by_attempts() {
        let (activity, _) = run(AutoDisable::Never, &[FIRST_OK, FIRST_FAILS, RETRY_FAILS]);
        assert_eq!((activity.consecutive_failures, activity.failing_since), (0, Some(at(2))));
        let (activity, _) = run(AutoDisable::Never, &[FIRST_FAILS, GIVEN_UP, GIVEN_UP]);
        assert_eq!((activity.consecutive_failures, activity.failing_since), (2, Some(at(1))));
    }

    #[test]
    fn a_success_wipes_the_failures() {
        let (activity, _) = run(AutoDisable::Never, &[GIVEN_UP, FIRST_OK]);
        assert_eq!((activity.consecutive_failures, activity.failing_since), (0, None));
    }

    // vendors.md ALV-DEL-12.
    #[test]
    fn enough_failed_events_in_a_row_switch_it_off() {
        let policy = AutoDisable::AfterEvents(3);
        assert_eq!(run(policy, &[GIVEN_UP, GIVEN_UP, GIVEN_UP]).1, [3]);
        assert_eq!(run(policy, &[GIVEN_UP, GIVEN_UP, FIRST_OK, GIVEN_UP, GIVEN_UP]).1, [0_i64; 0]);
        let one_event = [FIRST_FAILS, RETRY_FAILS, RETRY_FAILS, RETRY_FAILS, GIVEN_UP];
        assert_eq!(run(policy, &one_event).1, [0_i64; 0]);
    }

    #[test]
    fn failing_for_long_enough_switches_it_off_at_the_next_failure() {
        let policy = AutoDisable::AfterSeconds(3);
        assert_eq!(run(policy, &[FIRST_FAILS, RETRY_FAILS, RETRY_FAILS, RETRY_FAILS]).1, [4]);
        let (_, off) = run(policy, &[FIRST_FAILS, RETRY_FAILS, FIRST_OK, FIRST_FAILS, RETRY_FAILS]);
        assert_eq!(off, [0_i64; 0]);
    }

    #[test]
    fn an_endpoint_that_is_never_to_be_switched_off_is_not() {
        let (activity, off) = run(AutoDisable::Never, &[GIVEN_UP; 100]);
        assert_eq!((activity.consecutive_failures, off), (100, vec![]));
    }
}
