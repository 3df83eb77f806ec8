//! The header `Signature` (vendors.md §4.1).

use http::Method;
use serde_json::{Value, json};

use super::super::page::{PageReceiver, said, took};
use super::{ACTIVITY, activity, endpoint_at};
use crate::delivery::signatures::{record, verified};
use crate::receiver::{Receiver, Reply};
use crate::scene::{Acme, Scene, text};

/// The activity's own id: all that a receiver gets.
const ID: &str = "5f0a9a2e-6f2b-4d57-9d0c-0f8f0f2b1c3d";

#[tokio::test]
async fn ary_sig_1_2_and_3_the_receiver_of_the_page_takes_what_is_signed_over_the_body_alone() {
    let scene = Scene::new().await;
    let mut receiver = PageReceiver::start("aryeo").await;
    let made = endpoint_at(&scene, &receiver.url(), json!({ "retry": { "delays_s": [1] } })).await;
    receiver.knows(&[text(&made["secret"])]).await;
    let event = activity(&scene, "LISTING_DELIVERED", ACTIVITY).await;
    scene.acme.delivery_is(&event, "succeeded").await;
    assert_eq!(said(&scene.acme, &event).await, [took(ID)]);

    receiver.knows(&["another"]).await;
    let event = activity(&scene, "LISTING_DELIVERED", ACTIVITY).await;
    scene.acme.delivery_is(&event, "failed").await;
    let refused = (401, json!({ "error": "the signature does not match" }));
    assert_eq!(said(&scene.acme, &event).await, [refused.clone(), refused]);
}

#[tokio::test]
async fn ary_sig_2_and_3_the_signature_is_64_hex_digits_and_the_same_at_every_attempt() {
    let scene = Scene::new().await;
    let receiver =
        Receiver::scripted(|_, number| Reply::Status(if number == 0 { 500 } else { 200 })).await;
    let retry = json!({ "retry": { "delays_s": [1] } });
    let made = endpoint_at(&scene, &receiver.url(), retry).await;
    activity(&scene, "LISTING_DELIVERED", ACTIVITY).await;
    let arrivals = receiver.first(2).await;
    let [first, second] = &arrivals[..] else { panic!("{arrivals:?}") };
    let signature = first.header("signature");
    let is_hex = |it: u8| it.is_ascii_digit() || (b'a'..=b'f').contains(&it);
    assert!(signature.len() == 64 && signature.bytes().all(is_hex), "{signature}");
    assert_eq!((second.header("signature"), &second.body), (signature, &first.body));
    let secret = text(&made["secret"]);
    verified(&[record("aryeo", &[secret], 1, first), record("aryeo", &[secret], 1, second)]).await;
}

#[tokio::test]
async fn ary_sig_4_any_string_will_do_for_a_secret() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    let longest = "ü".repeat(512);
    let secrets = ["x", " with spaces / and é ", "whsec_notbase64!", "😀\n\"", &longest];
    let mut records = Vec::new();
    for (number, secret) in secrets.into_iter().enumerate() {
        let name = format!("ACTIVITY_{number}");
        let settings = json!({ "secret": secret, "events": [name] });
        let made = endpoint_at(&scene, &receiver.url(), settings).await;
        assert_eq!(made["secret"], secret);
        assert!(scene.acme.endpoint_now(&made["id"]).await.get("secret").is_none(), "only once");
        activity(&scene, &name, ACTIVITY).await;
        let arrival = receiver.first(number + 1).await.pop().unwrap();
        records.push(record("aryeo", &[secret], 1, &arrival));
    }
    verified(&records).await;
    let too_long = json!({
        "url": receiver.url(), "events": "*", "profile": "aryeo", "secret": "x".repeat(513),
    });
    let problem = scene.acme.0.post(&Acme::path("/endpoints"), &too_long).await.expect(422);
    assert_eq!(problem["errors"][0]["pointer"], "/secret", "{problem}");
}

#[tokio::test]
async fn ary_sig_5_without_a_secret_there_is_no_signature() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    let made = endpoint_at(&scene, &receiver.url(), json!({ "secret": "" })).await;
    assert_eq!(made["secret"], Value::Null, "{made}");
    activity(&scene, "LISTING_DELIVERED", ACTIVITY).await;
    assert!(!receiver.first(1).await[0].has("signature"));

    let rotate = async |secret: &str| {
        let path = Acme::path(&format!("/endpoints/{}/rotate-secret", text(&made["id"])));
        scene.acme.0.post(&path, &json!({ "secret": secret })).await.expect(200)
    };
    assert_eq!(rotate("one of its own").await["secret"], "one of its own");
    activity(&scene, "LISTING_DELIVERED", ACTIVITY).await;
    let signed = receiver.first(2).await.pop().unwrap();
    verified(&[record("aryeo", &["one of its own"], 1, &signed)]).await;
    assert_eq!(rotate("").await["secret"], Value::Null);
    activity(&scene, "LISTING_DELIVERED", ACTIVITY).await;
    assert!(!receiver.first(3).await[2].has("signature"));
}

#[tokio::test]
async fn ary_sig_6_what_was_published_is_signed_and_sent_byte_for_byte() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    let made = endpoint_at(&scene, &receiver.url(), json!({ "secret": "secret" })).await;
    // The vectors of vendors.md §4.1, as PHP writes them and as others do.
    for (number, (data, signature)) in [
        (
            r#"{"object":"ACTIVITY"}"#,
            "9c0eb0d405d50abc96e42c9502bbc05c694ef8d94b69f06cb966500ca7058bc8",
        ),
        (
            r#"{"url":"https:\/\/a.b\/c"}"#,
            "7aa04fed24c9043531449b71a5088a2e50f7fc2c340dadb87b15978e758e8e11",
        ),
        (
            r#"{"url":"https://a.b/c"}"#,
            "47c0c590d374c970967cb848c0f37ce9e6c140fc3e1e2aa930a38c52da6a1b01",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        activity(&scene, "LISTING_DELIVERED", data).await;
        let arrival = receiver.first(number + 1).await.pop().unwrap();
        assert_eq!(std::str::from_utf8(&arrival.body).unwrap(), data);
        assert_eq!(arrival.header("signature"), signature);
        verified(&[record("aryeo", &["secret"], 1, &arrival)]).await;
    }
    let odd = r#"{ "b":1e2,"a" : "\u00fc\/ü", "n":12345678901234567890123 }"#;
    activity(&scene, "LISTING_DELIVERED", odd).await;
    let arrival = receiver.first(4).await.pop().unwrap();
    assert_eq!(std::str::from_utf8(&arrival.body).unwrap(), odd);
    verified(&[record("aryeo", &[text(&made["secret"])], 1, &arrival)]).await;

    // What another JSON writer makes of it no longer verifies.
    let path = "/v1/signatures/verify";
    let check = json!({
        "scheme": "aryeo", "secret": "secret", "payload": arrival.json().to_string(),
        "headers": { "Signature": arrival.header("signature") },
    });
    let answer = scene.acme.0.send(
        Method::POST,
        path,
        &[("content-type", "application/json")],
        check.to_string().into(),
    );
    assert_eq!(answer.await.expect(200)["valid"], false);
}
