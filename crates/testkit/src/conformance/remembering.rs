//! Idempotent replies: taken once, answered again, forgotten in time.

use std::time::Duration;

use hookyard_domain::secret::Sealed;
use hookyard_store::memory::{Recalled, ReplyKey};

use super::world::{Cellar, World};
use crate::make;

fn key(owner: &str) -> ReplyKey {
    ReplyKey { owner: owner.into(), key: "k-1".into() }
}

async fn recall(world: &World, owner: &str, request: u8) -> Recalled {
    let (key, now) = (key(owner), world.now());
    let expired = now.minus(Duration::from_secs(100));
    world.store().recall(&key, [request; 32], now, expired).await.unwrap()
}

/// A key is fresh, then running, then replied; for another request it is neither.
pub async fn a_reply_is_given_again(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    assert_eq!(recall(&world, "acme", 1).await, Recalled::Fresh);
    assert_eq!(recall(&world, "acme", 1).await, Recalled::Running);
    assert_eq!(recall(&world, "acme", 2).await, Recalled::OtherRequest);
    assert_eq!(recall(&world, "operator", 2).await, Recalled::Fresh, "owners do not meet");
    let reply = Sealed(vec![1, 0, 255]);
    world.store().remember(&key("acme"), reply.clone()).await.unwrap();
    world.cellar.reopen().await;
    assert_eq!(recall(&world, "acme", 1).await, Recalled::Replied(reply));
    assert_eq!(recall(&world, "acme", 2).await, Recalled::OtherRequest);
}

/// A key that was given back is fresh.
pub async fn a_key_given_back_is_fresh(cellar: Cellar) {
    let world = World::new(cellar).await;
    recall(&world, "acme", 1).await;
    world.store().forget(&key("acme")).await.unwrap();
    assert_eq!(recall(&world, "acme", 2).await, Recalled::Fresh);
}

/// A key taken by a process that has ended may stand for something that was done: it is not fresh before it is old.
pub async fn a_key_of_an_ended_process_is_not_fresh_again(cellar: Cellar) {
    let mut world = World::new(cellar).await;
    recall(&world, "acme", 1).await;
    world.cellar.reopen().await;
    for _ in 0..2 {
        assert_eq!(recall(&world, "acme", 1).await, Recalled::Unknown);
        assert_eq!(recall(&world, "acme", 2).await, Recalled::OtherRequest);
    }
    world.store().forget(&key("acme")).await.unwrap();
    assert_eq!(recall(&world, "acme", 2).await, Recalled::Fresh);
    world.cellar.reopen().await;
    world.clock.advance(Duration::from_secs(101));
    assert_eq!(recall(&world, "acme", 2).await, Recalled::Fresh);
}

/// A key whose request was broken off may stand for something that was done; one that was answered keeps its answer.
pub async fn a_key_whose_request_was_broken_off_is_not_fresh_again(cellar: Cellar) {
    let world = World::new(cellar).await;
    recall(&world, "acme", 1).await;
    recall(&world, "other", 1).await;
    world.store().remember(&key("other"), Sealed(vec![1])).await.unwrap();
    for owner in ["acme", "other", "nobody"] {
        world.store().lose(&key(owner)).await.unwrap();
    }
    assert_eq!(recall(&world, "acme", 1).await, Recalled::Unknown);
    assert_eq!(recall(&world, "other", 1).await, Recalled::Replied(Sealed(vec![1])));
    assert_eq!(recall(&world, "nobody", 1).await, Recalled::Fresh);
}

/// An old key is fresh again, answered or not.
pub async fn an_old_key_is_fresh(cellar: Cellar) {
    let world = World::new(cellar).await;
    recall(&world, "acme", 1).await;
    recall(&world, "other", 1).await;
    world.store().remember(&key("acme"), Sealed(vec![1])).await.unwrap();
    world.clock.advance(Duration::from_secs(101));
    for owner in ["acme", "other"] {
        assert_eq!(recall(&world, owner, 2).await, Recalled::Fresh);
    }
}

/// Old replies are dropped, and counted.
pub async fn old_replies_are_dropped(cellar: Cellar) {
    let world = World::new(cellar).await;
    recall(&world, "old", 1).await;
    let later = world.tick();
    recall(&world, "new", 1).await;
    assert_eq!(world.store().forget_before(later).await.unwrap(), 1);
    assert_eq!(world.store().forget_before(later).await.unwrap(), 0);
    assert_eq!(recall(&world, "new", 1).await, Recalled::Running);
}

/// The next tenant of a name is not given what the one before was answered.
pub async fn a_deleted_tenants_replies_go_with_it(cellar: Cellar) {
    let world = World::new(cellar).await;
    recall(&world, "acme", 1).await;
    world.store().remember(&key("acme"), Sealed(vec![1])).await.unwrap();
    world.store().delete_tenant(world.tenant, make::audit("tenant.deleted")).await.unwrap();
    assert_eq!(recall(&world, "acme", 1).await, Recalled::Fresh);
}
