//! Endpoints of the profile on the native API: headers of one's own, addresses, names (vendors.md §4.2, §4.3, §4.5).

use serde_json::{Value, json};

use super::{ACTIVITY, activity, endpoint_at};
use crate::receiver::Receiver;
use crate::scene::{Acme, Scene, text};
use crate::world::{OPERATOR_KEY, Server, World};

/// The 61 names of vendors.md §4.5.
const NAMES: &str = "\
USER_LOGGED_IN USER_LOGGED_OUT USER_REGISTERED \
ORDER_FEE_CREATED ORDER_FEE_DELETED ORDER_MEDIA_DOWNLOADED ORDER_PLACED ORDER_RECEIVED ORDER_CREATED ORDER_VIEWED \
ORDER_REFUNDED ORDER_PAYMENT_COMPLETED ORDER_PAYMENT_DELETED ORDER_PAYMENT_ENTERED ORDER_ATTACHED_TO_LISTING \
ORDER_SYNCED_TO_QUICKBOOKS ORDER_SYNC_TO_QUICKBOOKS_FAILED ORDER_PAYMENT_SYNCED_TO_QUICKBOOKS \
APPOINTMENT_ACCEPTED APPOINTMENT_DECLINED APPOINTMENT_SCHEDULED APPOINTMENT_REQUESTED APPOINTMENT_RESCHEDULED \
APPOINTMENT_POSTPONED APPOINTMENT_CANCELED APPOINTMENT_ASSIGNED APPOINTMENT_UNASSIGNED \
APPOINTMENT_CREATOR_REMINDER_SENT APPOINTMENT_CUSTOMER_REMINDER_SENT \
LISTING_CREATED LISTING_UPDATED LISTING_DELIVERED LISTING_CONTENT_DOWNLOADED LISTING_VIEWED \
MARKETING_MATERIAL_CREATED NOTIFICATION_SENT \
CUSTOMER_TEAM_CREATED CUSTOMER_TEAM_ARCHIVED CUSTOMER_TEAM_PRICING_PLAN_APPLIED CUSTOMER_TEAM_PRICING_PLAN_REMOVED \
CUSTOMER_TEAM_INTERNAL_NOTE_UPDATED CUSTOMER_TEAM_PRESELECTED_PRODUCTS_UPDATED CUSTOMER_TEAM_DOWNLOAD_SETTINGS_UPDATED \
CUSTOMER_TEAM_BILLING_TEAM_MEMBERSHIP_UPDATED CUSTOMER_TEAM_BILLING_TEAM_MEMBERSHIP_REMOVED \
CUSTOMER_TEAM_PRICE_OVERRIDES_UPDATED \
CUSTOMER_TEAM_MEMBERSHIP_CREATED CUSTOMER_TEAM_MEMBERSHIP_ARCHIVED CUSTOMER_TEAM_MEMBERSHIP_DELETED \
CUSTOMER_TEAM_MEMBERSHIP_REACTIVATED CUSTOMER_TEAM_MEMBERSHIP_INVITATION_ACCEPTED CUSTOMER_TEAM_MEMBERSHIP_REVOKED \
DEFAULT_CUSTOMER_TEAM_MEMBERSHIP_ADDED DEFAULT_CUSTOMER_TEAM_MEMBERSHIP_REMOVED \
MEDIA_REQUEST_CREATED MEDIA_REQUEST_CANCELED MEDIA_REQUEST_ACCEPTED MEDIA_REQUEST_ASSIGNED MEDIA_REQUEST_DECLINED \
MEDIA_REQUEST_DELIVERED MEDIA_REQUEST_TRANSFERRED";

// vendors.md §4.5.
#[tokio::test]
async fn the_catalogue_has_61_names_and_names_beyond_it_are_taken() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    let catalogue = json!({ "catalogue": "aryeo" });
    let path = Acme::path("/event-types/import");
    let imported = scene.acme.0.post(&path, &catalogue).await.expect(200);
    let names: Vec<_> = NAMES.split(' ').collect();
    assert_eq!((names.len(), &imported["names"]), (61, &json!(names)));
    let listed = scene.acme.0.get(&Acme::path("/event-types?limit=250")).await.expect(200);
    let mut listed: Vec<_> =
        listed["data"].as_array().unwrap().iter().map(|it| text(&it["name"]).to_owned()).collect();
    listed.sort_unstable();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(listed, sorted);

    // Somebody's receiver waits for a name that the vendor does not list.
    let settings = json!({ "events": ["ORDER_PAYMENT_RECEIVED", "USER_LOGGED_IN"] });
    endpoint_at(&scene, &receiver.url(), settings).await;
    for name in ["ORDER_PAYMENT_RECEIVED", "ORDER_PLACED", "USER_LOGGED_IN"] {
        let event = activity(&scene, name, ACTIVITY).await;
        let wanted = name != "ORDER_PLACED";
        assert_eq!(scene.acme.deliveries_of(&event).await.len(), usize::from(wanted), "{name}");
    }
    receiver.first(2).await;
}

#[tokio::test]
async fn ary_del_5_headers_of_ones_own_arrive_beside_the_signature() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    let mut headers: serde_json::Map<String, Value> =
        (0..47).map(|n| (format!("X-Custom-{n}"), json!(format!("value {n}")))).collect();
    headers.insert("Authorization".into(), json!("Bearer of-the-receiver"));
    headers.insert("User-Agent".into(), json!("Aryeo/1.0"));
    headers.insert("x!#$%&'*+-.^_`|~9".into(), json!("odd, but a header"));
    assert_eq!(headers.len(), 50);
    let made = endpoint_at(&scene, &receiver.url(), json!({ "headers": headers })).await;
    assert_eq!(made["headers"].as_object().map(serde_json::Map::len), Some(50));
    activity(&scene, "LISTING_DELIVERED", ACTIVITY).await;
    let arrival = receiver.first(1).await.remove(0);
    for (name, value) in &headers {
        assert_eq!(arrival.header(&name.to_lowercase()), text(value), "{name}");
    }
    assert_eq!(arrival.header("signature").len(), 64);
}

#[tokio::test]
async fn ary_del_5_headers_that_the_gateway_needs_itself_are_refused_by_name() {
    let scene = Scene::new().await;
    let url = "https://receiver.example/aryeo";
    let made = endpoint_at(&scene, url, json!({})).await;
    let endpoint = Acme::path(&format!("/endpoints/{}", text(&made["id"])));
    for name in [
        "Signature",
        "signature",
        "Host",
        "Content-Length",
        "Content-Type",
        "Connection",
        "Keep-Alive",
        "Proxy-Authorization",
        "Proxy-Authenticate",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
        "Expect",
    ] {
        let headers = json!({ "X-Fine": "x", name: "x" });
        let new = json!({ "url": url, "events": "*", "profile": "aryeo", "headers": headers });
        for answer in [
            scene.acme.0.post(&Acme::path("/endpoints"), &new).await,
            scene.acme.0.patch(&endpoint, &json!({ "headers": headers })).await,
        ] {
            let problem = answer.expect(422);
            let errors = problem["errors"].as_array().unwrap();
            assert_eq!(errors.len(), 1, "{problem}");
            assert_eq!(errors[0]["code"], "reserved_header", "{problem}");
            assert_eq!(errors[0]["pointer"], format!("/headers/{name}"), "{problem}");
            let message = text(&errors[0]["message"]);
            assert!(message.contains(&name.to_lowercase()), "{message}");
        }
    }
    assert_eq!(scene.acme.endpoint_now(&made["id"]).await["headers"], made["headers"]);
}

#[tokio::test]
async fn ary_del_6_https_is_taken_and_http_only_where_the_operator_allows_it() {
    let world = World::new();
    let data = world.data();
    let all = ["serve", "--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0"];
    let mut command = world.hookyard(&all);
    command.env("HOOKYARD_OPERATOR_KEY", OPERATOR_KEY);
    let server = Server::start(command, world.path("stderr.log")).await;
    let acme = Acme(server.operator().tenant("acme").await);
    let settings = |url: &str| json!({ "url": url, "events": "*", "profile": "aryeo" });
    let plain = settings("http://receiver.example/aryeo");
    let problem = acme.0.post(&Acme::path("/endpoints"), &plain).await.expect(422);
    assert_eq!(problem["errors"][0]["pointer"], "/url", "{problem}");
    let secure = settings("https://receiver.example/aryeo");
    acme.0.post(&Acme::path("/endpoints"), &secure).await.expect(201);

    let allowing = Scene::new().await;
    let made = endpoint_at(&allowing, "http://127.0.0.1:9/aryeo", json!({})).await;
    assert_eq!(made["url"], "http://127.0.0.1:9/aryeo");
}

#[tokio::test]
async fn ary_del_7_an_endpoint_takes_several_types_or_one() {
    let scene = Scene::new().await;
    let (several, one) = (Receiver::start().await, Receiver::start().await);
    let wanted = ["ORDER_PLACED", "LISTING_DELIVERED"];
    endpoint_at(&scene, &several.url(), json!({ "events": wanted })).await;
    endpoint_at(&scene, &one.url(), json!({ "events": ["LISTING_DELIVERED"] })).await;
    for name in ["ORDER_PLACED", "LISTING_VIEWED", "LISTING_DELIVERED"] {
        activity(&scene, name, &format!(r#"{{"name":"{name}"}}"#)).await;
    }
    scene.acme.count_is("status=succeeded", 3).await;
    let names = |receiver: &Receiver| {
        let mut names: Vec<_> =
            receiver.arrivals().iter().map(|it| it.json()["name"].clone()).collect();
        names.sort_by_key(Value::to_string);
        names
    };
    assert_eq!(names(&several), ["LISTING_DELIVERED", "ORDER_PLACED"]);
    assert_eq!(names(&one), ["LISTING_DELIVERED"]);
}
