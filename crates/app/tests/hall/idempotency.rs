//! Requests with an `Idempotency-Key`.

use std::time::Duration;

use hookyard_app::{Begin, IdempotencyKey, NewTenant, Ticket, request_hash};

use crate::world::{World, code};

async fn begin(world: &World, key: &str, body: &str) -> Result<Begin, hookyard_app::AppError> {
    let key = IdempotencyKey::from_header(key.as_bytes()).unwrap();
    let request = request_hash(&[b"POST", b"/v1/tenants", body.as_bytes()]);
    world.app.idempotent_begin(&world.operator, &key, request).await
}

async fn ticket(world: &World, key: &str) -> Ticket {
    match begin(world, key, "{}").await {
        Ok(Begin::Execute(ticket)) => ticket,
        other => panic!("a fresh key wanted, got {other:?}"),
    }
}

#[tokio::test]
async fn the_first_reply_is_given_again_for_the_same_request_only() {
    let world = World::new().await;
    let first = ticket(&world, "k").await;
    assert_eq!(code(begin(&world, "k", "{}").await), "idempotency_key_in_use");
    world.app.idempotent_finish(first, b"201 whsec_x").await.unwrap();
    let again = begin(&world, "k", "{}").await.unwrap();
    assert!(matches!(again, Begin::Replay(reply) if reply == b"201 whsec_x"));
    assert_eq!(code(begin(&world, "k", "[]").await), "idempotency_key_reused");
    world.end().await;
}

#[tokio::test]
async fn a_key_is_forgotten_after_a_day() {
    let world = World::new().await;
    let first = ticket(&world, "k").await;
    world.app.idempotent_finish(first, b"201").await.unwrap();
    world.clock.forward(Duration::from_secs(24 * 3600 + 1));
    world.app.idempotent_abandon(ticket(&world, "k").await).await.unwrap();
    world.end().await;
}

#[tokio::test]
async fn a_key_that_was_given_back_is_fresh_again_and_one_that_was_let_fall_is_not() {
    let world = World::new().await;
    let given_back = ticket(&world, "k").await;
    world.app.idempotent_abandon(given_back).await.unwrap();
    let let_fall = ticket(&world, "k").await;
    drop(let_fall);
    for _ in 0..2 {
        // Its request may have been done.
        assert_eq!(code(begin(&world, "k", "{}").await), "idempotency_outcome_unknown");
    }
    assert_eq!(code(begin(&world, "k", "[]").await), "idempotency_key_reused");
    world.end().await;
}

#[tokio::test]
async fn one_callers_keys_are_not_anothers() {
    let world = World::new().await;
    world.tenant(NewTenant { id: "operator".into(), ..NewTenant::default() }).await;
    let first = ticket(&world, "k").await;
    world.app.idempotent_finish(first, b"201 whsec_x").await.unwrap();
    let request = request_hash(&[b"POST", b"/v1/tenants", b"{}"]);
    let key = IdempotencyKey::from_header(b"k").unwrap();
    for (tenant, scopes) in [("operator", ["admin"]), ("acme", ["admin"]), ("acme", ["read"])] {
        let caller = world.caller(tenant, &scopes).await;
        let begun = world.app.idempotent_begin(&caller, &key, request).await.unwrap();
        assert!(matches!(begun, Begin::Execute(_)), "{tenant} {scopes:?}");
    }
    world.end().await;
}
