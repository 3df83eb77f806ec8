//! What an answer means: delivered, tried again, or given up; and whether its endpoint is switched off or slowed down.

use std::time::Duration;

use hookyard_domain::attempt::OutcomeKind;
use hookyard_domain::delivery::{EndReason, Next};
use hookyard_domain::endpoint::DisabledReason;
use hookyard_domain::retry::RetryPolicy;
use hookyard_domain::time::Timestamp;

use crate::profiles::Terminal;
use crate::schedule;

/// What came back from a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A whole answer.
    Status {
        /// Its status code.
        code: u16,
        /// What its `Retry-After` asks for, as [`schedule::retry_after`] reads it.
        retry_after: Option<Duration>,
    },
    /// No usable answer, and why.
    Failed(OutcomeKind),
}

/// What follows from an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What the attempt is recorded as.
    pub outcome: OutcomeKind,
    /// What becomes of the delivery.
    pub next: Next,
    /// The endpoint is to be switched off, and why.
    pub disable: Option<DisabledReason>,
    /// The receiver is overloaded, slow or away: its lane goes down to one attempt at a time.
    pub slow_down: bool,
}

/// Judges the answer to attempt number `attempts_made`, which ended at `now`. `jitter` is the throw of the dice for the
/// next delay, -1.0 to 1.0.
#[must_use]
pub fn judge(
    answer: &Answer,
    terminal: Terminal,
    policy: &RetryPolicy,
    attempts_made: u32,
    now: Timestamp,
    jitter: f64,
) -> Verdict {
    let (outcome, retry_after) = match *answer {
        Answer::Status { code, retry_after } => (outcome_of(code), retry_after),
        Answer::Failed(outcome) => (outcome, None),
    };
    let slow_down = slows_down(answer);
    if outcome == OutcomeKind::Succeeded {
        return Verdict { outcome, next: Next::Succeeded, disable: None, slow_down };
    }
    if let Some(Final(disable)) = is_final(answer, terminal) {
        let next = Next::Failed(EndReason::Terminal);
        return Verdict { outcome, next, disable, slow_down };
    }
    let next = schedule::retry_at(policy, attempts_made, now, retry_after, jitter)
        .map_or(Next::Failed(EndReason::Exhausted), Next::RetryAt);
    Verdict { outcome, next, disable: None, slow_down }
}

/// Only 2xx is success; a redirect is not followed and counts as an error (standards.md §1.3).
fn outcome_of(code: u16) -> OutcomeKind {
    if (200..300).contains(&code) { OutcomeKind::Succeeded } else { OutcomeKind::HttpError }
}

/// The answer is final, and with that the endpoint may be over too.
struct Final(Option<DisabledReason>);

fn is_final(answer: &Answer, terminal: Terminal) -> Option<Final> {
    let Answer::Status { code, .. } = *answer else { return None };
    match terminal {
        Terminal::Never => None,
        Terminal::Gone => (code == 410).then_some(Final(Some(DisabledReason::Gone))),
        Terminal::ClientErrors => {
            ((400..500).contains(&code) && !matches!(code, 408 | 429)).then_some(Final(None))
        }
    }
}

fn slows_down(answer: &Answer) -> bool {
    match *answer {
        Answer::Status { code, .. } => code == 429 || (500..600).contains(&code),
        Answer::Failed(outcome) => match outcome {
            OutcomeKind::Timeout | OutcomeKind::Connect | OutcomeKind::Tls | OutcomeKind::Dns => {
                true
            }
            OutcomeKind::Succeeded
            | OutcomeKind::HttpError
            | OutcomeKind::Blocked
            | OutcomeKind::TooLarge => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_000);

    /// The verdict on attempt number `made` of at most three, 10 s and 100 s apart.
    fn verdict(answer: Answer, terminal: Terminal, made: u32) -> Verdict {
        let policy = RetryPolicy { delays_ms: vec![10_000, 100_000], jitter: 0.0 };
        judge(&answer, terminal, &policy, made, NOW, 0.3)
    }

    fn status(code: u16) -> Answer {
        Answer::Status { code, retry_after: None }
    }

    fn retry_in(seconds: i64) -> Next {
        Next::RetryAt(Timestamp::from_secs(1_000 + seconds))
    }

    const TERMINAL: Next = Next::Failed(EndReason::Terminal);
    const EXHAUSTED: Next = Next::Failed(EndReason::Exhausted);
    const ALWAYS: [Terminal; 3] = [Terminal::Never, Terminal::Gone, Terminal::ClientErrors];

    #[track_caller]
    fn check(code: u16, terminal: Terminal, next: Next, disable: Option<DisabledReason>) {
        let got = verdict(status(code), terminal, 1);
        assert_eq!((got.next, got.disable), (next, disable), "{code} under {terminal:?}");
        assert_eq!(got.outcome, OutcomeKind::HttpError, "{code}");
    }

    // vendors.md ALY-DEL-2, ALV-DEL-2, ARY-DEL-2.
    #[test]
    fn any_2xx_ends_it_well_even_at_the_last_attempt() {
        for (terminal, code) in ALWAYS.into_iter().flat_map(|it| [(it, 200), (it, 204), (it, 299)])
        {
            for made in [1, 3] {
                let got = verdict(status(code), terminal, made);
                let want = Verdict {
                    outcome: OutcomeKind::Succeeded,
                    next: Next::Succeeded,
                    disable: None,
                    slow_down: false,
                };
                assert_eq!(got, want, "{code}");
            }
        }
    }

    // vendors.md ALV-DEL-5.
    #[test]
    fn whatever_is_neither_success_nor_final_is_tried_again() {
        for terminal in ALWAYS {
            for code in [100, 199, 300, 301, 304, 308, 408, 429, 500, 502, 503, 599, 600] {
                check(code, terminal, retry_in(10), None);
            }
        }
    }

    // vendors.md ALY-DEL-3, ARY-DEL-4.
    #[test]
    fn no_answer_is_final_where_the_profile_knows_none() {
        for code in [400, 401, 404, 410, 422] {
            check(code, Terminal::Never, retry_in(10), None);
        }
    }

    #[test]
    fn a_410_ends_the_delivery_and_switches_the_endpoint_off_where_the_profile_says_so() {
        check(410, Terminal::Gone, TERMINAL, Some(DisabledReason::Gone));
        check(404, Terminal::Gone, retry_in(10), None);
        check(400, Terminal::Gone, retry_in(10), None);
    }

    // vendors.md ALV-DEL-5, ALV-DEL-6.
    #[test]
    fn client_errors_are_final_where_the_profile_says_so_but_leave_the_endpoint_on() {
        for code in [400, 401, 403, 404, 409, 410, 422, 499] {
            check(code, Terminal::ClientErrors, TERMINAL, None);
        }
    }

    #[test]
    fn the_last_failed_attempt_exhausts_the_delivery() {
        assert_eq!(verdict(status(503), Terminal::Gone, 2).next, retry_in(100));
        assert_eq!(verdict(status(503), Terminal::Gone, 3).next, EXHAUSTED);
        let timeout = Answer::Failed(OutcomeKind::Timeout);
        assert_eq!(verdict(timeout, Terminal::Gone, 3).next, EXHAUSTED);
    }

    #[test]
    fn a_final_answer_to_the_last_attempt_is_terminal_rather_than_exhausted() {
        let got = verdict(status(410), Terminal::Gone, 3);
        assert_eq!((got.next, got.disable), (TERMINAL, Some(DisabledReason::Gone)));
    }

    #[test]
    fn a_receiver_that_asks_for_more_time_gets_it() {
        let asks = |s| Answer::Status { code: 503, retry_after: Some(Duration::from_secs(s)) };
        assert_eq!(verdict(asks(60), Terminal::Gone, 1).next, retry_in(60));
        assert_eq!(verdict(asks(3), Terminal::Gone, 1).next, retry_in(10));
    }

    // vendors.md ALY-DEL-3, ALV-DEL-5, ARY-DEL-4.
    #[test]
    fn a_failure_without_an_answer_is_recorded_as_it_is_and_tried_again() {
        for (outcome, slow) in [
            (OutcomeKind::Timeout, true),
            (OutcomeKind::Connect, true),
            (OutcomeKind::Tls, true),
            (OutcomeKind::Dns, true),
            (OutcomeKind::Blocked, false),
            (OutcomeKind::TooLarge, false),
        ] {
            for terminal in ALWAYS {
                let want = Verdict { outcome, next: retry_in(10), disable: None, slow_down: slow };
                assert_eq!(verdict(Answer::Failed(outcome), terminal, 1), want);
            }
        }
    }

    #[test]
    fn an_overloaded_receiver_is_slowed_down_for_a_mistaken_one_is_not() {
        for (code, slow) in [(429, true), (500, true), (503, true), (404, false), (302, false)] {
            assert_eq!(verdict(status(code), Terminal::Gone, 1).slow_down, slow, "{code}");
        }
    }
}
