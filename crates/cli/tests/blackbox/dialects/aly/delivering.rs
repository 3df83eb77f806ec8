//! What receivers get, when, signed how, and what is listed of it (vendors.md §1.1 to §1.3, §1.5).

use serde_json::json;

use super::{Aly, event_of, names, published, retries, wrong};
use crate::delivery::signatures::{record, verified};
use crate::receiver::{Receiver, Reply};
use crate::scene::{Acme, Scene, text};
use crate::world::until;

#[tokio::test]
async fn aly_sig_1_2_3_4_8_and_9_every_delivery_verifies_with_the_whole_secret() {
    let scene = Scene::new().await;
    let aly = Aly(&scene.acme.0);
    let receiver = Receiver::start().await;
    let made = aly.webhook_at(&receiver.url()).await;
    let dash = json!({ "type": "order.created", "data": { "n": "Linen Tote — natural" } });
    scene.acme.publish(dash).await;
    let arrival = receiver.first(1).await.remove(0);
    verified(&[record("aly", &[text(&made["secret"])], 1, &arrival)]).await;
    let (time, signature) = arrival.header("x-aly-signature").split_once(",v1=").unwrap();
    assert_eq!(time, format!("t={}", arrival.header("x-aly-timestamp")));
    let is_hex = |it: u8| it.is_ascii_digit() || (b'a'..=b'f').contains(&it);
    assert!(signature.len() == 64 && signature.bytes().all(is_hex), "{signature}");
}

#[tokio::test]
async fn aly_sig_5_a_time_is_good_for_300_seconds_in_either_direction() {
    let scene = Scene::new().await;
    let now = now_s();
    for (moved, valid) in [(-290, true), (290, true), (-310, false), (320, false)] {
        let payload = r#"{"id":"evt_1"}"#;
        let sign = json!({
            "scheme": "aly", "secret": "whsec_test", "timestamp": now + moved, "payload": payload,
        });
        let signed = scene.acme.0.post("/v1/signatures/sign", &sign).await.expect(200);
        let verify = json!({
            "scheme": "aly", "secret": "whsec_test", "headers": signed["headers"], "payload": payload,
        });
        let verdict = scene.acme.0.post("/v1/signatures/verify", &verify).await.expect(200);
        assert_eq!(verdict["valid"], valid, "{moved} s: {verdict}");
    }
}

#[expect(clippy::disallowed_methods, reason = "the server that is tested reads the real clock")]
fn now_s() -> i64 {
    jiff::Timestamp::now().as_second()
}

// vendors.md §1.2, §1.6.
#[tokio::test]
async fn aly_del_1_a_delivery_is_a_post_of_json_in_alys_envelope_under_alys_headers() {
    let scene = Scene::new().await;
    let aly = Aly(&scene.acme.0);
    let receiver = Receiver::start().await;
    aly.webhook_at(&receiver.url()).await;
    let event = published(&scene.acme, "order.created", Some("acme")).await;
    let arrival = receiver.first(1).await.remove(0);
    assert_eq!(arrival.header("content-type"), "application/json");
    assert_eq!(arrival.header("x-aly-event-id"), event);
    assert_eq!(arrival.header("x-aly-event-type"), "order.created");
    assert_eq!(arrival.header("x-aly-attempt"), "1");
    assert!(arrival.header("x-aly-delivery-id").starts_with("del_"));
    let body = arrival.json();
    assert_eq!(names(&body), ["created_at", "data", "id", "site_slug", "type"]);
    let want = json!([event, "order.created", "acme", { "n": 1 }]);
    assert_eq!(json!([body["id"], body["type"], body["site_slug"], body["data"]]), want);
    let created: jiff::Timestamp = text(&body["created_at"]).parse().unwrap();
    assert_eq!(format!("{created:.3}"), text(&body["created_at"]));
}

#[tokio::test]
async fn aly_del_2_an_answer_has_five_seconds() {
    let scene = Scene::new().await;
    let aly = Aly(&scene.acme.0);
    let receiver = Receiver::scripted(|_, _| Reply::Hang).await;
    let made = aly.webhook_at(&receiver.url()).await;
    retries(&scene.acme, &made, json!([])).await;
    published(&scene.acme, "order.created", None).await;
    let failed = aly.newest_is(&made, "failed").await;
    let attempt = &failed["attempts"][0];
    assert_eq!((&attempt["outcome"], &attempt["status_code"]), (&json!("timeout"), &json!(null)));
    let latency = attempt["latency_ms"].as_u64().unwrap();
    assert!((5_000..6_500).contains(&latency), "{attempt}");
}

#[tokio::test]
async fn aly_del_3_and_10_whatever_is_no_2xx_is_tried_again_and_a_redirect_is_not_followed() {
    let scene = Scene::new().await;
    let aly = Aly(&scene.acme.0);
    let receiver = Receiver::scripted(|arrival, number| match number {
        0 => Reply::Status(410),
        1 => Reply::Status(404),
        2 => {
            let to = format!("{}/elsewhere", arrival.path);
            Reply::Full { status: 302, headers: vec![("location", to)], body: String::new() }
        }
        3 => Reply::Status(500),
        _ => Reply::Status(204),
    })
    .await;
    let made = aly.webhook_at(&receiver.url()).await;
    retries(&scene.acme, &made, json!([1, 1, 1, 1])).await;
    published(&scene.acme, "order.created", None).await;
    let done = aly.newest_is(&made, "succeeded").await;
    let codes: Vec<_> =
        done["attempts"].as_array().unwrap().iter().map(|it| &it["status_code"]).collect();
    let want = json!([204, 500, 302, 404, 410]);
    assert_eq!(json!(codes), want);
    assert!(
        receiver.arrivals().iter().all(|it| it.path == "/hook"),
        "the redirect was not followed"
    );
    assert_eq!(aly.get(&made, "").await.expect(200)["active"], true, "410 switches nothing off");

    let attempts = done["attempts"].as_array().unwrap();
    let mut arrivals = receiver.arrivals();
    arrivals.reverse();
    for (attempt, arrival) in attempts.iter().zip(&arrivals) {
        assert_eq!(attempt["delivery_id"], arrival.header("x-aly-delivery-id"));
        assert_eq!(attempt["attempt"].to_string(), arrival.header("x-aly-attempt"));
    }
    let mut ids: Vec<_> = arrivals.iter().map(|it| it.header("x-aly-delivery-id")).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 5, "a new one for every attempt");
    assert!(arrivals.windows(2).all(|it| event_of(&it[0]) == event_of(&it[1])));
}

#[tokio::test]
async fn aly_del_4_what_was_under_way_at_a_crash_comes_again_with_the_same_event_id() {
    let scene = Scene::new().await;
    let receiver =
        Receiver::scripted(|_, number| if number == 0 { Reply::Hang } else { Reply::Status(200) });
    let receiver = receiver.await;
    let made = Aly(&scene.acme.0).webhook_at(&receiver.url()).await;
    let event = published(&scene.acme, "order.created", None).await;
    receiver.first(1).await;
    let scene = scene.after_kill_9().await;
    let arrivals = receiver.first(2).await;
    assert_eq!((event_of(&arrivals[0]), event_of(&arrivals[1])), (&*event, &*event));
    Aly(&scene.acme.0).newest_is(&made, "succeeded").await;
}

#[tokio::test]
async fn aly_del_5_and_6_the_schedule_has_24_attempts_over_72_hours() {
    let scene = Scene::new().await;
    let made = Aly(&scene.acme.0).webhook_at("https://my-app.example/aly").await;
    let policy = scene.acme.endpoint_now(&made["id"]).await["policy"].clone();
    let mut want = vec![30, 120, 600, 1_800, 3_600, 7_200];
    want.extend([14_400; 17]);
    assert_eq!((policy["retry"]["delays_s"].clone(), want.len() + 1), (json!(want), 24));
    assert_eq!(want.iter().sum::<i64>(), 258_150, "71.7 hours");
    assert_eq!(policy["retry"]["jitter"], 0.1);
    assert_eq!((&policy["timeout_s"], &policy["auto_disable"]), (&json!(5), &json!(false)));
    assert_eq!(policy["verify"], "none");
}

#[tokio::test]
async fn aly_del_7_after_the_last_attempt_it_is_failed_and_only_a_replay_sends_it_again() {
    let scene = Scene::new().await;
    let aly = Aly(&scene.acme.0);
    let receiver =
        Receiver::scripted(|_, number| Reply::Status(if number < 2 { 500 } else { 200 })).await;
    let made = aly.webhook_at(&receiver.url()).await;
    retries(&scene.acme, &made, json!([1])).await;
    let event = published(&scene.acme, "order.created", None).await;
    let failed = aly.newest_is(&made, "failed").await;
    let seen = (&failed["reason"], &failed["attempt_count"], &failed["next_attempt_at"]);
    assert_eq!(seen, (&json!("exhausted"), &json!(2), &json!(null)));
    assert_eq!(
        aly.deliveries(&made, "status=failed&limit=25").await,
        std::slice::from_ref(&failed)
    );

    let rest = format!("/deliveries/{}/replay", text(&failed["id"]));
    let fresh = aly.act(&made, &rest).await.expect(202);
    assert_ne!(fresh["id"], failed["id"]);
    assert_eq!(
        (&fresh["event_id"], &fresh["event_type"]),
        (&json!(event), &json!("order.created"))
    );
    let arrivals = receiver.first(3).await;
    let done = until("the replay is done", async || {
        let all = aly.deliveries(&made, "status=succeeded").await;
        all.first().cloned()
    })
    .await;
    assert_eq!(done["id"], fresh["id"]);
    assert_eq!(aly.deliveries(&made, "status=failed").await, [failed], "the old one stays");
    let (old, new) = (&arrivals[1], &arrivals[2]);
    assert_eq!((event_of(new), &new.body), (&*event, &old.body), "the same event");
    assert_eq!(new.header("x-aly-attempt"), "1");
    assert_ne!(new.header("x-aly-delivery-id"), old.header("x-aly-delivery-id"));
    assert_ne!(new.header("x-aly-timestamp"), arrivals[0].header("x-aly-timestamp"));
    verified(&[record("aly", &[text(&made["secret"])], 1, new)]).await;

    // Receivers know it by the id it was sent with.
    let rest = format!("/deliveries/{}/replay", new.header("x-aly-delivery-id"));
    let third = aly.act(&made, &rest).await.expect(202);
    assert_eq!(third["event_id"], event.as_str());
    receiver.first(4).await;
}

// vendors.md §1.5.
#[tokio::test]
async fn a_row_of_the_audit_log_has_time_status_latency_and_the_first_4_kb_answered() {
    let scene = Scene::new().await;
    let aly = Aly(&scene.acme.0);
    let receiver = Receiver::scripted(|_, _| {
        let body = "é".repeat(3_000);
        Reply::Full { status: 200, headers: Vec::new(), body }
    })
    .await;
    let made = aly.webhook_at(&receiver.url()).await;
    let event = published(&scene.acme, "site.published", None).await;
    let done = aly.newest_is(&made, "succeeded").await;
    assert!(text(&done["id"]).starts_with("dlv_"), "{done}");
    let want = json!([event, "site.published", 1, null]);
    let got = [&done["event_id"], &done["event_type"], &done["attempt_count"], &done["reason"]];
    assert_eq!(json!(got), want);
    let attempt = &done["attempts"][0];
    assert_eq!((&attempt["status_code"], &attempt["error"]), (&json!(200), &json!(null)));
    assert_eq!(text(&attempt["response_body"]), "é".repeat(2_048), "4 KiB of it");
    assert!(attempt["latency_ms"].is_u64(), "{attempt}");
    let at: jiff::Timestamp = text(&attempt["attempted_at"]).parse().unwrap();
    assert!(at >= text(&done["created_at"]).parse().unwrap());
    let native = scene.acme.0.get(&Acme::path(&format!("/deliveries/{}", text(&done["id"])))).await;
    assert_eq!(native.expect(200)["id"], done["id"], "the same id on every surface");
    wrong(&aly.get(&made, "/deliveries?status=lost").await, &[("status", "unknown_value")]);
    wrong(&aly.get(&made, "/deliveries?state=failed").await, &[("state", "unknown_parameter")]);
}
