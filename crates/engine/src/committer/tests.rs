//! Tests of what is written when.

use std::pin::pin;
use std::task::{Context, Waker};

use hookyard_domain::delivery::Next;
use hookyard_domain::endpoint::{Activity, EndpointNo};
use hookyard_domain::id::{EventId, EventKey, TargetNo};
use hookyard_domain::tenant::TenantNo;
use hookyard_store::ledger::Owed;
use hookyard_testkit::clock::FixedClock;
use hookyard_testkit::make;

use super::queue::GATHER_RECORDS;
use super::*;

fn failure() -> Record {
    let delivery = EventId::of(EventKey(7), 0).delivery(TargetNo(0));
    make::record(TenantNo(1), EndpointNo(1), delivery, None, Next::Succeeded)
}

fn lanes() -> Lanes {
    Lanes::new(Arc::new(FixedClock::new(make::NOW)), 1, 1 << 20, true)
}

/// What a node that comes back finds owed.
fn owed() -> [Owed; 1] {
    [Owed {
        tenant: TenantNo(1),
        endpoint: EndpointNo(1),
        from: EventKey(7),
        last: EventKey(9),
        due: None,
        activity: Activity::default(),
    }]
}

#[test]
fn outcomes_that_gather_do_not_weigh_on_a_publishers_commit() {
    let committer = Committer::new();
    assert!(committer.gather(0, failure()));
    let (reply, _answer) = oneshot::channel();
    committer.submit(Submission { accepts: Vec::new(), reply });
    let taken = committer.take().unwrap();
    assert_eq!((taken.submissions.len(), taken.records.len()), (1, 0));
}

#[test]
fn outcomes_that_gather_are_written_by_themselves_after_a_while() {
    let committer = Committer::new();
    assert!(committer.gather(0, failure()));
    assert_eq!(committer.take().unwrap().records.len(), 1);
}

#[test]
fn a_full_gathering_goes_with_the_next_commit() {
    let committer = Committer::new();
    assert!((0..GATHER_RECORDS).all(|_| committer.gather(0, failure())));
    committer.nudge();
    assert_eq!(committer.take().unwrap().records.len(), GATHER_RECORDS);
}

#[test]
fn what_gathers_is_written_at_once_when_somebody_waits_for_it() {
    let committer = Committer::new();
    assert!(committer.gather(0, failure()));
    let _written = committer.flush();
    let taken = committer.take().unwrap();
    assert_eq!((taken.records.len(), taken.awaited.len()), (1, 1));
}

#[test]
fn what_gathers_when_the_node_stops_is_written_before_it_ends() {
    let committer = Committer::new();
    assert!(committer.gather(0, failure()));
    committer.close();
    assert_eq!(committer.take().unwrap().records.len(), 1);
    assert!(committer.take().is_none());
}

#[test]
fn what_gathers_when_others_take_over_is_stale() {
    let committer = Committer::new();
    assert!(committer.gather(0, failure()));
    assert_eq!(committer.suspend(&lanes()), (1, 1));
    assert!(!committer.gather(0, failure()));
    committer.close();
    assert!(committer.take().is_none());
}

#[test]
fn a_commit_that_is_refused_while_the_node_comes_back_takes_nothing_from_it() {
    let (committer, lanes) = (Committer::new(), lanes());
    // The committer's thread and the heartbeat find out one after the other.
    assert_eq!(committer.suspend_in(0, &lanes), 0);
    let (term, _) = committer.suspend(&lanes);
    lanes.resume(term, &owed());
    // A batch of the first term is refused only now.
    assert_eq!(committer.suspend_in(0, &lanes), 0);
    assert!(committer.go_on(term) && !committer.is_suspended());
    assert_eq!((lanes.term(), lanes.gauges().lanes), (term, 1));
    assert!(committer.gather(lanes.term(), failure()), "the queue and the lanes are in one term");
}

#[test]
fn a_node_that_is_taken_over_while_it_comes_back_begins_anew() {
    let (committer, lanes) = (Committer::new(), lanes());
    let (first, _) = committer.suspend(&lanes);
    // What it had read by then is not its own any more.
    committer.suspend_in(first, &lanes);
    lanes.resume(first, &owed());
    assert_eq!(lanes.gauges().lanes, 0);
    assert!(!committer.go_on(first) && committer.is_suspended());
    let (second, _) = committer.suspend(&lanes);
    lanes.resume(second, &owed());
    assert!(committer.go_on(second) && !committer.is_suspended());
    assert_eq!((lanes.term(), lanes.gauges().lanes), (second, 1));
}

#[test]
fn coming_back_waits_for_the_batch_that_is_being_written() {
    let committer = Committer::new();
    committer.nudge();
    assert!(committer.take().is_some());
    let mut rested = pin!(committer.rested());
    let mut context = Context::from_waker(Waker::noop());
    assert!(rested.as_mut().poll(&mut context).is_pending());
    // The thread comes for the next one when what became of the last is told.
    committer.close();
    assert!(committer.take().is_none());
    assert!(rested.as_mut().poll(&mut context).is_ready());
}
