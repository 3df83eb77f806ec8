//! The engine's metrics: every name in one place, every handle made once.

use hookyard_domain::attempt::OutcomeKind;
use metrics::{Counter, Histogram, counter, describe_counter, describe_histogram, histogram};

const ACCEPTED: &str = "hookyard_events_accepted_total";
const ATTEMPTS: &str = "hookyard_attempts_total";
const ATTEMPT_SECONDS: &str = "hookyard_attempt_duration_seconds";
const DELIVERY_SECONDS: &str = "hookyard_delivery_delay_seconds";
const BATCH: &str = "hookyard_commit_batch_events";
const DISABLED: &str = "hookyard_endpoints_disabled_total";

const TAKEOVERS: &str = "hookyard_takeovers_total";
const TAKEN_OVER: &str = "hookyard_taken_over_deliveries_total";
const STALE: &str = "hookyard_stale_results_total";

const OUTCOMES: [OutcomeKind; 8] = [
    OutcomeKind::Succeeded,
    OutcomeKind::HttpError,
    OutcomeKind::Timeout,
    OutcomeKind::Connect,
    OutcomeKind::Tls,
    OutcomeKind::Dns,
    OutcomeKind::Blocked,
    OutcomeKind::TooLarge,
];

#[derive(Clone)]
pub(crate) struct Metrics {
    pub accepted: Counter,
    pub batch: Histogram,
    pub attempt_seconds: Histogram,
    /// From acceptance to the success of a first attempt.
    pub delivery_seconds: Histogram,
    pub disabled: Counter,
    pub takeovers: Counter,
    pub taken_over: Counter,
    pub stale: Counter,
    attempts: Vec<(OutcomeKind, Counter)>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        describe_counter!(ACCEPTED, "Events accepted and on disk");
        describe_counter!(ATTEMPTS, "Attempts that ended, by outcome");
        describe_histogram!(ATTEMPT_SECONDS, "Duration of attempts");
        describe_histogram!(DELIVERY_SECONDS, "From acceptance to success at the first attempt");
        describe_histogram!(BATCH, "Events of one transaction");
        describe_counter!(DISABLED, "Endpoints switched off by the gateway");
        describe_counter!(TAKEOVERS, "Silent nodes that this one found and took over from first");
        describe_counter!(TAKEN_OVER, "Deliveries taken over from other nodes");
        describe_counter!(STALE, "Outcomes not written since others had taken over");
        Self {
            accepted: counter!(ACCEPTED),
            batch: histogram!(BATCH),
            attempt_seconds: histogram!(ATTEMPT_SECONDS),
            delivery_seconds: histogram!(DELIVERY_SECONDS),
            disabled: counter!(DISABLED),
            takeovers: counter!(TAKEOVERS),
            taken_over: counter!(TAKEN_OVER),
            stale: counter!(STALE),
            attempts: OUTCOMES
                .into_iter()
                .map(|it| (it, counter!(ATTEMPTS, "outcome" => it.as_str())))
                .collect(),
        }
    }

    pub(crate) fn attempt(&self, outcome: OutcomeKind) {
        if let Some((_, counter)) = self.attempts.iter().find(|(it, _)| *it == outcome) {
            counter.increment(1);
        }
    }
}
