//! What receivers get, when, and how often (vendors.md §4.2, §4.4).

use serde_json::{Value, json};

use super::{ACTIVITY, activity, endpoint_at};
use crate::receiver::{Receiver, Reply};
use crate::scene::{Acme, Scene, quick, text};
use crate::world::until;

// vendors.md §4.4.
#[tokio::test]
async fn ary_del_1_and_10_a_delivery_is_a_post_of_the_activity_and_no_header_tells_of_it() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    endpoint_at(&scene, &receiver.url(), json!({})).await;
    activity(&scene, "LISTING_DELIVERED", ACTIVITY).await;
    let arrival = receiver.first(1).await.remove(0);
    assert_eq!(std::str::from_utf8(&arrival.body).unwrap(), ACTIVITY);
    assert_eq!(arrival.header("content-type"), "application/json");
    let mut names: Vec<_> = arrival.headers.iter().map(|it| it.0.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-length", "content-type", "host", "signature", "user-agent"]);
}

#[tokio::test]
async fn ary_del_2_any_status_that_begins_with_2_is_success() {
    let scene = Scene::new().await;
    let receiver = Receiver::scripted(|arrival, _| {
        Reply::Status(u16::try_from(arrival.json()["answer"].as_u64().unwrap()).unwrap())
    })
    .await;
    endpoint_at(&scene, &receiver.url(), json!({})).await;
    for status in [200, 201, 202, 204, 226, 299] {
        let event =
            activity(&scene, "ORDER_PLACED", &json!({ "answer": status }).to_string()).await;
        let done = scene.acme.delivery_is(&event, "succeeded").await;
        assert_eq!((&done["attempts"], &done["last_status_code"]), (&json!(1), &json!(status)));
    }
}

#[tokio::test]
async fn ary_del_4_and_11_everything_else_is_tried_again_alike_and_switches_nothing_off() {
    let scene = Scene::new().await;
    let receiver = Receiver::scripted(|arrival, _| {
        let status = u16::try_from(arrival.json()["answer"].as_u64().unwrap()).unwrap();
        let headers = vec![("location", "/elsewhere".to_owned())];
        Reply::Full { status, headers, body: String::new() }
    })
    .await;
    let retry = json!({ "retry": quick(2) });
    let made = endpoint_at(&scene, &receiver.url(), retry).await;
    let answers = [301, 302, 400, 401, 404, 408, 410, 422, 429, 500, 503];
    let mut events = Vec::new();
    for status in answers {
        let data = json!({ "answer": status }).to_string();
        events.push(activity(&scene, "ORDER_PLACED", &data).await);
    }
    for (event, status) in events.iter().zip(answers) {
        let failed = scene.acme.delivery_is(event, "failed").await;
        assert_eq!(
            (&failed["reason"], &failed["attempts"], &failed["last_status_code"]),
            (&json!("exhausted"), &json!(3), &json!(status))
        );
    }
    assert!(receiver.arrivals().iter().all(|it| it.path == "/hook"), "no redirect was followed");
    let now = scene.acme.endpoint_now(&made["id"]).await;
    assert_eq!((&now["status"], &now["consecutive_failures"]), (&json!("active"), &json!(11)));
}

/// Milliseconds from the last attempt of a delivery to its next one.
async fn wait_ms(scene: &Scene, event: &str, attempts: u64) -> i64 {
    let waiting = until(&format!("attempt {attempts} of {event} has failed"), async || {
        let delivery = scene.acme.delivery_is(event, "pending").await;
        let failed = delivery["attempts"] == attempts && delivery["next_attempt_at"].is_string();
        failed.then_some(delivery)
    })
    .await;
    let at = |name: &str| text(&waiting[name]).parse::<jiff::Timestamp>().unwrap().as_millisecond();
    at("next_attempt_at") - at("updated_at")
}

#[tokio::test]
async fn ary_del_3_and_9_a_second_attempt_comes_after_10_s_and_a_third_100_s_after_that_one() {
    let scene = Scene::new().await;
    let receiver = Receiver::scripted(|_, _| Reply::Status(500)).await;
    let made = endpoint_at(&scene, &receiver.url(), json!({})).await;
    let policy = scene.acme.endpoint_now(&made["id"]).await["policy"].clone();
    assert_eq!(policy["retry"], json!({ "delays_s": [10, 100], "jitter": 0.0 }));
    let event = activity(&scene, "ORDER_PLACED", ACTIVITY).await;
    assert_eq!(wait_ms(&scene, &event, 1).await, 10_000, "no jitter");
    let arrivals = receiver.first(2).await;
    let apart = arrivals[1].at.duration_since(arrivals[0].at).as_secs_f64();
    assert!((9.9..12.0).contains(&apart), "{apart} s");
    assert_eq!(wait_ms(&scene, &event, 2).await, 100_000, "since the second, not since the first");

    // The third is the last: it is asked for by hand here, rather than waited for.
    let [delivery] = &scene.acme.deliveries_of(&event).await[..] else { panic!("one delivery") };
    let retry = Acme::path(&format!("/deliveries/{}/retry", text(&delivery["id"])));
    scene.acme.0.post(&retry, &json!({})).await.expect(202);
    let failed = scene.acme.delivery_is(&event, "failed").await;
    assert_eq!((&failed["reason"], &failed["attempts"]), (&json!("exhausted"), &json!(3)));
    assert_eq!(failed["next_attempt_at"], Value::Null, "no further attempts will be made");
}

#[tokio::test]
async fn ary_del_8_an_answer_has_three_seconds() {
    let scene = Scene::new().await;
    let receiver = Receiver::scripted(|_, _| Reply::Hang).await;
    let once = json!({ "retry": { "delays_s": [] } });
    endpoint_at(&scene, &receiver.url(), once).await;
    let event = activity(&scene, "ORDER_PLACED", ACTIVITY).await;
    let failed = scene.acme.delivery_is(&event, "failed").await;
    let attempt = scene.acme.attempts(&failed["id"]).await.remove(0);
    assert_eq!((&attempt["outcome"], &attempt["status_code"]), (&json!("timeout"), &Value::Null));
    let took_ms = attempt["duration_ms"].as_u64().unwrap();
    assert!((3_000..4_500).contains(&took_ms), "{attempt}");
}

#[tokio::test]
async fn ary_del_11_what_the_vendor_does_not_document_is_off() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    let made = endpoint_at(&scene, &receiver.url(), json!({})).await;
    let policy = scene.acme.endpoint_now(&made["id"]).await["policy"].clone();
    assert_eq!((&policy["verify"], &policy["auto_disable"]), (&json!("none"), &json!(false)));
    assert_eq!(policy["timeout_s"], 3);
    assert_eq!(receiver.count(), 0, "no handshake");
    // A rotation ends the old secret at once: there is one signature.
    let rotated = scene.acme.ask(&made["id"], "rotate-secret").await;
    assert_ne!(rotated["secret"], made["secret"]);
    activity(&scene, "ORDER_PLACED", ACTIVITY).await;
    assert_eq!(receiver.first(1).await[0].header("signature").len(), 64);
}
