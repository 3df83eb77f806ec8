//! When a failed delivery is tried again, in real seconds. (Long schedules: `crates/engine/tests`.)

use serde_json::{Value, json};

use crate::receiver::{Arrival, Receiver, Reply};
use crate::scene::{Scene, quick, text};

/// Seconds between one arrival and the next.
fn gaps(arrivals: &[Arrival]) -> Vec<f64> {
    let pairs = arrivals.windows(2);
    pairs.map(|it| it[1].at.duration_since(it[0].at).as_secs_f64()).collect()
}

#[track_caller]
fn assert_near(gap: f64, seconds: f64) {
    assert!((seconds - 0.1..seconds + 1.0).contains(&gap), "{gap} s instead of {seconds} s");
}

#[tokio::test]
async fn aryeo_tries_at_once_then_after_ten_seconds_then_after_a_hundred_and_then_never_again() {
    let scene = Scene::new().await;
    let receiver = Receiver::scripted(|_, _| Reply::Status(500)).await;
    let settings = json!({ "url": receiver.url(), "events": "*", "profile": "aryeo" });
    let endpoint = scene.acme.endpoint(settings).await;
    assert_eq!(endpoint["policy"]["retry"]["delays_s"], json!([10, 100]), "{endpoint}");
    let published = tokio::time::Instant::now();
    let event = scene.acme.order(1).await;
    let arrivals = receiver.first(2).await;
    assert!(arrivals[0].at.duration_since(published).as_secs_f64() < 1.0);
    assert_near(gaps(&arrivals)[0], 10.0);
    assert_eq!(arrivals[0].body, arrivals[1].body);

    let delivery = crate::world::until("the second attempt is recorded", async || {
        let delivery = scene.acme.delivery_is(&event, "pending").await;
        (delivery["attempts"] == 2).then_some(delivery)
    })
    .await;
    let seconds = |it: &Value| {
        let time: jiff::Timestamp = text(it).parse().unwrap();
        time.as_millisecond() as f64 / 1_000.0
    };
    let wait = seconds(&delivery["next_attempt_at"]) - seconds(&delivery["updated_at"]);
    assert!((99.9..100.1).contains(&wait), "{delivery}");

    // Longer than anything else is waited for: in pieces, so that a lost attempt is told soon after it was due.
    for _ in 0..80 {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        assert_eq!(receiver.count(), 2, "the last attempt came too early");
    }
    let arrivals = receiver.first(3).await;
    assert_near(gaps(&arrivals)[1], 100.0);
    let delivery = scene.acme.delivery_is(&event, "failed").await;
    assert_eq!(delivery["attempts"], 3, "{delivery}");
    assert_eq!(delivery["next_attempt_at"], Value::Null, "{delivery}");
}

#[tokio::test]
async fn each_attempt_has_its_number_its_own_time_and_id_and_the_same_event() {
    let scene = Scene::new().await;
    let receiver =
        Receiver::scripted(|_, number| Reply::Status(if number < 2 { 503 } else { 200 }));
    let receiver = receiver.await;
    let settings = json!({
        "url": receiver.url(), "events": "*", "profile": "aly", "retry": { "delays_s": [1, 2], "jitter": 0 },
    });
    scene.acme.endpoint(settings).await;
    let event = scene.acme.order(1).await;
    let arrivals = receiver.first(3).await;
    let gaps = gaps(&arrivals);
    assert_near(gaps[0], 1.0);
    assert_near(gaps[1], 2.0);
    for (number, it) in (1..).zip(&arrivals) {
        assert_eq!(it.header("x-aly-attempt"), number.to_string());
        assert_eq!(it.header("x-aly-event-id"), event);
        assert_eq!(it.json()["id"], event.as_str());
        let signed = it.header("x-aly-signature");
        assert!(signed.starts_with(&format!("t={},v1=", it.header("x-aly-timestamp"))), "{signed}");
    }
    let all = |name: &str| {
        let mut values: Vec<_> = arrivals.iter().map(|it| it.header(name).to_owned()).collect();
        values.dedup();
        values.len()
    };
    assert_eq!(all("x-aly-delivery-id"), 3, "new for every attempt");
    assert_eq!(all("x-aly-timestamp"), 3, "fresh for every attempt");

    let delivery = scene.acme.delivery_is(&event, "succeeded").await;
    let attempts = scene.acme.attempts(&delivery["id"]).await;
    let seen: Vec<_> = attempts
        .iter()
        .map(|it| {
            (it["number"].as_u64().unwrap(), text(&it["outcome"]), it["status_code"].as_u64())
        })
        .collect();
    let (error, good) = ("http_error", "succeeded");
    assert_eq!(seen, [(1, error, Some(503)), (2, error, Some(503)), (3, good, Some(200))]);
}

/// The time so many seconds from now, as HTTP writes it.
#[expect(clippy::disallowed_methods, reason = "the server that is tested reads the real clock")]
fn http_date(seconds: i64) -> String {
    let time = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[tokio::test]
async fn retry_after_is_a_lower_bound_whether_in_seconds_or_as_a_date() {
    let scene = Scene::new().await;
    let receiver = Receiver::scripted(|_, number| {
        let value = match number {
            0 => "3".to_owned(),
            1 => http_date(4),
            2 => "0".to_owned(),
            3 => "soon".to_owned(),
            _ => return Reply::Status(200),
        };
        Reply::Full { status: 503, headers: vec![("retry-after", value)], body: String::new() }
    })
    .await;
    let settings = json!({ "url": receiver.url(), "events": "*", "retry": quick(10) });
    scene.acme.endpoint(settings).await;
    scene.acme.order(1).await;
    let gaps = gaps(&receiver.first(5).await);
    assert_near(gaps[0], 3.0);
    // A date has whole seconds, so up to one is lost.
    assert!((2.9..5.0).contains(&gaps[1]), "{} s instead of 3 to 4", gaps[1]);
    assert_near(gaps[2], 1.0);
    assert_near(gaps[3], 1.0);
}

#[tokio::test]
async fn a_receiver_that_comes_back_gets_everything_it_missed() {
    let scene = Scene::new().await;
    let stopped = Receiver::start().await;
    let (address, url) = (stopped.address, stopped.url());
    drop(stopped);
    scene.acme.endpoint_at(&url).await;
    let events = scene.acme.orders(0..20).await;
    let first = crate::world::until("a failed attempt", async || {
        let delivery = scene.acme.delivery_is(&events[0], "pending").await;
        (delivery["attempts"].as_u64() > Some(0)).then_some(delivery)
    })
    .await;
    let attempt = &scene.acme.attempts(&first["id"]).await[0];
    assert_eq!(
        (&attempt["outcome"], &attempt["error"]),
        (&json!("connect"), &json!("connection refused"))
    );
    let receiver = Receiver::start_at(address).await;
    scene.acme.count_is("status=succeeded", 20).await;
    let mut seen: Vec<_> = receiver.arrivals().iter().map(Arrival::number).collect();
    seen.sort_unstable();
    assert_eq!(seen, (0..20).collect::<Vec<_>>());
}
