//! Answers that end a delivery at once, and those that do not (contract §4).

use hookyard_domain::delivery::{DeliveryStatus, EndReason};
use hookyard_domain::endpoint::{DisabledReason, EndpointStatus};
use hookyard_domain::profile::Profile;
use hookyard_testkit::sink::Reply;

use crate::world::{World, only};

/// What one answer makes of a delivery: `None` when it is to be tried again.
async fn after(world: &World, status: u16) -> Option<EndReason> {
    world.sink.script([Reply::status(status)]);
    let delivery = world.attempted(only(world.publish().await), 1).await;
    match delivery.status {
        DeliveryStatus::Failed => delivery.reason,
        DeliveryStatus::Pending => {
            assert!(delivery.next_attempt_at.is_some(), "{delivery:?}");
            None
        }
        DeliveryStatus::Sending
        | DeliveryStatus::Succeeded
        | DeliveryStatus::Cancelled
        | DeliveryStatus::Discarded => panic!("{delivery:?} after {status}"),
    }
}

#[tokio::test]
async fn alvys_gives_up_on_client_errors_but_not_on_408_and_429() {
    let world = World::new().await;
    world.endpoint(|it| it.profile = Profile::Alvys).await;
    for status in [400, 401, 403, 404, 409, 410, 422] {
        assert_eq!(after(&world, status).await, Some(EndReason::Terminal), "{status}");
    }
    for status in [302, 408, 429, 500, 502, 503] {
        assert_eq!(after(&world, status).await, None, "{status}");
    }
}

#[tokio::test]
async fn aly_and_aryeo_try_everything_again_410_too() {
    for profile in [Profile::Aly, Profile::Aryeo] {
        let world = World::new().await;
        let endpoint = world.endpoint(|it| it.profile = profile).await;
        for status in [301, 400, 404, 410, 429, 500] {
            assert_eq!(after(&world, status).await, None, "{status} under {profile}");
        }
        assert_eq!(world.endpoint_now(&endpoint).await.status, EndpointStatus::Active);
    }
}

#[tokio::test]
async fn standard_and_alumia_give_up_on_410_alone_and_switch_the_endpoint_off() {
    for profile in [Profile::Standard, Profile::Alumia] {
        let world = World::new().await;
        let endpoint = world.endpoint(|it| it.profile = profile).await;
        for status in [302, 400, 404, 429, 500] {
            assert_eq!(after(&world, status).await, None, "{status} under {profile}");
        }
        assert_eq!(after(&world, 410).await, Some(EndReason::Terminal), "{profile}");
        let now = world.off(&endpoint).await;
        assert_eq!(now.disabled_reason, Some(DisabledReason::Gone));
        let next = only(world.publish().await);
        let discarded = world.ended(next, DeliveryStatus::Discarded).await;
        assert_eq!(discarded.reason, Some(EndReason::EndpointDisabled));
    }
}
