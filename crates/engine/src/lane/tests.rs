//! What a lane gives out, holds back and remembers.

use bytes::Bytes;
use hookyard_domain::endpoint::{Endpoint, EndpointNo, EndpointSettings};
use hookyard_domain::event::{Event, EventContent};
use hookyard_domain::headers::Headers;
use hookyard_domain::id::{EndpointId, EventId};
use hookyard_domain::profile::Profile;
use hookyard_domain::retry::RateLimit;
use hookyard_domain::secret::SealedSecrets;
use hookyard_domain::url::EndpointUrl;
use hookyard_rules::egress::EgressPolicy;
use hookyard_rules::seal::Keyring;

use super::*;
use crate::connect::Connector;
use crate::transport::Transport;

const NOW: Timestamp = Timestamp::from_secs(1_000_000);
const FAILED: Finished =
    Finished { succeeded: false, slow_down: true, took: Duration::from_millis(2) };
const SUCCEEDED: Finished =
    Finished { succeeded: true, slow_down: false, took: Duration::from_millis(2) };

fn prepared(change: impl FnOnce(&mut Endpoint)) -> Arc<Prepared> {
    let mut endpoint = Endpoint {
        no: EndpointNo(1),
        id: EndpointId::from_u128(1),
        tenant: TenantNo(1),
        settings: EndpointSettings {
            url: EndpointUrl::new("https://receiver.example/in".parse().unwrap()),
            events: vec!["*".parse().unwrap()],
            name: None,
            description: None,
            scope: None,
            source: None,
            profile: Profile::Aryeo,
            retry: None,
            timeout_s: None,
            rate_limit: None,
            ordered: false,
            max_in_flight: None,
            include_previous_attributes: false,
            auto_disable: None,
            verify: None,
            metadata: None,
        },
        headers: None,
        secrets: SealedSecrets { current: None, previous: None },
        status: EndpointStatus::Active,
        disabled_reason: None,
        disabled_at: None,
        created_at: NOW,
        updated_at: NOW,
        revision: 1,
    };
    let keyring = Keyring::parse("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap();
    let sealed = keyring.seal(b"a secret", endpoint.id.to_string().as_bytes(), [0; 12]);
    endpoint.secrets.current = Some(sealed);
    change(&mut endpoint);
    let transport = Transport::new(Connector::new(Arc::new(EgressPolicy::default())));
    Arc::new(Prepared::new(endpoint, &keyring, &transport))
}

fn lane(change: impl FnOnce(&mut Endpoint)) -> Lane {
    Lane::new(TenantNo(1), Some(prepared(change)), Activity::default(), NOW)
}

fn job(key: u64) -> Job {
    let event = Event {
        id: EventId::of(EventKey(key), 0),
        tenant: TenantNo(1),
        accepted_at: NOW,
        content: EventContent {
            event_type: "order.created".parse().unwrap(),
            scope: None,
            occurred_at: None,
            data: Bytes::from_static(b"{}"),
            previous: None,
            changes: None,
            headers: Headers::default(),
            publisher_id: None,
            source: None,
            content_type: None,
        },
    };
    Job::first(Arc::new(event), TargetNo(0), None)
}

fn retry(key: u64) -> Job {
    Job { attempts: 1, ..job(key) }
}

fn key_of(job: &Job) -> u64 {
    job.event.id.key().0
}

#[tokio::test]
async fn what_is_beyond_the_bound_stays_in_the_store_and_is_asked_for_in_order() {
    let mut lane = lane(|_| {});
    let held = HELD_MAX as u64;
    for key in 1..=held {
        assert!(lane.offer(job(key), true));
    }
    assert!(!lane.offer(job(held + 1), true));
    assert_eq!(lane.overflow, Some(EventKey(held + 1)));
    assert!(!lane.wants_refill(true), "it has enough for now");
    lane.queue.truncate(1);
    assert!(lane.wants_refill(true));
    lane.refill_asked();
    assert!(!lane.offer(job(held + 2), true));
    lane.refill(vec![job(held + 1)], EventKey(held + 1), false);
    assert_eq!(lane.overflow, Some(EventKey(held + 2)), "one was offered while it was read");
    lane.refill_asked();
    lane.refill(vec![job(held + 2)], EventKey(held + 2), false);
    assert_eq!(lane.overflow, None);
    assert!(lane.offer(job(held + 3), true));
}

#[tokio::test]
async fn without_room_in_memory_a_lane_still_holds_one() {
    let mut lane = lane(|_| {});
    assert!(lane.offer(job(1), false));
    assert!(!lane.offer(job(2), false));
    assert_eq!(lane.overflow, Some(EventKey(2)));
}

#[tokio::test]
async fn the_mark_waits_for_the_oldest_delivery_without_a_row() {
    let mut lane = lane(|_| {});
    for key in 1..=3 {
        lane.offer(job(key), true);
    }
    lane.recorded(job(2).delivery, None);
    assert_eq!(lane.mark(), EventKey(1));
    lane.recorded(job(1).delivery, Some(NOW));
    assert_eq!(lane.mark(), EventKey(3), "a waiting retry has its row");
    lane.recorded(job(3).delivery, None);
    assert_eq!(lane.mark(), EventKey(4));
}

#[tokio::test]
async fn a_replay_of_an_event_does_not_move_the_mark_past_its_first_delivery() {
    let mut lane = lane(|_| {});
    lane.offer(job(1), true);
    lane.recorded(EventId::of(EventKey(1), 0).delivery(TargetNo(5)), None);
    assert_eq!(lane.mark(), EventKey(1));
}

#[tokio::test]
async fn a_receiver_that_fails_is_probed_one_at_a_time_and_recovers_step_by_step() {
    let mut lane = lane(|_| {});
    for key in 1..=500 {
        lane.offer(job(key), true);
    }
    let mut started = Vec::new();
    while let Ok(job) = lane.take(NOW) {
        started.push(job);
    }
    assert_eq!(started.len(), WINDOW_FIRST as usize);
    for _ in started {
        lane.finished(FAILED, NOW);
    }
    lane.take(NOW).unwrap();
    assert_eq!(lane.take(NOW).unwrap_err(), Idle::Waiting);
    assert!(!lane.proven());
    lane.finished(SUCCEEDED, NOW);
    assert!(lane.proven());
    let (one, two) = (lane.take(NOW), lane.take(NOW));
    assert!(one.is_ok() && two.is_ok());
    assert_eq!(lane.take(NOW).unwrap_err(), Idle::Waiting);
}

#[tokio::test]
async fn a_dead_receiver_is_probed_more_and_more_rarely_but_at_least_fifty_times_a_second() {
    let mut lane = lane(|_| {});
    let mut now = NOW;
    for key in 1..=200 {
        lane.offer(job(key), true);
        loop {
            match lane.take(now) {
                Ok(_) => break,
                Err(Idle::Until(at)) => {
                    assert!(at.since(now) <= PACE_MAX);
                    now = at;
                }
                Err(Idle::Waiting) => panic!("nothing would wake it"),
            }
        }
        lane.finished(FAILED, now);
    }
    assert!(now.since(NOW) > Duration::from_secs(1));
}

#[tokio::test]
async fn a_receiver_that_refuses_everything_is_probed_too_one_that_refuses_some_events_is_not() {
    let refused = Finished { slow_down: false, ..FAILED };
    let mut lane = lane(|_| {});
    for key in 1..=200 {
        lane.offer(job(key), true);
    }
    let started = |lane: &mut Lane, now| std::iter::from_fn(|| lane.take(now).ok()).count();
    assert_eq!(started(&mut lane, NOW), WINDOW_FIRST as usize);
    for _ in 1..MISTAKEN_AFTER {
        lane.in_flight = 1;
        lane.finished(refused, NOW);
    }
    assert!(started(&mut lane, NOW) > 1, "so far it may be the events");
    lane.finished(SUCCEEDED, NOW);
    assert_eq!(lane.streak, 0, "and it was");
    for _ in 0..MISTAKEN_AFTER {
        lane.in_flight = 1;
        lane.finished(refused, NOW);
    }
    assert_eq!(started(&mut lane, NOW.plus(PACE_MAX)), 1);
}

#[tokio::test]
async fn a_receiver_that_hangs_gets_little_more_until_something_ends() {
    let mut lane = lane(|_| {});
    for key in 1..=20 {
        lane.offer(job(key), true);
    }
    lane.take(NOW).unwrap();
    let later = NOW.plus(STALLED_AFTER + Duration::from_millis(1));
    assert!(lane.take(later).is_ok(), "one slow answer costs one slot");
    assert_eq!(lane.take(later).unwrap_err(), Idle::Waiting);
    lane.finished(SUCCEEDED, later);
    assert!(lane.take(later).is_ok());
}

#[tokio::test]
async fn an_ordered_lane_waits_for_what_is_tried_again() {
    let mut lane = lane(|it| it.settings.ordered = true);
    lane.offer(job(1), true);
    lane.offer(job(2), true);
    let first = lane.take(NOW).unwrap();
    assert_eq!(lane.take(NOW).unwrap_err(), Idle::Waiting);
    lane.finished(FAILED, NOW);
    assert_eq!(lane.take(NOW).unwrap_err(), Idle::Waiting, "its record is on the way");
    let due = NOW.plus(Duration::from_secs(10));
    lane.recorded(first.delivery, Some(due));
    assert_eq!(lane.take(NOW).unwrap_err(), Idle::Waiting, "it waits for its time");
    assert!(lane.wants_claim(due, true));
    lane.claiming = true;
    lane.next_due = None;
    assert_eq!(lane.take(due).unwrap_err(), Idle::Waiting, "it is being fetched");
    lane.claim(vec![retry(1)], None);
    let again = lane.take(due).unwrap();
    assert_eq!(key_of(&again), 1);
    lane.finished(SUCCEEDED, due);
    lane.recorded(again.delivery, None);
    assert_eq!(key_of(&lane.take(due).unwrap()), 2);
}

#[tokio::test]
async fn a_delivery_is_claimed_once_while_its_record_is_on_the_way() {
    let mut lane = lane(|_| {});
    lane.claim(vec![retry(1)], None);
    lane.claim(vec![retry(1)], None);
    assert_eq!(lane.due.len(), 1);
}

#[tokio::test]
async fn a_paused_lane_holds_and_drains_in_order_when_resumed() {
    let mut lane = lane(|it| it.status = EndpointStatus::Paused);
    for key in 1..=3 {
        lane.offer(job(key), true);
    }
    assert_eq!(lane.take(NOW).unwrap_err(), Idle::Waiting);
    lane.configure(Some(prepared(|_| {})));
    for key in 1..=2 {
        assert_eq!(key_of(&lane.take(NOW).unwrap()), key);
        assert_eq!(lane.take(NOW).unwrap_err(), Idle::Waiting, "one at a time");
        lane.finished(if key == 1 { FAILED } else { SUCCEEDED }, NOW);
    }
    assert_eq!(key_of(&lane.take(NOW).unwrap()), 3);
    for key in 4..=5 {
        lane.offer(job(key), true);
        assert_eq!(key_of(&lane.take(NOW).unwrap()), key, "what comes after that need not wait");
    }
}

#[tokio::test]
async fn a_lane_whose_endpoint_is_off_or_gone_gives_everything_to_be_discarded() {
    let mut lane = lane(|it| it.status = EndpointStatus::Disabled);
    lane.offer(job(1), true);
    assert_eq!(lane.mode(), Mode::Discard(EndReason::EndpointDisabled));
    assert!(lane.take(NOW).is_ok());
    lane.configure(None);
    assert_eq!(lane.mode(), Mode::Discard(EndReason::EndpointDeleted));
}

#[tokio::test]
async fn a_rate_limit_spreads_attempts_and_allows_its_burst() {
    let rate = RateLimit { per_s: 10.0, burst: Some(2) };
    let mut lane = lane(|it| it.settings.rate_limit = Some(rate));
    let mut now = NOW;
    let mut times = Vec::new();
    for key in 1..=22 {
        lane.offer(job(key), true);
        loop {
            match lane.take(now) {
                Ok(_) => break,
                Err(Idle::Until(at)) => now = at,
                Err(Idle::Waiting) => panic!("nothing would wake it"),
            }
        }
        times.push(now.since(NOW).as_millis());
        lane.finished(SUCCEEDED, now);
    }
    assert_eq!(times[..2], [0, 0]);
    assert!((1990..=2050).contains(&times[21]), "{times:?}");
}

#[tokio::test]
async fn what_a_refill_saw_first_is_not_offered_again() {
    let mut lane = lane(|_| {});
    assert!(lane.offer(job(1), true));
    lane.overflow = Some(EventKey(2));
    lane.refill_asked();
    lane.refill(vec![job(2), job(3)], EventKey(3), false);
    assert!(!lane.offer(job(2), true) && !lane.offer(job(3), true));
    assert!(lane.offer(job(4), true));
    let keys: Vec<_> = lane.queue.iter().map(key_of).collect();
    assert_eq!(keys, [1, 2, 3, 4]);
}

#[tokio::test]
async fn what_is_about_the_same_thing_goes_out_one_after_another_and_holds_nothing_else_back() {
    let mut lane = lane(|it| it.settings.profile = Profile::Alvys);
    for (key, tender) in [(1, "a"), (2, "a"), (3, "b"), (4, "a")] {
        let mut job = job(key);
        let event = Arc::make_mut(&mut job.event);
        event.content.event_type = "tender.accepted".parse().unwrap();
        event.content.data = format!(r#"{{"tenderId":"{tender}"}}"#).into();
        job.series = series::of(&job.event);
        lane.offer(job, true);
    }
    let first = lane.take(NOW).unwrap();
    assert_eq!(key_of(&first), 1);
    assert_eq!(key_of(&lane.take(NOW).unwrap()), 3, "the second waits for the first");
    assert_eq!(lane.take(NOW).unwrap_err(), Idle::Waiting);
    lane.ended(first.delivery);
    lane.finished(FAILED, NOW);
    let second = lane.take(NOW).unwrap();
    assert_eq!(key_of(&second), 2, "whatever became of the first");
    lane.ended(second.delivery);
    assert_eq!(key_of(&lane.take(NOW).unwrap()), 4);
}

#[tokio::test]
async fn a_refill_that_finds_nothing_ends_the_overflow() {
    let mut lane = lane(|_| {});
    lane.last_offered = EventKey(9);
    lane.overflow = Some(EventKey(5));
    lane.refill_asked();
    lane.refill(Vec::new(), EventKey(4), false);
    assert_eq!(lane.overflow, None);
}

#[tokio::test]
async fn a_cancelled_delivery_is_dropped_wherever_the_lane_holds_it() {
    let mut lane = lane(|_| {});
    for key in 1..=3 {
        lane.offer(job(key), true);
    }
    lane.claim(vec![retry(9)], None);
    assert!(lane.cancel(job(2).delivery, false) > 0);
    assert!(lane.cancel(retry(9).delivery, false) > 0);
    let keys: Vec<_> = std::iter::from_fn(|| lane.take(NOW).ok()).map(|it| key_of(&it)).collect();
    assert_eq!(keys, [1, 3]);
}

#[tokio::test]
async fn cancelling_what_is_under_way_frees_an_ordered_lane() {
    let mut lane = lane(|it| it.settings.ordered = true);
    lane.offer(job(1), true);
    lane.offer(job(2), true);
    let first = lane.take(NOW).unwrap();
    lane.cancel(first.delivery, true);
    lane.finished(FAILED, NOW);
    lane.recorded(first.delivery, Some(NOW.plus(Duration::from_secs(3600))));
    assert_eq!(key_of(&lane.take(NOW).unwrap()), 2);
}

#[tokio::test]
async fn a_delivery_that_was_cancelled_and_made_due_again_is_sent() {
    let mut lane = lane(|_| {});
    lane.cancel(retry(1).delivery, false);
    lane.requeued(NOW);
    lane.claim(vec![retry(1)], None);
    assert!(lane.take(NOW).is_ok());
}

#[tokio::test]
async fn what_stands_behind_a_retry_goes_back_to_the_store_where_others_accept_too() {
    let mut lane = lane(|it| it.settings.ordered = true);
    lane.shared = true;
    lane.claim(vec![job(1), job(2)], None);
    let first = lane.take(NOW).unwrap();
    assert_eq!(key_of(&first), 1);
    lane.finished(FAILED, NOW);
    assert!(lane.take(NOW).is_err(), "it is not on disk yet what became of the first");
    // More is asked for at the moment it turns out.
    lane.claiming = true;
    let later = NOW.plus(Duration::from_secs(10));
    assert!(lane.recorded(first.delivery, Some(later)) > 0);
    lane.claim(vec![job(3)], None);
    assert_eq!(lane.held(), 0, "it was asked for before the first stood there again");
    assert!(lane.wants_claim(NOW, true), "so it is asked for again");
    lane.next_due = None;
    lane.claim(Vec::new(), Some(later));
    assert!(!lane.wants_claim(NOW, true));
    assert!(lane.wants_claim(later, true));
    lane.next_due = None;
    lane.claim(vec![retry(1), job(2)], None);
    assert_eq!(key_of(&lane.take(later).unwrap()), 1);
}

#[tokio::test]
async fn what_the_store_gave_moves_the_mark_unless_something_was_left_there() {
    let mut lane = lane(|_| {});
    lane.given(EventKey(7), NOW);
    assert_eq!(lane.mark(), EventKey(8));
    assert!(lane.wants_claim(NOW, true));
    lane.overflow = Some(EventKey(9));
    lane.given(EventKey(12), NOW);
    assert_eq!(lane.mark(), EventKey(9));
}
