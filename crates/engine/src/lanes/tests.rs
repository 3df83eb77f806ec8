//! What the lanes note, and when.

use hookyard_domain::delivery::Next;
use hookyard_domain::id::EventId;
use hookyard_store::ledger::{LaneNote, Record};
use hookyard_testkit::clock::FixedClock;
use hookyard_testkit::make;

use super::*;

const TENANT: TenantNo = TenantNo(1);
const ENDPOINT: EndpointNo = EndpointNo(1);

fn lanes(shared: bool) -> Lanes {
    Lanes::new(Arc::new(FixedClock::new(make::NOW)), 1, 1 << 20, shared)
}

fn event(key: u64) -> Arc<Event> {
    let content = make::content("order.created");
    let id = EventId::of(EventKey(key), 0);
    Arc::new(Event { id, tenant: TENANT, accepted_at: make::NOW, content })
}

fn delivery(key: u64) -> DeliveryId {
    EventId::of(EventKey(key), 0).delivery(TargetNo(0))
}

fn offer(lanes: &Lanes, key: u64) {
    lanes.offer(lanes.term(), std::iter::once((event(key), TargetNo(0), ENDPOINT)));
}

fn ended(key: u64) -> Record {
    make::record(TENANT, ENDPOINT, delivery(key), None, Next::Succeeded)
}

fn mark(notes: &[LaneNote]) -> Option<EventKey> {
    notes.iter().find(|it| it.endpoint == ENDPOINT).map(|it| it.mark)
}

#[tokio::test]
async fn a_lane_is_noted_again_and_again_after_a_delivery_of_it_was_cancelled() {
    let lanes = lanes(false);
    offer(&lanes, 1);
    lanes.cancelled(ENDPOINT, delivery(1));
    assert_eq!(mark(&lanes.notes()), Some(EventKey(2)));
    for key in 2..4 {
        offer(&lanes, key);
        lanes.recorded(&[ended(key)]);
        assert_eq!(mark(&lanes.notes()), Some(EventKey(key + 1)));
    }
    assert_eq!(lanes.notes(), []);
}

#[tokio::test]
async fn what_others_are_to_send_or_nobody_moves_the_mark() {
    let lanes = lanes(true);
    let passed =
        |key| Given { tenant: TENANT, endpoint: ENDPOINT, key: EventKey(key), mine: false };
    lanes.gave(lanes.term(), &[passed(3), passed(4)]);
    assert_eq!(mark(&lanes.notes()), Some(EventKey(5)));
    // Not past what is still to be sent from here.
    offer(&lanes, 5);
    lanes.gave(lanes.term(), &[passed(6)]);
    assert_eq!(mark(&lanes.notes()), Some(EventKey(5)));
    lanes.recorded(&[ended(5)]);
    assert_eq!(mark(&lanes.notes()), Some(EventKey(7)));
}

#[tokio::test]
async fn what_is_passed_while_something_is_left_in_the_store_is_looked_through_with_it() {
    let lanes = lanes(true);
    let owed = hookyard_store::ledger::Owed {
        tenant: TENANT,
        endpoint: ENDPOINT,
        from: EventKey(2),
        last: EventKey(3),
        due: None,
        activity: Activity::default(),
    };
    lanes.resume(lanes.term(), &[owed]);
    let passed = Given { tenant: TENANT, endpoint: ENDPOINT, key: EventKey(9), mine: false };
    lanes.gave(lanes.term(), &[passed]);
    assert_eq!(mark(&lanes.notes()), Some(EventKey(2)));
    // It was read before that.
    let refill = |through| hookyard_store::ledger::Refill {
        through: EventKey(through),
        ..hookyard_store::ledger::Refill::default()
    };
    lanes.refilled(lanes.term(), ENDPOINT, Some(refill(3)));
    lanes.refilled(lanes.term(), ENDPOINT, Some(refill(9)));
    assert_eq!(mark(&lanes.notes()), Some(EventKey(10)));
}

#[tokio::test]
async fn a_node_notes_what_it_counted_itself_and_not_what_others_did() {
    let all = Activity { delivery_count: 7, ..Activity::default() };
    for (shared, count) in [(true, 0), (false, 7)] {
        let lanes = lanes(shared);
        lanes.configure(None, None, vec![(ENDPOINT, all)]);
        offer(&lanes, 1);
        lanes.recorded(&[ended(1)]);
        let notes = lanes.notes();
        assert_eq!(notes.first().map(|it| it.activity.delivery_count), Some(count));
    }
}
