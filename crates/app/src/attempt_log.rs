//! The attempts to one endpoint as a log: read from its deliveries, newest event first, down to a bound.

use std::collections::BTreeSet;

use hookyard_domain::attempt::{Attempt, OutcomeKind};
use hookyard_domain::delivery::{Delivery, DeliveryStatus};
use hookyard_domain::event_type::EventType;
use hookyard_domain::id::DeliveryId;
use hookyard_domain::limit::PAGE_MAX;
use hookyard_domain::page::PageRequest;
use hookyard_domain::subscription::Pattern;
use hookyard_domain::time::Timestamp;
use hookyard_store::history::DeliveryFilter;

use crate::checks::Checks;
use crate::powers::Power;
use crate::{App, AppError, Caller};

/// Pages that are read for one log at most: an endpoint that was off for long has nothing but discarded deliveries.
const PAGES_MAX: usize = 400;

/// Which attempts, as it was written.
#[derive(Clone, Debug, Default)]
pub struct LogQuery {
    /// To this endpoint.
    pub endpoint: String,
    /// Of events of these types; of all when there are none.
    pub event_types: Vec<String>,
    /// Of events accepted at or after.
    pub since: Option<String>,
    /// Of events accepted before.
    pub until: Option<String>,
}

/// What a log is made of.
#[derive(Clone, Debug, Default)]
pub struct AttemptLog {
    /// The deliveries that were tried at least once, newest event first.
    pub tried: Vec<Delivery>,
    /// How many were discarded without an attempt.
    pub discarded: u64,
    /// Those, newest event first, down to the same bound.
    pub skipped: Vec<Delivery>,
    /// It goes back to here only, since the bound was reached.
    pub cut_at: Option<Timestamp>,
}

/// One attempt, without what was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedAttempt {
    /// The delivery tried.
    pub delivery: DeliveryId,
    /// Its event's type.
    pub event_type: EventType,
    /// From 1.
    pub number: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u32,
    /// What came of it.
    pub outcome: OutcomeKind,
    /// The answer's status code.
    pub status_code: Option<u16>,
    /// For people: why it failed.
    pub error: Option<String>,
}

impl LoggedAttempt {
    /// One attempt of a delivery.
    #[must_use]
    pub fn new(delivery: DeliveryId, event_type: EventType, attempt: Attempt) -> Self {
        Self {
            delivery,
            event_type,
            number: attempt.number,
            started_at: attempt.started_at,
            took_ms: attempt.took_ms,
            outcome: attempt.outcome,
            status_code: attempt.status_code,
            error: attempt.error,
        }
    }
}

impl App {
    /// The deliveries to an endpoint that were tried, down to `attempts_max` attempts in all.
    pub async fn attempt_log(
        &self,
        caller: &Caller,
        tenant: &str,
        query: LogQuery,
        attempts_max: u64,
    ) -> Result<AttemptLog, AppError> {
        let no = self.tenant_for(caller, tenant, Power::Look).await?;
        let endpoint = self.load_endpoint(caller, no, &query.endpoint).await?;
        let mut checks = Checks::default();
        let types = query.event_types.iter();
        let types = types.filter_map(|it| checks.parse("type", "bad_event_type", Some(it)));
        let types: BTreeSet<EventType> = types.collect();
        let filter = DeliveryFilter {
            endpoint: Some(endpoint.no),
            status: None,
            event_type: types.first().filter(|_| types.len() == 1).cloned().map(Pattern::Exact),
            since: checks.time("since", query.since.as_deref()),
            until: checks.time("until", query.until.as_deref()),
        };
        checks.done()?;
        let mut log = AttemptLog::default();
        let mut attempts = 0;
        let mut page = PageRequest::first(PAGE_MAX);
        for read in 1.. {
            let found = self.store().deliveries(no, filter.clone(), page.clone()).await?;
            for delivery in found.rows {
                if !types.is_empty() && !types.contains(&delivery.event_type) {
                    continue;
                }
                if delivery.attempts > 0 {
                    attempts += u64::from(delivery.attempts);
                    if attempts > attempts_max {
                        log.cut_at = log.tried.last().map(|it: &Delivery| it.created_at);
                        return Ok(log);
                    }
                    log.tried.push(delivery);
                } else if delivery.status == DeliveryStatus::Discarded {
                    log.discarded += 1;
                    if log.discarded <= attempts_max {
                        log.skipped.push(delivery);
                    }
                }
            }
            match found.next {
                None => break,
                Some(_) if read == PAGES_MAX => {
                    log.cut_at = log.tried.last().map(|it| it.created_at);
                    break;
                }
                cursor => page.cursor = cursor,
            }
        }
        Ok(log)
    }

    /// The attempts of such deliveries, in their order, each delivery's newest first.
    pub async fn logged_attempts(
        &self,
        caller: &Caller,
        tenant: &str,
        deliveries: &[Delivery],
    ) -> Result<Vec<LoggedAttempt>, AppError> {
        let no = self.tenant_for(caller, tenant, Power::Look).await?;
        let mut logged = Vec::new();
        for delivery in deliveries {
            let mut page = PageRequest::first(PAGE_MAX);
            // A delivery that was pruned in the meantime has no attempts any more.
            while let Some(found) = self.store().attempts(no, delivery.id, page.clone()).await? {
                logged.extend(
                    found
                        .rows
                        .into_iter()
                        .map(|it| LoggedAttempt::new(delivery.id, delivery.event_type.clone(), it)),
                );
                if found.next.is_none() {
                    break;
                }
                page.cursor = found.next;
            }
        }
        Ok(logged)
    }
}
