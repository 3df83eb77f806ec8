//! Tests of what is written when.

use hookyard_domain::delivery::Next;
use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::id::{EventId, EventKey};
use hookyard_domain::tenant::TenantNo;
use hookyard_testkit::make;

use super::queue::GATHER_RECORDS;
use super::*;

fn failure() -> Record {
    let delivery = EventId::of(EventKey(7), 0).delivery(TargetNo(0));
    make::record(TenantNo(1), EndpointNo(1), delivery, None, Next::Succeeded)
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
    assert_eq!(committer.suspend(), (1, 1));
    assert!(!committer.gather(0, failure()));
    committer.close();
    assert!(committer.take().is_none());
}
