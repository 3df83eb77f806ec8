//! Counting in memory: the minute under way as this process has counted it, and what a batch makes of it.
//!
//! A row is written whole each time, never added to, so that nothing has to be read back and a batch that is written twice
//! counts once. A process writes rows of its own alone.

use std::collections::HashMap;

use hookyard_domain::attempt::Trigger;
use hookyard_domain::delivery::Next;
use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::statistics::{CodeClass, Span, Tally, outcome_place};
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;

use crate::ledger::{Batch, Receipt, Record};

/// What a row tells of: an endpoint, or with `EndpointNo(0)`, which none has, the tenant as a whole.
type Of = (TenantNo, EndpointNo);

/// The row of a tenant as a whole.
const WHOLE: EndpointNo = EndpointNo(0);

/// What this process has counted in the minute under way.
#[derive(Debug, Default)]
pub struct Counting {
    minute: i64,
    tallies: HashMap<Of, Tally>,
}

/// Rows of one minute, as they are after a batch.
#[derive(Debug, Default)]
pub struct Counted {
    /// The minute, since 1970.
    pub minute: i64,
    /// What each row tells of, and what it holds.
    pub rows: HashMap<(TenantNo, EndpointNo), Tally>,
}

impl Counting {
    /// What a batch makes of the minute. Nothing is kept until [`Counting::keep`] is told that it was written.
    #[must_use]
    pub fn with(&self, batch: &Batch, receipts: &[Receipt]) -> Counted {
        // A clock that steps back must not begin a minute again: its rows would be written anew, without what they hold.
        let minute = minute_of(batch.now).max(self.minute);
        let mut draft = Draft { before: self, counted: Counted { minute, rows: HashMap::new() } };
        for (accept, receipt) in batch.accepts.iter().zip(receipts) {
            if !matches!(receipt, Receipt::Accepted { .. }) || accept.sent_by_publisher.is_some() {
                continue;
            }
            draft.row((accept.tenant, WHOLE)).events += 1;
            for target in accept.targets.iter().filter(|it| it.discarded.is_some()) {
                draft.both(accept.tenant, target.endpoint, |tally| tally.discarded += 1);
            }
        }
        for record in &batch.records {
            let is_test = record.attempt.as_ref().is_some_and(|it| it.trigger == Trigger::Test);
            if !is_test {
                draft.both(record.tenant, record.endpoint, |tally| count(tally, record));
            }
        }
        draft.counted
    }

    /// These rows are on disk.
    pub fn keep(&mut self, counted: Counted) {
        if counted.minute > self.minute {
            self.minute = counted.minute;
            self.tallies.clear();
        }
        self.tallies.extend(counted.rows);
    }
}

struct Draft<'a> {
    before: &'a Counting,
    counted: Counted,
}

impl Draft<'_> {
    fn row(&mut self, of: Of) -> &mut Tally {
        let before = Some(self.before).filter(|it| it.minute == self.counted.minute);
        let begun = || before.and_then(|it| it.tallies.get(&of)).cloned().unwrap_or_default();
        self.counted.rows.entry(of).or_insert_with(begun)
    }

    fn both(&mut self, tenant: TenantNo, endpoint: EndpointNo, count: impl Fn(&mut Tally)) {
        count(self.row((tenant, WHOLE)));
        count(self.row((tenant, endpoint)));
    }
}

fn minute_of(time: Timestamp) -> i64 {
    time.as_secs().div_euclid(Span::Minute.seconds() as i64)
}

fn count(tally: &mut Tally, record: &Record) {
    match record.next {
        Next::Succeeded => tally.succeeded += 1,
        Next::RetryAt(_) => tally.retried += 1,
        Next::Failed(_) => tally.failed += 1,
        Next::Discarded(_) => tally.discarded += 1,
    }
    let Some(attempt) = &record.attempt else { return };
    tally.outcomes[outcome_place(attempt.outcome)] += 1;
    tally.codes[CodeClass::of(attempt.status_code).place()] += 1;
    if attempt.status_code.is_some() {
        tally.response_time.count(std::time::Duration::from_millis(attempt.took_ms.into()));
    }
    // What is sent again by hand was accepted long ago.
    if record.next == Next::Succeeded && attempt.trigger == Trigger::Automatic {
        tally.delivery_time.count(record.at.since(record.delivery.event().key().time()));
    }
}
