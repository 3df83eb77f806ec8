//! The profiles' schedules from the first attempt to the last (contract §4).

use std::time::Duration;

use hookyard_domain::delivery::{DeliveryStatus, EndReason};
use hookyard_domain::profile::Profile;
use hookyard_domain::retry::RetryPolicy;
use hookyard_domain::time::Timestamp;
use hookyard_rules::signing::{scheme_named, verify_signature};
use hookyard_testkit::sink::{Received, Reply};

use crate::world::{SECRET, World, only, seconds};

/// vendors.md ALY-DEL-6, in seconds.
const ALY: [u64; 23] = {
    let mut all = [14_400; 23];
    (all[0], all[1], all[2], all[3], all[4], all[5]) = (30, 120, 600, 1_800, 3_600, 7_200);
    all
};
/// standards.md §1.3, in seconds.
const STANDARD: [u64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// Fails every attempt of a profile; answers what was received and the delays in seconds.
async fn run(profile: Profile, seed: u64) -> (Vec<Received>, Vec<f64>) {
    let world = World::with_dice(seed).await;
    world.sink.otherwise(Reply::status(500));
    let endpoint = world.endpoint(|it| it.profile = profile).await;
    let delivery = only(world.publish().await);
    let delays = world.run_out(delivery, &endpoint).await;
    let ended = world.ended(delivery, DeliveryStatus::Failed).await;
    assert_eq!(ended.reason, Some(EndReason::Exhausted));
    let received = world.sink.received();
    assert_eq!(received.len(), delays.len() + 1);
    let attempts = world.attempts(delivery).await;
    assert_eq!(attempts.len(), received.len(), "each attempt can be read back");
    for (number, (attempt, request)) in (1..).zip(attempts.iter().zip(&received)) {
        assert_eq!((attempt.number, attempt.status_code), (number, Some(500)));
        assert_verifies(profile, request, attempt.started_at);
    }
    (received, delays.into_iter().map(|ms| ms as f64 / 1_000.0).collect())
}

#[track_caller]
fn assert_verifies(profile: Profile, request: &Received, at: Timestamp) {
    let scheme = scheme_named(profile.as_str()).unwrap();
    let tolerance = Duration::from_secs(1);
    let found = verify_signature(scheme, SECRET, &request.headers, &request.body, tolerance, at);
    assert!(found.valid, "{profile}: {found:?}\n{request:?}");
}

#[track_caller]
fn assert_within(delays: &[f64], wanted: &[u64], jitter: f64) {
    assert_eq!(delays.len(), wanted.len(), "{delays:?}");
    for (delay, wanted) in delays.iter().zip(wanted) {
        let wanted = *wanted as f64;
        let share = (delay - wanted).abs() / wanted;
        assert!(share <= jitter + 1e-6, "{delay} s instead of {wanted} s ± {jitter}");
    }
}

/// How far from the middle the delays lie, as shares of the jitter allowed.
fn spread(delays: &[f64], wanted: &[u64], jitter: f64) -> Vec<f64> {
    delays.iter().zip(wanted).map(|(it, mid)| (it / *mid as f64 - 1.0) / jitter).collect()
}

#[tokio::test]
async fn aly_makes_24_attempts_over_72_hours_each_10_percent_to_either_side() {
    let (received, delays) = run(Profile::Aly, 1).await;
    assert_eq!(received.len(), 24);
    assert_within(&delays, &ALY, 0.1);
    let hours = delays.iter().sum::<f64>() / 3_600.0;
    assert!((64.0..80.0).contains(&hours), "{hours} h");
    let spread = spread(&delays, &ALY, 0.1);
    assert!(spread.iter().any(|it| *it > 0.3) && spread.iter().any(|it| *it < -0.3), "{spread:?}");
    for (number, it) in (1..).zip(&received) {
        assert_eq!(it.header("X-Aly-Attempt"), number.to_string());
        assert_eq!(it.header("X-Aly-Event-Id"), received[0].header("X-Aly-Event-Id"));
        assert_eq!(it.body, received[0].body);
    }
    let fresh = |name: &str| {
        let mut all: Vec<_> = received.iter().map(|it| it.header(name)).collect();
        all.sort_unstable();
        all.dedup();
        all.len()
    };
    assert_eq!(fresh("X-Aly-Delivery-Id"), 24);
    assert_eq!(fresh("X-Aly-Timestamp"), 24);
}

#[tokio::test]
async fn standard_makes_10_attempts_over_three_days_each_20_percent_to_either_side() {
    for (profile, seed) in [(Profile::Standard, 1), (Profile::Standard, 2), (Profile::Alumia, 3)] {
        let (received, delays) = run(profile, seed).await;
        assert_eq!(received.len(), 10);
        assert_within(&delays, &STANDARD, 0.2);
        let times: Vec<_> = received.iter().map(|it| seconds(it, "webhook-timestamp")).collect();
        for (pair, delay) in times.windows(2).zip(&delays) {
            let apart = (pair[1] - pair[0]) as f64;
            assert!((apart - delay).abs() <= 1.0, "{apart} s on the wire, {delay} s due");
        }
        assert!(
            received.iter().all(|it| it.header("webhook-id") == received[0].header("webhook-id"))
        );
    }
}

#[tokio::test]
async fn alvys_makes_4_attempts_without_jitter() {
    let (received, delays) = run(Profile::Alvys, 1).await;
    assert_eq!(delays, [10.0, 30.0, 60.0]);
    let numbers: Vec<_> = received.iter().map(|it| it.header("X-Alvys-Attempt")).collect();
    assert_eq!(numbers, ["1", "2", "3", "4"]);
}

#[tokio::test]
async fn aryeo_makes_3_attempts_without_jitter() {
    let (received, delays) = run(Profile::Aryeo, 1).await;
    assert_eq!(delays, [10.0, 100.0]);
    assert!(received.iter().all(|it| it.header("Signature") == received[0].header("Signature")));
}

#[tokio::test]
async fn an_endpoints_own_policy_goes_before_its_profiles_and_its_jitter_fills_its_bounds() {
    let world = World::new().await;
    world.sink.otherwise(Reply::status(500));
    let policy = RetryPolicy { delays_ms: vec![100_000], jitter: 0.5 };
    world.endpoint(|it| it.retry = Some(policy)).await;
    let mut shares = Vec::new();
    for _ in 0..100 {
        world.breathe();
        let delivery = only(world.publish().await);
        let waiting = world.attempted(delivery, 1).await;
        let due = waiting.next_attempt_at.unwrap().since(waiting.updated_at).as_secs_f64();
        assert!((50.0..=150.0).contains(&due), "{due} s");
        shares.push(due / 100.0);
    }
    let mean = shares.iter().sum::<f64>() / 100.0;
    assert!((0.9..1.1).contains(&mean), "the dice lean to one side: {mean}");
    assert!(shares.iter().any(|it| *it < 0.65) && shares.iter().any(|it| *it > 1.35), "{shares:?}");
}

#[tokio::test]
async fn a_receiver_that_recovers_in_the_middle_of_the_schedule_gets_the_event_then() {
    let world = World::new().await;
    world.sink.script(vec![Reply::status(500); 5]);
    let endpoint = world.endpoint(|_| {}).await;
    let event = world.publish().await;
    let delays = world.run_out(only(event), &endpoint).await;
    assert_eq!(delays.len(), 5);
    let done = world.ended(only(event), DeliveryStatus::Succeeded).await;
    assert_eq!((done.attempts, done.last_status_code), (6, Some(200)));
    assert_eq!(world.sink.received().len(), 6);
}
