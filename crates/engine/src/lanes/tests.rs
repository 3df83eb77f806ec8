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
