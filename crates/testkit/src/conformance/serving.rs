//! A node among others, or alone: what the store keeps of it, and what it gives to the one that alone sends to an endpoint.

use std::time::Duration;

use hookyard_domain::id::EventKey;
use hookyard_domain::node::NodeStatus;
use hookyard_store::ledger::Receipt;
use hookyard_store::nodes::TakenOver;

use super::world::{Cellar, World, first};
use crate::make;

/// What waits comes in order of acceptance, up to the first that is not due.
pub async fn what_waits_comes_in_its_order(cellar: Cellar) {
    let world = World::new(cellar).await;
    let [endpoint, other] = [world.endpoint().await, world.endpoint().await];
    let events = world.many_accepted(&[endpoint, other], 4).await;
    let start = world.now();
    let at = |seconds| start.plus(Duration::from_secs(seconds));
    for (event, seconds) in events.iter().zip([10, 5, 30, 1]) {
        world.retried_at(endpoint, first(*event), at(seconds)).await;
    }
    world.clock.set(at(20));
    let ask = async |skip: &[_], many| {
        let (store, share) = (world.store(), make::share(many));
        let page = store.due_in_order(world.tenant, endpoint, world.now(), share, skip);
        let page = page.await.unwrap();
        (page.due.iter().map(|it| it.delivery).collect::<Vec<_>>(), page.next)
    };
    let ids: Vec<_> = events.iter().map(|it| first(*it)).collect();
    // The fourth is due long since, and stands behind the third.
    assert_eq!(ask(&[], 10).await, (vec![ids[0], ids[1]], Some(at(30))));
    assert_eq!(ask(&[ids[0]], 10).await, (vec![ids[1]], Some(at(30))));
    assert_eq!(ask(&[], 1).await, (vec![ids[0]], Some(at(5))));
    world.clock.set(at(30));
    assert_eq!(ask(&[], 10).await, (ids, None));
}

/// A delivery that one node alone sends is owed or waits, and is there once: after a restart too.
pub async fn what_one_node_alone_sends_is_there_once(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    let [alone, usual] = [world.endpoint().await, world.endpoint().await];
    let mut accept = world.event(&[usual, alone]).await;
    accept.singles = vec![alone];
    let receipt = world.accept(accept).await;
    let Receipt::Accepted { id } = receipt else { panic!("{receipt:?}") };
    for _ in 0..2 {
        let given = world.store().sends_alone(alone);
        let now = world.now();
        let share = || make::share(10);
        let owed = world.store().refill(world.tenant, alone, EventKey(0), share()).await.unwrap();
        let due = world.store().due_in_order(world.tenant, alone, now, share(), &[]).await.unwrap();
        assert_eq!(owed.owed.len() + due.due.len(), 1, "{owed:?} {due:?}");
        if let Some(one) = due.due.first() {
            assert!(given.is_some());
            assert_eq!((one.event.id, one.attempts, one.at), (id, 0, now));
        }
        let owed = world.store().refill(world.tenant, usual, EventKey(0), share()).await.unwrap();
        assert_eq!(owed.owed.len(), 1);
        world.cellar.reopen().await;
    }
}

/// A node that has no others serves, takes nothing over, and comes back if it has to.
pub async fn a_node_alone_serves_and_comes_back(cellar: Cellar) {
    let world = World::new(cellar).await;
    let endpoint = world.endpoint().await;
    let event = world.accepted(&[endpoint]).await;
    assert_eq!(world.store().beat(Duration::from_secs(60)).await.unwrap(), 1);
    let silent = Some(Duration::ZERO);
    assert_eq!(world.store().take_over(silent, 100).await.unwrap(), TakenOver::default());
    // Of a store that one process has for itself there is nobody to be listed.
    let nodes = world.store().nodes().await.unwrap();
    assert!(nodes.len() <= 1);
    assert!(nodes.iter().all(|it| it.is_teller && it.status == NodeStatus::Serving), "{nodes:?}");
    assert!(world.store().rejoin().await.unwrap());
    let later = world.accepted(&[endpoint]).await;
    let refill =
        world.store().refill(world.tenant, endpoint, EventKey(0), make::share(10)).await.unwrap();
    let ids: Vec<_> = refill.owed.iter().map(|(event, _)| event.id).collect();
    assert_eq!(ids, [event, later]);
}
